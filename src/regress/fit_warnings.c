// SPDX-License-Identifier: Apache-2.0
// Warnings about a finished fit: metrics that were not learnt, runs that do not fit, runs of one
// mixture that differ as much as all, copies of runs, scores in two units.

#include "fit_warnings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "base/spread.h"
#include "fit.h"
#include "registry.h"

static const double FAR = 5;  // standard deviations
static const double WILD = 10;
enum { ENOUGH = 8, LEFT = 3 };  // values to take a standard deviation of; without the wild ones

// The residual of run i out of fold, or NaN.
static double residual(const rmx_fit *f, size_t m, size_t i) {
  return f->truth[i * f->M + m] - f->out_of_fold[i * f->M + m];
}

// The residuals of a metric, and its values: their median, and how far from it a value can be while
// it is of the same kind as the others (10 standard deviations, from the median deviation; INFINITY
// where half of the values are equal).
struct spread {
  double squares, median, reach;
  size_t values, all;  // those that count in the squares; all of the judged runs
};

// Sorts x (n >= 1).
static double median(double *x, size_t n) {
  qsort(x, n, sizeof *x, rmx__ascending);
  return 0.5 * (x[(n - 1) / 2] + x[n / 2]);
}

static bool is_judged(const rmx_fit *f, size_t i) {
  return !f->judged || f->judged[i];
}

// A residual beyond the reach is the outlier's own, or of a run that a fit to the outlier
// predicted. It does not count in the squares; else it would hide the outlier.
static void measure(const rmx_fit *f, size_t m, double *x, struct spread *s) {
  size_t n = 0;
  *s = (struct spread){.reach = INFINITY};
  for (size_t i = 0; i < f->N; i++)
    if (isfinite(f->truth[i * f->M + m])) x[n++] = f->truth[i * f->M + m];
  if (n == 0) return;
  s->median = median(x, n);
  for (size_t i = 0; i < n; i++) x[i] = fabs(x[i] - s->median);
  const double deviation = 1.4826 * median(x, n);
  if (deviation > 0) s->reach = WILD * deviation;
  for (size_t i = 0; i < f->N; i++) {
    const double r = residual(f, m, i);
    if (!isfinite(r) || !is_judged(f, i)) continue;
    s->all++;
    if (fabs(r) > s->reach) continue;
    s->squares += r * r;
    s->values++;
  }
}

// The scale of the runs that the fit is judged by.
static rmx_scale judged_scale(const rmx_fit *f) {
  rmx_scale at = {0};
  for (size_t i = 0; f->scales && i < f->N; i++)
    if (is_judged(f, i))
      at = (rmx_scale){fmax(at.size, f->scales[i].size), fmax(at.tokens, f->scales[i].tokens)};
  return at;
}

// By how much the fit expects the metric to change from the judged runs' scale to that of run i, an
// anchor, whose size is larger; NaN: it is none.
static double expected_change(const rmx_fit *f, size_t m, size_t i) {
  const rmx_scale from = judged_scale(f);
  double y;
  if (!f->scales || !(f->scales[i].size > from.size)) return NAN;
  rmx__predict_rows(f->regressors[m], f->runs + i * f->D, &from, 1, &y, NULL);
  return fabs(f->out_of_fold[i * f->M + m] - y);
}

// The metric in which run i is furthest from its prediction, measured in root mean squares of the
// other runs' residuals; M: it is far in none. The run's own residual does not count in the root
// mean square; else no run among few could ever be far. A value like the others with a prediction
// unlike them is not at fault: the fit that predicts it was made with the outlier. A run by which
// the fit is not judged is of another size, and must be beyond the reach; or, where its size is
// larger, further from its prediction than the metric is expected to change on the way there.
static size_t far_metric(const rmx_fit *f, const struct spread *spread, size_t i) {
  size_t worst = f->M;
  double furthest = FAR;
  for (size_t m = 0; m < f->M; m++) {
    const struct spread *s = &spread[m];
    const double r = residual(f, m, i), truth = f->truth[i * f->M + m];
    const bool counted = is_judged(f, i) && fabs(r) <= s->reach;
    const size_t n = s->values - counted;
    if (!isfinite(r) || s->all < ENOUGH || n < LEFT) continue;
    if (fabs(truth - s->median) <= s->reach && fabs(truth - r - s->median) > s->reach) continue;
    if (!is_judged(f, i) && !(fabs(r) > s->reach) && !(fabs(r) > expected_change(f, m, i)))
      continue;
    double others = sqrt(fmax(s->squares - counted * r * r, 0) / (double)n);
    if (!(fabs(r) > furthest * others) || fabs(r) <= 1e-6 * fabs(truth)) continue;
    furthest = others > 0 ? fabs(r) / others : INFINITY;
    worst = m;
  }
  return worst;
}

// The domain of which run i has less (or more) than every other run, or "": a fit goes on from the
// other runs there, so that a correct value may be far from its prediction too. Of several the one
// that is furthest from the next run, by ratio.
static void edge_of(const rmx_fit *f, size_t i, char *out, size_t size) {
  const double least = 1e-4;  // shares below it are alike
  double furthest = 0;
  *out = '\0';
  for (size_t d = 0; d < f->D; d++) {
    double low = INFINITY, high = 0;
    for (size_t k = 0; k < f->N; k++) {
      if (f->groups[k] == f->groups[i]) continue;
      low = fmin(low, f->runs[k * f->D + d]);
      high = fmax(high, f->runs[k * f->D + d]);
    }
    const double own = f->runs[i * f->D + d], below = (low + least) / (own + least),
                 above = (own + least) / (high + least);
    if (!isfinite(below) || fmax(below, above) <= 1 + furthest) continue;
    furthest = fmax(below, above) - 1;
    snprintf(out, size, "no other run has so %s of %.20s", below > above ? "little" : "much",
             f->domains[d]);
  }
}

static void warn_of_far_runs(const rmx_fit *f, const rmx_listener *listener) {
  rmx_few far = {0}, edges = {0};
  rmx_arena arena = {0};
  struct spread *spread = rmx_arena_alloc(&arena, f->M, sizeof *spread);
  double *x = rmx_arena_alloc(&arena, f->N, sizeof *x);
  for (size_t m = 0; spread && x && m < f->M; m++) measure(f, m, x, &spread[m]);
  for (size_t i = 0; spread && x && i < f->N; i++) {
    size_t m = far_metric(f, spread, i);
    if (m == f->M) continue;
    char text[128], edge[64];
    snprintf(text, sizeof text, "%.30s (%.24s: %.4g, predicted %.4g)", f->run_ids[i], f->metrics[m],
             f->truth[i * f->M + m], f->out_of_fold[i * f->M + m]);
    rmx_few_add(&far, text);
    edge_of(f, i, edge, sizeof edge);
    snprintf(text, sizeof text, "%.20s (%s)", f->run_ids[i], edge);
    if (*edge) rmx_few_add(&edges, text);
  }
  rmx_arena_release(&arena);
  if (far.n)
    rmx_warn(listener,
             "%zu of %zu run%s %s more than %g standard deviations from what the other runs "
             "predict: %s; check that they were measured like the others%s%s",
             far.n, f->N, rmx_s(f->N), far.n == 1 ? "lies" : "lie", FAR, far.text,
             edges.n ? ". At the edge of the runs a correct value is hard to predict, too: " : "",
             edges.text);
}

// Runs of one mixture that differ as much as all runs do differ in something that is not a column
// of the mixtures; or the metrics are noise. The values alone do not tell which.
static void warn_of_no_replicates(const rmx_fit *f, const rmx_listener *listener) {
  size_t mixtures = 0, apart = 0, measured = 0;
  for (size_t i = 0; i < f->N; i++) mixtures += f->groups[i] == (int)i;
  if (f->N < 3 * mixtures || f->scales) return;
  for (size_t m = 0; m < f->M; m++) {
    rmx_diagnostics d;
    rmx_err ignored;
    const rmx__spread all = rmx__spread_of(f->truth + m, f->N, f->M);
    if (all.n < ENOUGH || rmx_fit_diagnose(f, m, &d, &ignored) != RMX_OK || !isfinite(d.noise))
      continue;
    measured++;
    apart += d.noise > 0.7 * all.sd;
  }
  if (measured && 2 * apart > measured)
    rmx_warn(
        listener,
        "%zu runs have only %zu different mixture%s, and runs of one mixture differ as much as "
        "all runs do. If they differ in their seed alone, %s mostly noise. If they differ in "
        "model size or tokens, name those columns with --size-column and --tokens-column",
        f->N, mixtures, rmx_s(mixtures), f->M == 1 ? "the metric is" : "most metrics are");
}

// Whether some values of a score are shares and the others percentages: none lies between.
static bool has_two_units(const rmx_fit *f, size_t m, size_t *share, size_t *percentage) {
  enum { GAP = 10 };
  *share = *percentage = f->N;
  for (size_t i = 0; i < f->N; i++) {
    const double y = f->truth[i * f->M + m];
    size_t *at = y <= 1 ? share : percentage;
    if (!isfinite(y)) continue;
    if (y < 0 || y > 100) return false;
    const double had = *at < f->N ? f->truth[*at * f->M + m] : NAN;
    if (isnan(had) || (y <= 1 ? y > had : y < had)) *at = i;
  }
  return *share < f->N && *percentage < f->N && f->truth[*share * f->M + m] > 0 &&
         f->truth[*percentage * f->M + m] > GAP * f->truth[*share * f->M + m];
}

static void warn_of_units(const rmx_fit *f, const rmx_listener *listener) {
  rmx_few names = {0};
  size_t share, percentage;
  for (size_t m = 0; m < f->M; m++) {
    char text[160];
    if (rmx_better_by_name(f->metrics[m]) != RMX_BETTER_HIGH ||
        !has_two_units(f, m, &share, &percentage))
      continue;
    snprintf(text, sizeof text, "%.60s (%.3g of %.30s, %.3g of %.30s)", f->metrics[m],
             f->truth[share * f->M + m], f->run_ids[share], f->truth[percentage * f->M + m],
             f->run_ids[percentage]);
    rmx_few_add(&names, text);
  }
  if (names.n)
    rmx_warn(listener,
             "%zu score%s to be a share in some runs and a percentage in others: %s; give one unit "
             "to all runs",
             names.n, names.n == 1 ? " seems" : "s seem", names.text);
}

// Whether two runs of one mixture have the same value of every metric, and one of them has too many
// digits to be the same by chance, as accuracies of few questions are.
static bool is_copy(const rmx_fit *f, size_t a, size_t b) {
  static const double ROUND = 1e4;
  bool precise = false;
  for (size_t m = 0; m < f->M; m++) {
    const double x = f->truth[a * f->M + m], y = f->truth[b * f->M + m];
    if (isnan(x) && isnan(y)) continue;
    if (x != y) return false;
    precise |= x * ROUND != round(x * ROUND);
  }
  return precise;
}

// A copy under another name looks like a second run that shows no noise.
static void warn_of_copies(const rmx_fit *f, const rmx_listener *listener) {
  rmx_few copies = {0};
  for (size_t i = 0; i < f->N && !f->scales; i++)
    for (size_t k = (size_t)f->groups[i]; k < i; k++) {
      if (f->groups[k] != f->groups[i] || !is_copy(f, i, k)) continue;
      char text[160];
      snprintf(text, sizeof text, "%.60s of %.60s", f->run_ids[i], f->run_ids[k]);
      rmx_few_add(&copies, text);
      break;
    }
  if (copies.n)
    rmx_warn(listener,
             "%zu run%s the mixture and all metrics of another run: %s; if %s, remove %s: else "
             "the noise between runs of one mixture seems smaller than it is",
             copies.n, copies.n == 1 ? " has" : "s have", copies.text,
             copies.n == 1 ? "it is a copy" : "they are copies", copies.n == 1 ? "it" : "them");
}

void rmx__warn_of_fit(const rmx_fit *f, const rmx_listener *listener) {
  rmx_few worse = {0};
  for (size_t m = 0; m < f->M; m++)
    if (f->cv[m].r2 < 0) rmx_few_add(&worse, f->metrics[m]);
  if (worse.n)
    rmx_warn(listener,
             "for %zu of %zu metric%s the fit predicts unseen runs worse than the mean of the runs "
             "does (R2 below 0): %s; these runs teach nothing about them",
             worse.n, f->M, rmx_s(f->M), worse.text);
  warn_of_units(f, listener);
  warn_of_far_runs(f, listener);
  warn_of_no_replicates(f, listener);
  warn_of_copies(f, listener);
}

void rmx__measured_range(const rmx_fit *f, size_t m, double range[2]) {
  range[0] = range[1] = NAN;
  for (size_t i = 0; f->truth && i < f->N; i++) {
    range[0] = fmin(range[0], f->truth[i * f->M + m]);  // fmin ignores NaN
    range[1] = fmax(range[1], f->truth[i * f->M + m]);
  }
}

// The range of the measured values of metric m.
static void known_range(const rmx_fit *f, size_t m, double range[2]) {
  if (f->range)
    memcpy(range, f->range + 2 * m, 2 * sizeof *range);
  else
    rmx__measured_range(f, m, range);
}

// Adds metric m to the names where a prediction of it cannot be.
static void add_impossible(const rmx_fit *f, size_t m, const double *y, size_t n, rmx_few *names) {
  double range[2], most[2] = {INFINITY, -INFINITY};
  known_range(f, m, range);
  for (size_t i = 0; i < n; i++) {
    most[0] = fmin(most[0], y[i * f->M + m]);
    most[1] = fmax(most[1], y[i * f->M + m]);
  }
  const bool below = range[0] > 0 && most[0] < 0;
  const bool above = range[0] >= 0 && range[1] <= 1 && most[1] > 1 && f->higher_is_better &&
                     f->higher_is_better[m];
  if (!below && !above) return;
  char text[96];
  snprintf(text, sizeof text, "%.48s (%.4g; every run is %s)", f->metrics[m], most[above],
           above ? "in 0..1" : "above 0");
  rmx_few_add(names, text);
}

bool rmx__warn_of_impossible(const rmx_fit *f, const double *y, size_t n,
                             const rmx__predictions *what, const rmx_listener *listener) {
  rmx_few names[2] = {{0}};
  for (size_t m = 0; m < f->M; m++)
    add_impossible(f, m, y, n, &names[what->asked && what->asked[m]]);
  for (int asked = 1; asked >= 0; asked--)
    if (names[asked].n)
      rmx_warn(listener,
               "%sthe fit predicts values that cannot be, for %s: it does not hold so far from "
               "the runs, so do not believe %s",
               what->where, names[asked].text, asked ? what->then : "these predictions");
  return names[0].n || names[1].n;
}
