// SPDX-License-Identifier: Apache-2.0
// Outside its runs a smooth fit may say anything, so its predictions bend over beyond the values
// seen: with R their range, what lies e beyond [low - R/10, high + R/10] is drawn in to e R / (e +
// R). That keeps order and a slope, and leaves by no more than R.

#include <math.h>
#include <stdlib.h>

#include "regressor.h"

double rmx__bend(const double seen[2], double y, double *slope) {
  double range = seen[1] - seen[0], low = seen[0] - 0.1 * range, high = seen[1] + 0.1 * range;
  double off = fmax(y - high, low - y);
  if (slope) *slope = 1;
  if (!(off > 0)) return y;
  double kept = range / (off + range);  // 0 where nothing but one value was seen, or y is infinite
  if (!isfinite(off)) kept = 0;
  if (slope) *slope = kept * kept;
  double more = isfinite(off) ? off * kept : range;
  return y > high ? high + more : low - more;
}

// Beneath, the slope grows with y: a convex law stays convex. Above, it falls.
bool rmx__bend_convex(const double seen[2], double (*at)(const void *state, const double *w),
                      const void *state, size_t D, double *below) {
  double limit = seen[1] + 0.1 * (seen[1] - seen[0]), *corner = rmx_calloc(D, sizeof(double));
  *below = limit;
  if (corner == NULL) return true;
  bool bent = false;
  for (size_t d = 0; d < D && !bent; d++) {
    corner[d] = 1;
    bent = !(at(state, corner) <= limit);
    corner[d] = 0;
  }
  if (!bent) *below = INFINITY;
  free(corner);
  return true;
}

double rmx__spread(const rmx_dataset *data, double seen[2]) {
  double mean = 0, square = 0;
  seen[0] = seen[1] = data->y[0];
  for (size_t i = 0; i < data->N; i++) {
    seen[0] = fmin(seen[0], data->y[i]);
    seen[1] = fmax(seen[1], data->y[i]);
    mean += data->y[i] / (double)data->N;
  }
  if (seen[0] == seen[1]) return 0;
  for (size_t i = 0; i < data->N; i++) square += (data->y[i] - mean) * (data->y[i] - mean);
  return sqrt(square / (double)data->N);
}
