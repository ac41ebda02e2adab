// SPDX-License-Identifier: Apache-2.0
// Scores a fit on tables of measured runs.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/order.h"
#include "base/path.h"
#include "regress/fit.h"
#include "regress/fit_warnings.h"
#include "regress/scales.h"
#include "steps.h"

// Of the values of the fit's run k: how many are those of this row, how many are not, and whether
// one that is tells runs apart.
typedef struct own_values {
  size_t same, other;
  bool telling;
} own_values;

// Which metrics tell runs apart: no two runs have one value. Accuracies in coarse steps do not.
static rmx_status find_telling(const rmx_fit *f, bool *telling, rmx_err *err) {
  RMX_OWNED double *x = rmx_calloc(f->N + 1, sizeof *x);
  if (!x) return rmx_fail_memory(err, f->N * sizeof *x, "values");
  for (size_t m = 0; m < f->M; m++) {
    size_t n = 0;
    for (size_t i = 0; i < f->N; i++)
      if (isfinite(f->truth[i * f->M + m])) x[n++] = f->truth[i * f->M + m];
    qsort(x, n, sizeof *x, rmx__ascending);
    telling[m] = n > 0;
    for (size_t i = 1; i < n; i++) telling[m] = telling[m] && x[i] != x[i - 1];
  }
  return RMX_OK;
}

static own_values compare_values(const rmx_fit *f, size_t k, const rmx_table *metrics, size_t row,
                                 const bool *telling) {
  own_values c = {0};
  size_t column;
  rmx_err unknown;
  for (size_t m = 0; m < f->M; m++) {
    if (rmx_find_name("metric", f->metrics[m], (const char *const *)metrics->names, metrics->D,
                      &column, &unknown) != RMX_OK)
      continue;
    const double x = metrics->x[row * metrics->D + column], y = f->truth[k * f->M + m];
    c.same += x == y;
    c.other += x != y && !isnan(x) && !isnan(y);
    c.telling = c.telling || (x == y && telling[m]);
  }
  return c;
}

// Whether one of the fit's runs is the run of this name: by its mixture and most of its values, of
// which one tells runs apart. A run of the same mixture with another seed has other values,
// but a few may be equal by chance. A fit of an experiment may have taken the shares that a run
// drew, which differ from the requested ones. Then its name and all its values must be the same.
// Where no value tells runs apart, the name must.
static bool is_own(const rmx_fit *f, const double *w, const char *id, const rmx_table *metrics,
                   const bool *telling) {
  size_t row = 0;
  while (row < metrics->N && strcmp(metrics->ids[row], id) != 0) row++;
  for (size_t k = 0; row < metrics->N && k < f->N; k++) {
    double off = 0;
    for (size_t d = 0; d < f->D; d++) off = fmax(off, fabs(f->runs[k * f->D + d] - w[d]));
    const bool equal = off < 1e-9, named = f->run_ids && strcmp(f->run_ids[k], id) == 0;
    if (!equal && !named) continue;
    const own_values c = compare_values(f, k, metrics, row, telling);
    const bool all = c.same > 0 && c.other == 0;
    if (equal && named && all) return true;
    if (c.telling && (equal ? c.same > c.other : all)) return true;
  }
  return false;
}

static void warn_of_own(const rmx_listener *to, const rmx_fit *f, size_t own, size_t of) {
  double spearman = 0, r2 = 0;
  size_t n = 0;
  for (size_t m = 0; m < f->M; m++)
    if (isfinite(f->cv[m].spearman) && isfinite(f->cv[m].r2)) {
      spearman += f->cv[m].spearman;
      r2 += f->cv[m].r2;
      n++;
    }
  rmx_warn(to,
           "%s%zu of the %zu runs %s the fit was made from, so these scores are too good; on runs "
           "that it had not seen (out of fold) the mean Spearman over its metrics is %.4f and the "
           "mean R2 %.4f",
           own == of ? "all " : "", own, of, own == 1 ? "is a run that" : "are runs that",
           n ? spearman / (double)n : NAN, n ? r2 / (double)n : NAN);
}

// How many of the runs the fit was made from.
static size_t count_own(const rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                        rmx_err *err) {
  RMX_OWNED double *X = NULL;
  RMX_OWNED bool *telling = rmx_calloc(f->M + 1, sizeof *telling);
  size_t n = 0;
  if (!f->truth || !telling || find_telling(f, telling, err) != RMX_OK ||
      rmx_fit_mixtures(f, mixtures, &X, err) != RMX_OK)
    return 0;
  for (size_t i = 0; i < mixtures->N; i++)
    n += is_own(f, X + i * f->D, mixtures->ids[i], metrics, telling);
  return n;
}

static size_t column_of(const rmx_table *t, const char *name) {
  size_t k = 0;
  while (k < t->D && strcmp(t->names[k], name) != 0) k++;
  return k;
}

// Reports metrics of the table that the fit does not have.
static void warn_of_unknown(const rmx_fit *f, const rmx_table *metrics, const rmx_listener *to) {
  rmx_few unknown = {0};
  for (size_t k = 0; k < metrics->D; k++) {
    size_t m;
    rmx_err ignored;
    if (rmx_find_name("metric", metrics->names[k], (const char *const *)f->metrics, f->M, &m,
                      &ignored) != RMX_OK)
      rmx_few_add(&unknown, metrics->names[k]);
  }
  if (unknown.n)
    rmx_note(to, "%zu of %zu metrics of %s %s not in the fit, and not scored: %s", unknown.n,
             metrics->D, metrics->path ? metrics->path : "the table", rmx_is(unknown.n),
             unknown.text);
}

// Warns of metrics that are shares in the fit and percentages in the table, or the other way round.
static void warn_of_percent(const rmx_fit *f, const rmx_table *metrics, const rmx_listener *to) {
  rmx_few names = {0};
  for (size_t m = 0; f->truth && m < f->M; m++) {
    const size_t k = column_of(metrics, f->metrics[m]);
    double fit[2], table[2] = {INFINITY, -INFINITY};
    rmx__measured_range(f, m, fit);
    for (size_t i = 0; k < metrics->D && i < metrics->N; i++) {
      const double y = metrics->x[i * metrics->D + k];
      table[0] = fmin(table[0], y);
      table[1] = fmax(table[1], y);
    }
    const bool up = fit[0] >= 0 && fit[1] <= 1 && table[0] > 1 && table[1] <= 100,
               down = fit[0] > 1 && fit[1] <= 100 && table[0] >= 0 && table[1] <= 1;
    if (rmx_better_by_name(f->metrics[m]) == RMX_BETTER_HIGH && (up || down))
      rmx_few_add(&names, f->metrics[m]);
  }
  if (names.n)
    rmx_warn(to,
             "%zu metric%s to be a share in one of the fit and the table and a percentage in the "
             "other: %s; give both one unit",
             names.n, names.n == 1 ? " seems" : "s seem", names.text);
}

static rmx_status score(const rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                        const rmx_listener *to, rmx_fit_scores *s, rmx_err *err) {
  s->scores = rmx_calloc(f->M, sizeof *s->scores);
  s->errors = rmx_calloc(f->M, sizeof *s->errors);
  if (!s->scores || !s->errors) return rmx_fail_memory(err, 0, "scores");
  warn_of_unknown(f, metrics, to);
  warn_of_percent(f, metrics, to);
  RMX_TRY(rmx_fit_score_parts(f, mixtures, metrics, to, s->scores, &s->mean, s->errors, &s->parts,
                              &s->n_parts, err));
  s->own = count_own(f, mixtures, metrics, err);
  if (s->own > 0) warn_of_own(to, f, s->own, mixtures->N);
  return RMX_OK;
}

// The tables of a fit of several scales are read as those that it was made from, unless `how` says
// otherwise.
static rmx_table_form form_of(const rmx_fit *f, const rmx_table_form *how) {
  rmx_table_form tables = *how;
  tables.any_sum = f->options.normalize;
  if (!tables.size_column) tables.size_column = f->size_column;
  if (!tables.tokens_column) tables.tokens_column = f->tokens_column;
  if (!f->scales) return tables;
  if (!tables.mixture_columns.n) tables.mixture_columns = f->mixture_columns;
  if (!tables.metric_columns.n) tables.metric_columns = f->metric_columns;
  return tables;
}

static void take_budget(rmx_fit *f, double budget, const rmx_listener *to) {
  if (budget > 0 && !rmx_fit_set_budget(f, budget))
    rmx_warn(to,
             "--budget has no effect: no regressor of this fit depends on epochs (exposure does)");
}

rmx_status rmx_score_tables(rmx_fit *f, const rmx_score_request *r, const rmx_listener *to,
                            rmx_fit_scores *s, rmx_err *err) {
  const rmx_table_form tables = form_of(f, &r->tables);
  RMX_OWNED_BY(rmx_table_release) rmx_table mixtures = {0}, metrics = {0};
  if (!r->mixture_table)
    RMX_TRY(rmx_tables_read(to, r->mixtures, r->metrics, &tables, &mixtures, &metrics, err));
  rmx_fit_set_budget(f, 0);
  take_budget(f, r->budget, to);
  return score(f, r->mixture_table ? r->mixture_table : &mixtures,
               r->mixture_table ? r->metric_table : &metrics, to, s, err);
}

static json_t *mean_json(const rmx_scores *mean) {
  json_t *means = rmx_scores_json(mean, NULL), *two = json_object();
  json_object_set(two, "spearman", json_object_get(means, "spearman"));
  json_object_set(two, "mse", json_object_get(means, "mse"));
  json_decref(means);
  return two;
}

// {"size", "tokens", "runs"}: those that the fit has columns for.
static json_t *scale_json(const rmx_fit *f, const rmx_part_scores *part) {
  json_t *at = json_object();
  if (part->at.size > 0 || part->at.tokens > 0) {
    if (f->size_column) json_object_set_new(at, "size", json_real(part->at.size));
    if (f->tokens_column) json_object_set_new(at, "tokens", json_real(part->at.tokens));
  }
  json_object_set_new(at, "runs", json_integer((json_int_t)part->runs));
  return at;
}

static json_t *part_json(const rmx_fit *f, const rmx_part_scores *part) {
  json_t *root = scale_json(f, part), *metrics = json_object();
  for (size_t m = 0; m < f->M; m++)
    if (part->scores[m].n)
      json_object_set_new(metrics, f->metrics[m],
                          rmx_scores_json(&part->scores[m], &part->errors[m]));
  json_object_set_new(root, "metrics", metrics);
  json_object_set_new(root, "mean", mean_json(&part->mean));
  return root;
}

static void add_parts(const rmx_fit *f, const rmx_fit_scores *s, json_t *root) {
  json_t *sizes = json_array();
  for (size_t k = 0; k < s->n_parts; k++) {
    if (s->parts[k].judged) json_object_set_new(root, "scored", scale_json(f, &s->parts[k]));
    if (k)
      json_array_append_new(sizes, part_json(f, &s->parts[k]));
    else
      json_object_set_new(root, "all", part_json(f, &s->parts[k]));
  }
  json_object_set_new(root, "by_size", sizes);
}

json_t *rmx_fit_scores_json(const rmx_fit *f, const rmx_fit_scores *s) {
  json_t *root = json_object(), *metrics = json_object();
  bool unknown = false;
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++)
    if (s->scores[m].n) {
      json_t *one = rmx_scores_json(&s->scores[m], &s->errors[m]);
      unknown |= rmx_fit_has_scales(f) && !isfinite(s->errors[m].coverage);
      if (rmx_fit_has_scales(f) && !isfinite(s->errors[m].coverage))
        json_object_set_new(one, "coverage", json_null());
      if (s->own) json_object_set_new(one, "out_of_fold", rmx_scores_json(rmx_fit_cv(f, m), NULL));
      json_object_set_new(metrics, rmx_fit_metrics(f)[m], one);
    }
  json_object_set_new(root, "metrics", metrics);
  json_object_set_new(root, "mean", mean_json(&s->mean));
  json_object_set_new(root, "own_runs", json_integer((json_int_t)s->own));
  RMX_OWNED char *why = unknown ? rmx_fit_no_intervals(f) : NULL;
  if (why) json_object_set_new(root, "no_intervals", json_string(why));
  if (s->n_parts) add_parts(f, s, root);
  return root;
}

void rmx_fit_scores_release(rmx_fit_scores *s) {
  free(s->scores);
  free(s->errors);
  rmx_part_scores_free(s->parts, s->n_parts);
}

rmx_status rmx_fit_for_text(rmx_fit *f, const char *text, rmx_err *err) {
  if (!f->scales && !text) return RMX_OK;
  if (!f->scales) return rmx_fit_for(f, (rmx_scale){0}, err);  // says why not
  if (!text)
    return rmx_fail(err, RMX_EUSAGE,
                    "the fit has runs of several sizes or lengths: say for which to answer with "
                    "--for %s",
                    rmx__scale_wanted(f->size_column != NULL, f->tokens_column != NULL));
  rmx_scale at;
  if (rmx_scale_parse(text, f->size_column != NULL, f->tokens_column != NULL, &at, err) == RMX_OK &&
      rmx_fit_for(f, at, err) == RMX_OK)
    return RMX_OK;
  return rmx_fail_in(err, "--for %s", text);
}

// Like the table of predictions, with their standard deviations.
static rmx_status deviations(const rmx_fit *f, const rmx_table *mixtures, const rmx_table *mean,
                             rmx_table *sd, rmx_err *err) {
  RMX_OWNED double *X = NULL, *y = rmx_calloc(2 * mixtures->N, sizeof(double));
  if (!y) return rmx_fail_memory(err, mixtures->N * sizeof(double), "predictions");
  RMX_TRY(rmx_fit_mixtures(f, mixtures, &X, err));
  RMX_TRY(rmx_table_make(sd, "run", mean->N, mean->D, err));
  for (size_t i = 0; i < mean->N; i++)
    if (!(sd->ids[i] = rmx_strdup(mean->ids[i]))) return rmx_fail_memory(err, 0, "a name");
  for (size_t m = 0; m < mean->D; m++) {
    if (!(sd->names[m] = rmx_strdup(mean->names[m]))) return rmx_fail_memory(err, 0, "a name");
    rmx_regressor_predict(f->regressors[m], X, mean->N, y, y + mean->N);
    for (size_t i = 0; i < mean->N; i++) sd->x[i * mean->D + m] = y[mean->N + i];
  }
  return RMX_OK;
}

rmx_status rmx_predict_tables(rmx_fit *f, const char *mixtures_path, const rmx_table_form *how,
                              const char *scale, double budget, const rmx_listener *to,
                              rmx_table *mean, rmx_table *sd, rmx_err *err) {
  const rmx_table_form tables = form_of(f, how);
  RMX_OWNED_BY(rmx_table_release) rmx_table mixtures = {0};
  RMX_TRY(rmx_fit_for_text(f, scale, err));
  rmx__warn_of_scale(f, to);
  if (rmx__ends_in(mixtures_path, ".yaml")) rmx__optimum_warn(mixtures_path, to);
  RMX_TRY(rmx_tables_read(to, mixtures_path, NULL, &tables, &mixtures, NULL, err));
  take_budget(f, budget, to);
  RMX_TRY(rmx_fit_predict_table(f, &mixtures, mean, err));
  rmx__warn_of_impossible(f, mean->x, mean->N, &(rmx__predictions){.where = ""}, to);
  const bool unknown = f->size_unknown || f->tokens_unknown;
  return sd && scale && !unknown ? deviations(f, &mixtures, mean, sd, err) : RMX_OK;
}
