// SPDX-License-Identifier: Apache-2.0
// Errors that metrics have in common. A run that was lucky is lucky in most of its metrics, and a
// fit that is wrong at a mixture is wrong there for metrics of one kind. So draws of several
// metrics must err together, or their sum looks far more certain than it is.
//
// The errors out of fold of metric m are taken for
//   e_m = sum_k l_mk z_k + u_m v_m,  z_k, v_m ~ N(0, 1),
// in units of their standard deviation. A Cholesky decomposition of their correlations with
// RMX__COMMON pivots or fewer gives l; u_m^2 is what is left of 1. With that many metrics or fewer
// it is exact.
#ifndef RMX_REGRESS_COMMON_ERRORS_H
#define RMX_REGRESS_COMMON_ERRORS_H

#include <regmix/base.h>

enum { RMX__COMMON = 8 };

typedef struct rmx__common_errors {
  size_t M, K;
  double *share;  // (M, K): l
  double *own;    // (M): u
} rmx__common_errors;
// errors (N, M), NaN where not known. used (n_used): the metrics that matter, in the order in which
// equals are taken. With fewer than two of them K is 0. Cost: O(n_used^2 N).
rmx_status rmx__common_errors_make(const double *errors, size_t N, size_t M, const size_t *used,
                                   size_t n_used, rmx_arena *arena, rmx__common_errors *out,
                                   rmx_err *err);

// What one metric takes from the common numbers. {0} takes nothing.
typedef struct rmx__common {
  size_t K;
  const double *share;  // (K)
  double own;
  uint64_t seed;
  const size_t *run;  // of each row of the metric's data, its number among all runs
} rmx__common;
// The metric's share of the common numbers at `index`, to which own times a number of its own is
// added. Equal in all metrics but for the shares.
double rmx__common_normal(const rmx__common *c, uint64_t number, rmx_purpose purpose,
                          uint64_t index);

#endif
