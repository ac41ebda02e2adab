// SPDX-License-Identifier: Apache-2.0
#ifndef REGMIX_OPTIMIZE_EXPECTED_GAIN_H
#define REGMIX_OPTIMIZE_EXPECTED_GAIN_H

#include "scored_runs.h"

// How much lower the target's score at the optimum is expected to be after `more` runs more, drawn
// around the mean of those there are.
rmx_status rmx__expected_gain(const rmx_fit *fit, const rmx_target *target,
                              const rmx_dataset *scored, size_t more, uint64_t seed, int threads,
                              double *gain, rmx_err *err);

#endif
