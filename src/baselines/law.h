// SPDX-License-Identifier: Apache-2.0
// law.h: losses as power laws of tokens, or of parameters.
#ifndef RMX_BASELINES_LAW_H
#define RMX_BASELINES_LAW_H

#include <regmix/base.h>

// One curve: y = floor + amount (x / x_last)^-alpha, floor and amount 0 or more. The same as e^c +
// (x_0 / x)^alpha with c = log floor, x_0 = x_last amount^(1 / alpha).
typedef struct rmx__power_law {
  const double *x, *y;  // (n) x in ascending order; borrowed
  size_t n;
  double floor, amount;  // fitted
} rmx__power_law;

// Fits all curves (n) with one alpha: sum of Huber's losses of y, delta as given. *alpha above 0 is
// held, 0 is fitted, within 0.02 .. 4. *rms (may be NULL): root mean square of the residuals. Cost:
// about 120 evaluations of all points, a few dozen times.
void rmx__power_law_fit(rmx__power_law *laws, size_t n, double delta, double *alpha, double *rms);
double rmx__power_law_at(const rmx__power_law *law, double alpha, double x);

#endif
