// SPDX-License-Identifier: Apache-2.0
// Reads the folder of a fit (docs/design/files.md), with all checks that its parts belong together.

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder_lock.h"
#include "base/json.h"
#include "base/path.h"
#include "fit.h"
#include "fit_parts.h"
#include "json_lists.h"
#include "registry.h"
#include "rows.h"
#include "scales.h"

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

static rmx_status read_names(const json_t *o, const char *key, char **out, const char *path,
                             rmx_err *err) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(o, key), i, item) {
    const char *name = json_string_value(item);
    if (!name) return rmx_fail(err, RMX_EINPUT, "%s: item %zu of \"%s\" is not text", path, i, key);
    if ((out[i] = rmx_strdup(name)) == NULL) return rmx_fail_memory(err, strlen(name), "a name");
  }
  return RMX_OK;
}

static rmx_status read_mixtures(rmx_fit *f, const json_t *list, const char *path, rmx_err *err) {
  for (size_t i = 0; i < f->N; i++) {
    const json_t *row = json_array_get(list, i);
    for (size_t d = 0; d < f->D; d++) {
      const json_t *x = json_array_get(row, d);
      if (!json_is_number(x) || json_array_size(row) != f->D)
        return rmx_fail(err, RMX_EINPUT,
                        "%s: item %zu of \"mixtures\" must be a list of %zu numbers", path, i,
                        f->D);
      f->runs[i * f->D + d] = json_number_value(x);
    }
  }
  return RMX_OK;
}

static rmx_status read_tokens(rmx_fit *f, const json_t *o, const char *path, rmx_err *err) {
  f->budget = json_number_value(json_object_get(o, "budget"));
  f->run_tokens = json_number_value(json_object_get(o, "run_tokens"));
  if (!json_object_get(o, "tokens")) return RMX_OK;
  if ((f->tokens = rmx_calloc(f->D, sizeof(double))) == NULL)
    return rmx_fail_memory(err, f->D * sizeof(double), "a fit");
  return rmx__json_numbers(o, "tokens", f->tokens, f->D, path, err);
}

static rmx_status read_runs(rmx_fit *f, const json_t *o, const char *path, rmx_err *err) {
  const bool whole = f->run_ids;  // the folder has what the fit was made from
  if (whole) RMX_TRY(read_names(o, "ids", f->run_ids, path, err));
  RMX_TRY(read_names(o, "domains", f->domains, path, err));
  RMX_TRY(rmx__json_numbers(o, "mean_mixture", f->mean_mixture, f->D, path, err));
  RMX_TRY(read_mixtures(f, json_object_get(o, "mixtures"), path, err));
  if (whole) RMX_TRY(rmx__replicate_groups(f->runs, f->N, f->D, f->groups, err));
  RMX_TRY(read_scales(f, json_object_get(o, "scales"), path, err));
  RMX_TRY(read_tokens(f, o, path, err));
  return read_phases(f, o, path, err);
}

static rmx_status read_fit(rmx_fit *f, const json_t *o, const char *folder, const char *path,
                           rmx_err *err) {
  const json_t *metrics = json_object_get(o, "metrics"), *raw = json_object_get(o, "raw");
  const size_t D = json_array_size(json_object_get(o, "domains")), M = json_array_size(metrics),
               N = json_array_size(json_object_get(o, "mixtures"));
  if (json_integer_value(json_object_get(o, "version")) != 1)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"version\" is not 1: no fit, or written by a newer regmix", path);
  if (!D || !N || !M || !json_is_boolean(raw))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: \"domains\", \"mixtures\", \"metrics\" (lists) and \"raw\" (true or "
                    "false) must be there",
                    path);
  *f = (rmx_fit){.D = D, .M = M, .N = N, .raw = json_is_true(raw)};
  RMX_TRY(rmx__fit_allocate(f, json_array_size(json_object_get(o, "ids")) == N, err));
  RMX_TRY(read_options(&f->options, json_object_get(o, "options"), path, err));
  RMX_TRY(read_runs(f, o, path, err));
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

static rmx_status read_folder(const char *folder, rmx_fit **out, rmx_err *err) {
  char *path = rmx_path_in(folder, RMX__FIT_JSON);
  rmx_fit *f = rmx_calloc(1, sizeof *f);
  json_t *o = NULL;
  rmx_status status = path && f ? RMX_OK : rmx_fail_memory(err, sizeof *f, "a fit");
  if (status == RMX_OK && !rmx_exists(path)) {
    status =
        rmx_fail(err, RMX_EIO, "%s: there is no fit.json in it; `regmix fit` makes one", folder);
    err->os_error = ENOENT;
  }
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

// Another process may have put a fit in its place between one file and the next.
rmx_status rmx_fit_read(const char *folder, rmx_fit **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_folder_unlock) rmx_lock lock = {.fd = -1};
  if (read_folder(folder, out, err) == RMX_OK) return RMX_OK;
  if (!rmx__exists_in(folder, RMX__FIT_JSON)) return err->status;
  if (err->status != RMX_EINPUT && err->status != RMX_EIO) return err->status;
  RMX_TRY(rmx__lock_beside(folder, &lock, err));
  return read_folder(folder, out, err);
}
