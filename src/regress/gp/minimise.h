// SPDX-License-Identifier: Apache-2.0
// minimise.h: L-BFGS as the likelihoods of Gaussian processes use it.
#ifndef RMX_REGRESS_GP_MINIMISE_H
#define RMX_REGRESS_GP_MINIMISE_H

#include <lbfgs.h>

// Some builds of liblbfgs work on whole vectors: x needs that room after its numbers.
enum { RMX__MINIMISE_PADDING = 16 };
// Minimises a function of x (n) in `steps` steps or fewer, or until the program is interrupted.
// Returns the code of liblbfgs. Where it stops with an error, x is still no worse than the first.
int rmx__gp_minimise(size_t n, double *x, int steps, lbfgs_evaluate_t evaluate, void *context);

#endif
