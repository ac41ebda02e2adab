// SPDX-License-Identifier: Apache-2.0
// What the making of a feasible set and the finding of its centre share.
#ifndef RMX_OPTIMIZE_FEASIBLE_H
#define RMX_OPTIMIZE_FEASIBLE_H

#include "search.h"

// Whether w (D) keeps bounds and shares.
bool rmx__feasible_contains_linear(const rmx__feasible *r, const double *w);
// w_d <- min(high_d, max(low_d, scale w_d)) with the scale that makes the sum 1. What is at 0 joins
// only where the others are all at their upper bounds.
void rmx__feasible_scale(const rmx__feasible *r, double *w);
// Draws w towards the centre until it keeps.
void rmx__feasible_pull(const rmx__feasible *r, double *w,
                        bool (*keeps)(const rmx__feasible *, const double *));
// *found where the feasible set has a mixture in it: then its centre is set. A divergence that
// cannot be kept is told in err, which the call leaves alone otherwise.
rmx_status rmx__feasible_find_interior(rmx__feasible *r, const double *prior, bool *found,
                                       rmx_err *err);

#endif
