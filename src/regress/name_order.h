// SPDX-License-Identifier: Apache-2.0
// The order of runs by their names.
#ifndef RMX_REGRESS_NAME_ORDER_H
#define RMX_REGRESS_NAME_ORDER_H

#include <regmix/base.h>

// order (t->N): the rows of t in the order of their names (base/compare_names.h), whatever their
// order in the table.
rmx_status rmx__name_order(const rmx_table *t, size_t *order, rmx_err *err);

#endif
