// SPDX-License-Identifier: Apache-2.0
// The covariance of runs under given parameters, and how an objective changes with them.
#ifndef RMX_REGRESS_COVARIANCE_H
#define RMX_REGRESS_COVARIANCE_H

#include "gp.h"

// Matrices are lower triangles, by columns.
typedef struct rmx__covariance {
  size_t N, D;
  const double *X;            // (N, D)
  const double *weight;       // (N)
  double *Z, *by_Z;           // (N, D) warped; scratch
  double *K, *M, *slope, *G;  // (N, N): covariance; Matern part and its slope; inner products
  double *scratch;            // (N)
} rmx__covariance;

// Memory for it in the arena. slopes: M and slope too. False if memory is short.
bool rmx__covariance_make(rmx__covariance *c, const rmx__gp_problem *q, bool slopes,
                          rmx_arena *arena);
// Computes K under theta and, where there is memory for them, M and slope.
void rmx__covariance_fill(rmx__covariance *c, const double *theta);
// The slope of an objective by theta, where K holds, on entry, W: its slopes by the covariance (of
// an element and its mirror image, each). Changes K.
void rmx__covariance_slopes(rmx__covariance *c, const double *theta, double *gradient);

#endif
