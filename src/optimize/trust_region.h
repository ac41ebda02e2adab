// SPDX-License-Identifier: Apache-2.0
// How far mixtures lie from the runs. Distance is half the L1 distance: the share of tokens that
// would have to be others.
#ifndef RMX_OPTIMIZE_TRUST_REGION_H
#define RMX_OPTIMIZE_TRUST_REGION_H

#include <regmix/optimize.h>

double rmx__total_variation(const double *a, const double *b, size_t D);
// To the nearest of runs (N, D), INFINITY where there is none; which (may be NULL) gets its number.
double rmx__nearest_run(const double *runs, size_t N, size_t D, const double *w, size_t *which);
// Of each run to the nearest that is not the same mixture, 0 if all are: distance (N).
void rmx__nearest_other_runs(const rmx_fit *fit, double *distance);
// Their median, over 2048 of the runs at most.
rmx_status rmx__typical_distance(const rmx_fit *fit, double *out, rmx_err *err);
// Least and greatest weight of domain d in the runs, each with a little slack: what counts as
// covered.
void rmx__covered_range(const rmx_fit *fit, size_t d, double *low, double *high);
// The score of predicted metrics (M), limits left out: that of rmx_target_score() where they are
// kept.
double rmx__plain_score(const rmx_target *t, size_t M, const double *predicted);
// The root mean square error to expect of the target's score at `distance` from the runs, from the
// fit's out-of-fold errors: square error = a + b distance^2 with a, b >= 0, least squares over the
// runs, distance that to their nearest other. NaN where the fit holds no errors or fewer than 8.
rmx_status rmx__expected_error(const rmx_fit *fit, const rmx_target *target, double distance,
                               double *out, rmx_err *err);

#endif
