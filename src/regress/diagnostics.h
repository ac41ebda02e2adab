// SPDX-License-Identifier: Apache-2.0
// Scores and diagnostics of predictions.
#ifndef RMX_REGRESS_DIAGNOSTICS_H
#define RMX_REGRESS_DIAGNOSTICS_H

#include <regmix/regress.h>

#include "base/json.h"

// Whether n values with this mean differ by no more than rounding: such a metric is constant.
// square: the sum of the squares of their differences from the mean.
bool rmx__only_rounding(double square, double mean, size_t n);
// Compares n predictions with the truth. groups (n): equal for runs of one mixture; NULL: no two
// are equal.
rmx_status rmx__diagnose(const double *truth, const double *predicted, const int *groups, size_t n,
                         bool higher_is_better, rmx_diagnostics *out, rmx_err *err);
// The two parts of rmx_scores_json(): a new reference, NULL if memory is short; false if memory is
// short.
json_t *rmx__scores_json(const rmx_scores *s);
bool rmx__diagnostics_add(const rmx_diagnostics *d, json_t *object);

#endif
