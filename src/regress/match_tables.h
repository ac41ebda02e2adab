// SPDX-License-Identifier: Apache-2.0
// The rows and columns of two tables, mixtures and metrics, that a fit is made from.
#ifndef RMX_REGRESS_MATCH_TABLES_H
#define RMX_REGRESS_MATCH_TABLES_H

#include <regmix/regress.h>

// Finds the metrics to fit, column (*M), and the rows of both tables that belong together: partner
// (mixtures->N), a row of the metrics or SIZE_MAX. *M is the number of metrics asked for, and then
// of those that are left. Warns of rows, runs and metrics left out. RMX_EINPUT: nothing is left, or
// a value is too large; RMX_EUSAGE: a metric that was asked for is not there.
rmx_status rmx__match_tables(const rmx_fit_tables_request *r, size_t *partner, size_t *column,
                             size_t *M, rmx_err *err);

#endif
