// SPDX-License-Identifier: Apache-2.0
// An ensemble from parts that are fitted already.
#ifndef REGMIX_REGRESS_ENSEMBLE_H
#define REGMIX_REGRESS_ENSEMBLE_H

#include "regressor.h"

// Takes both; NULL, and neither taken, where memory is short.
rmx_regressor *rmx__ensemble_of(rmx_regressor *power, rmx_regressor *gp);

#endif
