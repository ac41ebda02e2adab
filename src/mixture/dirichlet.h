// SPDX-License-Identifier: Apache-2.0
// A draw that does not depend on the order of the domains.
#ifndef RMX_MIXTURE_DIRICHLET_H
#define RMX_MIXTURE_DIRICHLET_H

#include <regmix/mixture.h>

// rmx_dirichlet() with the random numbers drawn for the domains in this order (D): by their names,
// for example. NULL: as they are.
void rmx__dirichlet_in(rmx_rng *rng, const double *alpha, const size_t *order, size_t D, double *w);

#endif
