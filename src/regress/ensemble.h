// SPDX-License-Identifier: Apache-2.0
// An ensemble from parts that are fitted already.
#ifndef REGMIX_REGRESS_ENSEMBLE_H
#define REGMIX_REGRESS_ENSEMBLE_H

#include "regressor.h"

// Takes both; NULL, and neither taken, where memory is short. weight: of the power law.
rmx_regressor *rmx__ensemble_of(rmx_regressor *power, rmx_regressor *gp, double weight);
double rmx__ensemble_weight(const rmx_regressor *r);
// Both borrowed.
void rmx__ensemble_parts(const rmx_regressor *r, const rmx_regressor **power,
                         const rmx_regressor **gp);

#endif
