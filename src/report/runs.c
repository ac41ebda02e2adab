// SPDX-License-Identifier: Apache-2.0
// The runs as one table: mixtures.csv and metrics.csv joined on the run, with the metrics at half
// way. Without these tables, the mixtures of the fit and the true values of its cross-validation
// are used.
//
// The effect of a domain on a metric is Spearman's rank correlation between the domain's weight and
// the metric over the runs. It is bounded, has no unit, and does not depend on how skewed the
// weights are.
#include <math.h>
#include <regmix/correlate.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

typedef struct runs {
  size_t N, D, M;
  const char **ids, **domains, **metrics;  // (N) (D) (M), borrowed
  double *X;                               // (N, D)
  double *Y;                               // (N, M)
  double *half;                            // (N, M), or NULL
} runs;

static rmx_status read_if_there(const char *folder, const char *file, rmx_table *table,
                                rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, file);
  if (!path) return rmx_fail_memory(err, strlen(file), "a path");
  return rmx_exists(path) ? rmx_csv_read(path, table, err) : RMX_OK;
}

// The rows of a table in the order of their names, for look-up by name.
typedef struct named_row {
  const char *id;
  size_t row;
} named_row;

static int compare_names(const void *a, const void *b) {
  return strcmp(((const named_row *)a)->id, ((const named_row *)b)->id);
}

static named_row *sorted_rows(const rmx_table *t, rmx_arena *arena) {
  named_row *rows = rmx_arena_alloc(arena, t->N, sizeof *rows);
  for (size_t i = 0; rows && i < t->N; i++) rows[i] = (named_row){t->ids[i], i};
  if (rows) qsort(rows, t->N, sizeof *rows, compare_names);
  return rows;
}

static const double *row_of(const rmx_table *t, const named_row *rows, const char *id) {
  named_row key = {id, 0};
  const named_row *hit = t->N ? bsearch(&key, rows, t->N, sizeof *rows, compare_names) : NULL;
  return hit ? &t->x[hit->row * t->D] : NULL;
}

static bool make(runs *r, size_t N, size_t D, size_t M, bool half, rmx_arena *arena) {
  r->D = D;
  r->ids = rmx_arena_alloc(arena, N, sizeof *r->ids);
  r->domains = rmx_arena_alloc(arena, D, sizeof *r->domains);
  r->metrics = rmx_arena_alloc(arena, M, sizeof *r->metrics);
  r->X = rmx_arena_alloc(arena, N * D, sizeof(double));
  r->Y = rmx_arena_alloc(arena, N * M, sizeof(double));
  r->half = half ? rmx_arena_alloc(arena, N * M, sizeof(double)) : NULL;
  return r->ids && r->domains && r->metrics && r->X && r->Y && (r->half || !half);
}

static rmx_status join(const rmx_table *mixtures, const rmx_table *metrics, const rmx_table *half,
                       runs *r, rmx_arena *arena, rmx_err *err) {
  size_t D = mixtures->D, M = metrics->D;
  named_row *by_mixture = sorted_rows(mixtures, arena), *by_half = sorted_rows(half, arena);
  size_t *half_column = rmx_arena_alloc(arena, M, sizeof *half_column);
  if (!by_mixture || !by_half || !half_column || !make(r, metrics->N, D, M, half->N > 0, arena))
    return rmx_fail_memory(err, metrics->N * (D + 2 * M) * sizeof(double), "the runs");
  for (size_t d = 0; d < D; d++) r->domains[d] = mixtures->names[d];
  r->M = M;
  for (size_t m = 0; m < M; m++) {
    r->metrics[m] = metrics->names[m];
    half_column[m] = half->D;
    for (size_t j = 0; j < half->D; j++)
      if (strcmp(half->names[j], metrics->names[m]) == 0) half_column[m] = j;
  }
  for (size_t i = 0; i < metrics->N; i++) {
    const double *w = row_of(mixtures, by_mixture, metrics->ids[i]);
    const double *h = row_of(half, by_half, metrics->ids[i]);
    if (!w) continue;
    size_t n = r->N++;
    r->ids[n] = metrics->ids[i];
    memcpy(&r->X[n * D], w, D * sizeof *w);
    memcpy(&r->Y[n * M], &metrics->x[i * M], M * sizeof *w);
    for (size_t m = 0; r->half && m < M; m++)
      r->half[n * M + m] = h && half_column[m] < half->D ? h[half_column[m]] : NAN;
  }
  return RMX_OK;
}

// The rows of fit.json's mixtures and of each metric of its cross-validation have the same order,
// that of the joined tables. A metric that lacks some runs has no such order and is left out.
static rmx_status from_fit(const json_t *fit, json_t *folds, runs *r, rmx_arena *arena,
                           rmx_err *err) {
  const json_t *mixtures = json_object_get(fit, "mixtures"),
               *domains = json_object_get(fit, "domains");
  size_t N = json_array_size(mixtures), D = json_array_size(domains);
  const char *metric;
  json_t *of;
  if (!make(r, N, D, json_object_size(folds), false, arena))
    return rmx_fail_memory(err, N * D * sizeof(double), "the runs");
  json_object_foreach(folds, metric, of) {
    json_t *ids = json_object_get(of, "run");
    if (json_array_size(ids) != N || strcmp(metric, RMX__WEIGHTED) == 0) continue;
    r->metrics[r->M++] = metric;
    for (size_t i = 0; i < N; i++) r->ids[i] = json_string_value(json_array_get(ids, i));
  }
  if (r->M == 0) return RMX_OK;
  r->N = N;
  for (size_t d = 0; d < D; d++) {
    r->domains[d] = json_string_value(json_array_get(domains, d));
    if (!r->domains[d])
      return rmx_fail(err, RMX_EINPUT,
                      "fit.json: \"domains\" contains an entry that is not a name");
  }
  for (size_t i = 0; i < N; i++) {
    for (size_t d = 0; d < D; d++)
      r->X[i * D + d] = json_number_value(json_array_get(json_array_get(mixtures, i), d));
    for (size_t m = 0; m < r->M; m++)
      r->Y[i * r->M + m] = json_number_value(
          json_array_get(json_object_get(json_object_get(folds, r->metrics[m]), "true"), i));
  }
  return RMX_OK;
}

// A target of several metrics becomes an additional metric, the first one, so everything that shows
// metrics also shows the target.
static rmx_status add_weighted(runs *r, const json_t *target, rmx_arena *arena, rmx_err *err) {
  json_t *weights = json_object_get(target, "weights"), *weight;
  if (json_object_size(weights) < 2 || r->N == 0) return RMX_OK;
  runs wide = *r;
  wide.M = r->M + 1;
  if (!make(&wide, r->N, r->D, wide.M, r->half != NULL, arena))
    return rmx_fail_memory(err, r->N * wide.M * sizeof(double), "the runs");
  wide.metrics[0] = RMX__WEIGHTED;
  memcpy(wide.metrics + 1, r->metrics, r->M * sizeof *r->metrics);
  for (size_t i = 0; i < r->N; i++) {
    memcpy(&wide.Y[i * wide.M + 1], &r->Y[i * r->M], r->M * sizeof(double));
    if (r->half) memcpy(&wide.half[i * wide.M + 1], &r->half[i * r->M], r->M * sizeof(double));
  }
  const char *name;
  json_object_foreach(weights, name, weight) {
    size_t m;
    if (rmx_find_name("metric", name, r->metrics, r->M, &m, &(rmx_err){0}) != RMX_OK) return RMX_OK;
    for (size_t i = 0; i < r->N; i++) {
      wide.Y[i * wide.M] += json_number_value(weight) * r->Y[i * r->M + m];
      if (r->half) wide.half[i * wide.M] += json_number_value(weight) * r->half[i * r->M + m];
    }
  }
  r->M = wide.M, r->metrics = wide.metrics, r->Y = wide.Y, r->half = wide.half;
  return RMX_OK;
}

// Spearman over the rows where both columns have a number; NaN with fewer than 3. scratch (2 N).
static double agreement(const double *a, size_t stride_a, const double *b, size_t stride_b,
                        size_t N, double *scratch) {
  size_t n = 0;
  for (size_t i = 0; i < N; i++) {
    if (!isfinite(a[i * stride_a]) || !isfinite(b[i * stride_b])) continue;
    scratch[n] = a[i * stride_a];
    scratch[N + n++] = b[i * stride_b];
  }
  return n < 3 ? NAN : rmx_spearman(scratch, scratch + N, n);
}

// The matrix of losses and scores, if the runs have both.
static rmx_status put_correlations(const rmx_table *metrics, const json_t *fit, json_t *data,
                                   rmx_err *err) {
  const rmx_correlate_options o = {.replicates = 1000, .seed = 42, .threads = rmx_processors()};
  RMX_OWNED_BY(rmx_correlations_release) rmx_correlations c = {0};
  rmx_table t = *metrics;
  RMX_OWNED rmx_better *better = rmx_calloc(t.D, sizeof *better);
  const json_t *list = json_object_get(fit, "metrics"), *metric;
  size_t i;
  if (!better) return rmx_fail_memory(err, t.D, "correlations");
  t.better = better;
  json_array_foreach(list, i, metric) {
    const char *name = json_string_value(json_object_get(metric, "name"));
    for (size_t d = 0; d < t.D && name; d++)
      if (strcmp(t.names[d], name) == 0)
        better[d] = json_is_true(json_object_get(metric, "higher_is_better")) ? RMX_BETTER_HIGH
                                                                              : RMX_BETTER_LOW;
  }
  const rmx_status status = rmx_correlate(&t, &o, &c, err);
  if (status == RMX_EINPUT) return RMX_OK;  // no losses, or no scores
  RMX_TRY(status);
  if (c.tests == 0) return RMX_OK;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  rmx_correlations_text(&c, &text);
  json_t *tree = rmx_correlations_json(&c);
  if (tree && text.data) json_object_set_new(tree, "text", json_string(text.data));
  return rmx__put(data, "correlations", tree, err);
}

// Over the runs of `judged`, or over all (NULL): see sizes.c.
static rmx_status put_effects(const runs *r, const json_t *judged, double *scratch, json_t *data,
                              rmx_err *err) {
  json_t *rows = json_array();
  RMX_OWNED double *values = rmx_calloc(r->N, r->M * sizeof *values);
  if (!values) return rmx_fail_memory(err, r->N * r->M * sizeof *values, "the effects");
  size_t n = 0;
  for (size_t i = 0; i < r->N; i++) {
    const bool counts = !judged || json_object_get(judged, r->ids[i]);
    for (size_t m = 0; m < r->M; m++) values[i * r->M + m] = counts ? r->Y[i * r->M + m] : NAN;
    n += counts;
  }
  RMX_TRY(rmx__put(data, "effects",
                   json_pack("{s:I, s:b, s:o}", "n", (json_int_t)n, "largest_size", judged != NULL,
                             "spearman", rows),
                   err));
  for (size_t d = 0; d < r->D; d++) {
    json_t *row = json_array();
    RMX_TRY(rmx__add(rows, row, err));
    for (size_t m = 0; m < r->M; m++)
      RMX_TRY(rmx__add(
          row, rmx__json_known(agreement(r->X + d, r->D, values + m, r->M, r->N, scratch)), err));
  }
  return RMX_OK;
}

// The direction of a metric comes from the fit; without one it is derived here.
static rmx_status put_half_agreement(const runs *r, double *scratch, json_t *data, rmx_err *err) {
  json_t *said = json_object_get(json_object_get(data, "fit"), "half_agreement");
  json_t *out = json_is_object(said) ? json_deep_copy(said) : json_object();
  RMX_TRY(rmx__put(data, "half_agreement", out, err));
  for (size_t m = 0; r->half && m < r->M; m++) {
    if (json_is_number(json_object_get(out, r->metrics[m]))) continue;
    json_t *name = rmx__text(r->metrics[m]);
    double rho = agreement(r->half + m, r->M, r->Y + m, r->M, r->N, scratch);
    rmx_status status =
        rmx__put(out, name ? json_string_value(name) : "", rmx__json_known(rho), err);
    json_decref(name);
    RMX_TRY(status);
  }
  return RMX_OK;
}

static rmx_status put_names(json_t *object, const char *key, const char **names, size_t n,
                            rmx_err *err) {
  json_t *list = json_array();
  RMX_TRY(rmx__put(object, key, list, err));
  for (size_t i = 0; i < n; i++) RMX_TRY(rmx__add(list, rmx__text(names[i]), err));
  return RMX_OK;
}

static rmx_status put_rows(json_t *object, const char *key, const double *x, size_t N, size_t D,
                           rmx_err *err) {
  json_t *rows = json_array();
  RMX_TRY(rmx__put(object, key, rows, err));
  for (size_t i = 0; i < N; i++) {
    json_t *row = json_array();
    RMX_TRY(rmx__add(rows, row, err));
    for (size_t j = 0; j < D; j++) RMX_TRY(rmx__add(row, rmx__json_known(x[i * D + j]), err));
  }
  return RMX_OK;
}

// Whether each run is of the largest size, where there are several: charts of values show these.
static rmx_status put_judged(const runs *r, const json_t *judged, json_t *out, rmx_err *err) {
  json_t *list = json_array();
  if (!judged) return json_decref(list), RMX_OK;
  RMX_TRY(rmx__put(out, "judged", list, err));
  for (size_t i = 0; i < r->N; i++)
    RMX_TRY(rmx__add(list, json_boolean(json_object_get(judged, r->ids[i]) != NULL), err));
  return RMX_OK;
}

static rmx_status put_runs(const runs *r, const json_t *judged, json_t *data, rmx_err *err) {
  json_t *out = json_object();
  RMX_TRY(rmx__put(data, "runs", out, err));
  RMX_TRY(put_names(out, "ids", r->ids, r->N, err));
  RMX_TRY(put_judged(r, judged, out, err));
  RMX_TRY(put_names(out, "domains", r->domains, r->D, err));
  RMX_TRY(put_names(out, "metrics", r->metrics, r->M, err));
  RMX_TRY(put_rows(out, "mixtures", r->X, r->N, r->D, err));
  RMX_TRY(put_rows(out, "values", r->Y, r->N, r->M, err));
  if (r->half) RMX_TRY(put_rows(out, "half", r->half, r->N, r->M, err));
  return RMX_OK;
}

// The tables of the experiment. Next to a fit of other tables, files with these names may be tables
// of another program (Olmix also calls its table metrics.csv), and the fit contains its runs
// itself.
static rmx_status read_tables(const char *folder, const json_t *fit, rmx_table *mixtures,
                              rmx_table *metrics, rmx_err *err) {
  rmx_status status = read_if_there(folder, "mixtures.csv", mixtures, err);
  if (status == RMX_OK) status = read_if_there(folder, "metrics.csv", metrics, err);
  char *config = rmx_path_in(folder, "regmix.yaml");
  if (!config) return rmx_fail_memory(err, 0, "a path");
  bool alone = json_array_size(json_object_get(fit, "mixtures")) > 0 && !rmx_exists(config);
  free(config);
  if (status != RMX_EINPUT || !alone) return status;
  rmx_table_release(mixtures);
  rmx_table_release(metrics);
  return RMX_OK;
}

// Mixtures without metrics: not trained yet, or diverged.
static rmx_status put_waiting(const rmx_table *mixtures, const rmx_table *metrics, json_t *data,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  named_row *measured = sorted_rows(metrics, &arena);
  const char **ids = rmx_arena_alloc(&arena, mixtures->N, sizeof *ids);
  double *x = rmx_arena_alloc(&arena, mixtures->N * mixtures->D, sizeof *x);
  json_t *out = json_object();
  RMX_TRY(rmx__put(data, "waiting", out, err));
  if ((!measured || !ids || !x)) return rmx_fail_memory(err, mixtures->N * sizeof *ids, "the runs");
  size_t n = 0;
  for (size_t i = 0; i < mixtures->N; i++) {
    if (row_of(metrics, measured, mixtures->ids[i])) continue;
    memcpy(x + n * mixtures->D, mixtures->x + i * mixtures->D, mixtures->D * sizeof *x);
    ids[n++] = mixtures->ids[i];
  }
  RMX_TRY(put_names(out, "ids", ids, n, err));
  RMX_TRY(put_names(out, "domains", (const char **)mixtures->names, mixtures->D, err));
  return put_rows(out, "mixtures", x, n, mixtures->D, err);
}

rmx_status rmx__collect_next(const char *path, bool named, json_t *data, rmx_err *err) {
  if (!named && !rmx_exists(path)) return RMX_OK;
  rmx_table t;
  RMX_TRY(rmx_csv_read(path, &t, err));
  json_t *next = json_object();
  rmx_status status = rmx__put(data, "next", next, err);
  if (status == RMX_OK) status = put_names(next, "ids", (const char **)t.ids, t.N, err);
  if (status == RMX_OK) status = put_names(next, "domains", (const char **)t.names, t.D, err);
  if (status == RMX_OK) status = put_rows(next, "mixtures", t.x, t.N, t.D, err);
  rmx_table_release(&t);
  return status == RMX_OK ? rmx__note_change(data, path, err) : status;
}

static rmx_status note_tables(const char *folder, json_t *data, rmx_err *err) {
  static const char *const files[] = {"mixtures.csv", "metrics.csv"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char *path = rmx_path_in(folder, files[i]);
    rmx_status status =
        path ? rmx__note_change(data, path, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
    RMX_TRY(status);
  }
  return RMX_OK;
}

rmx_status rmx__collect_runs(const char *folder, bool experiment, json_t *data, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table mixtures = {0}, metrics = {0}, half = {0};
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  runs r = {0};
  if (experiment) {
    RMX_TRY(read_tables(folder, json_object_get(data, "fit"), &mixtures, &metrics, err));
    RMX_TRY(read_if_there(folder, "metrics-half.csv", &half, err));
  }
  if (mixtures.N) RMX_TRY(note_tables(folder, data, err));
  if (mixtures.N) RMX_TRY(put_waiting(&mixtures, &metrics, data, err));
  if (mixtures.N) RMX_TRY(rmx__put(data, "mixtures_n", json_integer((json_int_t)mixtures.N), err));
  if (mixtures.N && metrics.N)
    RMX_TRY(join(&mixtures, &metrics, &half, &r, &arena, err));
  else
    RMX_TRY(
        from_fit(json_object_get(data, "fit"), json_object_get(data, "folds"), &r, &arena, err));
  RMX_TRY(add_weighted(&r, json_object_get(data, "target"), &arena, err));
  double *scratch = rmx_arena_alloc(&arena, 2 * r.N + 1, sizeof *scratch);
  if (!scratch) return rmx_fail_memory(err, 2 * r.N * sizeof *scratch, "the runs");
  RMX_TRY(put_half_agreement(&r, scratch, data, err));
  // Tables of an experiment are of one size.
  json_auto_t *judged = NULL;
  if (!mixtures.N || !metrics.N)
    RMX_TRY(rmx__judged_runs(json_object_get(data, "fit"), &judged, err));
  if (r.N) RMX_TRY(put_effects(&r, judged, scratch, data, err));
  if (r.N) RMX_TRY(put_runs(&r, judged, data, err));
  if (metrics.N) RMX_TRY(put_correlations(&metrics, json_object_get(data, "fit"), data, err));
  return RMX_OK;
}
