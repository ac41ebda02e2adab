// SPDX-License-Identifier: Apache-2.0
// What every search does with the mixture it found.
#ifndef REGMIX_OPTIMIZE_OPTIMUM_H
#define REGMIX_OPTIMIZE_OPTIMUM_H

#include <regmix/optimize.h>

rmx_status rmx__optimum_make(rmx_optimum *o, const rmx_fit *fit, rmx_err *err);
// Given o->mixture: predictions, scores, how far it lies from the runs; warns where that is too
// far. prior (D), sum 1.
rmx_status rmx__optimum_describe(rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                                 const double *prior, const rmx_listener *listener, rmx_err *err);

#endif
