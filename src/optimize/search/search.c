// SPDX-License-Identifier: Apache-2.0
// From each start downhill by sequential quadratic programming (Kraft 1988, NLopt's SLSQP) under
// all constraints; the best of what comes out and keeps them is polished by moving weight between
// pairs of domains.
//
// The worst case is minimised as a variable t of its own, under weight_m (metric_m(w) - base_m) <=
// t. The guard's balls are not convex together, so the search is first without them; where that
// leaves them it goes on within the ball of the run that is nearest, the distance smoothed at its
// kinks, and from where that ends in the ball of the run nearest then.
//
// Cost: some 50 gradients a start, and for each the solution of a quadratic program, O(D^3).

#include "optimize/search.h"

#include <math.h>
#include <nlopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MAX_EVALUATIONS = 300, BALLS = 4, JOINS = 3 };

// ---- one way down ----

static rmx_status slsqp(rmx__objective *p, double *x, rmx_err *err) {
  if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while searching");
  size_t D = p->D, n = D + p->target->worst, rows = rmx__objective_rows(p);
  double *work = rmx_calloc(2 * n + rows, sizeof(double)), value;
  nlopt_opt o = nlopt_create(NLOPT_LD_SLSQP, (unsigned)n);
  if (!work || !o) {
    free(work);
    if (o)
      nlopt_destroy(o);
    else
      rmx__short_of(0);
    return rmx_fail_memory(err, n * n * sizeof(double), "a search");
  }
  double *low = work, *high = work + n, *tolerance = work + 2 * n;
  memcpy(low, p->set->low, D * sizeof(double));
  memcpy(high, p->set->high, D * sizeof(double));
  for (size_t d = 0; d < D && p->moves; d++)
    if (!p->moves[d]) low[d] = high[d] = x[d];  // NLopt leaves them out
  for (size_t d = D; d < n; d++) {
    low[d] = -HUGE_VAL;
    high[d] = HUGE_VAL;
    x[d] = rmx__plain_score(p->target, p->M, p->y) / p->scale;
  }
  for (size_t i = 0; i < rows; i++) tolerance[i] = 1e-9;
  nlopt_set_lower_bounds(o, low);
  nlopt_set_upper_bounds(o, high);
  nlopt_set_min_objective(o, rmx__objective_value, p);
  nlopt_add_equality_constraint(o, rmx__objective_sum, p, 1e-10);
  if (rows)
    nlopt_add_inequality_mconstraint(o, (unsigned)rows, rmx__objective_inequalities, p, tolerance);
  nlopt_set_ftol_abs(o, p->set->coarse ? 1e-6 : 1e-9);
  nlopt_set_xtol_abs1(o, p->set->coarse ? 1e-6 : 1e-10);
  nlopt_set_maxeval(o, p->set->coarse ? MAX_EVALUATIONS / 4 : MAX_EVALUATIONS);
  // however it ends but for this, x is looked at below
  nlopt_result end = nlopt_optimize(o, x, &value);
  nlopt_destroy(o);
  free(work);
  if (end == NLOPT_OUT_OF_MEMORY) rmx__short_of(0);
  return end == NLOPT_OUT_OF_MEMORY ? rmx_fail_memory(err, n * n * sizeof(double), "a search")
                                    : RMX_OK;
}

// The same; with many domains, of those alone that it is worth to move.
static rmx_status go_down(rmx__objective *p, double *x, rmx_err *err) {
  if (!rmx__narrows(p->target, p->M, p->D)) return slsqp(p, x, err);
  if (p->set->sketch) return p->ball ? RMX_OK : rmx__first_order_descent(p, x, err);
  RMX_OWNED bool *moves = rmx_calloc(p->D, sizeof *moves);
  if (!moves) return rmx_fail_memory(err, p->D, "a search");
  rmx_status status = RMX_OK;
  if (!p->ball) RMX_TRY(rmx__first_order_descent(p, x, err));
  p->moves = moves;
  for (int i = 0; i < JOINS && status == RMX_OK; i++) {
    bool more;
    status = rmx__free_domains(p, x, &more, err);
    if (status != RMX_OK || !more) break;
    status = slsqp(p, x, err);
  }
  p->moves = NULL;
  return status;
}

// Brings w inside all: the feasible set, then the limits, towards `anchor`, which keeps them (NULL:
// there is none). The score.
static double settle(rmx__objective *p, const double *anchor, double *w) {
  rmx__feasible_project(p->set, w);
  double score = rmx__objective_score(p, w);
  if (isfinite(score) || !anchor) return score;
  double out = 0, in = 1;
  RMX_OWNED double *from = rmx_calloc(2 * p->D, sizeof(double));
  if (!from) return INFINITY;
  double *best = from + p->D;
  memcpy(from, w, p->D * sizeof(double));
  memcpy(best, anchor, p->D * sizeof(double));
  for (int i = 0; i < 30; i++) {
    double t = (out + in) / 2;
    for (size_t d = 0; d < p->D; d++) w[d] = from[d] + t * (anchor[d] - from[d]);
    rmx__feasible_project(p->set, w);
    bool good = isfinite(rmx__objective_score(p, w));
    if (good) memcpy(best, w, p->D * sizeof(double));
    if (good)
      in = t;
    else
      out = t;
  }
  memcpy(w, best, p->D * sizeof(double));
  return rmx__objective_score(p, w);
}

static rmx_status descend(rmx__objective *p, const double *anchor, double *x, double *score,
                          rmx_err *err) {
  const rmx__feasible *r = p->set;
  p->ball = NULL;
  rmx__feasible_project_convex(r, x);
  rmx__objective_score(p, x);
  RMX_TRY(go_down(p, x, err));
  size_t last = r->N;
  for (int i = 0; i < (r->coarse ? 1 : BALLS) && isfinite(r->radius); i++) {
    size_t run = 0;
    double far = rmx__nearest_run(r->runs, r->N, r->D, x, &run);
    if ((i == 0 && far <= r->radius) || run == last) break;
    last = run;
    p->ball = r->runs + run * r->D;
    rmx__objective_score(p, x);
    RMX_TRY(go_down(p, x, err));
  }
  p->ball = NULL;
  *score = settle(p, anchor, x);
  return RMX_OK;
}

// ---- the whole ----

// Weights within rounding of a bound are set to it; the largest weight takes the difference.
static void tidy(const rmx__feasible *r, double *w) {
  double sum = 0;
  size_t max = 0;
  for (size_t d = 0; d < r->D; d++) {
    if (fabs(w[d] - r->low[d]) < 1e-9) w[d] = r->low[d];
    if (fabs(w[d] - r->high[d]) < 1e-9) w[d] = r->high[d];
    if (r->high[d] - w[d] > 1e-6 && (w[d] > w[max] || r->high[max] - w[max] <= 1e-6)) max = d;
    sum += w[d];
  }
  w[max] += 1 - sum;
}

rmx_status rmx__search_within(const rmx_fit *fit, const rmx_target *target,
                              const rmx__feasible *set, const double *starts, size_t n, double *w,
                              double *score, rmx_err *err) {
  rmx__objective p = {.fit = fit, .target = target, .set = set};
  rmx_arena arena = {0};
  size_t D = fit->D;
  rmx_status status = rmx__objective_make(&p, &arena, err);
  double *x = rmx_arena_alloc(&arena, D + 1, sizeof(double)), *anchor = NULL;
  double *best = rmx_arena_alloc(&arena, D, sizeof(double)), min = INFINITY;
  if (status == RMX_OK && (!x || !best))
    status = rmx_fail_memory(err, D * sizeof(double), "a search");
  // what keeps everything already, and is best
  for (size_t i = 0; i <= n && status == RMX_OK; i++) {
    memcpy(x, i < n ? starts + i * D : set->interior, D * sizeof(double));
    rmx__feasible_project(set, x);
    double s = rmx__objective_score(&p, x);
    if (!(s < min)) continue;
    min = s;
    memcpy(best, x, D * sizeof(double));
  }
  if (status == RMX_OK && isfinite(min)) {
    if (!(anchor = rmx_arena_alloc(&arena, D, sizeof(double))))
      status = rmx_fail_memory(err, D * sizeof(double), "a search");
    else
      memcpy(anchor, best, D * sizeof(double));
  }
  for (size_t i = 0; i < (n ? n : 1) && status == RMX_OK; i++) {
    double s;
    memcpy(x, n ? starts + i * D : set->interior, D * sizeof(double));
    status = descend(&p, anchor, x, &s, err);
    if (status != RMX_OK || !(s < min)) continue;
    min = s;
    memcpy(best, x, D * sizeof(double));
  }
  if (status == RMX_OK && !isfinite(min))
    status = rmx_fail(
        err, RMX_EINPUT,
        "no mixture was found at which every metric keeps its limit: allow more slack (--no-worse "
        "METRIC=SLACK)");
  if (status == RMX_OK && !set->coarse) status = rmx__pairwise_descent(&p, best, &min, err);
  if (status == RMX_OK) {
    rmx__feasible_project(set, best);
    memcpy(w, best, D * sizeof(double));
    tidy(set, w);
    if (!rmx__feasible_contains(set, w)) memcpy(w, best, D * sizeof(double));
    if (score) *score = min;
  }
  rmx_arena_release(&arena);
  return status;
}
