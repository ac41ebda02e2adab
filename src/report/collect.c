// SPDX-License-Identifier: Apache-2.0
// Collects the files of a folder in one JSON object. Small files (optimum, comparison, corpus, fit)
// are copied; the other files of this room join and thin runs, folds, learning curves and methods.
#include <math.h>
#include <regmix/report.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "base/stamp.h"
#include "report/parts.h"

typedef rmx_status (*reader)(const char *path, json_t **out, rmx_err *err);

static rmx_status read_yaml(const char *path, json_t **out, rmx_err *err) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  RMX_TRY(rmx__yaml_read(path, &yaml, err));
  *out = json_incref(yaml.root);
  return RMX_OK;
}

static rmx_status read_text(const char *path, json_t **out, rmx_err *err) {
  RMX_OWNED char *text = NULL;
  size_t size;
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  *out = rmx__text(text);
  return *out ? RMX_OK : rmx_fail_memory(err, size, path);
}

// data[key] = the file at `path`, if it exists.
static rmx_status take_path(json_t *data, const char *key, const char *path, reader read,
                            rmx_err *err) {
  json_t *value = NULL;
  rmx_status status = rmx_exists(path) ? read(path, &value, err) : RMX_OK;
  if (status == RMX_OK && value && read != read_text && !json_is_object(value)) {
    status = rmx_fail(err, RMX_EINPUT, "%s: wanted a map at the top", path);
    json_decref(value);
    value = NULL;
  }
  if (value) status = rmx__put(data, key, value, err);
  if (value && status == RMX_OK) status = rmx__note_change(data, path, err);
  return status;
}

static rmx_status take(json_t *data, const char *key, const char *folder, const char *file,
                       reader read, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, file);
  if (!path) return rmx_fail_memory(err, strlen(file), "a path");
  return take_path(data, key, path, read, err);
}

// The target: from the optimum, else from the comparisons, else the first metric.
static rmx_status find_target(json_t *data, rmx_err *err) {
  json_t *weights = json_object_get(json_object_get(data, "optimum"), "target");
  if (!json_object_size(weights))
    weights = json_object_get(json_object_get(data, "comparison"), "target");
  if (!json_object_size(weights))
    weights = json_object_get(json_object_get(data, "methods"), "target");
  if (!json_object_size(weights)) return RMX_OK;
  const char *name = json_object_size(weights) > 1
                         ? RMX__WEIGHTED
                         : json_object_iter_key(json_object_iter(weights));
  return rmx__put(data, "target", json_pack("{s:s, s:O}", "name", name, "weights", weights), err);
}

// The name of the folder, also for "." and "exp/".
static json_t *title_of(const char *folder) {
  RMX_OWNED char *full = rmx_realpath(folder);
  const char *slash = full ? strrchr(full, '/') : NULL;
  json_t *title = rmx__text(slash && slash[1] ? slash + 1 : folder);
  return title;
}

// The folder of the fit that the optimum was found with, where it is still there as it was then;
// NULL: not known.
static char *fit_of_optimum(const rmx_report_files *files) {
  RMX_OWNED char *path =
      files->optimum ? rmx_strdup(files->optimum) : rmx_path_in(files->folder, "optimum.yaml");
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  rmx_err ignored;
  if (!path || !rmx_exists(path) || rmx__yaml_read(path, &yaml, &ignored) != RMX_OK) return NULL;
  const json_t *by = json_object_get(yaml.root, "made_by");
  const char *name = json_string_value(json_object_get(by, "fit_folder")),
             *hash = json_string_value(json_object_get(by, "fit")), *slash = strrchr(path, '/');
  if (!name || !hash) return NULL;
  RMX_OWNED char *folder = name[0] == '/' || !slash ? rmx_strdup(name)
                                                    : rmx_format("%.*s/%s", (int)(slash - path),
                                                                 slash > path ? path : "", name);
  RMX_OWNED char *json = folder ? rmx_path_in(folder, "fit.json") : NULL;
  uint64_t now;
  char text[17];
  if (!json || !rmx_exists(json) || rmx__file_hash(json, 0, &now, &ignored) != RMX_OK) return NULL;
  rmx__hex(now, text);
  return strcmp(text, hash) == 0 ? rmx_strdup(folder) : NULL;
}

// The folder of the fit: free() it. A folder that the user gave must exist.
static rmx_status find_fit(const rmx_report_files *files, char **out, rmx_err *err) {
  if (files->fit && !rmx__exists_in(files->fit, "fit.json"))
    return rmx_fail(err, RMX_EINPUT, "%s: found no fit.json in it; `regmix fit` makes one",
                    files->fit);
  if (!files->fit && (*out = fit_of_optimum(files))) return RMX_OK;
  const bool inside = !files->fit && !rmx__exists_in(files->folder, "fit") &&
                      rmx__exists_in(files->folder, "fit.json");
  *out = files->fit ? rmx_strdup(files->fit)
         : inside   ? rmx_strdup(files->folder)
                    : rmx_path_in(files->folder, "fit");
  return *out ? RMX_OK : rmx_fail_memory(err, strlen(files->folder), "a path");
}

// What an optimum.yaml says of the fit that it was found with.
static rmx_status put_fit_hash(const char *fit, json_t *data, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(fit, "fit.json");
  uint64_t hash = 0;
  RMX_TRY(path ? rmx__file_hash(path, 0, &hash, err) : rmx_fail_memory(err, 0, "a path"));
  return rmx__put(data, "fit_hash", rmx__hex_json(hash), err);
}

// The optimum of a given fit is next to it, never in a folder of other runs.
static rmx_status take_optimum(const rmx_report_files *files, const char *fit, json_t *data,
                               rmx_err *err) {
  if (files->optimum) {
    if (rmx_exists(files->optimum))
      return take_path(data, "optimum", files->optimum, read_yaml, err);
    return rmx_fail(err, RMX_EINPUT, "%s: no such file; `regmix optimize` makes it",
                    files->optimum);
  }
  if (!files->fit) RMX_TRY(take(data, "optimum", files->folder, "optimum.yaml", read_yaml, err));
  if (!json_object_get(data, "optimum"))
    RMX_TRY(take(data, "optimum", fit, "optimum.yaml", read_yaml, err));
  if (json_object_get(data, "optimum") || !files->fit) return RMX_OK;
  return take(data, "optimum", fit, "../optimum.yaml", read_yaml, err);
}

// A mixture file of the user's may stand in its place, which nobody promised to leave as it is.
static bool is_edited_optimum(const json_t *optimum) {
  return json_object_get(optimum, "made_by") && rmx__json_seal_broken(optimum);
}

// The page shows what the fit knows: an optimum with a virtual domain as it was searched. A file
// that was changed by hand stays as it is, so that a warning is given.
static void take_searched(json_t *data) {
  json_t *optimum = json_object_get(data, "optimum"),
         *searched = json_object_get(optimum, "searched");
  if (!searched || rmx__json_seal_broken(optimum)) return;
  json_object_update(optimum, searched);
  json_object_del(optimum, "searched");
  rmx__json_seal(optimum);
}

// The runs of a fit are those of the folder's tables if the folder is its experiment.
static bool is_experiment(const rmx_report_files *files) {
  return !files->fit && (rmx__exists_in(files->folder, "regmix.yaml") ||
                         rmx__exists_in(files->folder, "resolved.yaml") ||
                         rmx__exists_in(files->folder, "corpus/corpus.json") ||
                         rmx__exists_in(files->folder, "runs"));
}

static rmx_status collect_experiment(const char *folder, json_t *data, json_t *config,
                                     rmx_err *err) {
  RMX_TRY(take(data, "corpus", folder, "corpus/corpus.json", rmx__json_read, err));
  RMX_TRY(take(data, "comparison", folder, "large/comparison.json", rmx__json_read, err));
  if (rmx__json_seal_broken(json_object_get(data, "comparison")))
    RMX_TRY(rmx__note_edited(data, "large/comparison.json", err));
  RMX_TRY(rmx__collect_large(folder, data, err));
  RMX_TRY(rmx__collect_methods(folder, data, err));
  RMX_TRY(take(data, "config", folder, "resolved.yaml", read_text, err));
  return take(config, "config", folder, "resolved.yaml", read_yaml, err);
}

// The page has the values of the runs, and the predictions out of fold, under runs and folds.
static void drop_runs_of_fit(const json_t *fit) {
  static const char *const keys[] = {"values", "out_of_fold", "fold"};
  size_t m;
  json_t *metric;
  json_array_foreach(json_object_get(fit, "metrics"), m, metric) {
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) json_object_del(metric, keys[k]);
  }
}

static rmx_status collect(const rmx_report_files *files, json_t *data, json_t *config,
                          rmx_err *err) {
  const char *folder = files->folder;
  const bool experiment = is_experiment(files);
  RMX_OWNED char *fit = NULL,
                 *next = files->next ? rmx_strdup(files->next) : rmx_path_in(folder, "next.csv");
  if (!next) return rmx_fail_memory(err, strlen(folder), "a path");
  RMX_TRY(find_fit(files, &fit, err));
  RMX_TRY(rmx__put(data, "title", title_of(folder), err));
  RMX_TRY(rmx__put(data, "version", json_string(rmx_version()), err));
  RMX_TRY(rmx__put(data, "experiment", json_boolean(experiment), err));
  RMX_TRY(take(data, "fit", fit, "fit.json", rmx__json_read, err));
  if (json_object_get(data, "fit")) RMX_TRY(put_fit_hash(fit, data, err));
  RMX_TRY(take_optimum(files, fit, data, err));
  if (is_edited_optimum(json_object_get(data, "optimum")))
    RMX_TRY(rmx__note_edited(data, "optimum.yaml", err));
  take_searched(data);
  if (!files->fit) RMX_TRY(collect_experiment(folder, data, config, err));
  RMX_TRY(find_target(data, err));
  RMX_TRY(rmx__collect_budget(files, json_object_get(config, "config"), data, err));
  RMX_TRY(rmx__collect_folds(fit, data, err));
  RMX_TRY(rmx__collect_runs(folder, !files->fit, data, err));
  if (!files->fit || files->next) RMX_TRY(rmx__collect_next(next, files->next != NULL, data, err));
  if (!files->fit) RMX_TRY(rmx__collect_curves(folder, data, err));
  RMX_TRY(rmx__collect_functions(fit, data, err));
  json_object_del(json_object_get(data, "fit"), "mixtures");  // they are under runs and functions
  if (json_object_get(data, "changed"))
    RMX_TRY(rmx__put(data, "date", rmx__date(json_integer_value(json_object_get(data, "changed"))),
                     err));
  json_object_del(data, "changed");
  RMX_TRY(rmx__collect_verdicts(data, err));
  RMX_TRY(rmx__collect_warnings(data, err));
  drop_runs_of_fit(json_object_get(data, "fit"));
  json_object_del(data, "fit_hash");
  json_object_del(data, "edited");
  return RMX_OK;
}

rmx_status rmx_report_collect(const rmx_report_files *files, json_t **out, rmx_err *err) {
  if (!rmx_exists(files->folder))
    return rmx_fail(err, RMX_EINPUT, "%s: no such folder", files->folder);
  json_t *data = json_object(), *config = json_object();
  rmx_status status = data && config ? collect(files, data, config, err)
                                     : rmx_fail_memory(err, 0, "the report's data");
  json_decref(config);
  if (status == RMX_OK)
    *out = data;
  else
    json_decref(data);
  return status;
}
