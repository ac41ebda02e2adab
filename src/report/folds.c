// SPDX-License-Identifier: Apache-2.0
// Reads fit/cross-validation.csv: run,metric,fold,true,predicted, one row per run and metric. The
// second column is text, so it can't be read as a table of numbers. It becomes one list of pairs
// per metric, with the scores of these pairs.
#include <math.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "base/json.h"
#include "report/parts.h"

enum { RUN, METRIC, FOLD, TRUTH, PREDICTED, COLUMNS };
static const char *const column_names[COLUMNS] = {"run", "metric", "fold", "true", "predicted"};

// Splits the record at *at into its fields, unquoted in place (RFC 4180), and moves *at after it.
// Returns the number of fields.
static size_t split_record(char **at, int *line, char *fields[COLUMNS]) {
  size_t n = 0;
  char *p = *at;
  for (bool more = true; more; n++) {
    char *to = p;
    if (n < COLUMNS) fields[n] = p;
    for (bool quoted = false; *p && (quoted || (*p != ',' && *p != '\n')); p++) {
      if (*p == '\n') ++*line;
      if (*p == '"' && quoted && p[1] == '"')
        *to++ = *p++;
      else if (*p == '"')
        quoted = !quoted;
      else if (*p != '\r')
        *to++ = *p;
    }
    more = *p == ',';
    if (*p == '\n') ++*line;
    char *next = *p ? p + 1 : p;
    *to = '\0';
    p = next;
  }
  *at = p;
  return n;
}

static double number_or_nan(const char *text) {
  char *end;
  double x = rmx__strtod(text, &end);
  return *text && !*end ? x : NAN;
}

static rmx_status add_pair(json_t *folds, const char *metric, const char *run, double truth,
                           double predicted, rmx_err *err) {
  json_t *name = rmx__text(metric);  // the key must be UTF-8 too
  if (!name) return rmx_fail_memory(err, strlen(metric), "a name");
  json_t *of = json_object_get(folds, json_string_value(name));
  rmx_status status = RMX_OK;
  if (!of) {
    of = json_pack("{s:[], s:[], s:[]}", "run", "true", "predicted");
    status = rmx__put(folds, json_string_value(name), of, err);
  }
  json_decref(name);
  RMX_TRY(status);
  RMX_TRY(rmx__add(json_object_get(of, "run"), rmx__text(run), err));
  RMX_TRY(rmx__add(json_object_get(of, "true"), rmx__json_known(truth), err));
  return rmx__add(json_object_get(of, "predicted"), rmx__json_known(predicted), err);
}

static rmx_status parse(char *text, const char *path, json_t *folds, rmx_err *err) {
  int line = 1, at_line = 1;
  char *fields[COLUMNS] = {0};
  if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) text += 3;
  size_t n = split_record(&text, &line, fields);
  for (size_t j = 0; j < COLUMNS; j++)
    if (n != COLUMNS || strcmp(fields[j], column_names[j]) != 0)
      return rmx_fail(err, RMX_EINPUT, "%s:1: wanted the header run,metric,fold,true,predicted",
                      path);
  for (at_line = line; *text; at_line = line) {
    if (*text == '\n' || *text == '\r') {
      if (*text == '\n') line++;
      text++;
      continue;
    }
    n = split_record(&text, &line, fields);
    if (n != COLUMNS)
      return rmx_fail(err, RMX_EINPUT, "%s:%d: found %zu fields, but the header has %d", path,
                      at_line, n, COLUMNS);
    double truth = number_or_nan(fields[TRUTH]), predicted = number_or_nan(fields[PREDICTED]);
    if (isfinite(truth) && isfinite(predicted))
      RMX_TRY(add_pair(folds, fields[METRIC], fields[RUN], truth, predicted, err));
  }
  return RMX_OK;
}

// The pairs of a weighted target: the same weighted sum of true and of predicted values, over the
// runs that have all of its metrics.
static rmx_status add_weighted(json_t *folds, json_t *weights, rmx_err *err) {
  json_auto_t *sums = json_object();  // run: [true, predicted, metrics seen]
  if (!sums) return rmx_fail_memory(err, 0, "the report's data");
  const char *metric, *run;
  json_t *weight, *sum;
  json_object_foreach(weights, metric, weight) {
    json_t *of = json_object_get(folds, metric), *runs = json_object_get(of, "run");
    for (size_t i = 0; i < json_array_size(runs); i++) {
      run = json_string_value(json_array_get(runs, i));
      double w = json_number_value(weight);
      double add[3] = {w * json_number_value(json_array_get(json_object_get(of, "true"), i)),
                       w * json_number_value(json_array_get(json_object_get(of, "predicted"), i)),
                       1};
      json_t *old = json_object_get(sums, run);
      for (size_t k = 0; k < 3; k++) add[k] += json_number_value(json_array_get(old, k));
      RMX_TRY(rmx__put(sums, run, json_pack("[f, f, f]", add[0], add[1], add[2]), err));
    }
  }
  json_object_foreach(sums, run, sum) {
    if (json_number_value(json_array_get(sum, 2)) != (double)json_object_size(weights)) continue;
    RMX_TRY(add_pair(folds, RMX__WEIGHTED, run, json_number_value(json_array_get(sum, 0)),
                     json_number_value(json_array_get(sum, 1)), err));
  }
  return RMX_OK;
}

// The scores over the runs that are named in `judged`, or over all (NULL).
static rmx_status add_scores(json_t *of, const json_t *judged, rmx_err *err) {
  const json_t *truth = json_object_get(of, "true"), *predicted = json_object_get(of, "predicted"),
               *runs = json_object_get(of, "run");
  const size_t all = json_array_size(truth);
  RMX_OWNED double *both = rmx_calloc(2 * all, sizeof *both);
  if (!both) return rmx_fail_memory(err, 2 * all * sizeof *both, "scores");
  size_t n = 0;
  for (size_t i = 0; i < all; i++) {
    if (judged && !json_object_get(judged, json_string_value(json_array_get(runs, i)))) continue;
    both[n] = json_number_value(json_array_get(truth, i));
    both[all + n++] = json_number_value(json_array_get(predicted, i));
  }
  rmx_scores s;
  rmx_score(both, both + all, n, &s);
  return rmx__put(of, "scores",
                  json_pack("{s:I, s:o, s:o, s:o, s:o}", "n", (json_int_t)n, "spearman",
                            rmx__json_known(s.spearman), "mse", rmx__json_known(s.mse), "mae",
                            rmx__json_known(s.mae), "r2", rmx__json_known(s.r2)),
                  err);
}

rmx_status rmx__collect_folds(const char *fit_folder, json_t *data, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(fit_folder, "cross-validation.csv"), *text = NULL;
  if (!path) return rmx_fail_memory(err, strlen(fit_folder), "a path");
  size_t size;
  if (!rmx_exists(path)) return RMX_OK;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  json_t *folds = json_object();
  RMX_TRY(rmx__put(data, "folds", folds, err));
  RMX_TRY(parse(text, path, folds, err));
  json_t *weights = json_object_get(json_object_get(data, "target"), "weights");
  if (json_object_size(weights) > 1) RMX_TRY(add_weighted(folds, weights, err));
  json_auto_t *judged = NULL;
  RMX_TRY(rmx__judged_runs(json_object_get(data, "fit"), &judged, err));
  const char *metric;
  json_t *of;
  json_object_foreach(folds, metric, of) RMX_TRY(add_scores(of, judged, err));
  return RMX_OK;
}
