// SPDX-License-Identifier: Apache-2.0
// The options of a fit.
#ifndef RMX_REGRESS_OPTIONS_H
#define RMX_REGRESS_OPTIONS_H

#include <regmix/regress.h>

// A deep copy. Release it with rmx_options_release().
rmx_status rmx__options_copy(const rmx_regress_options *options, rmx_regress_options *out,
                             rmx_err *err);

#endif
