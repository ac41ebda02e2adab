// SPDX-License-Identifier: Apache-2.0
// Random Fourier features: a draw from the prior of a Gaussian process is a sum of them
// (posterior.c).
#ifndef RMX_REGRESS_FOURIER_H
#define RMX_REGRESS_FOURIER_H

#include <regmix/base.h>

enum { RMX__FEATURES = 128 };

// Returns sum_i a_i cos(omega_i'z + phase_i) over RMX__FEATURES features at z (D). omega (D,
// RMX__FEATURES), phase and a (RMX__FEATURES). Adds the slope by z to slope (D; NULL: not wanted).
// Error: about 1e-16 for each feature.
double rmx__fourier_sum(const double *omega, const double *phase, const double *a, size_t D,
                        const double *z, double *slope);

#endif
