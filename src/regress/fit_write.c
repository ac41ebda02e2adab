// SPDX-License-Identifier: Apache-2.0
// Writes the folder of a fit: fit.json, one file a metric, cross-validation.csv
// (docs/design/files.md). It is written whole, into a new folder that takes the place of the old
// one.

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
    if (json_array_append_new(list, rmx__json_known(value)) != 0) {
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
  RMX_OWNED_BY(rmx_strings_release) rmx_strings files = {0};
  RMX_OWNED_BY(rmx_outfolder_discard) rmx_outfolder out = {0};
  RMX_TRY(rmx_fit_may_write(folder, err));
  RMX_TRY(file_names(f, &files, err));
  RMX_TRY(rmx_outfolder_open(&out, folder, err));
  RMX_TRY(write_parts(f, out.temporary, &files, made_by, err));
  return rmx__fit_put(&out, err);
}

rmx_status rmx_fit_write(const rmx_fit *f, const char *folder, const char *made_by, rmx_err *err) {
  json_error_t where;
  json_auto_t *tree = made_by ? json_loads(made_by, 0, &where) : NULL;
  if (made_by && !json_is_object(tree))
    return rmx_fail(err, RMX_EUSAGE, "made_by is not the text of a JSON object: %s", made_by);
  return rmx__fit_write(f, folder, tree, err);
}
