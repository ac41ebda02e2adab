// SPDX-License-Identifier: Apache-2.0
// The recurrence of Welford 1962: one pass, without loss where the mean is large.
#include "spread.h"

#include <math.h>

rmx__spread rmx__spread_of(const double *x, size_t n, size_t step) {
  rmx__spread s = {0};
  double square = 0;
  for (size_t i = 0; i < n; i++) {
    const double y = x[i * step], off = y - s.mean;
    if (!isfinite(y)) continue;
    s.mean += off / (double)++s.n;
    square += off * (y - s.mean);
  }
  s.sd = s.n > 1 ? sqrt(square / (double)(s.n - 1)) : NAN;
  return s;
}
