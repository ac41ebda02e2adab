// SPDX-License-Identifier: Apache-2.0
// Losses, scores and gains as they are shown: their decimals follow what differs between the runs.
#include <math.h>
#include <stdlib.h>

#include "base/decimals.h"
#include "base/spread.h"
#include "optimize/problem.h"
#include "regress/fit.h"
#include "steps.h"

// NaN where the values differ by rounding only.
static double more_than_rounding(rmx__spread s) {
  return s.sd > 1e-12 * fabs(s.mean) ? s.sd : NAN;
}

static double spread_of_metric(const rmx_fit *f, size_t m) {
  return f->truth ? more_than_rounding(rmx__spread_of(f->truth + m, f->N, f->M)) : NAN;
}

static double spread_of_target(const rmx_fit *f, const rmx_problem *q) {
  RMX_OWNED double *score = rmx_calloc(f->N + 1, sizeof *score);
  if (!score || !f->truth) return NAN;
  for (size_t i = 0; i < f->N; i++)
    score[i] = rmx__plain_score(&q->target, f->M, f->truth + i * f->M);
  return more_than_rounding(rmx__spread_of(score, f->N, 1));
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
