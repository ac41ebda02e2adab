// SPDX-License-Identifier: Apache-2.0
// The order of runs by their names.
#ifndef RMX_REGRESS_NAME_ORDER_H
#define RMX_REGRESS_NAME_ORDER_H

#include <regmix/base.h>

// Compares names as people sort them: a number in them by its value, so that r2 is before r10.
// Only equal names compare as 0.
int rmx__compare_names(const char *a, const char *b);
// order (t->N): the rows of t in the order of their names, whatever their order in the table.
rmx_status rmx__name_order(const rmx_table *t, size_t *order, rmx_err *err);

#endif
