// SPDX-License-Identifier: Apache-2.0
// Where a search may go, and one search there: prepared once, asked many times (a bootstrap asks
// 200 times).
#ifndef REGMIX_OPTIMIZE_SEARCH_H
#define REGMIX_OPTIMIZE_SEARCH_H

#include <regmix/optimize.h>

#include "lp.h"

// ---- where ----

// The set of mixtures allowed: bounds, shares, divergence from a reference, and a ball around each
// run. Borrows the constraints and the fit's runs; owns the rest.
typedef struct rmx__feasible {
  size_t D;
  double *low, *high;            // (D) the problem's, within the guard's
  const rmx_constraints *asked;  // shares, reference, drop_below
  const double *runs;            // (N, D)
  size_t N;
  double radius;     // half L1 distance to the nearest run at most; INFINITY: any
  double *interior;  // (D) some mixture inside, not at the edge
  // searches may end 1e-6 of the score's scale above the bottom: one of the many of a bootstrap
  bool coarse;
} rmx__feasible;

// `guard`: only where the runs are; where that leaves nothing, though there is something without
// it, RMX_EINPUT and *guard_infeasible is true. prior (D): what the centre is to be like.
rmx_status rmx__feasible_make(rmx__feasible *r, const rmx_fit *fit, const rmx_constraints *c,
                              bool guard, const double *prior, bool *guard_infeasible,
                              rmx_err *err);
rmx_status rmx__feasible_copy(rmx__feasible *to, const rmx__feasible *from, rmx_err *err);
void rmx__feasible_release(rmx__feasible *r);
// Within 1e-9; drop_below is not looked at. The second: but for the balls.
bool rmx__feasible_contains(const rmx__feasible *r, const double *w);
bool rmx__feasible_contains_convex(const rmx__feasible *r, const double *w);
// Brings a mixture inside, near where it was. The second: but for the balls.
void rmx__feasible_project(const rmx__feasible *r, double *w);
void rmx__feasible_project_convex(const rmx__feasible *r, double *w);
// Of drop_below: where weights of w are too small, holds them at 0 from now on (or, where that
// leaves nothing, at what they must have at least); *changed: there were some, so search again.
rmx_status rmx__feasible_drop(rmx__feasible *r, const double *w, bool *changed, rmx_err *err);
// The bounds and shares as a linear program with `more` columns and rows for the caller, in the
// arena. Row 0 is sum w = 1, then the shares, then the caller's.
rmx_status rmx__feasible_lp(const rmx__feasible *r, size_t more_columns, size_t more_rows,
                            rmx_arena *arena, rmx__lp *lp, rmx_err *err);
// sum_d w_d log(w_d / reference_d); 0 without a reference.
double rmx__kl(const rmx_constraints *c, const double *w);

// ---- one search ----

// Lowest score of `target` found in the feasible set from `starts` (n, D), which need not lie
// inside: w (D), and the score with the penalty of the divergence (may be NULL). Thread-safe;
// nothing random in it. RMX_EINPUT where a function of the target has no gradient or no mixture
// found keeps the target's limits.
rmx_status rmx__search(const rmx_fit *fit, const rmx_target *target, const rmx__feasible *set,
                       const double *starts, size_t n, double *w, double *score, rmx_err *err);
// Whether the target's score is convex over what scores no worse than w (D), which the feasible set
// holds; and the gap: no mixture of the feasible set scores lower than w by more than it (NaN where
// not convex).
rmx_status rmx__optimality_gap(const rmx_fit *fit, const rmx_target *target,
                               const rmx__feasible *set, const double *w, bool *convex, double *gap,
                               rmx_err *err);

#endif
