// SPDX-License-Identifier: Apache-2.0
// num.h: the smaller and larger of two sizes, rounding to a multiple, inner products, and sums that
// are 1.
#ifndef RMX_BASE_NUM_H
#define RMX_BASE_NUM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static inline size_t rmx__min(size_t a, size_t b) {
  return a < b ? a : b;
}
static inline size_t rmx__max(size_t a, size_t b) {
  return a > b ? a : b;
}
static inline size_t rmx__ceil_div(size_t n, size_t by) {
  return (n + by - 1) / by;
}
static inline size_t rmx__round_up(size_t n, size_t multiple) {
  return rmx__ceil_div(n, multiple) * multiple;
}
static inline double rmx__dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}
// Whether weights sum to 1 within slack. 0.33 + 0.33 + 0.33 is within 0.01 of 1, although the sum
// of these doubles is a little less than 0.99.
static inline bool rmx__is_one(double sum, double slack) {
  return fabs(sum - 1) <= slack + 1e-9;
}

#endif
