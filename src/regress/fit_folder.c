// SPDX-License-Identifier: Apache-2.0
// The folder of a fit: fit.json, one file a metric, cross-validation.csv (docs/design/files.md). It
// is written whole, into a new folder that takes the place of the old one.

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/stamp.h"
#include "diagnostics.h"
#include "fit.h"
#include "fit_parts.h"
#include "json_lists.h"
#include "registry.h"
#include "rows.h"
#include "scales.h"

// A file name for each metric: its name with "_" for characters that file systems may refuse, cut
// to a length that they accept. Equal names get a number; names that differ in case only count as
// equal.
static rmx_status file_names(const rmx_fit *f, rmx_strings *out, rmx_err *err) {
  enum { LONGEST = 150 };  // leaves room for a number and an extension; the limit is 255
  for (size_t m = 0; m < f->M; m++) {
    for (int copy = 1;; copy++) {
      rmx_buf b = {0};
      for (const char *c = f->metrics[m]; *c && b.size < LONGEST; c++)
        rmx_buf_add(&b, isalnum((unsigned char)*c) || strchr("-_.", *c) ? c : "_", 1);
      if (b.size == 0) rmx_buf_puts(&b, "metric");
      if (!b.failed && b.data[0] == '.') b.data[0] = '_';
      if (copy > 1) rmx_buf_printf(&b, "-%d", copy);
      rmx_buf_printf(&b, ".%s", f->regressors[m]->kind->extension);
      bool taken = !b.failed && (strcasecmp(b.data, RMX__FIT_JSON) == 0 ||
                                 strcasecmp(b.data, RMX__CROSS_VALIDATION) == 0);
      for (size_t k = 0; k < out->n && !b.failed; k++)
        taken |= strcasecmp(out->items[k], b.data) == 0;
      bool failed = b.failed || (!taken && !rmx_strings_add(out, b.data));
      rmx_buf_release(&b);
      if (failed) return rmx_fail_memory(err, 256, "a file name");
      if (!taken) break;
    }
  }
  return RMX_OK;
}

// Column m of a matrix (N, M): a NaN as null.
static json_t *column_json(const double *x, size_t N, size_t M, size_t m) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < N; i++) {
    double value = x[i * M + m];
    if (json_array_append_new(list, isfinite(value) ? json_real(value) : json_null()) != 0) {
      json_decref(list);
      return NULL;
    }
  }
  return list;
}

static json_t *folds_json(const rmx_fit *f, size_t m) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < f->N; i++)
    if (json_array_append_new(list, json_integer(f->fold[i * f->M + m])) != 0) {
      json_decref(list);
      return NULL;
    }
  return list;
}

static json_t *metric_json(const rmx_fit *f, size_t m, const char *file) {
  json_t *cv = rmx__scores_json(&f->cv[m]);
  rmx_diagnostics errors;
  rmx_err no_memory;
  bool lost = !cv || json_object_set_new(cv, "folds", json_integer(f->folds)) != 0;
  if (!lost && f->truth)
    lost =
        rmx_fit_diagnose(f, m, &errors, &no_memory) != RMX_OK || !rmx__diagnostics_add(&errors, cv);
  if (lost) {
    json_decref(cv);
    return NULL;
  }
  json_t *o = json_pack("{s:s, s:s, s:s, s:o, s:O*}", "name", f->metrics[m], "regressor",
                        rmx_regressor_name(f->regressors[m]), "file", file, "cross_validation", cv,
                        "choice", f->regressors[m]->choice);
  bool failed = !o;
  if (!failed && f->higher_is_better)
    failed = json_object_set_new(o, "higher_is_better", json_boolean(f->higher_is_better[m])) != 0;
  if (!failed) failed = json_object_set_new(o, "learnt", json_boolean(rmx_fit_learnt(f, m))) != 0;
  if (!failed)
    failed =
        json_object_set_new(o, "kind", json_string(rmx_metric_kind_text(rmx_fit_kind(f, m)))) != 0;
  if (!failed && f->direction_from)
    failed = json_object_set_new(o, "direction_from",
                                 json_string(rmx_direction_from_text(f->direction_from[m]))) != 0;
  if (!failed && f->truth)
    failed = json_object_set_new(o, "values", column_json(f->truth, f->N, f->M, m)) != 0 ||
             json_object_set_new(o, "out_of_fold", column_json(f->out_of_fold, f->N, f->M, m)) != 0;
  if (!failed && f->fold) failed = json_object_set_new(o, "fold", folds_json(f, m)) != 0;
  if (!failed) return o;
  json_decref(o);
  return NULL;
}

static json_t *options_json(const rmx_regress_options *options) {
  json_t *o = json_object();
  for (size_t i = 0; o && i < rmx_regress_option_table_n; i++) {
    const rmx_option *option = &rmx_regress_option_table[i];
    if (json_object_set_new(o, option->key, rmx__option_json(option, options)) != 0) {
      json_decref(o);
      return NULL;
    }
  }
  return o;
}

// Adds what is known about tokens; false if memory is short.
static bool add_exposure(const rmx_fit *f, json_t *o) {
  if (f->n_phases &&
      json_object_set_new(o, "phases", rmx__numbers_json(f->phase_share, f->n_phases)) != 0)
    return false;
  if (f->phases_assumed && json_object_set_new(o, "phases_assumed", json_true()) != 0) return false;
  if (f->tokens && json_object_set_new(o, "tokens", rmx__numbers_json(f->tokens, f->D)) != 0)
    return false;
  if (f->budget > 0 && json_object_set_new(o, "budget", json_real(f->budget)) != 0) return false;
  return !(f->run_tokens > 0) ||
         json_object_set_new(o, "run_tokens", json_real(f->run_tokens)) == 0;
}

static json_t *strings_json(const rmx_strings *list) {
  return rmx__names_json((const char *const *)list->items, list->n);
}

// Adds the sizes and lengths of the runs; false if memory is short.
static bool add_scales(const rmx_fit *f, json_t *o) {
  if (!f->scales) return true;
  json_t *sizes = json_array(), *tokens = json_array();
  for (size_t i = 0; i < f->N && sizes && tokens; i++) {
    json_array_append_new(sizes, json_real(f->scales[i].size));
    json_array_append_new(tokens, json_real(f->scales[i].tokens));
  }
  const bool whole = json_array_size(sizes) == f->N && json_array_size(tokens) == f->N;
  json_t *scales = json_pack("{s:o, s:o, s:s*, s:s*, s:o, s:o}", "sizes", sizes, "tokens", tokens,
                             "size_column", f->size_column, "tokens_column", f->tokens_column,
                             "mixture_columns", strings_json(&f->mixture_columns), "metric_columns",
                             strings_json(&f->metric_columns));
  if (scales && whole && json_object_set_new(o, "scales", scales) == 0) return true;
  return false;
}

static json_t *fit_json(const rmx_fit *f, const rmx_strings *files, const json_t *made_by) {
  json_t *mixtures = json_array(), *metrics = json_array();
  json_t *domains = rmx__names_json((const char *const *)f->domains, f->D),
         *mean = rmx__numbers_json(f->mean_mixture, f->D);
  json_t *made = made_by ? json_deep_copy(made_by) : json_object();
  bool failed = !mixtures || !metrics || !domains || !mean || !made;
  for (size_t i = 0; i < f->N && !failed; i++)
    failed = json_array_append_new(mixtures, rmx__numbers_json(f->runs + i * f->D, f->D)) != 0;
  for (size_t m = 0; m < f->M && !failed; m++)
    failed = json_array_append_new(metrics, metric_json(f, m, files->items[m])) != 0;
  if (failed) {
    json_decref(mixtures);
    json_decref(metrics);
    json_decref(domains);
    json_decref(mean);
    json_decref(made);
    return NULL;
  }
  json_t *o = json_pack("{s:i, s:o, s:b, s:I, s:o*, s:o, s:o, s:o, s:o, s:o}", "version", 1,
                        "domains", domains, "raw", (int)f->raw, "runs", (json_int_t)f->N, "ids",
                        f->run_ids ? rmx__names_json((const char *const *)f->run_ids, f->N) : NULL,
                        "mixtures", mixtures, "mean_mixture", mean, "metrics", metrics, "options",
                        options_json(&f->options), "made_by", made);
  char tokenizer[17];
  rmx__hex(f->tokenizer, tokenizer);
  if (o && (!add_exposure(f, o) || !add_scales(f, o) ||
            (f->tokenizer && json_object_set_new(o, "tokenizer", json_string(tokenizer)) != 0))) {
    json_decref(o);
    return NULL;
  }
  return o;
}

static rmx_status write_cross_validation(const rmx_fit *f, const char *path, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  char number[32];
  rmx_buf_puts(&b, RMX__CROSS_VALIDATION_COLUMNS "\n");
  for (size_t m = 0; m < f->M; m++)
    for (size_t i = 0; i < f->N; i++) {
      size_t k = i * f->M + m;
      if (f->fold[k] < 0) continue;
      rmx_csv_field(&b, f->run_ids[i]);
      rmx_buf_puts(&b, ",");
      rmx_csv_field(&b, f->metrics[m]);
      rmx_double_text(f->truth[k], number);
      rmx_buf_printf(&b, ",%d,%s,", f->fold[k], number);
      rmx_double_text(f->out_of_fold[k], number);
      rmx_buf_printf(&b, "%s\n", number);
    }
  return b.failed ? rmx_fail_memory(err, f->N * f->M * 64, "cross-validation.csv")
                  : rmx_write_file(path, b.data, b.size, err);
}

// Writes every part into `folder`, which is new, and fit.json with the hash of each.
static rmx_status write_parts(const rmx_fit *f, const char *folder, const rmx_strings *files,
                              const json_t *made_by, rmx_err *err) {
  json_t *tree = NULL, *hashes = json_object();
  char *path = NULL;
  rmx_status status = hashes ? RMX_OK : rmx_fail_memory(err, 64, "the folder of a fit");
  for (size_t m = 0; status == RMX_OK && m < f->M; m++) {
    free(path);
    path = rmx_path_in(folder, files->items[m]);
    status = path ? rmx_regressor_write(f->regressors[m], path, err)
                  : rmx_fail_memory(err, 256, "a path");
    if (status == RMX_OK) status = rmx__hash_part(folder, files->items[m], hashes, err);
  }
  if (status == RMX_OK && f->fold) {
    free(path);
    path = rmx_path_in(folder, RMX__CROSS_VALIDATION);
    status = path ? write_cross_validation(f, path, err) : rmx_fail_memory(err, 256, "a path");
    if (status == RMX_OK) status = rmx__hash_part(folder, RMX__CROSS_VALIDATION, hashes, err);
  }
  if (status == RMX_OK) status = rmx__hash_runs(f, hashes, err);
  if (status == RMX_OK) {
    free(path);
    path = rmx_path_in(folder, RMX__FIT_JSON);
    tree = path ? fit_json(f, files, made_by) : NULL;
    if (!tree || json_object_set(tree, "hashes", hashes) != 0 ||
        (f->more && json_object_update(tree, f->more) != 0) || !rmx__json_seal(tree))
      status = rmx_fail_memory(err, f->N * f->D * sizeof(json_t), "the folder of a fit");
  }
  if (status == RMX_OK) status = rmx__json_write(path, tree, err);
  json_decref(tree);
  json_decref(hashes);
  free(path);
  return status;
}

rmx_status rmx__fit_write(const rmx_fit *f, const char *folder, const json_t *made_by,
                          rmx_err *err) {
  rmx_strings files = {0}, old = {0};
  rmx_outfolder out = {0};
  rmx_status status = rmx_fit_may_write(folder, err);
  if (status == RMX_OK) status = file_names(f, &files, err);
  if (status == RMX_OK) status = rmx__fit_parts(folder, &old, err);
  if (status == RMX_OK) status = rmx_outfolder_open(&out, folder, err);
  if (status == RMX_OK) status = write_parts(f, out.temporary, &files, made_by, err);
  if (status == RMX_OK) status = rmx_outfolder_commit(&out, &old, RMX__FIT_JSON, err);
  rmx_outfolder_discard(&out);
  rmx_strings_release(&files);
  rmx_strings_release(&old);
  return status;
}

rmx_status rmx_fit_write(const rmx_fit *f, const char *folder, const char *made_by, rmx_err *err) {
  json_error_t where;
  json_auto_t *tree = made_by ? json_loads(made_by, 0, &where) : NULL;
  if (made_by && !json_is_object(tree))
    return rmx_fail(err, RMX_EUSAGE, "made_by is not the text of a JSON object: %s", made_by);
  return rmx__fit_write(f, folder, tree, err);
}

static double number_or_nan(const json_t *o, const char *key) {
  const json_t *x = json_object_get(o, key);
  return json_is_number(x) ? json_number_value(x) : NAN;
}

static rmx_status read_column(const json_t *o, const char *key, double *x, size_t N, size_t M,
                              size_t m, const char *path, rmx_err *err) {
  const json_t *list = json_object_get(o, key);
  if (json_array_size(list) != N)
    return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" of metric %zu must be a list of %zu numbers", path,
                    key, m, N);
  for (size_t i = 0; i < N; i++) {
    const json_t *value = json_array_get(list, i);
    if (!json_is_number(value) && !json_is_null(value))
      return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"%s\" of metric %zu is not a number", path,
                      i, key, m);
    x[i * M + m] = json_is_number(value) ? json_number_value(value) : NAN;
  }
  return RMX_OK;
}

// Fits of 0.1.0 have no "fold".
static rmx_status read_folds(rmx_fit *f, size_t m, const json_t *o, const char *path,
                             rmx_err *err) {
  const json_t *list = json_object_get(o, "fold");
  if (!list) return RMX_OK;
  if (json_array_size(list) != f->N)
    return rmx_fail(err, RMX_EINPUT, "%s: \"fold\" of metric %zu must be a list of %zu numbers",
                    path, m, f->N);
  if (!f->fold) {
    if (!(f->fold = rmx_calloc(f->N, f->M * sizeof(int))))
      return rmx_fail_memory(err, f->N * f->M * sizeof(int), "a fit");
    for (size_t k = 0; k < f->N * f->M; k++) f->fold[k] = -1;
  }
  for (size_t i = 0; i < f->N; i++)
    f->fold[i * f->M + m] = (int)json_integer_value(json_array_get(list, i));
  return RMX_OK;
}

// Fits of 0.1.0 have no "direction_from". They mark only metrics that the results file calls
// scores; the names of the other metrics say their direction.
static void read_direction(rmx_fit *f, size_t m, const json_t *o, const char *name) {
  const char *from = json_string_value(json_object_get(o, "direction_from"));
  f->higher_is_better[m] = json_is_true(json_object_get(o, "higher_is_better"));
  f->direction_from[m] = RMX_DIRECTION_ASSUMED;
  for (int k = RMX_DIRECTION_ASSUMED; from && k <= RMX_DIRECTION_USER; k++)
    if (strcmp(from, rmx_direction_from_text((rmx_direction_from)k)) == 0)
      f->direction_from[m] = (rmx_direction_from)k;
  if (from) return;
  rmx_better better = rmx_better_by_name(name);
  if (f->higher_is_better[m]) {
    f->direction_from[m] = RMX_DIRECTION_HARNESS;
  } else if (better != RMX_BETTER_UNSAID) {
    f->higher_is_better[m] = better == RMX_BETTER_HIGH;
    f->direction_from[m] = RMX_DIRECTION_NAME;
  }
}

static rmx_status read_metric(rmx_fit *f, size_t m, const json_t *o, const char *folder,
                              const char *path, rmx_err *err) {
  const char *name, *file;
  RMX_TRY(rmx__json_string(o, "name", &name, path, err));
  RMX_TRY(rmx__json_string(o, "file", &file, path, err));
  if (strchr(file, '/') || file[0] == '.')
    return rmx_fail(err, RMX_EINPUT, "%s: file \"%s\" of metric \"%s\" is not in the folder itself",
                    path, file, name);
  read_direction(f, m, o, name);
  if (f->truth) {
    RMX_TRY(read_column(o, "values", f->truth, f->N, f->M, m, path, err));
    RMX_TRY(read_column(o, "out_of_fold", f->out_of_fold, f->N, f->M, m, path, err));
    RMX_TRY(read_folds(f, m, o, path, err));
  }
  const json_t *cv = json_object_get(o, "cross_validation");
  f->cv[m] = (rmx_scores){.n = (size_t)json_integer_value(json_object_get(cv, "n")),
                          .spearman = number_or_nan(cv, "spearman"),
                          .mse = number_or_nan(cv, "mse"),
                          .mae = number_or_nan(cv, "mae"),
                          .r2 = number_or_nan(cv, "r2")};
  if (json_is_integer(json_object_get(cv, "folds")))
    f->folds = json_integer_value(json_object_get(cv, "folds"));
  RMX_OWNED char *where = rmx_path_in(folder, file);
  f->metrics[m] = rmx_strdup(name);
  RMX_TRY(where && f->metrics[m] ? rmx_regressor_read(where, &f->regressors[m], err)
                                 : rmx_fail_memory(err, 256, "a fit"));
  json_t *choice = json_object_get(o, "choice");
  if (choice) f->regressors[m]->choice = json_incref(choice);
  if (rmx_regressor_domains(f->regressors[m]) != f->D)
    return rmx_fail(err, RMX_EINPUT, "%s: has %zu domains, %s has %zu", where,
                    rmx_regressor_domains(f->regressors[m]), path, f->D);
  return RMX_OK;
}

static rmx_status read_list(rmx_regress_options *out, const char *key, const json_t *list,
                            const char *path, rmx_err *err) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *item = json_string_value(json_array_get(list, i));
    if (!item) return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"%s\" is not text", path, i, key);
    if (rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, out, key, item, err) !=
        RMX_OK)
      return rmx_fail_in(err, "%s", path);
  }
  return RMX_OK;
}

static rmx_status read_options(rmx_regress_options *out, const json_t *o, const char *path,
                               rmx_err *err) {
  RMX_TRY(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, out, err));
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)o, key, value) {
    if (json_is_array(value)) {
      RMX_TRY(read_list(out, key, value, path, err));
      continue;
    }
    char *text = json_is_string(value)
                     ? rmx_strdup(json_string_value(value))
                     : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    rmx_status status = text ? rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n,
                                              out, key, text, err)
                             : rmx_fail_memory(err, 64, "an option");
    free(text);
    if (status != RMX_OK) return rmx_fail_in(err, "%s", path);
  }
  return RMX_OK;
}

static rmx_status read_strings(const json_t *o, const char *key, rmx_strings *out, rmx_err *err) {
  const json_t *list = json_object_get(o, key);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const char *text = json_string_value(json_array_get(list, i));
    if (text && !rmx_strings_add(out, text)) return rmx_fail_memory(err, 64, "a pattern");
  }
  return RMX_OK;
}

static rmx_status read_scales(rmx_fit *f, const json_t *o, const char *path, rmx_err *err) {
  if (!o || !f->truth) return RMX_OK;
  RMX_OWNED double *x = rmx_calloc(2 * f->N, sizeof(double));
  f->scales = rmx_calloc(f->N, sizeof *f->scales);
  if (!x || !f->scales) return rmx_fail_memory(err, f->N * sizeof *f->scales, "a fit");
  RMX_TRY(rmx__json_numbers(o, "sizes", x, f->N, path, err));
  RMX_TRY(rmx__json_numbers(o, "tokens", x + f->N, f->N, path, err));
  for (size_t i = 0; i < f->N; i++) f->scales[i] = (rmx_scale){x[i], x[f->N + i]};
  const char *size = json_string_value(json_object_get(o, "size_column")),
             *tokens = json_string_value(json_object_get(o, "tokens_column"));
  if ((size && !(f->size_column = rmx_strdup(size))) ||
      (tokens && !(f->tokens_column = rmx_strdup(tokens))))
    return rmx_fail_memory(err, 64, "the name of a column");
  RMX_TRY(read_strings(o, "mixture_columns", &f->mixture_columns, err));
  RMX_TRY(read_strings(o, "metric_columns", &f->metric_columns, err));
  return rmx__judge_runs(f, err);
}

static rmx_status read_phases(rmx_fit *f, const json_t *o, const char *path, rmx_err *err) {
  const json_t *list = json_object_get(o, "phases");
  if (!list) return RMX_OK;
  f->n_phases = json_array_size(list);
  if (f->n_phases < 2 || f->n_phases > f->D)
    return rmx_fail(err, RMX_EINPUT, "%s: \"phases\" has %zu shares of %zu columns", path,
                    f->n_phases, f->D);
  if (!(f->phase_share = rmx_calloc(f->n_phases, sizeof *f->phase_share)))
    return rmx_fail_memory(err, f->n_phases * sizeof(double), "a fit");
  f->phases_assumed = json_is_true(json_object_get(o, "phases_assumed"));
  RMX_TRY(rmx__json_numbers(o, "phases", f->phase_share, f->n_phases, path, err));
  for (size_t k = 0; k < f->n_phases; k++)
    if (!(f->phase_share[k] > 0))
      return rmx_fail(err, RMX_EINPUT, "%s: \"phases\" has a share of %g", path, f->phase_share[k]);
  return RMX_OK;
}

static rmx_status read_fit(rmx_fit *f, const json_t *o, const char *folder, const char *path,
                           rmx_err *err) {
  const json_t *domains = json_object_get(o, "domains"), *mixtures = json_object_get(o, "mixtures");
  const json_t *metrics = json_object_get(o, "metrics"), *raw = json_object_get(o, "raw");
  if (json_integer_value(json_object_get(o, "version")) != 1)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"version\" is not 1: no fit, or written by a newer regmix", path);
  if (!json_array_size(domains) || !json_array_size(mixtures) || !json_array_size(metrics) ||
      !json_is_boolean(raw))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"domains\", \"mixtures\", \"metrics\" (lists) and \"raw\" (true or "
                    "false) must be there",
                    path);
  size_t D = json_array_size(domains), M = json_array_size(metrics), N = json_array_size(mixtures);
  *f = (rmx_fit){.D = D, .M = M, .N = N, .raw = json_is_true(raw)};
  f->domains = rmx_calloc(D, sizeof(char *));
  f->metrics = rmx_calloc(M, sizeof(char *));
  f->regressors = rmx_calloc(M, sizeof(rmx_regressor *));
  f->cv = rmx_calloc(M, sizeof(rmx_scores));
  f->mean_mixture = rmx_calloc(D, sizeof(double));
  f->runs = rmx_calloc(N, D * sizeof(double));
  f->higher_is_better = rmx_calloc(M, sizeof(bool));
  f->direction_from = rmx_calloc(M, sizeof(rmx_direction_from));
  const json_t *ids = json_object_get(o, "ids");
  bool whole = json_array_size(ids) == N;  // has what it was fitted to
  if (whole) {
    f->run_ids = rmx_calloc(N, sizeof(char *));
    f->truth = rmx_calloc(N, M * sizeof(double));
    f->out_of_fold = rmx_calloc(N, M * sizeof(double));
    f->groups = rmx_calloc(N, sizeof(int));
  }
  if (!f->domains || !f->metrics || !f->regressors || !f->cv || !f->mean_mixture || !f->runs ||
      !f->higher_is_better || !f->direction_from ||
      (whole && (!f->run_ids || !f->truth || !f->out_of_fold || !f->groups)))
    return rmx_fail_memory(err, N * D * sizeof(double), "a fit");
  RMX_TRY(read_options(&f->options, json_object_get(o, "options"), path, err));
  for (size_t i = 0; whole && i < N; i++) {
    const char *id = json_string_value(json_array_get(ids, i));
    if (!id) return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"ids\" is not text", path, i);
    if ((f->run_ids[i] = rmx_strdup(id)) == NULL) return rmx_fail_memory(err, strlen(id), "a name");
  }
  for (size_t d = 0; d < D; d++) {
    const char *name = json_string_value(json_array_get(domains, d));
    if (!name) return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"domains\" is not text", path, d);
    if ((f->domains[d] = rmx_strdup(name)) == NULL)
      return rmx_fail_memory(err, strlen(name), "a name");
  }
  RMX_TRY(rmx__json_numbers(o, "mean_mixture", f->mean_mixture, D, path, err));
  for (size_t i = 0; i < N; i++) {
    const json_t *row = json_array_get(mixtures, i);
    for (size_t d = 0; d < D; d++) {
      const json_t *x = json_array_get(row, d);
      if (!json_is_number(x) || json_array_size(row) != D)
        return rmx_fail(err, RMX_EINPUT,
                        "%s: item %zu of \"mixtures\" must be a list of %zu numbers", path, i, D);
      f->runs[i * D + d] = json_number_value(x);
    }
  }
  if (whole) RMX_TRY(rmx__replicate_groups(f->runs, N, D, f->groups, err));
  RMX_TRY(read_scales(f, json_object_get(o, "scales"), path, err));
  if (json_object_get(o, "tokens")) {
    if ((f->tokens = rmx_calloc(D, sizeof(double))) == NULL)
      return rmx_fail_memory(err, D * sizeof(double), "a fit");
    RMX_TRY(rmx__json_numbers(o, "tokens", f->tokens, D, path, err));
  }
  RMX_TRY(read_phases(f, o, path, err));
  f->budget = json_number_value(json_object_get(o, "budget"));
  f->run_tokens = json_number_value(json_object_get(o, "run_tokens"));
  RMX_TRY(rmx__check_parts(folder, o, err));
  for (size_t m = 0; m < M; m++)
    RMX_TRY(read_metric(f, m, json_array_get(metrics, m), folder, path, err));
  const char *tokenizer = json_string_value(json_object_get(o, "tokenizer"));
  if (tokenizer) f->tokenizer = strtoull(tokenizer, NULL, 16);
  RMX_TRY(rmx__check_runs(f, o, path, err));
  if (!rmx__json_seal_broken(o)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: was changed by hand or damaged since `regmix fit` wrote it; make the fit "
                  "again with `regmix fit`",
                  path);
}

rmx_status rmx_fit_read(const char *folder, rmx_fit **out, rmx_err *err) {
  char *path = rmx_path_in(folder, "fit.json");
  rmx_fit *f = rmx_calloc(1, sizeof *f);
  json_t *o = NULL;
  rmx_status status = path && f ? RMX_OK : rmx_fail_memory(err, sizeof *f, "a fit");
  if (status == RMX_OK && !rmx_exists(path))
    status =
        rmx_fail(err, RMX_EIO, "%s: there is no fit.json in it; `regmix fit` makes one", folder);
  if (status == RMX_OK) status = rmx__json_read(path, &o, err);
  if (status == RMX_OK) status = read_fit(f, o, folder, path, err);
  json_decref(o);
  free(path);
  if (status != RMX_OK) {
    rmx_fit_free(f);
    return status;
  }
  *out = f;
  return RMX_OK;
}
