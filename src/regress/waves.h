// SPDX-License-Identifier: Apache-2.0
// Sums of cosines: what a draw of a Gaussian process is made of where the runs say nothing
// (posterior.c).
#ifndef REGMIX_REGRESS_WAVES_H
#define REGMIX_REGRESS_WAVES_H

#include <regmix/base.h>

enum { RMX__WAVES = 128 };

// sum_i a_i cos(omega_i'z + phase_i) of RMX__WAVES waves, omega (D, RMX__WAVES), phase and a
// (RMX__WAVES), at z (D), and its slope by z added to slope (D; NULL: not wanted). Off by some
// 1e-16 a wave.
double rmx__waves(const double *omega, const double *phase, const double *a, size_t D,
                  const double *z, double *slope);

#endif
