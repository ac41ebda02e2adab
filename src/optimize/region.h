// SPDX-License-Identifier: Apache-2.0
// What the making of a region and the finding of its centre share.
#ifndef REGMIX_OPTIMIZE_REGION_H
#define REGMIX_OPTIMIZE_REGION_H

#include "search.h"

// Whether w (D) keeps bounds and shares.
bool rmx__region_keeps_linear(const rmx__region *r, const double *w);
// w_d <- min(high_d, max(low_d, scale w_d)) with the scale that makes the sum 1. What is at 0 joins
// only where the others are all at their upper bounds.
void rmx__region_scale(const rmx__region *r, double *w);
// Draws w towards the centre until it keeps.
void rmx__region_pull(const rmx__region *r, double *w,
                      bool (*keeps)(const rmx__region *, const double *));
// *found where the region has a mixture in it: then its centre is set. A divergence that cannot be
// kept is told in err, which the call leaves alone otherwise.
rmx_status rmx__region_find_centre(rmx__region *r, const double *prior, bool *found, rmx_err *err);

#endif
