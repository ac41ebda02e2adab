// SPDX-License-Identifier: Apache-2.0
// Whether higher or lower values of a metric are better.
#ifndef RMX_REGRESS_DIRECTIONS_H
#define RMX_REGRESS_DIRECTIONS_H

#include <regmix/regress.h>

// Fills higher_is_better and direction_from (M) of f, whose metric m is column[m] of the table.
// Notes which metrics are scores, and warns of what had to be assumed.
rmx_status rmx__directions(rmx_fit *f, const rmx_table *metrics, const size_t *column,
                           const rmx_listener *listener, rmx_err *err);

#endif
