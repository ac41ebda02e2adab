// SPDX-License-Identifier: Apache-2.0
// The feasible set is made: from the constraints, the guard, and an interior point, without which
// the set is empty. And it is narrowed, where small weights are to be dropped.

#include "optimize/feasible.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-9;

void rmx__feasible_release(rmx__feasible *r) {
  free(r->low);
  free(r->high);
  free(r->interior);
  *r = (rmx__feasible){0};
}

static rmx_status allocate(rmx__feasible *r, rmx_err *err) {
  r->low = rmx_calloc(r->D, sizeof(double));
  r->high = rmx_calloc(r->D, sizeof(double));
  r->interior = rmx_calloc(r->D, sizeof(double));
  if (r->low && r->high && r->interior) return RMX_OK;
  rmx__feasible_release(r);
  return rmx_fail_memory(err, 3 * r->D * sizeof(double), "a feasible set");
}

rmx_status rmx__feasible_copy(rmx__feasible *to, const rmx__feasible *from, rmx_err *err) {
  rmx__feasible r = *from;
  RMX_TRY(allocate(&r, err));
  memcpy(r.low, from->low, r.D * sizeof(double));
  memcpy(r.high, from->high, r.D * sizeof(double));
  memcpy(r.interior, from->interior, r.D * sizeof(double));
  *to = r;
  return RMX_OK;
}

static rmx_status make(rmx__feasible *out, const rmx_fit *fit, const rmx_constraints *c, bool guard,
                       const double *prior, bool *found, rmx_err *err) {
  rmx__feasible r = {
      .D = fit->D, .constraints = c, .runs = fit->runs, .N = fit->N, .radius = INFINITY};
  double typical = 0;
  RMX_TRY(allocate(&r, err));
  for (size_t d = 0; d < r.D; d++) {
    double low = 0, high = 1;
    if (guard && r.N) rmx__covered_range(fit, d, &low, &high);
    r.low[d] = fmax(c->low[d], fmax(low, 0));
    r.high[d] = fmin(c->high[d], high);
    // Any of what the reference has none of is infinitely far from it.
    if (c->reference && !(c->reference[d] > 0)) r.high[d] = fmin(r.high[d], 0);
  }
  rmx_status status = guard ? rmx__typical_distance(fit, &typical, err) : RMX_OK;
  if (typical > 0) r.radius = 2 * typical;
  if (status == RMX_OK) status = rmx__feasible_find_interior(&r, prior, found, err);
  if (status != RMX_OK || !*found) rmx__feasible_release(&r);
  *out = r;
  return status;
}

rmx_status rmx__feasible_make(rmx__feasible *r, const rmx_fit *fit, const rmx_constraints *c,
                              bool guard, const double *prior, bool *guard_infeasible,
                              rmx_err *err) {
  bool found = false;
  err->status = RMX_OK;
  *guard_infeasible = false;
  RMX_TRY(make(r, fit, c, guard, prior, &found, err));
  if (found) return RMX_OK;
  if (guard) {
    rmx_status status = make(r, fit, c, false, prior, &found, err);
    if (status != RMX_OK) return status;
    *guard_infeasible = found;
    rmx__feasible_release(r);
    if (found)
      return rmx_fail(err, RMX_EINPUT,
                      "the constraints allow no mixture near the runs: train runs there");
  }
  if (err->status == RMX_EINPUT) return RMX_EINPUT;  // the divergence: err says so already
  RMX_TRY(rmx_constraints_check(c, (const char *const *)fit->domains, err));
  return rmx_fail(err, RMX_EINPUT, "no mixture keeps the constraints: loosen one");
}

// 0 from now on; or, where it must not be 0, as much as is not too small.
static void drop_or_raise(rmx__feasible *r, size_t d, double x) {
  if (r->low[d] > 0)
    r->low[d] = fmax(x, r->low[d]);
  else
    r->high[d] = 0;
}

rmx_status rmx__feasible_drop(rmx__feasible *r, const double *w, bool *changed, rmx_err *err) {
  double x = r->constraints->drop_below;
  *changed = false;
  if (!(x > 0)) return RMX_OK;
  rmx_err ignored;
  for (int attempt = 0; attempt < 3;
       attempt++) {  // drop all that are too small, or the smallest, or raise that
    rmx__feasible next;
    RMX_TRY(rmx__feasible_copy(&next, r, err));
    size_t smallest = r->D;
    for (size_t d = 0; d < r->D; d++) {
      bool small = w[d] > TOLERANCE && w[d] < x - TOLERANCE;
      if (w[d] <= TOLERANCE && r->low[d] <= 0 && r->high[d] < x) next.high[d] = 0;
      if (small && (smallest == r->D || w[d] < w[smallest])) smallest = d;
      if (small && attempt == 0) drop_or_raise(&next, d, x);
    }
    if (smallest == r->D) {
      rmx__feasible_release(&next);
      return RMX_OK;
    }
    if (attempt == 1) drop_or_raise(&next, smallest, x);
    if (attempt == 2) next.low[smallest] = x;
    bool found = false;
    for (size_t d = 0; d < r->D; d++)
      if (next.low[d] > next.high[d]) smallest = r->D;
    rmx_status status = smallest < r->D
                            ? rmx__feasible_find_interior(&next, r->interior, &found, &ignored)
                            : RMX_OK;
    if (status == RMX_OK && found) {
      rmx__feasible_release(r);
      *r = next;
      *changed = true;
      return RMX_OK;
    }
    rmx__feasible_release(&next);
  }
  return rmx_fail(err, RMX_EINPUT,
                  "--drop-below %.4g: no mixture that keeps the other constraints has only weights "
                  "of 0 and above that",
                  x);
}
