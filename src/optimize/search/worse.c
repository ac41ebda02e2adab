// SPDX-License-Identifier: Apache-2.0
// What the gain costs: the metrics that are predicted worse at the optimum than at the prior.

#include "optimize/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/spread.h"
#include "regress/fit.h"

static const double WORTH_SAYING = 1e-3;  // of the metric's standard deviation over the runs

rmx_status rmx_optimum_worse(const rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                             rmx_worse *out, rmx_err *err) {
  const size_t M = fit->M;
  size_t targets = 0, only = M;
  double *by = rmx_calloc(M, sizeof(double));  // in standard deviations
  *out = (rmx_worse){.metric = rmx_calloc(M, sizeof(size_t)), .by = rmx_calloc(M, sizeof(double))};
  if (!by || !out->metric || !out->by) {
    free(by);
    rmx_worse_release(out);
    return rmx_fail_memory(err, M * sizeof(double), "metrics that get worse");
  }
  for (size_t m = 0; m < M; m++)
    if (target->weight[m] != 0) targets++, only = m;
  if (targets != 1) only = M;
  out->of = only < M ? M - 1 : M;
  out->others = only < M;
  for (size_t m = 0; m < M; m++) {
    const double change = target->sign[m] * (o->predicted[m] - o->predicted_prior[m]),
                 spread = fit->truth ? rmx__spread_of(fit->truth + m, fit->N, M).sd : NAN;
    const double size = spread > 0 ? change / spread : change;
    if (m == only || !(change > 0) || !(size > (spread > 0 ? WORTH_SAYING : 1e-9))) continue;
    size_t k = out->n++;
    for (; k > 0 && by[k - 1] < size; k--) {
      by[k] = by[k - 1];
      out->by[k] = out->by[k - 1];
      out->metric[k] = out->metric[k - 1];
    }
    by[k] = size;
    out->by[k] = change;
    out->metric[k] = m;
  }
  free(by);
  return RMX_OK;
}

void rmx_worse_release(rmx_worse *w) {
  free(w->metric);
  free(w->by);
  *w = (rmx_worse){0};
}
