// SPDX-License-Identifier: Apache-2.0
// Far from its runs a smooth fit can predict anything, so predictions are clipped softly. Let R be
// the range of the values seen. A value that lies e outside of [low - R/10, high + R/10] is moved
// to e R / (e + R) outside of it. Predictions keep their order and a slope, and none leaves that
// interval by more than R.

#include "soft_clip.h"

#include <math.h>
#include <stdlib.h>

double rmx__soft_clip(const double seen[2], double y, double *slope) {
  double range = seen[1] - seen[0], low = seen[0] - 0.1 * range, high = seen[1] + 0.1 * range;
  double off = fmax(y - high, low - y);
  if (slope) *slope = 1;
  if (!(off > 0)) return y;
  double kept = range / (off + range);  // 0 if only one value was seen, or if y is infinite
  if (!isfinite(off)) kept = 0;
  if (slope) *slope = kept * kept;
  double more = isfinite(off) ? off * kept : range;
  return y > high ? high + more : low - more;
}

// Below the interval the slope grows with y, so a convex law stays convex. Above it, it falls.
bool rmx__soft_clip_convex(const double seen[2], double (*at)(const void *state, const double *w),
                           const void *state, size_t D, double *below) {
  double limit = seen[1] + 0.1 * (seen[1] - seen[0]);
  RMX_OWNED double *corner = rmx_calloc(D, sizeof *corner);
  *below = limit;
  if (!corner) return true;
  bool clipped = false;
  for (size_t d = 0; d < D && !clipped; d++) {
    corner[d] = 1;
    clipped = !(at(state, corner) <= limit);
    corner[d] = 0;
  }
  if (!clipped) *below = INFINITY;
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
