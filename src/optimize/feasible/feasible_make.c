// SPDX-License-Identifier: Apache-2.0
// The feasible set is made: from the constraints, the guard, and an interior point, without which
// the set is empty. Where constraints lead out of the guard, it is widened as far as they ask. And
// the set is narrowed, where small weights are to be dropped.

#include "optimize/feasible.h"

#include "regress/name_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-9, SLACK = 1e-7;  // SLACK: of the least that ranges widen

void rmx__feasible_release(rmx__feasible *r) {
  free(r->low);
  free(r->high);
  free(r->interior);
  free(r->order);
  *r = (rmx__feasible){0};
}

static rmx_status allocate(rmx__feasible *r, rmx_err *err) {
  r->low = rmx_calloc(r->D, sizeof(double));
  r->high = rmx_calloc(r->D, sizeof(double));
  r->interior = rmx_calloc(r->D, sizeof(double));
  r->order = rmx_calloc(r->D, sizeof(size_t));
  if (r->low && r->high && r->interior && r->order) return RMX_OK;
  rmx__feasible_release(r);
  return rmx_fail_memory(err, 3 * r->D * sizeof(double), "a feasible set");
}

rmx_status rmx__feasible_copy(rmx__feasible *to, const rmx__feasible *from, rmx_err *err) {
  rmx__feasible r = *from;
  RMX_TRY(allocate(&r, err));
  memcpy(r.low, from->low, r.D * sizeof(double));
  memcpy(r.high, from->high, r.D * sizeof(double));
  memcpy(r.interior, from->interior, r.D * sizeof(double));
  memcpy(r.order, from->order, r.D * sizeof(size_t));
  *to = r;
  return RMX_OK;
}

// Where the runs are: the range of each weight, and how far from the nearest run.
typedef struct guard {
  double *low, *high;  // (D)
  double radius;
} guard;

static rmx_status around_runs(const rmx_fit *fit, guard *g, rmx_arena *arena, rmx_err *err) {
  *g = (guard){.low = rmx_arena_alloc(arena, fit->D, sizeof(double)),
               .high = rmx_arena_alloc(arena, fit->D, sizeof(double)),
               .radius = INFINITY};
  if (!g->low || !g->high) return rmx_fail_memory(err, fit->D * sizeof(double), "a feasible set");
  for (size_t d = 0; d < fit->D; d++)
    if (fit->N)
      rmx__covered_range(fit, d, &g->low[d], &g->high[d]);
    else
      g->high[d] = 1;
  double typical = 0;
  RMX_TRY(rmx__typical_distance(fit, &typical, err));
  if (typical > 0) g->radius = 2 * typical;
  return RMX_OK;
}

// g may be NULL.
static rmx_status make(rmx__feasible *out, const rmx_fit *fit, const rmx_constraints *c,
                       const guard *g, const double *prior, bool *found, rmx_err *err) {
  rmx__feasible r = {.D = fit->D,
                     .constraints = c,
                     .runs = fit->runs,
                     .N = fit->N,
                     .radius = g ? g->radius : INFINITY};
  RMX_TRY(allocate(&r, err));
  for (size_t d = 0; d < r.D; d++) {
    r.low[d] = fmax(c->low[d], g ? fmax(g->low[d], 0) : 0);
    r.high[d] = fmin(c->high[d], g ? g->high[d] : 1);
    // Any of what the reference has none of is infinitely far from it.
    if (c->reference && !(c->reference[d] > 0)) r.high[d] = fmin(r.high[d], 0);
  }
  rmx_status status = rmx__name_order((const char *const *)fit->domains, r.D, r.order, err);
  if (status == RMX_OK) status = rmx__feasible_find_interior(&r, prior, found, err);
  if (status != RMX_OK || !*found) rmx__feasible_release(&r);
  *out = r;
  return status;
}

// The largest that columns `first` to first + D of lp can be, each by itself: added to bound (D),
// times sign.
static rmx_status add_most(rmx__lp *lp, size_t first, size_t D, double sign, double *bound,
                           double *x, rmx_err *err) {
  bool found;
  for (size_t d = first; d < first + D; d++) {
    if (!(lp->high[d] > TOLERANCE)) continue;
    lp->c[d] = -1;
    RMX_TRY(rmx__lp_solve(lp, x, NULL, &found, err));
    lp->c[d] = 0;
    if (found && x[d] > SLACK * 10) bound[d - first] += sign * x[d];
  }
  return RMX_OK;
}

// Widens the ranges until bounds, shares and orders have a mixture in them, by the least sum: in
// w = v + up - down, v is within them, or at the bound of `all` that is nearest to them. Where the
// least sum can be spread in several ways, each range is widened as far as one of them does.
static rmx_status widen_ranges(guard *g, const rmx__feasible *all, rmx_arena *arena, rmx_err *err) {
  const size_t D = all->D;
  rmx__lp lp;
  bool found;
  double least, *x = rmx_arena_alloc(arena, 3 * D, sizeof(double));
  if (!x) return rmx_fail_memory(err, 3 * D * sizeof(double), "a feasible set");
  RMX_TRY(rmx__feasible_lp(all, 2 * D, 1, arena, &lp, err));
  const size_t sum = lp.m - 1;  // of all that the ranges are widened by
  for (size_t d = 0; d < D; d++) {
    lp.low[d] = g->low[d] = fmin(fmax(g->low[d], all->low[d]), all->high[d]);
    lp.high[d] = g->high[d] = fmin(fmax(g->high[d], all->low[d]), all->high[d]);
    lp.high[D + d] = all->high[d] - g->high[d];
    lp.high[2 * D + d] = g->low[d] - all->low[d];
    lp.c[D + d] = lp.c[2 * D + d] = 1;
    for (size_t i = 0; i < sum; i++) {
      lp.A[i * lp.n + D + d] = lp.A[i * lp.n + d];
      lp.A[i * lp.n + 2 * D + d] = -lp.A[i * lp.n + d];
    }
    lp.A[sum * lp.n + D + d] = lp.A[sum * lp.n + 2 * D + d] = 1;
  }
  lp.row_low[sum] = 0;
  lp.row_high[sum] = INFINITY;
  RMX_TRY(rmx__lp_solve(&lp, x, &least, &found, err));
  if (!found) return RMX_OK;
  lp.row_high[sum] = least + SLACK;
  memset(lp.c, 0, lp.n * sizeof *lp.c);
  RMX_TRY(add_most(&lp, D, D, 1, g->high, x, err));
  return add_most(&lp, 2 * D, D, -1, g->low, x, err);
}

// The constraints leave nothing of the guard: it follows them, as far from the runs as it must.
static rmx_status follow(rmx__feasible *r, const rmx_fit *fit, const rmx__feasible *all, guard *g,
                         const double *prior, rmx_arena *arena, rmx_err *err) {
  const double radius = g->radius;
  bool found = false;
  RMX_TRY(widen_ranges(g, all, arena, err));
  g->radius = INFINITY;
  RMX_TRY(make(r, fit, all->constraints, g, prior, &found, err));
  if (!found) {  // by the divergence
    for (size_t d = 0; d < all->D; d++) {
      g->low[d] = fmin(g->low[d], all->interior[d]);
      g->high[d] = fmax(g->high[d], all->interior[d]);
    }
    RMX_TRY(make(r, fit, all->constraints, g, prior, &found, err));
  }
  if (!found) return rmx__feasible_copy(r, all, err);
  double distance;
  const rmx_status status =
      isinf(radius) ? RMX_OK : rmx__feasible_approach_runs(r, prior, &distance, err);
  if (status != RMX_OK)
    rmx__feasible_release(r);
  else if (isfinite(radius))
    r->radius = distance + radius;
  return status;
}

rmx_status rmx__feasible_make(rmx__feasible *r, const rmx_fit *fit, const rmx_constraints *c,
                              bool guarded, const double *prior, bool *followed, rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible all = {0};
  bool found = false;
  guard g;
  err->status = RMX_OK;
  if (followed) *followed = false;
  if (guarded) {
    RMX_TRY(around_runs(fit, &g, &arena, err));
    RMX_TRY(make(r, fit, c, &g, prior, &found, err));
    if (found) return RMX_OK;
    err->status = RMX_OK;
  }
  RMX_TRY(make(&all, fit, c, NULL, prior, &found, err));
  if (found && guarded) {
    if (followed) *followed = true;
    return follow(r, fit, &all, &g, prior, &arena, err);
  }
  if (found) {
    *r = all;
    all = (rmx__feasible){0};
    return RMX_OK;
  }
  if (err->status == RMX_EINPUT) return RMX_EINPUT;  // the divergence: err says so already
  RMX_TRY(rmx_constraints_check(c, (const char *const *)fit->domains, err));
  return rmx_fail(err, RMX_EINPUT, "no mixture keeps the constraints: loosen one");
}

void rmx__feasible_reach(rmx__feasible *r, const double *w) {
  for (size_t d = 0; d < r->D; d++) {
    r->low[d] = fmin(r->low[d], w[d]);
    r->high[d] = fmax(r->high[d], w[d]);
  }
  r->radius = fmax(r->radius, rmx__nearest_run(r->runs, r->N, r->D, w, NULL));
}

void rmx__feasible_double(rmx__feasible *r, const rmx_fit *fit) {
  const rmx_constraints *c = r->constraints;
  for (size_t d = 0; d < r->D && fit->N; d++) {
    double low, high;
    rmx__covered_range(fit, d, &low, &high);
    const double half = (high - low) / 2;
    r->low[d] = fmin(r->low[d], fmax(c->low[d], r->low[d] - half));
    r->high[d] = fmax(r->high[d], fmin(c->high[d], r->high[d] + half));
  }
  r->radius *= 2;
}

// 0 from now on, also where all runs have some of it; or, where a constraint wants some, as much as
// is not too small.
static void drop_or_raise(rmx__feasible *r, size_t d, double x) {
  if (r->constraints->low[d] > 0)
    r->low[d] = fmax(x, r->low[d]);
  else
    r->low[d] = r->high[d] = 0;
}

rmx_status rmx__feasible_drop(rmx__feasible *r, const double *w, bool *changed, rmx_err *err) {
  const double below = r->constraints->drop_below;
  *changed = false;
  if (!(below > 0)) return RMX_OK;
  rmx_err ignored;
  for (int attempt = 0; attempt < 3;
       attempt++) {  // drop all that are too small, or the smallest, or raise that
    rmx__feasible next;
    RMX_TRY(rmx__feasible_copy(&next, r, err));
    size_t smallest = r->D;
    for (size_t d = 0; d < r->D; d++) {
      const double x = rmx__least_weight(r->constraints, d);
      bool small = w[d] > TOLERANCE && w[d] < x - TOLERANCE;
      if (w[d] <= TOLERANCE && r->low[d] <= 0 && r->high[d] < x) next.high[d] = 0;
      if (small && (smallest == r->D || w[d] < w[smallest])) smallest = d;
      if (small && attempt == 0) drop_or_raise(&next, d, x);
    }
    if (smallest == r->D) {
      rmx__feasible_release(&next);
      return RMX_OK;
    }
    const double x = rmx__least_weight(r->constraints, smallest);
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
                  below);
}
