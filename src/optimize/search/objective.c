// SPDX-License-Identifier: Apache-2.0
// The score, its gradient, and what it is minimised under: a row for each side of a share or order,
// the divergence, the ball, each limit, and each metric of the worst case.

#include "optimize/search.h"

#include <math.h>
#include <string.h>

enum { SAMPLED_RUNS = 16 };                     // the scale is the range of their scores
static const double MARGIN = 0.2, UNIT = 1e-6;  // inside a limit, of its slack; a usual slack

// ---- the score and its gradient ----

void rmx__objective_evaluate(rmx__objective *p, const double *w) {
  if (p->fresh && memcmp(p->at, w, p->D * sizeof(double)) == 0) return;
  if (p->summed) {
    if (!rmx__pool_evaluate(&p->pool, w, p->target->weight, p->y, p->G)) p->y[p->used[0]] = NAN;
  } else {
    for (size_t k = 0; k < p->n_used; k++) {
      size_t m = p->used[k];
      rmx__regressor_evaluate(p->fit->regressors[m], w, &p->y[m], p->G + m * p->D);
    }
  }
  memcpy(p->at, w, p->D * sizeof(double));
  p->fresh = true;
}

double rmx__objective_score(rmx__objective *p, const double *w) {
  double score;
  if (!rmx__pool_evaluate(&p->pool, w, p->target->weight, p->y, NULL)) return INFINITY;
  p->fresh = false;
  rmx_target_score(p->target, p->M, p->y, 1, &score);
  if (p->set->constraints->kl_penalty > 0)
    score += p->set->constraints->kl_penalty * rmx__kl(p->set->constraints, w);
  return isnan(score) ? INFINITY : score;
}

double rmx__objective_value(unsigned n, const double *x, double *gradient, void *context) {
  rmx__objective *p = context;
  const rmx_constraints *c = p->set->constraints;
  const rmx_target *t = p->target;
  double value = t->worst ? x[p->D] : 0;
  if (gradient) memset(gradient, 0, n * sizeof(double));
  if (gradient && t->worst) gradient[p->D] = 1;
  if (!t->worst) rmx__objective_evaluate(p, x);
  for (size_t k = 0; k < p->n_used && !t->worst; k++) {
    size_t m = p->used[k];
    double by = t->weight[m] / p->scale;
    if (by == 0) continue;
    value += by * p->y[m];
    for (size_t d = 0; d < p->D && gradient && !p->summed; d++)
      gradient[d] += by * p->G[m * p->D + d];
  }
  for (size_t d = 0; d < p->D && gradient && p->summed; d++) gradient[d] += p->G[d] / p->scale;
  if (c->kl_penalty > 0) {
    value += c->kl_penalty / p->scale * rmx__kl(c, x);
    if (gradient) rmx__add_kl_gradient(c, x, c->kl_penalty / p->scale, gradient);
  }
  return isfinite(value) ? value : 1e10;
}

double rmx__objective_sum(unsigned n, const double *x, double *gradient, void *context) {
  const rmx__objective *p = context;
  double sum = -1;
  for (size_t d = 0; d < n; d++) {
    if (d < p->D) sum += x[d];
    if (gradient) gradient[d] = d < p->D;
  }
  return sum;
}

// ---- the inequalities, one row each ----

size_t rmx__objective_rows(const rmx__objective *p) {
  const rmx_constraints *c = p->set->constraints;
  size_t n = c->n_shares + (isfinite(c->max_kl) && c->reference) + (p->ball != NULL);
  for (size_t k = 0; k < c->n_shares; k++) n += isfinite(c->shares[k].high);
  for (size_t k = 0; k < p->n_used; k++) {
    size_t m = p->used[k];
    n += p->target->limit[m] < INFINITY;
    n += p->target->worst && p->target->weight[m] != 0;
  }
  return n;
}

// Half the L1 distance to the run whose ball it is, a little more near the kinks.
static double smooth_distance(const rmx__objective *p, const double *w, double *gradient) {
  double sum = 0, e = 1e-3 * p->set->radius;
  for (size_t d = 0; d < p->D; d++) {
    double x = w[d] - p->ball[d], r = sqrt(x * x + e * e);
    sum += r / 2;
    if (gradient) gradient[d] = x / r / 2;
  }
  return sum;
}

void rmx__objective_inequalities(unsigned n_result, double *result, unsigned n, const double *x,
                                 double *gradient, void *context) {
  rmx__objective *p = context;
  const rmx_constraints *c = p->set->constraints;
  const rmx_target *t = p->target;
  size_t i = 0, D = p->D;
  if (gradient) memset(gradient, 0, (size_t)n_result * n * sizeof(double));
  for (size_t k = 0; k < c->n_shares; k++) {
    const rmx_share *s = &c->shares[k];
    const bool has_high = isfinite(s->high);
    double share = 0;
    for (size_t d = 0; d < D; d++) {
      if (s->factor[d] == 0) continue;
      share += s->factor[d] * x[d];
      if (gradient) gradient[i * n + d] = -s->factor[d];
      if (gradient && has_high) gradient[(i + 1) * n + d] = s->factor[d];
    }
    result[i++] = s->low - share;
    if (has_high) result[i++] = share - s->high;
  }
  if (isfinite(c->max_kl) && c->reference) {
    result[i] = rmx__kl(c, x) - c->max_kl + 1e-10;
    if (gradient) rmx__add_kl_gradient(c, x, 1, gradient + i * n);
    i++;
  }
  if (p->ball) {
    result[i] = smooth_distance(p, x, gradient ? gradient + i * n : NULL) - p->set->radius;
    i++;
  }
  if (i < n_result) rmx__objective_evaluate(p, x);
  for (size_t k = 0; k < p->n_used && i < n_result; k++) {
    size_t m = p->used[k];
    const double *g = p->G + m * D;
    if (t->limit[m] < INFINITY) {
      const double slack = rmx__slack(t, m), by = t->sign[m] * (UNIT / slack);
      result[i] = by * p->y[m] - UNIT / slack * t->limit[m] + MARGIN * UNIT;
      for (size_t d = 0; d < D && gradient; d++) gradient[i * n + d] = by * g[d];
      i++;
    }
    if (t->worst && t->weight[m] != 0) {
      double by = t->weight[m] / p->scale;
      result[i] = by * (p->y[m] - t->base[m]) - x[D];
      for (size_t d = 0; d < D && gradient; d++) gradient[i * n + d] = by * g[d];
      if (gradient) gradient[i * n + D] = -1;
      i++;
    }
  }
}

// ---- making it ----

rmx_status rmx__objective_make(rmx__objective *p, rmx_arena *arena, rmx_err *err) {
  size_t D = p->D = p->fit->D, M = p->M = p->fit->M;
  p->used = rmx_arena_alloc(arena, M, sizeof(size_t));
  p->at = rmx_arena_alloc(arena, D, sizeof(double));
  p->y = rmx_arena_alloc(arena, M, sizeof(double));
  p->G = rmx_arena_alloc(arena, M, D * sizeof(double));
  p->summed = !p->target->worst;
  if (!p->used || !p->at || !p->y || !p->G)
    return rmx_fail_memory(err, M * D * sizeof(double), "a search");
  double low = INFINITY, high = -INFINITY;
  for (size_t m = 0; m < M; m++)
    if (p->target->weight[m] != 0 || p->target->limit[m] < INFINITY) {
      p->used[p->n_used++] = m;
      p->summed &= !(p->target->limit[m] < INFINITY);
    }
  RMX_TRY(rmx__pool_make(p->fit->regressors, p->used, p->n_used, arena, &p->pool, err));
  for (size_t k = 0; k < p->n_used; k++) {
    const rmx_regressor *r = p->fit->regressors[p->used[k]];
    if (!rmx_regressor_gradient(r, p->set->interior, p->G))
      return rmx_fail(
          err, RMX_EINPUT,
          "metric \"%s\" is fitted with %s, which have no gradient, and --method search needs one; "
          "use --method simulate, or fit with another regressor (`regmix fit --regressor auto`)",
          p->fit->metrics[p->used[k]], rmx_regressor_name(r));
  }
  for (size_t i = 0; i <= SAMPLED_RUNS; i++) {
    const double *w = i < SAMPLED_RUNS && p->set->N
                          ? p->set->runs + i * p->set->N / SAMPLED_RUNS * D
                          : p->set->interior;
    rmx__objective_score(p, w);
    double score = rmx__plain_score(p->target, M, p->y);
    low = fmin(low, score);
    high = fmax(high, score);
  }
  p->scale = high - low > 1e-12 && isfinite(high - low) ? high - low : 1;
  return RMX_OK;
}
