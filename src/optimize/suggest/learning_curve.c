// SPDX-License-Identifier: Apache-2.0
// Are there enough runs? A quarter of the runs, by replicate group, is left out; the fit is made
// again, with what it chose kept, from more and more of the others, and scored on that quarter; all
// this many times. Through the errors goes
//   rmse(N) = floor + drop N^-power,  floor, drop >= 0, power in 0.25 .. 2
// (least squares in units of the rmse, power by trying; the floor is the noise of the runs and what
// the form cannot follow). This curve does not say what more runs would gain at the optimum; see
// expected_gain.c.
//
// Cost: RESAMPLES times SIZES fits a metric, fewer where the target has many metrics or a fit has
// no short cut.

#include "optimize/suggest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/order.h"

enum {
  MIN_RUNS = 20,
  SIZES = 4,
  RESAMPLES = 20,
  MIN_RESAMPLES = 5,
  METRICS_AT_EASE = 2,
  POWERS = 36
};
static const double part[SIZES] = {0.25, 0.375, 0.5, 0.75};
static const double ENOUGH_NATS = 0.001, ENOUGH_PART = 0.002;  // of the scores' standard deviation

typedef struct resampling {
  const rmx_fit *fit;
  const rmx_target *target;
  const rmx_dataset *scored;
  const size_t *rows;  // (N) of the fit
  rmx_dataset *about;  // (M) what else is known of each metric
  size_t size[SIZES];  // runs wanted
  size_t n_groups;
  const size_t *group;  // (N) number of each run's group
  uint64_t seed;
  double *rmse, *spearman, *regret;  // (RESAMPLES, SIZES)
  rmx_err *err;                      // (RESAMPLES)
} resampling;

// The runs of each group in a random order of groups: order (N). The last quarter of the groups,
// one at least, is left out: returns the first run of it.
static size_t shuffle(const resampling *s, rmx_rng *rng, size_t *order, size_t *groups) {
  size_t N = s->scored->N, n = 0, kept = s->n_groups - (s->n_groups + 3) / 4, first_out = 0;
  for (size_t g = 0; g < s->n_groups; g++) groups[g] = g;
  rmx_rng_shuffle(rng, groups, s->n_groups);
  for (size_t g = 0; g < s->n_groups; g++) {
    if (g == kept) first_out = n;
    for (size_t i = 0; i < N; i++)
      if (s->group[i] == groups[g]) order[n++] = i;
  }
  return first_out;
}

static rmx_status score_size(const resampling *s, const size_t *order, size_t n, size_t out,
                             uint64_t seed, double *rmse, double *spearman, double *regret,
                             rmx_err *err) {
  const rmx_fit *f = s->fit;
  size_t N = s->scored->N, D = f->D, M = f->M, rest = N - out;
  rmx_arena arena = {0};
  rmx_regressor *r = NULL;
  double *X = rmx_arena_alloc(&arena, N, D * sizeof(double)),
         *y = rmx_arena_alloc(&arena, n, sizeof(double));
  double *predicted = rmx_arena_alloc(&arena, rest, M * sizeof(double)),
         *one = rmx_arena_alloc(&arena, rest, sizeof(double));
  double *score = rmx_arena_alloc(&arena, rest, sizeof(double)),
         *truth = rmx_arena_alloc(&arena, rest, sizeof(double));
  int *groups = rmx_arena_alloc(&arena, n, sizeof(int));
  rmx_status status = RMX_OK;
  if (!X || !y || !predicted || !one || !score || !truth || !groups) {
    status = rmx_fail_memory(err, N * (D + M) * sizeof(double), "a learning curve");
    goto done;
  }
  for (size_t i = 0; i < n; i++) {
    memcpy(X + i * D, s->scored->X + order[i] * D, D * sizeof(double));
    groups[i] = s->scored->groups[order[i]];
  }
  for (size_t i = 0; i < rest; i++)
    memcpy(X + (n + i) * D, s->scored->X + order[out + i] * D, D * sizeof(double));
  for (size_t m = 0; m < M; m++) {
    if (s->target->weight[m] == 0) continue;
    for (size_t i = 0; i < n; i++) y[i] = f->truth[s->rows[order[i]] * M + m];
    rmx_dataset data = s->about[m];
    data.N = n;
    data.X = X;
    data.y = y;
    data.groups = groups;
    data.row_weights = NULL;
    RMX_TRY_GOTO(rmx__refit(&f->options, f->regressors[m], &data, seed, &r, err), done);
    rmx_regressor_predict(r, X + n * D, rest, one, NULL);
    rmx_regressor_free(r);
    r = NULL;
    for (size_t i = 0; i < rest; i++) predicted[i * M + m] = one[i];
  }
  double best = INFINITY, square = 0;
  size_t chosen = 0;
  for (size_t i = 0; i < rest; i++) {
    score[i] = rmx__plain_score(s->target, M, predicted + i * M);
    truth[i] = s->scored->y[order[out + i]];
    square += (score[i] - truth[i]) * (score[i] - truth[i]);
    best = fmin(best, truth[i]);
    if (score[i] < score[chosen]) chosen = i;
  }
  *rmse = sqrt(square / (double)rest);
  *spearman = rmx_spearman(truth, score, rest);
  *regret = truth[chosen] - best;
done:
  rmx_regressor_free(r);
  rmx_arena_release(&arena);
  return status;
}

static void do_resample(void *context, size_t k) {
  resampling *s = context;
  size_t N = s->scored->N;
  RMX_OWNED size_t *order = rmx_calloc(N + s->n_groups, sizeof(size_t));
  if (order == NULL) {
    rmx_fail_memory(&s->err[k], N * sizeof(size_t), "a learning curve");
    return;
  }
  rmx_rng rng = rmx_rng_make(s->seed, k, RMX_FOR_FOLDS);
  size_t out = shuffle(s, &rng, order, order + N);
  for (size_t i = 0; i < SIZES; i++) {
    size_t n = i + 1 == SIZES || s->size[i] > out ? out : s->size[i], at = k * SIZES + i;
    if (score_size(s, order, n, out, s->seed + k, &s->rmse[at], &s->spearman[at], &s->regret[at],
                   &s->err[k]) != RMX_OK)
      break;
  }
}

// Of every SIZES-th of n * SIZES numbers, those that are none left out.
static double median(const double *x, size_t n, size_t column) {
  double kept[RESAMPLES];
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i * SIZES + column])) kept[k++] = x[i * SIZES + column];
  if (k == 0) return NAN;
  qsort(kept, k, sizeof(double), rmx__ascending);
  return 0.5 * (kept[(k - 1) / 2] + kept[k / 2]);
}

// For each power floor and drop are a line's two numbers, by least squares of relative errors.
static void fit_curve(rmx_learning_curve *c) {
  double min = INFINITY;
  for (int k = 0; k < POWERS; k++) {
    double power = 0.25 + 1.75 * k / (POWERS - 1), S[5] = {0};
    for (size_t i = 0; i < c->n; i++) {
      double x = pow((double)c->runs[i], -power), w = 1 / fmax(c->rmse[i] * c->rmse[i], 1e-300);
      S[0] += w;
      S[1] += w * x;
      S[2] += w * x * x;
      S[3] += w * c->rmse[i];
      S[4] += w * x * c->rmse[i];
    }
    double det = S[0] * S[2] - S[1] * S[1], drop = det > 0 ? (S[0] * S[4] - S[1] * S[3]) / det : 0;
    if (!(drop > 0)) drop = 0;
    double floor = (S[3] - drop * S[1]) / S[0], error = 0;
    if (!(floor > 0)) {
      floor = 0;
      drop = S[4] / S[2];
    }
    for (size_t i = 0; i < c->n; i++) {
      double off = floor + drop * pow((double)c->runs[i], -power) - c->rmse[i];
      error += off * off / fmax(c->rmse[i] * c->rmse[i], 1e-300);
    }
    if (error < min - 1e-12) {
      min = error;
      c->floor = floor;
      c->drop = drop;
      c->power = power;
    }
  }
}

static double curve_at(const rmx_learning_curve *c, double runs) {
  return c->floor + c->drop * pow(runs, -c->power);
}

// Only `<domain>_val_loss` is known to be in nats per token; the loss of somebody's own table may
// be anything.
static bool in_nats(const rmx_fit *fit, const rmx_target *target) {
  static const char ending[] = "_val_loss";
  double sum = 0;
  for (size_t m = 0; m < fit->M; m++) {
    const size_t n = strlen(fit->metrics[m]), k = sizeof(ending) - 1;
    if (target->weight[m] == 0) continue;
    if (target->weight[m] < 0 || n < k || strcmp(fit->metrics[m] + n - k, ending) != 0)
      return false;
    sum += target->weight[m];
  }
  return fabs(sum - 1) < 1e-9;
}

// What a gain is counted in: nats, the one metric of the target, or the score.
static void unit_of(const rmx_fit *fit, const rmx_target *target, char out[64]) {
  size_t only = fit->M, n = 0;
  for (size_t m = 0; m < fit->M; m++)
    if (target->weight[m] != 0) only = m, n++;
  if (in_nats(fit, target))
    snprintf(out, 64, " nats");
  else if (n == 1 && fabs(target->weight[only]) == 1)
    snprintf(out, 64, " in %.56s", fit->metrics[only]);
  else
    snprintf(out, 64, " of the score");
}

// 0 exactly where all are the same.
static double spread_of(const rmx_dataset *data) {
  double mean = 0, square = 0;
  bool same = true;
  for (size_t i = 1; i < data->N; i++) same &= data->y[i] == data->y[0];
  if (same) return 0;
  for (size_t i = 0; i < data->N; i++) mean += data->y[i] / (double)data->N;
  for (size_t i = 0; i < data->N; i++)
    square += (data->y[i] - mean) * (data->y[i] - mean) / (double)data->N;
  return sqrt(square);
}

// Up to one figure.
static double round_up_to_figure(double x) {
  if (!(x > 0)) return x;
  double unit = pow(10, floor(log10(x)));
  return ceil(x / unit - 1e-9) * unit;
}

static void say(rmx_learning_curve *c, const rmx_fit *fit, const rmx_target *target,
                double spread) {
  bool nats = in_nats(fit, target);
  double worth = nats ? ENOUGH_NATS : round_up_to_figure(ENOUGH_PART * spread);
  char unit[64];
  unit_of(fit, target, unit);
  char more[32] = "doubling them";
  c->enough = c->expected_gain < worth;
  if (c->more_runs != c->runs_now)
    snprintf(more, sizeof(more), "%lld more", (long long)c->more_runs);
  if (isnan(c->expected_gain))
    snprintf(
        c->sentence, sizeof(c->sentence),
        "It is not known what more runs would gain: no mixture that keeps the limits was found");
  else if (c->enough)
    snprintf(c->sentence, sizeof(c->sentence),
             "There are enough runs: %s would be expected to gain less than %.3g%s", more, worth,
             unit);
  else
    snprintf(c->sentence, sizeof(c->sentence), "%lld more run%s would be expected to gain %.2g%s",
             (long long)c->more_runs, rmx_s(c->more_runs), c->expected_gain, unit);
}

// Numbers the groups of the runs 0, 1, ...; returns how many.
static size_t number_groups(const int *groups, size_t N, size_t *number) {
  size_t n = 0;
  for (size_t i = 0; i < N; i++) {
    size_t k = 0;
    while (k < i && groups[k] != groups[i]) k++;
    number[i] = k < i ? number[k] : n++;
  }
  return n;
}

static rmx_status make_curve(resampling *s, rmx_learning_curve *out, int threads,
                             const rmx_listener *listener, rmx_arena *arena, rmx_err *err) {
  const rmx_fit *fit = s->fit;
  size_t metrics = 0, N = s->scored->N;
  s->about = rmx_arena_alloc(arena, fit->M, sizeof(rmx_dataset));
  s->rmse = rmx_arena_alloc(arena, 3 * RESAMPLES * SIZES, sizeof(double));
  s->err = rmx_arena_alloc(arena, RESAMPLES, sizeof(rmx_err));
  if (!s->about || !s->rmse || !s->err)
    return rmx_fail_memory(err, fit->M * sizeof(rmx_dataset), "a learning curve");
  s->spearman = s->rmse + RESAMPLES * SIZES;
  s->regret = s->spearman + RESAMPLES * SIZES;
  size_t work = 0;
  for (size_t m = 0; m < fit->M; m++) {
    if (s->target->weight[m] == 0) continue;
    RMX_TRY(rmx__fit_dataset(fit, m, arena, &s->about[m], err));
    metrics++;
    // Trees are grown anew each time.
    work += strcmp(rmx_regressor_name(fit->regressors[m]), "trees") == 0 && N > 128
                ? METRICS_AT_EASE
                : 1;
  }
  if (metrics == 0)
    return rmx_fail(err, RMX_EINPUT, "a learning curve needs a target: no metric has a weight");
  size_t times = work <= METRICS_AT_EASE ? RESAMPLES : RESAMPLES * METRICS_AT_EASE / work;
  if (times < MIN_RESAMPLES) times = MIN_RESAMPLES;
  for (size_t i = 0; i < SIZES; i++) s->size[i] = (size_t)llround(part[i] * (double)N);
  rmx_progress(listener, "learning curve", 0, (double)times, "resamples", NULL);
  rmx_parallel(threads, times, do_resample, s);
  for (size_t k = 0; k < times; k++)
    if (s->err[k].status != RMX_OK) return rmx_fail(err, s->err[k].status, "%s", s->err[k].message);
  rmx_progress(listener, "learning curve", (double)times, (double)times, "resamples", NULL);
  for (size_t i = 0; i < SIZES; i++) {
    out->runs[i] = (int64_t)s->size[i];
    out->rmse[i] = median(s->rmse, times, i);
    out->spearman[i] = median(s->spearman, times, i);
    for (size_t k = 0; k < times; k++) out->regret[i] += s->regret[k * SIZES + i] / (double)times;
  }
  out->n = SIZES;
  fit_curve(out);
  out->rmse_now = curve_at(out, (double)out->runs_now);
  out->rmse_more = curve_at(out, (double)(out->runs_now + out->more_runs));
  return RMX_OK;
}

rmx_status rmx_learning_curve_make(const rmx_optimize_request *request, int64_t more,
                                   rmx_learning_curve *out, rmx_err *err) {
  const rmx_fit *fit = request->fit;
  const rmx_target *target = &request->problem->target;
  *out = (rmx_learning_curve){.expected_gain = NAN, .rmse_now = NAN, .rmse_more = NAN};
  if (more < 0 || more > 1000000000)
    return rmx_fail(err, RMX_EUSAGE, "%lld more runs: wanted 0 (as many again) or more",
                    (long long)more);
  rmx_arena arena = {0};
  rmx_dataset scored;
  size_t *rows;
  rmx_status status = rmx__scored_runs(fit, target, &arena, &scored, &rows, err);
  size_t *group = status == RMX_OK ? rmx_arena_alloc(&arena, scored.N, sizeof(size_t)) : NULL;
  if (status == RMX_OK && group == NULL)
    status = rmx_fail_memory(err, scored.N * sizeof(size_t), "a learning curve");
  if (status != RMX_OK) goto done;
  resampling s = {.fit = fit,
                  .target = target,
                  .scored = &scored,
                  .rows = rows,
                  .group = group,
                  .seed = request->seed};
  s.n_groups = number_groups(scored.groups, scored.N, group);
  out->runs_now = (int64_t)scored.N;
  out->more_runs = more ? more : out->runs_now;
  double spread = spread_of(&scored);
  if (s.n_groups < MIN_RUNS || !(spread > 0)) {
    if (s.n_groups < MIN_RUNS)
      snprintf(out->sentence, sizeof(out->sentence),
               "Too few runs to tell (%zu; at least %d are needed)", s.n_groups, MIN_RUNS);
    else
      snprintf(out->sentence, sizeof(out->sentence),
               "The score is the same in all %zu runs: nothing to learn from more", scored.N);
    goto done;
  }
  out->runs = rmx_calloc(SIZES, sizeof(int64_t));
  out->rmse = rmx_calloc(3 * SIZES, sizeof(double));
  if (!out->runs || !out->rmse) {
    status = rmx_fail_memory(err, 4 * SIZES * sizeof(double), "a learning curve");
    goto done;
  }
  out->spearman = out->rmse + SIZES;
  out->regret = out->rmse + 2 * SIZES;
  RMX_TRY_GOTO(make_curve(&s, out, request->threads, request->listener, &arena, err), done);
  RMX_TRY_GOTO(
      rmx__expected_gain(request, &scored, (size_t)out->more_runs, &out->expected_gain, err), done);
  say(out, fit, target, spread);
done:
  rmx_arena_release(&arena);
  if (status != RMX_OK) rmx_learning_curve_release(out);
  return status;
}

void rmx_learning_curve_release(rmx_learning_curve *c) {
  free(c->runs);
  free(c->rmse);
  *c = (rmx_learning_curve){0};
}

static json_t *reals(const double *x, size_t n) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < n; i++) json_array_append_new(list, rmx__json_known(x[i]));
  return list;
}

json_t *rmx_learning_curve_json(const rmx_learning_curve *c) {
  if (c->n == 0) return json_null();
  json_t *runs = json_array();
  for (size_t i = 0; runs && i < c->n; i++) json_array_append_new(runs, json_integer(c->runs[i]));
  return json_pack("{s:o, s:o, s:o, s:o, s:I, s:f, s:I, s:f, s:o, s:b, s:s}", "runs", runs, "rmse",
                   reals(c->rmse, c->n), "spearman", reals(c->spearman, c->n), "regret",
                   reals(c->regret, c->n), "runs_now", (json_int_t)c->runs_now, "rmse_now",
                   c->rmse_now, "more_runs", (json_int_t)c->more_runs, "rmse_more", c->rmse_more,
                   "expected_gain", rmx__json_known(c->expected_gain), "enough", (int)c->enough,
                   "sentence", c->sentence);
}
