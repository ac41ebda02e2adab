// SPDX-License-Identifier: Apache-2.0
// The posterior sampler: functions drawn at random from what the runs leave possible.
#ifndef RMX_REGRESS_POSTERIOR_H
#define RMX_REGRESS_POSTERIOR_H

#include <regmix/regress.h>

#include "common_errors.h"

typedef struct rmx__posterior rmx__posterior;

// What the errors out of fold say of a metric.
typedef struct rmx__found {
  double least_noise;  // the least standard deviation of a run's noise, in units of the metric
  double trust;        // 0 to 1: how much of what the fit seems to explain it surely does
} rmx__found;

// A sampler of the posterior over loss functions. It borrows `fitted`, which must live as long as
// the sampler and its draws. `data` are the runs that `fitted` was fitted to. RMX_EINPUT where
// their number is another one. Cost: one fit of a Gaussian process where `fitted` holds none, and
// up to 300 evaluations of its likelihood, O(N^3) each.
rmx_status rmx__posterior_make(const rmx_regress_options *options, const rmx_regressor *fitted,
                               const rmx_dataset *data, rmx__found found, uint64_t seed,
                               rmx__posterior **out, rmx_err *err);
// Draw `number`: it has predictions (without sd) and gradients, but no file; it borrows the
// sampler. at_runs (N, the runs of weight above 0; may be NULL): its values at the runs, which cost
// nothing here. common: the errors that draw `number` has in common with the draws of other metrics
// of that number; NULL: none. Thread-safe. Cost: O(N^2 + N F D) with F random features.
rmx_status rmx__posterior_draw(const rmx__posterior *p, uint64_t number, const rmx__common *common,
                               double *at_runs, rmx_regressor **out, rmx_err *err);
// Fits to other runs what the draws stand for: the kind of `fitted`, or the Gaussian process where
// that kind has no gradient.
rmx_status rmx__posterior_refit(const rmx__posterior *p, const rmx_regress_options *options,
                                const rmx_dataset *data, uint64_t seed, rmx_regressor **out,
                                rmx_err *err);
// The standard deviation of the noise of a run under draw `number`.
double rmx__posterior_noise(const rmx__posterior *p, uint64_t number);
void rmx__posterior_free(rmx__posterior *p);

#endif
