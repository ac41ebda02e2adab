// SPDX-License-Identifier: Apache-2.0
// spread.h: the mean and the standard deviation of measured values.
#ifndef RMX_BASE_SPREAD_H
#define RMX_BASE_SPREAD_H

#include <stddef.h>

typedef struct rmx__spread {
  size_t n;         // values that are finite
  double mean, sd;  // of a sample, square / (n - 1); 0 without values, NaN with fewer than two
} rmx__spread;
// Of x[0], x[step], ... (n); those that are not finite are missing.
rmx__spread rmx__spread_of(const double *x, size_t n, size_t step);

#endif
