// SPDX-License-Identifier: Apache-2.0
// Tables joined by the names of their rows.
#ifndef RMX_REGRESS_JOIN_H
#define RMX_REGRESS_JOIN_H

#include <regmix/base.h>

// Joins two tables on their first columns. partner (a->N): the row of b with the same name, or
// SIZE_MAX. RMX_EINPUT where a table has a name twice. Cost: O((N + M) log M).
rmx_status rmx__join(const rmx_table *a, const rmx_table *b, size_t *partner, rmx_err *err);
// Warns of rows of a without a partner in b. so: what happens to them, as in "left out".
void rmx__join_warn(const rmx_table *a, const rmx_table *b, const size_t *partner, const char *so,
                    const rmx_listener *listener);

#endif
