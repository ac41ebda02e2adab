// SPDX-License-Identifier: Apache-2.0
// Rows of mixtures: checked, normalised, and grouped where they are equal.
#ifndef RMX_REGRESS_ROWS_H
#define RMX_REGRESS_ROWS_H

#include <regmix/base.h>

// Checks the rows X (t->N, D) of table t and normalises them unless raw. normalize: rows that do
// not sum to 1 are divided by their sum, with a warning; else they are RMX_EINPUT.
rmx_status rmx__check_rows(const rmx_table *t, const char *const *names, size_t D, bool raw,
                           bool normalize, double *X, const rmx_listener *listener, rmx_err *err);
// groups (N): equal for equal rows of X (N, D); a group has the number of its first row.
rmx_status rmx__replicate_groups(const double *X, size_t N, size_t D, int *groups, rmx_err *err);

#endif
