// SPDX-License-Identifier: Apache-2.0
// feasible.h: the feasible set: the mixtures that a search may propose. Linear programs over it, a
// point inside it, and the trust region around the runs.
#ifndef RMX_OPTIMIZE_FEASIBLE_H
#define RMX_OPTIMIZE_FEASIBLE_H

#include "optimize/problem.h"

// ---- lp.c: small linear programs: min c.x under row_low <= A x <= row_high, low <= x <= high

typedef struct rmx__lp {
  size_t n, m;                 // columns, rows
  double *c, *low, *high;      // (n), bounds finite
  double *A;                   // (m, n)
  double *row_low, *row_high;  // (m), may be infinite
} rmx__lp;
// Room for n columns and m rows in the arena, all 0, bounds 0 to 1.
rmx_status rmx__lp_make(rmx__lp *lp, size_t n, size_t m, rmx_arena *arena, rmx_err *err);
// x (n) and its cost (may be NULL); *feasible false where no x keeps the bounds to 1e-9.
rmx_status rmx__lp_solve(const rmx__lp *lp, double *x, double *cost, bool *feasible, rmx_err *err);

// ---- trust_region.c: how far mixtures lie from the runs

// The total variation distance, half the L1 distance: the share of tokens that differ.
double rmx__total_variation(const double *a, const double *b, size_t D);
// The distance to the nearest of runs (N, D), INFINITY where there is none; *which (may be NULL):
// its number.
double rmx__nearest_run(const double *runs, size_t N, size_t D, const double *w, size_t *which);
// For each run, the distance to the nearest run of another mixture, 0 if there is none: (N).
void rmx__nearest_other_runs(const rmx_fit *fit, double *distance);
// The median of these, over at most 2048 of the runs.
rmx_status rmx__typical_distance(const rmx_fit *fit, double *out, rmx_err *err);
// The smallest and largest weight of domain d in the runs, widened by half a percent of the range.
void rmx__covered_range(const rmx_fit *fit, size_t d, double *low, double *high);
// The root mean square error to expect of the target's score at `distance` from the runs, from the
// fit's out-of-fold errors: square error = a + b distance^2 with a, b >= 0, least squares over the
// runs, with each run's distance to its nearest other. NaN where the fit has fewer than 8 errors.
rmx_status rmx__expected_error(const rmx_fit *fit, const rmx_target *target, double distance,
                               double *out, rmx_err *err);

// ---- the set

// Bounds, shares, orders, a limit on the divergence, and a ball around each run. Borrows the
// constraints and the fit's runs; owns the rest.
typedef struct rmx__feasible {
  size_t D;
  double *low, *high;                  // (D) the problem's, within the guard's
  const rmx_constraints *constraints;  // shares and orders, reference, drop_below
  const double *runs;                  // (N, D)
  size_t N;
  double radius;     // the largest distance to the nearest run; INFINITY: any
  double *interior;  // (D) a mixture inside, not at the edge
  size_t *order;     // (D) the domains by their names: the order in which random mixtures are drawn
  bool coarse;       // searches may stop 1e-6 of the score's scale early: those of a bootstrap
  bool sketch;       // searches with many domains end with their first-order steps
} rmx__feasible;

// `guarded`: only where the runs are. Where the constraints leave nothing of that, it is widened as
// far as they ask: each range by the least, the balls by the distance of the nearest run. *followed
// (may be NULL): it was. prior (D): what the interior point resembles.
rmx_status rmx__feasible_make(rmx__feasible *r, const rmx_fit *fit, const rmx_constraints *c,
                              bool guarded, const double *prior, bool *followed, rmx_err *err);
// Widens ranges and balls of the guard so that w (D), which keeps the constraints, is inside.
void rmx__feasible_reach(rmx__feasible *r, const double *w);
// Makes the guard, if there is one, twice as wide: each range in both directions by half of it, and
// each ball by its radius. The problem's own constraints stay.
void rmx__feasible_double(rmx__feasible *r, const rmx_fit *fit);
rmx_status rmx__feasible_copy(rmx__feasible *to, const rmx__feasible *from, rmx_err *err);
void rmx__feasible_release(rmx__feasible *r);
// Whether w (D) lies inside, to 1e-9; drop_below is not checked. _convex: without the balls.
// _linear: bounds, shares and orders alone.
bool rmx__feasible_contains(const rmx__feasible *r, const double *w);
bool rmx__feasible_contains_convex(const rmx__feasible *r, const double *w);
bool rmx__feasible_contains_linear(const rmx__feasible *r, const double *w);
// Moves w inside, near where it was. _convex: without the balls.
void rmx__feasible_project(const rmx__feasible *r, double *w);
void rmx__feasible_project_convex(const rmx__feasible *r, double *w);
// w_d <- min(high_d, max(low_d, scale w_d)) with the scale that makes the sum 1. A weight of 0 is
// raised only where all others are at their upper bounds.
void rmx__feasible_scale(const rmx__feasible *r, double *w);
// Moves w towards the interior point until `contains` holds.
void rmx__feasible_pull(const rmx__feasible *r, double *w,
                        bool (*contains)(const rmx__feasible *, const double *));
// Brings w (sum 1) into the orders, if there are any. _sort: exchanges weights, so that random ones
// stay as varied as they were. _level: makes weights equal, which moves w less.
void rmx__feasible_sort(const rmx__feasible *r, double *w);
void rmx__feasible_level(const rmx__feasible *r, double *w);
// For drop_below: where weights of w are too small, fixes them at 0 (or, where that leaves nothing,
// raises their lower bound). *changed: there were some, so search again.
rmx_status rmx__feasible_drop(rmx__feasible *r, const double *w, bool *changed, rmx_err *err);
// The bounds, shares and orders as a linear program with more columns and rows for the caller, in
// the arena. Row 0 is sum w = 1, then the shares and orders, then the caller's.
rmx_status rmx__feasible_lp(const rmx__feasible *r, size_t more_columns, size_t more_rows,
                            rmx_arena *arena, rmx__lp *lp, rmx_err *err);

// ---- nearest.c

// The mixture w (D) of smallest divergence KL(w || from) in the set, which has an interior point,
// without the guard's balls; `linear`: without the limit on the divergence from the reference too.
rmx_status rmx__feasible_nearest(const rmx__feasible *r, const double *from, bool linear, double *w,
                                 rmx_err *err);
// That divergence, with weights of `from` (D) above 0: a large number in place of INFINITY.
double rmx__divergence(const double *w, const double *from, size_t D);

// ---- held.c: what the guard holds back

// Whether the guard, and no constraint, holds weight w of domain d at an end of its range, to
// `within`: -1 at the low end, 1 at the high one, 0 at none.
int rmx__held_by_range(const rmx__feasible *r, size_t d, double w, double within);
// Whether w (D) is as far from the nearest run as the guard allows.
bool rmx__held_by_distance(const rmx__feasible *r, const double *w);

// ---- interior_point.c

// *found: the set has a mixture in it, and r->interior is set. If the limit on the divergence
// cannot be kept, err has a message; else err is not changed.
rmx_status rmx__feasible_find_interior(rmx__feasible *r, const double *prior, bool *found,
                                       rmx_err *err);
// The interior point becomes the prior moved into the bounds, shares, orders and divergence, if
// that is near enough to a run, or else the run that needs the smallest move; *distance: how far
// that is from the nearest run.
rmx_status rmx__feasible_approach_runs(rmx__feasible *r, const double *prior, double *distance,
                                       rmx_err *err);

#endif
