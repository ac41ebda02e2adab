// SPDX-License-Identifier: Apache-2.0
// The regressors of a fit, all metrics side by side.
#ifndef RMX_REGRESS_FIT_METRICS_H
#define RMX_REGRESS_FIT_METRICS_H

#include <regmix/regress.h>

// Fills the regressors, the scores, the folds and the predictions out of fold of `f`, which has its
// runs. run_of (N) are their rows in r->metrics, for messages. The same bits with any number of
// threads.
rmx_status rmx__fit_metrics(rmx_fit *f, const rmx_fit_tables_request *r, const size_t *run_of,
                            rmx_err *err);

#endif
