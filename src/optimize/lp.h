// SPDX-License-Identifier: Apache-2.0
// Small linear programs: min c.x  under  row_low <= A x <= row_high,  low <= x <= high.
#ifndef REGMIX_OPTIMIZE_LP_H
#define REGMIX_OPTIMIZE_LP_H

#include <regmix/base.h>

typedef struct rmx__lp {
  size_t n, m;                 // columns, rows
  double *c, *low, *high;      // (n), bounds finite
  double *A;                   // (m, n)
  double *row_low, *row_high;  // (m), may be infinite
} rmx__lp;

// Room for n columns and m rows in the arena, all 0, bounds 0 to 1.
rmx_status rmx__lp_make(rmx__lp *lp, size_t n, size_t m, rmx_arena *arena, rmx_err *err);
// x (n) and its cost (may be NULL); *feasible false where no x keeps to the bounds, by more than
// 1e-9.
rmx_status rmx__lp_solve(const rmx__lp *lp, double *x, double *cost, bool *feasible, rmx_err *err);

#endif
