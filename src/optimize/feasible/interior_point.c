// SPDX-License-Identifier: Apache-2.0
// A mixture well inside a feasible set, for others to be drawn towards; and so whether the feasible
// set has one at all. Within bounds and shares it is the mean of corners; with a bound on the
// divergence it lies between that and the mixture of smallest divergence; with the guard's balls,
// which are not convex together, it is the prior or a run, brought inside.

#include "optimize/feasible.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

// centre <- some way from `edge`, which keeps all, to the present centre, which keeps bounds and
// shares.
static rmx_status interior_within_kl(rmx__feasible *r, rmx_err *err) {
  rmx_arena arena = {0};
  double *w = rmx_arena_alloc(&arena, r->D, sizeof(double)),
         *v = rmx_arena_alloc(&arena, r->D, sizeof(double));
  rmx_status status = w && v ? rmx__feasible_nearest(r, r->constraints->reference, true, w, err)
                             : rmx_fail_memory(err, r->D * sizeof(double), "a feasible set");
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
