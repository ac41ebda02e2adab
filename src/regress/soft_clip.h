// SPDX-License-Identifier: Apache-2.0
// The soft clip of predictions far outside the values seen.
#ifndef RMX_REGRESS_SOFT_CLIP_H
#define RMX_REGRESS_SOFT_CLIP_H

#include <regmix/regress.h>

// Clips y softly outside of seen (min, max). slope: the derivative by y; may be NULL.
double rmx__soft_clip(const double seen[2], double y, double *slope);
// Sets *below so that a clipped convex law is convex where it is at most *below: INFINITY where no
// corner of the simplex, and so no mixture, is clipped from above. at (state, w (D)): the law.
// Always true.
bool rmx__soft_clip_convex(const double seen[2], double (*at)(const void *state, const double *w),
                           const void *state, size_t D, double *below);
// Writes the min and max of the metric to seen; returns its standard deviation, 0 if all values are
// the same.
double rmx__spread(const rmx_dataset *data, double seen[2]);

#endif
