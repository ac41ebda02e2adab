// SPDX-License-Identifier: Apache-2.0
// What convexity gives: a bound on what a better mixture could still gain.
//
// Where score and limits are convex, each lies above its tangents, so no mixture v that is allowed
// scores below
//   score(w) - gap,   gap = max_v grad score . (w - v)
// over bounds, shares and the limits' tangents
// (Frank & Wolfe 1956), a linear program; the worst case is the largest of its metrics' tangents.
// The fitted parameters decide whether they are convex (rmx__regressor_convex). Curves that bend
// over above some value still are among the mixtures that score no worse than w, where there is one
// metric, or the worst is at stake: that will do.

#include "optimize/search.h"

#include <math.h>
#include <string.h>

// Over what scores no worse than w: predictions y (M) there.
static bool is_convex(const rmx_fit *fit, const rmx_target *t, const rmx__feasible *r,
                      const double *y, double score) {
  size_t n = 0;
  if (r->constraints->drop_below > 0) return false;
  for (size_t m = 0; m < fit->M; m++) n += t->weight[m] != 0;
  for (size_t m = 0; m < fit->M; m++) {
    double below, sign = t->weight[m] < 0 ? -1 : 1;
    // A limit's set is convex where the law before the soft clip is, since clipping keeps the
    // order.
    if (t->limit[m] < INFINITY && !rmx__regressor_convex(fit->regressors[m], t->sign[m], &below))
      return false;
    if (t->weight[m] == 0) continue;
    if (!rmx__regressor_convex(fit->regressors[m], sign, &below)) return false;
    double max = t->worst ? t->base[m] + score / t->weight[m] : y[m];
    if (isfinite(below) &&
        !((n == 1 || t->worst) && r->constraints->kl_penalty <= 0 && max <= below))
      return false;
  }
  return true;
}

typedef struct rows {
  rmx__lp *lp;
  const double *w;
  size_t D, next;
} rows;

// value + g . (v - w) - t [of the worst case] <= 0
static void add_tangent(rows *q, double value, const double *g, bool has_t) {
  double *row = q->lp->A + q->next * q->lp->n, at = 0;
  for (size_t d = 0; d < q->D; d++) {
    row[d] = g[d];
    at += g[d] * q->w[d];
  }
  if (has_t) row[q->D] = -1;
  q->lp->row_low[q->next] = -INFINITY;
  q->lp->row_high[q->next++] = at - value;
}

rmx_status rmx__optimality_gap(const rmx_fit *fit, const rmx_target *t, const rmx__feasible *r,
                               const double *w0, bool *convex, double *gap, rmx_err *err) {
  size_t D = fit->D, M = fit->M, limits = 0, weights = 0;
  const rmx_constraints *c = r->constraints;
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  double *y = rmx_arena_alloc(&arena, M, sizeof(double)),
         *g = rmx_arena_alloc(&arena, D, sizeof(double));
  double *w = rmx_arena_alloc(&arena, D, sizeof(double)),
         *x = rmx_arena_alloc(&arena, D + 1, sizeof(double)), cost;
  *convex = false;
  *gap = NAN;
  if (!y || !g || !w || !x) {
    status = rmx_fail_memory(err, D * sizeof(double), "a bound");
    goto done;
  }
  for (size_t m = 0; m < M; m++) {
    rmx_regressor_predict(fit->regressors[m], w0, 1, &y[m], NULL);
    limits += t->limit[m] < INFINITY;
    weights += t->weight[m] != 0;
  }
  double score;
  rmx_target_score(t, M, y, 1, &score);
  if (!isfinite(score) || !is_convex(fit, t, r, y, score)) goto done;
  // Tangents may be taken anywhere; the divergence has none at 0.
  bool has_kl = c->reference && (isfinite(c->max_kl) || c->kl_penalty > 0);
  for (size_t d = 0; d < D; d++) w[d] = has_kl && r->high[d] > 0 ? fmax(w0[d], 1e-12) : w0[d];
  rmx__lp lp;
  size_t kl_row = c->reference && isfinite(c->max_kl);
  RMX_TRY_GOTO(
      rmx__feasible_lp(r, t->worst, limits + kl_row + (t->worst ? weights : 0), &arena, &lp, err),
      done);
  rows q = {&lp, w, D, 1 + c->n_shares};
  double offset = t->worst ? score : 0, penalty = c->kl_penalty * rmx__kl(c, w0);
  for (size_t m = 0; m < M; m++) {
    if (t->weight[m] == 0 && !(t->limit[m] < INFINITY)) continue;
    double value, gw = 0;
    rmx_regressor_predict(fit->regressors[m], w, 1, &value, NULL);
    if (!rmx_regressor_gradient(fit->regressors[m], w, g)) goto done;
    if (t->limit[m] < INFINITY) {
      for (size_t d = 0; d < D; d++) g[d] *= t->sign[m];
      add_tangent(&q, t->sign[m] * value - t->limit[m] - rmx__slack(t, m), g, false);
      for (size_t d = 0; d < D; d++) g[d] *= t->sign[m];
    }
    if (t->weight[m] == 0) continue;
    for (size_t d = 0; d < D; d++) g[d] *= t->weight[m];
    if (t->worst) {
      add_tangent(&q, t->weight[m] * (value - t->base[m]), g, true);
      continue;
    }
    for (size_t d = 0; d < D; d++) {
      lp.c[d] += g[d];
      gw += g[d] * w[d];
    }
    // score(w0) less the tangent at v is offset - g . v
    offset += t->weight[m] * (y[m] - value) + gw;
  }
  for (size_t d = 0; d < D; d++)
    g[d] = c->reference && c->reference[d] > 0 ? log(w[d] / c->reference[d]) + 1 : 0;
  for (size_t d = 0; d < D; d++)
    if (!(w[d] > 0)) g[d] = 0;
  if (kl_row) add_tangent(&q, rmx__kl(c, w) - c->max_kl - 1e-9, g, false);
  double pw = 0, kl_at = c->kl_penalty * rmx__kl(c, w);
  for (size_t d = 0; d < D && c->kl_penalty > 0; d++) {
    lp.c[d] += c->kl_penalty * g[d];
    pw += c->kl_penalty * g[d] * w[d];
  }
  if (t->worst) {
    lp.c[D] = 1;
    lp.low[D] = score - 1e3 * (1 + fabs(score));
    lp.high[D] = score + 1e3 * (1 + fabs(score));
  }
  bool feasible;
  RMX_TRY_GOTO(rmx__lp_solve(&lp, x, &cost, &feasible, err), done);
  *convex = true;
  if (!feasible) goto done;
  *gap = fmax(0, offset - cost + (penalty - kl_at) + pw);
done:
  rmx_arena_release(&arena);
  return status;
}
