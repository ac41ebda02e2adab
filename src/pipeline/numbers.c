// SPDX-License-Identifier: Apache-2.0
// Losses, scores and gains as they are shown: their decimals follow what differs between the runs.
#include <math.h>
#include <stdlib.h>

#include "base/decimals.h"
#include "optimize/problem.h"
#include "regress/fit.h"
#include "steps.h"

// The standard deviation of the values of x (n) that are known; NaN where all are alike.
static double deviation(const double *x, size_t n) {
  double mean = 0, square = 0;
  size_t known = 0;
  for (size_t i = 0; i < n; i++) {
    const double off = x[i] - mean;
    if (!isfinite(x[i])) continue;
    mean += off / (double)++known;
    square += off * (x[i] - mean);
  }
  const double spread = known > 1 ? sqrt(square / (double)(known - 1)) : NAN;
  return spread > 1e-12 * fabs(mean) ? spread : NAN;
}

static double spread_of_metric(const rmx_fit *f, size_t m) {
  RMX_OWNED double *y = rmx_calloc(f->N + 1, sizeof *y);
  if (!y || !f->truth) return NAN;
  for (size_t i = 0; i < f->N; i++) y[i] = f->truth[i * f->M + m];
  return deviation(y, f->N);
}

static double spread_of_target(const rmx_fit *f, const rmx_problem *q) {
  RMX_OWNED double *score = rmx_calloc(f->N + 1, sizeof *score);
  if (!score || !f->truth) return NAN;
  for (size_t i = 0; i < f->N; i++)
    score[i] = rmx__plain_score(&q->target, f->M, f->truth + i * f->M);
  return deviation(score, f->N);
}

const char *rmx_metric_number(const rmx_fit *f, size_t m, double x, char out[RMX_NUMBER]) {
  return rmx__decimal(x, rmx__decimals(spread_of_metric(f, m)), out);
}

const char *rmx_target_number(const rmx_fit *f, const rmx_problem *q, double x,
                              char out[RMX_NUMBER]) {
  return rmx__decimal(x, rmx__decimals(spread_of_target(f, q)), out);
}

const char *rmx_number_like(double x, double like, char out[RMX_NUMBER]) {
  return rmx__decimal(x, rmx__decimals(fabs(like)), out);
}
