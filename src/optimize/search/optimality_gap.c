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

// The linear program over v, and what of score(w0) - score's tangent at v does not depend on v.
typedef struct bound {
  const rmx_fit *fit;
  const rmx_target *target;
  const rmx__feasible *set;
  const double *w0;       // (D) the mixture whose gap is asked for
  double *w, *y, *g, *x;  // (D) where tangents are taken, (M) predictions at w0, (D), (D + 1)
  double score;           // at w0
  rmx__lp lp;
  size_t next_row;
  double offset;
} bound;

static bool has_limit(const rmx_target *t, size_t m) {
  return t->limit[m] < INFINITY;
}

static rmx_status begin(bound *b, rmx_arena *arena, rmx_err *err) {
  const size_t D = b->fit->D, M = b->fit->M;
  const rmx_constraints *c = b->set->constraints;
  b->y = rmx_arena_alloc(arena, M, sizeof(double));
  b->g = rmx_arena_alloc(arena, D, sizeof(double));
  b->w = rmx_arena_alloc(arena, D, sizeof(double));
  b->x = rmx_arena_alloc(arena, D + 1, sizeof(double));
  if (!b->y || !b->g || !b->w || !b->x) return rmx_fail_memory(err, D * sizeof(double), "a bound");
  for (size_t m = 0; m < M; m++)
    rmx_regressor_predict(b->fit->regressors[m], b->w0, 1, &b->y[m], NULL);
  rmx_target_score(b->target, M, b->y, 1, &b->score);
  // Tangents may be taken anywhere; the divergence has none at 0.
  const bool has_kl = c->reference && (isfinite(c->max_kl) || c->kl_penalty > 0);
  for (size_t d = 0; d < D; d++)
    b->w[d] = has_kl && b->set->high[d] > 0 ? fmax(b->w0[d], 1e-12) : b->w0[d];
  return RMX_OK;
}

// The set's bounds and shares, with rows for the tangents of the limits, of the divergence, and in
// the worst case of each metric.
static rmx_status make_program(bound *b, rmx_arena *arena, rmx_err *err) {
  const rmx_target *t = b->target;
  const rmx_constraints *c = b->set->constraints;
  size_t rows = c->reference && isfinite(c->max_kl);
  for (size_t m = 0; m < b->fit->M; m++)
    rows += (size_t)has_limit(t, m) + (t->worst && t->weight[m] != 0);
  RMX_TRY(rmx__feasible_lp(b->set, t->worst, rows, arena, &b->lp, err));
  b->next_row = 1 + c->n_shares;
  if (!t->worst) return RMX_OK;
  const size_t D = b->fit->D;
  const double far = 1e3 * (1 + fabs(b->score));
  b->offset = b->score;
  b->lp.c[D] = 1;
  b->lp.low[D] = b->score - far;
  b->lp.high[D] = b->score + far;
  return RMX_OK;
}

// value + factor g . (v - w) - t [of the worst case] <= 0
static void add_tangent(bound *b, double value, double factor, bool has_t) {
  double *row = b->lp.A + b->next_row * b->lp.n, at = 0;
  const size_t D = b->fit->D;
  for (size_t d = 0; d < D; d++) {
    row[d] = factor * b->g[d];
    at += row[d] * b->w[d];
  }
  if (has_t) row[D] = -1;
  b->lp.row_low[b->next_row] = -INFINITY;
  b->lp.row_high[b->next_row++] = at - value;
}

// The objective gets factor times a function that is `at_w0` at w0 and `value` at w.
static void add_to_objective(bound *b, double at_w0, double value, double factor) {
  double gw = 0;
  for (size_t d = 0; d < b->fit->D; d++) {
    b->lp.c[d] += factor * b->g[d];
    gw += factor * b->g[d] * b->w[d];
  }
  b->offset += factor * (at_w0 - value) + gw;
}

// false: metric m has no gradient
static bool add_metric(bound *b, size_t m) {
  const rmx_target *t = b->target;
  if (t->weight[m] == 0 && !has_limit(t, m)) return true;
  double value;
  rmx_regressor_predict(b->fit->regressors[m], b->w, 1, &value, NULL);
  if (!rmx_regressor_gradient(b->fit->regressors[m], b->w, b->g)) return false;
  if (has_limit(t, m))
    add_tangent(b, t->sign[m] * value - t->limit[m] - rmx__slack(t, m), t->sign[m], false);
  if (t->weight[m] == 0) return true;
  if (t->worst)
    add_tangent(b, t->weight[m] * (value - t->base[m]), t->weight[m], true);
  else
    add_to_objective(b, b->y[m], value, t->weight[m]);
  return true;
}

static void add_divergence(bound *b) {
  const rmx_constraints *c = b->set->constraints;
  if (!c->reference) return;
  for (size_t d = 0; d < b->fit->D; d++)
    b->g[d] = c->reference[d] > 0 && b->w[d] > 0 ? log(b->w[d] / c->reference[d]) + 1 : 0;
  const double value = rmx__kl(c, b->w);
  if (isfinite(c->max_kl)) add_tangent(b, value - c->max_kl - 1e-9, 1, false);
  if (c->kl_penalty > 0) add_to_objective(b, rmx__kl(c, b->w0), value, c->kl_penalty);
}

static rmx_status find(bound *b, rmx_arena *arena, bool *convex, double *gap, rmx_err *err) {
  RMX_TRY(begin(b, arena, err));
  if (!isfinite(b->score) || !is_convex(b->fit, b->target, b->set, b->y, b->score)) return RMX_OK;
  RMX_TRY(make_program(b, arena, err));
  for (size_t m = 0; m < b->fit->M; m++)
    if (!add_metric(b, m)) return RMX_OK;
  add_divergence(b);
  bool feasible;
  double cost;
  RMX_TRY(rmx__lp_solve(&b->lp, b->x, &cost, &feasible, err));
  *convex = true;
  if (feasible) *gap = fmax(0, b->offset - cost);
  return RMX_OK;
}

rmx_status rmx__optimality_gap(const rmx_fit *fit, const rmx_target *t, const rmx__feasible *r,
                               const double *w0, bool *convex, double *gap, rmx_err *err) {
  bound b = {.fit = fit, .target = t, .set = r, .w0 = w0};
  rmx_arena arena = {0};
  *convex = false;
  *gap = NAN;
  const rmx_status status = find(&b, &arena, convex, gap, err);
  rmx_arena_release(&arena);
  return status;
}
