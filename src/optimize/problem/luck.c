// SPDX-License-Identifier: Apache-2.0
// Of twenty metrics of noise some are predicted well by luck, and a target that keeps those alone
// looks learnt. So before metrics are chosen by their signal, the errors out of fold have to show
// more than luck: of the target with all its metrics, each in its standard deviation, at the level
// of 5 %; or of one metric, at 5 % over their number (Bonferroni).

#include <math.h>
#include <stdlib.h>

#include "optimize/problem.h"

static const double LEVEL = 0.05;

// The probability of a correlation as high as that of truth and predicted (n), or higher, if there
// is none, by Fisher's transformation; 1 where the mean predicts no worse. mixtures: how many of
// the runs differ.
static double chance(const double *truth, const double *predicted, size_t n, size_t mixtures) {
  rmx_scores s;
  double mean = 0, mean_p = 0, yy = 0, pp = 0, yp = 0;
  rmx_score(truth, predicted, n, &s);
  if (!(s.r2 > 0)) return 1;
  for (size_t i = 0; i < n; i++) mean += truth[i] / (double)n, mean_p += predicted[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    yy += (truth[i] - mean) * (truth[i] - mean);
    pp += (predicted[i] - mean_p) * (predicted[i] - mean_p);
    yp += (truth[i] - mean) * (predicted[i] - mean_p);
  }
  if (n > mixtures) n = mixtures;
  if (!(yp > 0) || n < 4) return 1;
  const double r = fmin(yp / sqrt(yy * pp), 1 - 1e-12);
  return 0.5 * erfc(atanh(r) * sqrt((double)(n - 3) / 2));
}

rmx_status rmx__target_by_luck(const rmx_fit *f, const double *weight, const double *sd, bool *luck,
                               rmx_err *err) {
  size_t used = 0, mixtures = 0;
  *luck = false;
  if (!f->truth || !f->out_of_fold) return RMX_OK;
  RMX_OWNED double *sums = rmx_calloc(f->N, 4 * sizeof *sums);
  if (!sums) return rmx_fail_memory(err, f->N * 4 * sizeof *sums, "a target");
  double *sums_p = sums + f->N, *y = sums + 2 * f->N, *p = sums + 3 * f->N;
  for (size_t i = 0; i < f->N; i++) mixtures += !f->groups || f->groups[i] == (int)i;
  for (size_t m = 0; m < f->M; m++) used += weight[m] != 0;
  for (size_t m = 0; m < f->M; m++) {
    size_t n = 0;
    if (weight[m] == 0) continue;
    for (size_t i = 0; i < f->N; i++) {
      const double a = f->truth[i * f->M + m], b = f->out_of_fold[i * f->M + m];
      sums[i] += sd[m] > 0 ? weight[m] / sd[m] * a : 0;
      sums_p[i] += sd[m] > 0 ? weight[m] / sd[m] * b : 0;
      if (isfinite(a) && isfinite(b)) y[n] = a, p[n++] = b;
    }
    if (chance(y, p, n, mixtures) * (double)used < LEVEL) return RMX_OK;
  }
  size_t n = 0;
  for (size_t i = 0; i < f->N; i++)
    if (isfinite(sums[i]) && isfinite(sums_p[i])) sums[n] = sums[i], sums_p[n++] = sums_p[i];
  *luck = !(chance(sums, sums_p, n, mixtures) < LEVEL);
  return RMX_OK;
}
