// SPDX-License-Identifier: Apache-2.0
// The data with which the page predicts: the fitted functions as in their files, without the parts
// that no prediction needs. The mixtures of the runs are stored once for all metrics. Trees are
// packed (trees.c). Each file is first read by its regressor, so the page gets only checked data.
#include <math.h>
#include <regmix/export.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/parts.h"

static bool same_row(const json_t *flat, size_t at, const json_t *row, size_t D) {
  for (size_t d = 0; d < D; d++)
    if (json_number_value(json_array_get(flat, at * D + d)) !=
        json_number_value(json_array_get(row, d)))
      return false;
  return true;
}

// A Gaussian process contains the mixtures that it was fitted on: the runs that have its metric, in
// their order. "rows" lists their indices in the shared mixtures (null: all). If they are other
// mixtures, they stay in the function.
static rmx_status share_mixtures(json_t *function, const json_t *mixtures, size_t D, rmx_err *err) {
  json_t *flat = json_object_get(function, "mixtures"), *part;
  const char *key;
  json_object_foreach(function, key, part)
    if (json_is_object(part)) RMX_TRY(share_mixtures(part, mixtures, D, err));
  if (!flat) return RMX_OK;
  size_t n = json_array_size(flat) / D, at = 0;
  json_auto_t *rows = json_array();
  if (!rows) return rmx_fail_memory(err, n * sizeof(json_t), "the fitted functions");
  for (size_t i = 0; i < json_array_size(mixtures) && at < n; i++) {
    if (!same_row(flat, at, json_array_get(mixtures, i), D)) continue;
    RMX_TRY(rmx__add(rows, json_integer((json_int_t)i), err));
    at++;
  }
  if (at == n) {
    json_object_del(function, "mixtures");
    RMX_TRY(rmx__put(function, "rows",
                     at == json_array_size(mixtures) ? json_null() : json_incref(rows), err));
  }
  return RMX_OK;
}

static void forget(json_t *function) {
  static const char *const unused[] = {"domains", "row_weights", "leave_one_out_rmse", "strength"};
  for (size_t i = 0; i < sizeof unused / sizeof *unused; i++) json_object_del(function, unused[i]);
  const char *key;
  json_t *part;
  json_object_foreach(function, key, part)
    if (json_is_object(part)) forget(part);
}

static rmx_status read_function(const char *path, const json_t *fit, size_t D, json_t **out,
                                rmx_err *err) {
  rmx_regressor *r;
  RMX_TRY(rmx_regressor_read(path, &r, err));
  size_t domains = rmx_regressor_domains(r);
  bool trees = strcmp(rmx_regressor_name(r), "trees") == 0;
  rmx_regressor_free(r);
  if (domains != D)
    return rmx_fail(err, RMX_EINPUT, "%s: found %zu domains, but fit.json has %zu", path, domains,
                    D);
  if (trees) return rmx__pack_trees(path, out, err);
  json_t *function = NULL;
  RMX_TRY(rmx__json_read(path, &function, err));
  forget(function);
  rmx_status status = share_mixtures(function, json_object_get(fit, "mixtures"), D, err);
  if (status == RMX_OK)
    *out = function;
  else
    json_decref(function);
  return status;
}

// A metric without a file is left out.
static rmx_status add_metric(const char *folder, const json_t *fit, const json_t *metric,
                             json_t *metrics, rmx_err *err) {
  const char *name = json_string_value(json_object_get(metric, "name"));
  const char *file = json_string_value(json_object_get(metric, "file"));
  if (!name || !file || strchr(file, '/') || file[0] == '.') return RMX_OK;
  RMX_OWNED char *path = rmx_path_in(folder, file);
  if (!path) return rmx_fail_memory(err, strlen(file), "a path");
  json_t *function = NULL;
  if (rmx_exists(path)) {
    RMX_TRY(
        read_function(path, fit, json_array_size(json_object_get(fit, "domains")), &function, err));
    RMX_TRY(rmx__add(metrics, json_pack("{s:s, s:o}", "name", name, "function", function), err));
  }
  return RMX_OK;
}

// A mixture as a list in the order of the fit, at full precision; null if it is missing.
static json_t *in_order(const json_t *mixture, const json_t *domains) {
  if (!json_is_object(mixture)) return json_null();
  json_t *list = json_array();
  for (size_t d = 0; list && d < json_array_size(domains); d++) {
    const char *name = json_string_value(json_array_get(domains, d));
    double w = name ? rmx__get(mixture, name) : NAN;
    if (json_array_append_new(list, json_real(isfinite(w) ? w : 0)) == 0) continue;
    json_decref(list);
    return NULL;
  }
  return list;
}

#define FORMAT(name, needs, help) {name, help, needs},
static rmx_status add_formats(json_t *functions, rmx_err *err) {
  static const struct {
    const char *name, *help;
    int needs;
  } formats[] = {RMX_EXPORT_FORMATS(FORMAT)};
  json_t *list = json_array();
  RMX_TRY(rmx__put(functions, "formats", list, err));
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    int needs = formats[i].needs;
    if (needs & RMX_EXPORT_EPOCHS)
      continue;  // the page does not know the number of training
                 // tokens
    RMX_TRY(rmx__add(
        list,
        json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:s}", "name", formats[i].name, "help",
                  formats[i].help, "paths", needs & RMX_EXPORT_PATHS, "no_zeros",
                  needs & RMX_EXPORT_NO_ZEROS, "documents", needs & RMX_EXPORT_DOCUMENTS, "blocks",
                  needs & RMX_EXPORT_BLOCKS, "template", rmx_export_template(formats[i].name)),
        err));
  }
  return RMX_OK;
}

rmx_status rmx__collect_functions(const char *fit_folder, json_t *data, rmx_err *err) {
  const json_t *fit = json_object_get(data, "fit"), *optimum = json_object_get(data, "optimum");
  json_t *domains = json_object_get(fit, "domains"), *mixtures = json_object_get(fit, "mixtures"),
         *metrics = json_object_get(fit, "metrics"), *metric;
  if (!json_array_size(domains) || !json_array_size(mixtures) || !json_array_size(metrics))
    return RMX_OK;
  json_auto_t *functions = json_object();
  json_t *list;
  if (!functions) return rmx_fail_memory(err, 0, "the fitted functions");
  RMX_TRY(rmx__put(functions, "metrics", list = json_array(), err));
  size_t i;
  json_array_foreach(metrics, i, metric) RMX_TRY(add_metric(fit_folder, fit, metric, list, err));
  if (json_array_size(list) == 0) return RMX_OK;
  RMX_TRY(rmx__put(functions, "domains", json_incref(domains), err));
  RMX_TRY(rmx__put(functions, "mixtures", json_incref(mixtures), err));
  RMX_TRY(
      rmx__put(functions, "optimum", in_order(json_object_get(optimum, "mixture"), domains), err));
  RMX_TRY(rmx__put(functions, "prior", in_order(json_object_get(optimum, "prior"), domains), err));
  RMX_TRY(add_formats(functions, err));
  return rmx__put(data, "functions", json_incref(functions), err);
}
