// SPDX-License-Identifier: Apache-2.0
// Scores a fit on tables of measured runs. Over runs of several sizes and lengths, predictions and
// values rise and fall together with the size, whatever the mixture does. So a fit of several
// scales is scored as it is judged (rmx__judge): on the runs of the largest size, at its last
// length. The scores of each size are beside them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"
#include "fit.h"
#include "join.h"
#include "registry.h"
#include "rows.h"
#include "scales.h"

static const double WITHIN_90 = 1.6449;  // standard deviations of a normal distribution

// The runs of two tables, joined, with the predictions of a fit.
typedef struct scoring {
  const rmx_fit *f;
  const rmx_table *mixtures, *metrics;
  const rmx_listener *listener;
  size_t N, common;
  double *X;          // (N, D)
  rmx_scale *scales;  // (N); NULL: the fit has one
  rmx_scale least, most;
  size_t *partner;         // (N) the row of `metrics`, SIZE_MAX: none
  size_t *column;          // (M) of `metrics`; SIZE_MAX: none
  int *groups;             // (N) equal for runs of one mixture
  bool *judged, *part;     // (N)
  double *predicted, *sd;  // (M, N)
  rmx_arena arena;
} scoring;

static void scoring_release(scoring *s) {
  free(s->X);
  free(s->scales);
  rmx_arena_release(&s->arena);
}

static rmx_status allocate(scoring *s, rmx_err *err) {
  const size_t N = s->N, M = s->f->M;
  rmx_arena *a = &s->arena;
  s->partner = rmx_arena_alloc(a, N, sizeof *s->partner);
  s->column = rmx_arena_alloc(a, M, sizeof *s->column);
  s->groups = rmx_arena_alloc(a, N, sizeof *s->groups);
  s->judged = rmx_arena_alloc(a, N, sizeof *s->judged);
  s->part = rmx_arena_alloc(a, N, sizeof *s->part);
  s->predicted = rmx_arena_alloc(a, M * N, sizeof *s->predicted);
  s->sd = rmx_arena_alloc(a, M * N, sizeof *s->sd);
  return s->partner && s->column && s->groups && s->judged && s->part && s->predicted && s->sd
             ? RMX_OK
             : rmx_fail_memory(err, 2 * M * N * sizeof(double), "scores");
}

// The scale of each row, from either table; NULL where the fit has none.
static rmx_status scales_of_rows(scoring *s, rmx_err *err) {
  const rmx_fit *f = s->f;
  const rmx_table *a = s->mixtures, *b = s->metrics;
  if (!f->scales) return RMX_OK;
  const char *columns[] = {f->size_column, f->tokens_column};
  const double *of[2][2] = {{a->sizes, b->sizes}, {a->tokens, b->tokens}};
  for (int k = 0; k < 2; k++)
    if (columns[k] && !of[k][0] && !of[k][1])
      return rmx_fail(err, RMX_EINPUT,
                      "%s: no column \"%s\": the fit has runs of several scales, so each run to "
                      "be scored needs its own",
                      b->path ? b->path : "table", columns[k]);
  if (!(s->scales = rmx_calloc(s->N, sizeof *s->scales)))
    return rmx_fail_memory(err, s->N * sizeof *s->scales, "scores");
  for (size_t i = 0; i < s->N; i++) {
    double at[2] = {0};
    for (int k = 0; k < 2; k++)
      at[k] = of[k][1] && s->partner[i] != SIZE_MAX ? of[k][1][s->partner[i]]
              : of[k][0]                            ? of[k][0][i]
                                                    : 0;
    s->scales[i] = (rmx_scale){at[0], at[1]};
  }
  rmx__scale_range(f->scales, f->N, &s->least, &s->most);
  return RMX_OK;
}

// The measured value of metric m in row i; NaN: there is none.
static double value(const scoring *s, size_t m, size_t i) {
  if (s->column[m] == SIZE_MAX || s->partner[i] == SIZE_MAX) return NAN;
  const double y = s->metrics->x[s->partner[i] * s->metrics->D + s->column[m]];
  return isfinite(y) ? y : NAN;
}

static bool is_measured(const scoring *s, size_t i) {
  for (size_t m = 0; m < s->f->M; m++)
    if (!isnan(value(s, m, i))) return true;
  return false;
}

// The runs that count, among those that have a value.
static rmx_status judge(scoring *s, rmx_err *err) {
  RMX_OWNED size_t *row = rmx_calloc(s->N, sizeof *row);
  RMX_OWNED rmx_scale *scales = rmx_calloc(s->N, sizeof *scales);
  RMX_OWNED int *groups = rmx_calloc(s->N, sizeof *groups);
  RMX_OWNED bool *judged = rmx_calloc(s->N, sizeof *judged);
  size_t n = 0;
  if (!row || !scales || !groups || !judged)
    return rmx_fail_memory(err, s->N * sizeof *scales, "scores");
  for (size_t i = 0; i < s->N; i++) {
    s->judged[i] = !s->scales;
    if (!s->scales || !is_measured(s, i)) continue;
    scales[n] = s->scales[i];
    groups[n] = s->groups[i];
    row[n++] = i;
  }
  rmx__judge(scales, groups, n, judged);
  for (size_t k = 0; k < n; k++) s->judged[row[k]] = judged[k];
  return RMX_OK;
}

static rmx_status predict(scoring *s, rmx_err *err) {
  const rmx_fit *f = s->f;
  const char *path = s->metrics->path ? s->metrics->path : "table";
  for (size_t m = 0; m < f->M; m++) {
    double *sd = s->sd + m * s->N;
    s->column[m] = SIZE_MAX;
    if (rmx_match_name((const char *const *)f->metrics, f->M, m,
                       (const char *const *)s->metrics->names, s->metrics->D, &s->column[m]))
      rmx__predict_rows(f->regressors[m], s->X, s->scales, s->N, s->predicted + m * s->N,
                        s->scales ? sd : NULL);
    else {
      s->column[m] = SIZE_MAX;
      rmx_warn(s->listener, "%s has no metric \"%s\", so it is not scored", path, f->metrics[m]);
    }
  }
  return judge(s, err);
}

static rmx_status scoring_make(scoring *s, rmx_err *err) {
  const char *path = s->metrics->path ? s->metrics->path : "table";
  s->N = s->mixtures->N;
  RMX_TRY(allocate(s, err));
  RMX_TRY(rmx_fit_mixtures(s->f, s->mixtures, &s->X, err));
  RMX_TRY(rmx__replicate_groups(s->X, s->N, s->f->D, s->groups, err));
  RMX_TRY(rmx__join(s->mixtures, s->metrics, s->partner, err));
  for (size_t i = 0; i < s->N; i++) s->common += s->partner[i] != SIZE_MAX;
  if (s->common == 0)
    return rmx_fail(err, RMX_EINPUT, "%s and %s have no run in common",
                    s->mixtures->path ? s->mixtures->path : "table", path);
  const size_t alone = s->N - s->common;
  if (alone)
    rmx_warn(s->listener, "%zu of %zu run%s %s no row in %s and %s not scored", alone, s->N,
             rmx_s(s->N), rmx_has(alone), path, rmx_is(alone));
  RMX_TRY(scales_of_rows(s, err));
  return predict(s, err);
}

// The share of these runs (n rows) that are within the 90 % interval; NaN: not known.
static double coverage(const scoring *s, size_t m, const size_t *row, size_t n) {
  const double *sd = s->sd + m * s->N, *y = s->predicted + m * s->N;
  size_t within = 0, known = 0;
  for (size_t k = 0; s->scales && k < n; k++) {
    const size_t i = row[k];
    if (rmx__size_is_unknown(s->least, s->most, s->scales[i]) ||
        rmx__tokens_are_unknown(s->least, s->most, s->scales[i]))
      continue;
    known++;
    within += fabs(y[i] - value(s, m, i)) <= WITHIN_90 * sd[i];
  }
  return known && isfinite(sd[0]) ? (double)within / (double)known : NAN;
}

// Scores metric m on the runs of `part` (N). `apart`: runs of one mixture differ in their scale, so
// they are no replicates. errors may be NULL.
static rmx_status score_metric(const scoring *s, size_t m, const bool *part, bool apart,
                               rmx_scores *scores, rmx_diagnostics *errors, rmx_err *err) {
  RMX_OWNED double *truth = rmx_calloc(s->N, 2 * sizeof *truth);
  RMX_OWNED int *group = rmx_calloc(s->N, sizeof *group);
  RMX_OWNED size_t *row = rmx_calloc(s->N, sizeof *row);
  size_t n = 0;
  if (!truth || !group || !row) return rmx_fail_memory(err, s->N * sizeof *truth, "scores");
  double *predicted = truth + s->N;
  *scores = (rmx_scores){.n = 0, .spearman = NAN, .mse = NAN, .mae = NAN, .r2 = NAN};
  if (errors) *errors = (rmx_diagnostics){0};
  for (size_t i = 0; i < s->N; i++) {
    const double y = value(s, m, i);
    if (!part[i] || isnan(y)) continue;
    truth[n] = y;
    predicted[n] = s->predicted[m * s->N + i];
    group[n] = apart ? (int)i : s->groups[i];
    row[n++] = i;
  }
  if (n == 0) return RMX_OK;
  rmx_score(truth, predicted, n, scores);
  if (!errors) return RMX_OK;
  RMX_TRY(rmx__diagnose(truth, predicted, group, n,
                        s->f->higher_is_better && s->f->higher_is_better[m], errors, err));
  errors->coverage = coverage(s, m, row, n);
  return RMX_OK;
}

// The mean over the metrics that were scored. One with the same value in all runs has no rank
// correlation and no R2, so it does not count unless all are so.
static void take_mean(const rmx_fit *f, const rmx_scores *scores, const rmx_listener *listener,
                      rmx_scores *mean) {
  rmx_few constant = {0};
  size_t scored = 0;
  *mean = (rmx_scores){0};
  for (size_t m = 0; m < f->M; m++) {
    scored += scores[m].n > 0;
    if (scores[m].n > 0 && isnan(scores[m].r2)) rmx_few_add(&constant, f->metrics[m]);
  }
  const bool all = constant.n == scored;
  for (size_t m = 0; m < f->M; m++) {
    if (scores[m].n == 0 || (isnan(scores[m].r2) && !all)) continue;
    mean->n++;
    mean->spearman += scores[m].spearman;
    mean->mse += scores[m].mse;
    mean->mae += scores[m].mae;
    mean->r2 += scores[m].r2;
  }
  if (constant.n && !all)
    rmx_warn(listener,
             "%zu of %zu metrics %s the same value in all runs and %s not counted in the mean: %s",
             constant.n, scored, rmx_has(constant.n), rmx_is(constant.n), constant.text);
  if (mean->n == 0) return;
  mean->spearman /= (double)mean->n;
  mean->mse /= (double)mean->n;
  mean->mae /= (double)mean->n;
  mean->r2 /= (double)mean->n;
}

// ---- parts of the runs

void rmx_part_scores_free(rmx_part_scores *parts, size_t n) {
  for (size_t k = 0; parts && k < n; k++) {
    free(parts[k].scores);
    free(parts[k].errors);
  }
  free(parts);
}

// Scores the runs of s->part.
static rmx_status score_part(const scoring *s, bool apart, rmx_part_scores *out, rmx_err *err) {
  const size_t M = s->f->M;
  out->scores = rmx_calloc(M, sizeof *out->scores);
  out->errors = rmx_calloc(M, sizeof *out->errors);
  if (!out->scores || !out->errors) return rmx_fail_memory(err, M * sizeof *out->errors, "scores");
  for (size_t i = 0; i < s->N; i++) out->runs += s->part[i];
  out->judged = memcmp(s->part, s->judged, s->N * sizeof *s->part) == 0;
  for (size_t m = 0; m < M; m++)
    RMX_TRY(score_metric(s, m, s->part, apart, &out->scores[m], &out->errors[m], err));
  take_mean(s->f, out->scores, NULL, &out->mean);
  return RMX_OK;
}

// The smallest size of a measured run above `below`; INFINITY: there is none.
static double next_size(const scoring *s, double below) {
  double size = INFINITY;
  for (size_t i = 0; i < s->N; i++)
    if (s->scales[i].size > below && is_measured(s, i)) size = fmin(size, s->scales[i].size);
  return size;
}

// Marks the runs of this size at its last length.
static rmx_scale mark_size(scoring *s, double size) {
  double tokens = 0;
  for (size_t i = 0; i < s->N; i++)
    if (s->scales[i].size == size && is_measured(s, i)) tokens = fmax(tokens, s->scales[i].tokens);
  for (size_t i = 0; i < s->N; i++)
    s->part[i] = s->scales[i].size == size && is_measured(s, i) &&
                 rmx__is_as_long(s->scales[i].tokens, tokens) &&
                 rmx__is_last(s->scales, s->groups, s->N, i);
  return (rmx_scale){size, tokens};
}

static rmx_status score_parts(scoring *s, rmx_part_scores **out, size_t *n, rmx_err *err) {
  size_t sizes = 0;
  for (double size = -1; isfinite(size = next_size(s, size));) sizes++;
  rmx_part_scores *parts = *out = rmx_calloc(sizes + 1, sizeof *parts);
  if (!parts) return rmx_fail_memory(err, (sizes + 1) * sizeof *parts, "scores");
  *n = sizes + 1;
  for (size_t i = 0; i < s->N; i++) s->part[i] = is_measured(s, i);
  RMX_TRY(score_part(s, true, &parts[0], err));
  double size = -1;
  for (size_t k = 1; k <= sizes; k++) {
    parts[k].at = mark_size(s, size = next_size(s, size));
    RMX_TRY(score_part(s, false, &parts[k], err));
    parts[0].judged = parts[0].judged && !parts[k].judged;
  }
  return RMX_OK;
}

rmx_status rmx_fit_score_parts(const rmx_fit *f, const rmx_table *mixtures,
                               const rmx_table *metrics, const rmx_listener *listener,
                               rmx_scores *scores, rmx_scores *mean, rmx_diagnostics *errors,
                               rmx_part_scores **parts, size_t *n_parts, rmx_err *err) {
  RMX_OWNED_BY(scoring_release)
  scoring s = {.f = f, .mixtures = mixtures, .metrics = metrics, .listener = listener};
  RMX_TRY(scoring_make(&s, err));
  for (size_t m = 0; m < f->M; m++) {
    size_t values = 0;
    RMX_TRY(score_metric(&s, m, s.judged, false, &scores[m], errors ? &errors[m] : NULL, err));
    for (size_t i = 0; i < s.N; i++) values += !isnan(value(&s, m, i));
    if (s.column[m] == SIZE_MAX || values == s.common) continue;
    rmx_warn(listener, "metric \"%s\": %zu of %zu run%s %s no value and %s not scored",
             f->metrics[m], s.common - values, s.common, rmx_s(s.common),
             rmx_has(s.common - values), rmx_is(s.common - values));
  }
  take_mean(f, scores, listener, mean);
  if (!mean->n)
    return rmx_fail(err, RMX_EINPUT, "%s has none of the metrics of the fit (the first is \"%s\")",
                    metrics->path ? metrics->path : "table", f->metrics[0]);
  if (!f->scales || !parts) return RMX_OK;
  RMX_TRY(score_parts(&s, parts, n_parts, err));
  for (size_t m = 0; errors && m < f->M; m++) errors[m].coverage = (*parts)[0].errors[m].coverage;
  return RMX_OK;
}

rmx_status rmx_fit_score_tables(const rmx_fit *f, const rmx_table *mixtures,
                                const rmx_table *metrics, const rmx_listener *listener,
                                rmx_scores *scores, rmx_scores *mean, rmx_diagnostics *errors,
                                rmx_err *err) {
  return rmx_fit_score_parts(f, mixtures, metrics, listener, scores, mean, errors, NULL, NULL, err);
}
