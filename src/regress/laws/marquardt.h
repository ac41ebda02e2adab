// SPDX-License-Identifier: Apache-2.0
// Penalised least squares of a curve with few parameters.
#ifndef RMX_REGRESS_MARQUARDT_H
#define RMX_REGRESS_MARQUARDT_H

#include <regmix/base.h>

typedef struct rmx__curve {
  size_t N, P;
  // Writes the values f (N) and the slopes J (N, P) at p (P).
  void (*evaluate)(void *context, const double *p, double *f, double *J);
  void *context;
  double *y, *weight;                              // (N); default: weight 1
  double *centre, *stiffness;                      // (P) m and c^2; default: 0
  double *low, *high;                              // (P) bounds; default: infinite
  double *f[2], *J[2], *A, *L, *g, *step, *trial;  // scratch
} rmx__curve;

// Allocates all arrays in the arena. The caller sets evaluate, context and y, and what differs from
// the defaults above.
rmx_status rmx__curve_make(rmx__curve *c, size_t N, size_t P, rmx_arena *arena, rmx_err *err);
// Walks from p to the minimum, until a step gains less than tolerance times the sum.
rmx_status rmx__marquardt(rmx__curve *c, double strength, double tolerance, int steps, double *p,
                          rmx_err *err);
// The same with Student's t errors. row_weights (N); NULL: all 1.
rmx_status rmx__marquardt_robust(rmx__curve *c, double strength, double tolerance, int steps,
                                 double *p, const double *row_weights, rmx_err *err);

#endif
