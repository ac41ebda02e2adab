// SPDX-License-Identifier: Apache-2.0
// An ensemble made of parts that are already fitted.
#ifndef RMX_REGRESS_ENSEMBLE_H
#define RMX_REGRESS_ENSEMBLE_H

#include <regmix/regress.h>

// Takes both parts. weight: that of the power law. NULL if memory is short; then it takes neither.
rmx_regressor *rmx__ensemble_of(rmx_regressor *power, rmx_regressor *gp, double weight);
double rmx__ensemble_weight(const rmx_regressor *r);
// Borrows both parts to the caller.
void rmx__ensemble_parts(const rmx_regressor *r, const rmx_regressor **power,
                         const rmx_regressor **gp);

#endif
