// SPDX-License-Identifier: Apache-2.0
// A mixture well inside a feasible set, for others to be drawn towards; and so whether the feasible
// set has one at all. Within bounds and shares it is the mean of corners; with a bound on the
// divergence it lies between that and the mixture of smallest divergence; with the guard's balls,
// which are not convex together, it is the prior or a run, brought inside.

#include "optimize/feasible.h"

#include <math.h>
#include <nlopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const double TOLERANCE = 1e-9;

// The mean of the corners at which each weight is smallest and largest.
static rmx_status mean_of_corners(rmx__feasible *r, bool *feasible, rmx_err *err) {
  rmx_arena arena = {0};
  rmx__lp lp;
  rmx_status status = rmx__feasible_lp(r, 0, 0, &arena, &lp, err);
  double *x = rmx_arena_alloc(&arena, r->D, sizeof(double));
  if (status == RMX_OK && x == NULL)
    status = rmx_fail_memory(err, r->D * sizeof(double), "a feasible set");
  memset(r->interior, 0, r->D * sizeof(double));
  *feasible = true;
  for (size_t k = 0; k < 2 * r->D && status == RMX_OK && *feasible; k++) {
    lp.c[k / 2] = k % 2 ? -1 : 1;
    status = rmx__lp_solve(&lp, x, NULL, feasible, err);
    for (size_t d = 0; d < r->D; d++) r->interior[d] += x[d] / (double)(2 * r->D);
    lp.c[k / 2] = 0;
  }
  rmx_arena_release(&arena);
  return status;
}

static double kl_of(unsigned n, const double *w, double *gradient, void *context) {
  const rmx_constraints *c = context;
  double sum = 0;
  for (size_t d = 0; d < n; d++) {
    double x = fmax(w[d], 1e-15);
    if (c->reference[d] > 0) sum += x * log(x / c->reference[d]);
    if (gradient) gradient[d] = 0;
  }
  if (gradient) rmx__add_kl_gradient(c, w, 1, gradient);
  return sum;
}

typedef struct row {
  const double *factor;  // NULL: all 1
  double sign, limit;    // sign * sum of factor * w <= limit
} row;

static double row_of(unsigned n, const double *w, double *gradient, void *context) {
  const row *q = context;
  double sum = 0;
  for (size_t d = 0; d < n; d++) {
    double a = q->factor ? q->factor[d] : 1;
    sum += a * w[d];
    if (gradient) gradient[d] = q->sign * a;
  }
  return q->sign * sum - q->limit;
}

// The mixture of smallest divergence from the reference within bounds and shares: w (D).
static rmx_status min_kl(const rmx__feasible *r, double *w, rmx_err *err) {
  const rmx_constraints *c = r->constraints;
  memcpy(w, c->reference, r->D * sizeof(double));
  rmx__feasible_scale(r, w);
  if (rmx__feasible_contains_linear(r, w)) return RMX_OK;
  row whole = {NULL, 1, 1}, *rows = rmx_calloc(2 * c->n_shares, sizeof(row));
  nlopt_opt o = nlopt_create(NLOPT_LD_SLSQP, (unsigned)r->D);
  if (!rows || !o) {
    free(rows);
    if (o)
      nlopt_destroy(o);
    else
      rmx__short_of(0);
    return rmx_fail_memory(err, r->D * r->D * sizeof(double), "a search");
  }
  nlopt_set_lower_bounds(o, r->low);
  nlopt_set_upper_bounds(o, r->high);
  nlopt_set_min_objective(o, kl_of, (void *)(uintptr_t)c);
  nlopt_add_equality_constraint(o, row_of, &whole, 1e-10);
  for (size_t i = 0; i < c->n_shares; i++) {
    rows[2 * i] = (row){c->shares[i].factor, 1, c->shares[i].high};
    rows[2 * i + 1] = (row){c->shares[i].factor, -1, -c->shares[i].low};
    if (isfinite(c->shares[i].high))
      nlopt_add_inequality_constraint(o, row_of, &rows[2 * i], 1e-10);
    nlopt_add_inequality_constraint(o, row_of, &rows[2 * i + 1], 1e-10);
  }
  nlopt_set_ftol_abs(o, 1e-12);
  nlopt_set_maxeval(o, 500);
  double kl;
  memcpy(w, r->interior, r->D * sizeof(double));
  nlopt_result end = nlopt_optimize(o, w, &kl);
  nlopt_destroy(o);
  free(rows);
  if (end == NLOPT_OUT_OF_MEMORY) rmx__short_of(0);
  if (end == NLOPT_OUT_OF_MEMORY)
    return rmx_fail_memory(err, r->D * r->D * sizeof(double), "a search");
  rmx__feasible_scale(r, w);
  if (!rmx__feasible_contains_linear(r, w)) rmx__feasible_pull(r, w, rmx__feasible_contains_linear);
  return RMX_OK;
}

// centre <- some way from `edge`, which keeps all, to the present centre, which keeps bounds and
// shares.
static rmx_status interior_within_kl(rmx__feasible *r, rmx_err *err) {
  rmx_arena arena = {0};
  double *w = rmx_arena_alloc(&arena, r->D, sizeof(double)),
         *v = rmx_arena_alloc(&arena, r->D, sizeof(double));
  rmx_status status =
      w && v ? min_kl(r, w, err) : rmx_fail_memory(err, r->D * sizeof(double), "a feasible set");
  double min = status == RMX_OK ? rmx__kl(r->constraints, w) : 0, max = r->constraints->max_kl;
  if (status == RMX_OK && min > max + TOLERANCE)
    status = rmx_fail(
        err, RMX_EINPUT,
        "--max-kl %.4g: no mixture that the other constraints allow is so near the reference; the "
        "nearest has a divergence of %.4g",
        max, min);
  for (double t = 0.5; status == RMX_OK; t /= 2) {
    if (t < 1e-6) t = 0;
    for (size_t d = 0; d < r->D; d++) v[d] = w[d] + t * (r->interior[d] - w[d]);
    if (t > 0 && rmx__kl(r->constraints, v) > (min + max) / 2) continue;
    memcpy(r->interior, v, r->D * sizeof(double));
    break;
  }
  rmx_arena_release(&arena);
  return status;
}

rmx_status rmx__feasible_approach_runs(rmx__feasible *r, const double *prior, double *distance,
                                       rmx_err *err) {
  RMX_OWNED double *w = rmx_calloc(r->D, sizeof(double)), *best = rmx_calloc(r->D, sizeof(double));
  double min = INFINITY;
  if (!w || !best) return rmx_fail_memory(err, r->D * sizeof(double), "a feasible set");
  for (size_t i = 0; i <= r->N; i++) {
    const double *from = i == 0 ? prior : r->runs + (i - 1) * r->D;
    memcpy(w, from, r->D * sizeof(double));
    rmx__feasible_project_convex(r, w);
    double far = i == 0 ? rmx__nearest_run(r->runs, r->N, r->D, w, NULL)
                        : rmx__total_variation(w, from, r->D);
    if (far < min) memcpy(best, w, r->D * sizeof(double));
    min = fmin(far, min);
    if (i == 0 && isfinite(r->radius) && far <= r->radius) break;
  }
  if (isfinite(min)) memcpy(r->interior, best, r->D * sizeof(double));
  *distance = min;
  return RMX_OK;
}

// RMX_OK and *found where the feasible set has a mixture in it.
rmx_status rmx__feasible_find_interior(rmx__feasible *r, const double *prior, bool *found,
                                       rmx_err *err) {
  RMX_TRY(mean_of_corners(r, found, err));
  if (!*found) return RMX_OK;
  if (r->constraints->reference && isfinite(r->constraints->max_kl)) {
    rmx_err kl = {0};
    rmx_status status = interior_within_kl(r, &kl);
    *found = status == RMX_OK;
    if (status != RMX_OK) *err = kl;
    if (status != RMX_OK) return status == RMX_EINPUT ? RMX_OK : status;
  }
  if (isinf(r->radius) || rmx__feasible_contains(r, r->interior)) return RMX_OK;
  double distance;
  RMX_TRY(rmx__feasible_approach_runs(r, prior, &distance, err));
  *found = distance <= r->radius;
  return RMX_OK;
}
