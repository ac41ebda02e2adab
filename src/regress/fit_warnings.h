// SPDX-License-Identifier: Apache-2.0
// Warnings about a finished fit.
#ifndef RMX_REGRESS_FIT_WARNINGS_H
#define RMX_REGRESS_FIT_WARNINGS_H

#include <regmix/regress.h>

// Warns of metrics that the fit did not learn, of runs far from their predictions, and of
// replicates that differ too much.
void rmx__warn_of_fit(const rmx_fit *f, const rmx_listener *listener);

#endif
