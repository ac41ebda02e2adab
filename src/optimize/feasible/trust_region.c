// SPDX-License-Identifier: Apache-2.0
// A fit knows little beyond the neighbourhood of its runs: distances to them, and what they cost in
// error.

#include "optimize/feasible.h"

#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "regress/fit.h"

enum { MAX_RUNS = 2048, MIN_ERRORS = 8 };  // distances among runs cost their number squared
static const double SAME =
    0.005;  // of the mean distance from the mean: runs repeated, all but equal

double rmx__total_variation(const double *a, const double *b, size_t D) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += fabs(a[d] - b[d]);
  return sum / 2;
}

double rmx__nearest_run(const double *runs, size_t N, size_t D, const double *w, size_t *which) {
  double best = INFINITY;
  for (size_t i = 0; i < N; i++) {
    double distance = rmx__total_variation(w, runs + i * D, D);
    if (!(distance < best)) continue;
    best = distance;
    if (which) *which = i;
  }
  return best;
}

// Runs nearer to each other than this are of one mixture. Where weights were measured, runs of one
// mixture differ a little, and their distances say nothing of how far the runs lie apart.
static double apart(const rmx_fit *fit) {
  double sum = 0;
  for (size_t i = 0; i < fit->N; i++)
    sum += rmx__total_variation(fit->runs + i * fit->D, fit->mean_mixture, fit->D);
  return fit->N ? fmax(SAME * sum / (double)fit->N, 1e-12) : 0;
}

static double nearest_other(const rmx_fit *fit, const double *w, double least) {
  double best = INFINITY;
  for (size_t i = 0; i < fit->N; i++) {
    double distance = rmx__total_variation(w, fit->runs + i * fit->D, fit->D);
    if (distance > least && distance < best) best = distance;
  }
  return isfinite(best) ? best : 0;
}

void rmx__nearest_other_runs(const rmx_fit *fit, double *distance) {
  const double least = apart(fit);
  for (size_t i = 0; i < fit->N; i++)
    distance[i] = nearest_other(fit, fit->runs + i * fit->D, least);
}

rmx_status rmx__typical_distance(const rmx_fit *fit, double *out, rmx_err *err) {
  size_t n = fit->N < MAX_RUNS ? fit->N : MAX_RUNS;
  RMX_OWNED double *distance = rmx_calloc(n, sizeof(double));
  if (distance == NULL) return rmx_fail_memory(err, n * sizeof(double), "distances of runs");
  const double least = apart(fit);
  for (size_t i = 0; i < n; i++)
    distance[i] = nearest_other(fit, fit->runs + i * fit->N / n * fit->D, least);
  qsort(distance, n, sizeof(double), rmx__ascending);
  *out = n ? 0.5 * (distance[(n - 1) / 2] + distance[n / 2]) : 0;
  return RMX_OK;
}

void rmx__covered_range(const rmx_fit *fit, size_t d, double *low, double *high) {
  *low = INFINITY;
  *high = -INFINITY;
  for (size_t i = 0; i < fit->N; i++) {
    *low = fmin(*low, fit->runs[i * fit->D + d]);
    *high = fmax(*high, fit->runs[i * fit->D + d]);
  }
  // Allow a tolerance of 0.5 % of the observed range.
  double slack = 1e-9 + 0.005 * (*high - *low);
  *low -= slack;
  *high += slack;
}

// a, b >= 0 of y = a + b x by least squares.
static void line(const double *x, const double *y, size_t n, double *a, double *b) {
  double mx = 0, my = 0, xx = 0, xy = 0, x2 = 0, xy0 = 0;
  for (size_t i = 0; i < n; i++) {
    mx += x[i] / (double)n;
    my += y[i] / (double)n;
    x2 += x[i] * x[i];
    xy0 += x[i] * y[i];
  }
  for (size_t i = 0; i < n; i++) {
    xx += (x[i] - mx) * (x[i] - mx);
    xy += (x[i] - mx) * (y[i] - my);
  }
  *b = xx > 0 ? fmax(xy / xx, 0) : 0;
  *a = my - *b * mx;
  if (*a >= 0) return;
  *a = 0;
  *b = xy0 / x2;
}

// Of a fit at one scale: the sd that the target has there more than at the scales of the runs. The
// metrics depend on one law each, and those err together; so their sds are added.
static double doubt_of_scale(const rmx_fit *fit, const rmx_target *target) {
  double sum = 0, most = 0;
  for (size_t m = 0; fit->doubt && m < fit->M; m++) {
    if (target->weight[m] == 0) continue;
    sum += fabs(target->weight[m]) * fit->doubt[m];
    most = fmax(most, fabs(target->weight[m]) * fit->doubt[m]);
  }
  return target->worst ? most : sum;
}

rmx_status rmx__expected_error(const rmx_fit *fit, const rmx_target *target, double distance,
                               double *out, rmx_err *err) {
  *out = NAN;
  if (!fit->truth || !fit->out_of_fold || fit->N < MIN_ERRORS || fit->N > 4 * MAX_RUNS)
    return RMX_OK;
  size_t n = 0;
  RMX_OWNED double *x = rmx_calloc(fit->N, sizeof(double)), *y = rmx_calloc(fit->N, sizeof(double));
  if (!x || !y) return rmx_fail_memory(err, fit->N * sizeof(double), "an error model");
  rmx__nearest_other_runs(fit, x);
  for (size_t i = 0; i < fit->N; i++) {
    double predicted = rmx__plain_score(target, fit->M, fit->out_of_fold + i * fit->M);
    double measured = rmx__plain_score(target, fit->M, fit->truth + i * fit->M);
    if (!isfinite(predicted) || !isfinite(measured)) continue;
    x[n] = x[i] * x[i];  // n <= i
    y[n++] = (predicted - measured) * (predicted - measured);
  }
  if (n >= MIN_ERRORS) {
    double a, b;
    line(x, y, n, &a, &b);
    *out = hypot(sqrt(a + b * distance * distance), doubt_of_scale(fit, target));
  }
  return RMX_OK;
}
