// SPDX-License-Identifier: Apache-2.0
// pool.h: a weighted sum of many fitted functions, evaluated at once.
#ifndef RMX_REGRESS_POOL_H
#define RMX_REGRESS_POOL_H

#include <regmix/regress.h>

typedef struct rmx__pool {
  size_t n, D, most_runs, most_features;
  const rmx_regressor **members;  // (n) those of one group side by side
  size_t *at;                     // (n) their numbers among the functions given
  size_t *start, groups;          // (groups + 1) where each group begins
} rmx__pool;
// Groups the functions r (n) at `used` (n_used): the processes of a group have the same runs,
// lengths and warps. In the arena; borrows the functions.
rmx_status rmx__pool_make(rmx_regressor *const *r, const size_t *used, size_t n_used,
                          rmx_arena *arena, rmx__pool *out, rmx_err *err);
// y (of all functions given, at their numbers): the means at w (D). gradient (D; NULL: not wanted):
// that of the sum of weight (at their numbers) times y. False if memory is short, or if a function
// has no gradient and one is wanted.
bool rmx__pool_evaluate(const rmx__pool *p, const double *w, const double *weight, double *y,
                        double *gradient);

#endif
