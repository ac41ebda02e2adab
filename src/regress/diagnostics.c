// SPDX-License-Identifier: Apache-2.0
// What the errors out of fold mean for a choice that uses the fit. Regret: the loss from taking the
// run that is predicted best. Optimism: whether the best predictions promise too much, since a
// prediction is lowest partly by error (the winner's curse). Noise: the part of the error that no
// fit can predict, measured by runs of the same mixture. Signal to noise: how much of the metric's
// variation comes from the mixtures,
//   signal^2 = variance over the runs - noise^2.
//
// Cost: O(n log n).

#include "diagnostics.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "fit.h"

enum { ENOUGH_TO_TELL = 4 };  // degrees of freedom among equal runs

typedef struct run {
  double key, truth, predicted;
  size_t row;
} run;

static int by_key(const void *a, const void *b) {
  const run *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

// The standard deviation within groups of more than one run, pooled. runs: sorted by group.
// Returns its degrees of freedom.
static size_t pool(const run *runs, size_t n, rmx_diagnostics *out) {
  double square = 0;
  size_t free_to_vary = 0;
  for (size_t i = 0, end; i < n; i = end) {
    double mean = 0;
    for (end = i; end < n && runs[end].key == runs[i].key; end++) mean += runs[end].truth;
    if (end - i < 2) continue;
    mean /= (double)(end - i);
    for (size_t k = i; k < end; k++) square += (runs[k].truth - mean) * (runs[k].truth - mean);
    free_to_vary += end - i - 1;
    out->replicates++;
  }
  out->noise_freedom = free_to_vary;
  if (free_to_vary > 0) out->noise = sqrt(square / (double)free_to_vary);
  return free_to_vary;
}

static void find_signal(const double *truth, size_t n, size_t free_to_vary, rmx_diagnostics *out) {
  double mean = 0, variance = 0, noise = out->rmse;
  for (size_t i = 0; i < n; i++) mean += truth[i] / (double)n;
  for (size_t i = 0; i < n; i++) variance += (truth[i] - mean) * (truth[i] - mean) / (double)n;
  out->signal_from_replicates =
      free_to_vary >= ENOUGH_TO_TELL && out->noise > 0 && out->noise < noise;
  if (out->signal_from_replicates) noise = out->noise;
  if (!rmx__only_rounding(variance * (double)n, mean, n))
    out->signal_to_noise = sqrt(fmax(variance - noise * noise, 0)) / noise;
}

rmx_status rmx__diagnose(const double *truth, const double *predicted, const int *groups, size_t n,
                         bool higher_is_better, rmx_diagnostics *out, rmx_err *err) {
  *out = (rmx_diagnostics){.n = n,
                           .rmse = NAN,
                           .regret_at_1 = NAN,
                           .optimism = NAN,
                           .noise = NAN,
                           .signal_to_noise = NAN,
                           .coverage = NAN};
  size_t free_to_vary = 0;
  if (n == 0) return RMX_OK;
  RMX_OWNED run *runs = rmx_calloc(n, sizeof *runs);
  if (!runs) return rmx_fail_memory(err, n * sizeof *runs, "diagnostics");
  double side = higher_is_better ? -1 : 1, best = INFINITY, square = 0;
  for (size_t i = 0; i < n; i++) {
    square += (predicted[i] - truth[i]) * (predicted[i] - truth[i]);
    best = fmin(best, side * truth[i]);
    runs[i] = (run){side * predicted[i], truth[i], predicted[i], i};
  }
  out->rmse = sqrt(square / (double)n);
  qsort(runs, n, sizeof *runs, by_key);
  out->regret_at_1 = side * runs[0].truth - best;
  size_t tail = (n + 19) / 20 > 3 ? (n + 19) / 20 : 3;
  if (tail <= n) {
    out->optimism = 0;
    for (size_t i = 0; i < tail; i++)
      out->optimism += side * (runs[i].truth - runs[i].predicted) / (double)tail;
  }
  if (groups) {
    for (size_t i = 0; i < n; i++) runs[i].key = groups[runs[i].row];
    qsort(runs, n, sizeof *runs, by_key);
    free_to_vary = pool(runs, n, out);
  }
  find_signal(truth, n, free_to_vary, out);
  return RMX_OK;
}

bool rmx__diagnostics_add(const rmx_diagnostics *d, json_t *object) {
  const struct {
    const char *key;
    double value;
  } numbers[] = {{"rmse", d->rmse},
                 {"regret_at_1", d->regret_at_1},
                 {"optimism", d->optimism},
                 {"noise", d->noise},
                 {"signal_to_noise", d->signal_to_noise}};
  if (isfinite(d->coverage) && json_object_set_new(object, "coverage", json_real(d->coverage)) != 0)
    return false;
  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    if (json_object_set_new(object, numbers[i].key, rmx__json_known(numbers[i].value)) != 0)
      return false;
  return json_object_set_new(object, "replicates", json_integer((json_int_t)d->replicates)) == 0 &&
         json_object_set_new(object, "noise_freedom", json_integer((json_int_t)d->noise_freedom)) ==
             0;
}

rmx_status rmx_fit_diagnose(const rmx_fit *f, size_t m, rmx_diagnostics *out, rmx_err *err) {
  if (!f->truth)
    return rmx_fail(
        err, RMX_EINPUT,
        "the fit does not hold the runs it was made from: it was written by an older regmix; "
        "make it again with `regmix fit`");
  RMX_OWNED double *truth = rmx_calloc(2 * f->N, sizeof(double));
  double *predicted = truth + f->N;
  RMX_OWNED int *groups = rmx_calloc(f->N, sizeof(int));
  size_t n = 0;
  if (!truth || !groups) return rmx_fail_memory(err, 2 * f->N * sizeof(double), "diagnostics");
  for (size_t i = 0; i < f->N; i++) {
    size_t k = i * f->M + m;
    if (!isfinite(f->truth[k]) || !isfinite(f->out_of_fold[k])) continue;
    if (f->judged && !f->judged[i]) continue;
    truth[n] = f->truth[k];
    predicted[n] = f->out_of_fold[k];
    groups[n++] = f->groups[i];
  }
  return rmx__diagnose(truth, predicted, groups, n, f->higher_is_better && f->higher_is_better[m],
                       out, err);
}
