// SPDX-License-Identifier: Apache-2.0
// Warnings about a finished fit.
#ifndef RMX_REGRESS_FIT_WARNINGS_H
#define RMX_REGRESS_FIT_WARNINGS_H

#include <regmix/regress.h>

// Warns of metrics that the fit did not learn, of runs far from their predictions, and of
// replicates that differ too much.
void rmx__warn_of_fit(const rmx_fit *f, const rmx_listener *listener);
// The smallest and the largest measured value of metric m; NaN where there are none.
void rmx__measured_range(const rmx_fit *f, size_t m, double range[2]);
// What predictions are of, for a warning of them.
typedef struct rmx__predictions {
  const char *where, *then;  // "at the prior, " or ""; what depends on the metrics asked for
  const bool *asked;         // (M) NULL: none is asked for
} rmx__predictions;
// Warns where predictions y (n, M) are below 0 though every run is above, or above 1 though the
// metric is a score and every run is in 0..1; returns whether it did.
bool rmx__warn_of_impossible(const rmx_fit *f, const double *y, size_t n,
                             const rmx__predictions *what, const rmx_listener *listener);

#endif
