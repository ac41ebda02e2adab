// SPDX-License-Identifier: Apache-2.0
// The order of runs and metrics by their names.
#ifndef RMX_REGRESS_NAME_ORDER_H
#define RMX_REGRESS_NAME_ORDER_H

#include <regmix/base.h>

// order (n): the places of the names in their order (base/compare_names.h), whichever order they
// are given in.
rmx_status rmx__name_order(const char *const *names, size_t n, size_t *order, rmx_err *err);

#endif
