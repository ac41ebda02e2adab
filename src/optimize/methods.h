// SPDX-License-Identifier: Apache-2.0
// The methods of optimisation: one struct each, one table of them.
#ifndef REGMIX_OPTIMIZE_METHODS_H
#define REGMIX_OPTIMIZE_METHODS_H

#include "search.h"

// What a method is given. Its answer is o->mixture (D) within the feasible set, drop_below obeyed.
typedef struct rmx__asked {
  const rmx_fit *fit;
  const rmx_problem *problem;
  const rmx_optimize_options *options;
  const double *prior;  // (D), sum 1
  uint64_t seed;
  int threads;
  const rmx_listener *listener;
} rmx__asked;

typedef struct rmx__method {
  const char *name, *help;
  rmx_status (*run)(const rmx__asked *a, const rmx__feasible *set, rmx_optimum *o, rmx_err *err);
} rmx__method;

extern const rmx__method rmx__simulate;
extern const rmx__method rmx__multistart;

// The mixtures a search begins at, starts (n, D): the best runs by prediction, the prior, the best
// of a few simulated, corners of the feasible set, random ones.
rmx_status rmx__starts(const rmx__asked *a, const rmx__feasible *set, size_t n, double *starts,
                       rmx_err *err);

#endif
