// SPDX-License-Identifier: Apache-2.0
// Whether higher or lower values of a metric are better.
#ifndef RMX_REGRESS_DIRECTIONS_H
#define RMX_REGRESS_DIRECTIONS_H

#include <regmix/regress.h>

// Which values of a column are better, and how that is known: the one answer to this question, for
// a fit and for what compares runs by a metric. In this order: a pattern of the options, the table,
// the name. RMX_BETTER_UNSAID: nothing says it, so lower is assumed. RMX_EINPUT: patterns of both
// kinds match it.
rmx_status rmx__direction_of(const rmx_regress_options *o, const rmx_table *metrics, size_t column,
                             rmx_better *better, rmx_direction_from *from, rmx_err *err);
// RMX_EINPUT: a pattern matches none of the metrics, or two of both kinds match the same.
rmx_status rmx__check_directions(const rmx_regress_options *o, const rmx_table *metrics,
                                 rmx_err *err);
// Fills higher_is_better and direction_from (M) of f, whose metric m is column[m] of the table.
// Notes which metrics are scores, and warns of what had to be assumed.
rmx_status rmx__directions(rmx_fit *f, const rmx_table *metrics, const size_t *column,
                           const rmx_listener *listener, rmx_err *err);

#endif
