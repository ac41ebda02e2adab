// SPDX-License-Identifier: Apache-2.0
// The choice of a regressor for runs of several sizes and lengths.
#ifndef RMX_REGRESS_SCALING_CHOOSE_H
#define RMX_REGRESS_SCALING_CHOOSE_H

#include <regmix/regress.h>

// What `auto` does where data->scales is given (see choose.c).
rmx_status rmx__choose_scaled(const rmx_regress_options *options, const rmx_dataset *data,
                              uint64_t seed, const rmx_listener *listener, rmx_regressor **out,
                              rmx_err *err);

#endif
