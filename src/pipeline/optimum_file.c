// SPDX-License-Identifier: Apache-2.0
// Where `regmix optimize` writes its answer. The optimum.yaml of an experiment always contains the
// answer to its regmix.yaml. The optimum.yaml of a fit of other tables is next to the fit, where
// `regmix report` and `regmix export` find it.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "steps.h"

// The parent of the fit's folder; for "." that folder itself. NULL: out of memory.
static char *folder_beside(const char *fit) {
  size_t n = strlen(fit);
  while (n > 1 && fit[n - 1] == '/') n--;
  size_t slash = n;
  while (slash > 0 && fit[slash - 1] != '/') slash--;
  const bool dots = (n - slash == 1 && fit[slash] == '.') ||
                    (n - slash == 2 && strncmp(fit + slash, "..", 2) == 0);
  if (dots || slash == n) return rmx_format("%.*s", (int)n, fit);
  if (slash == 0) return rmx_strdup(".");
  return slash == 1 ? rmx_strdup("/") : rmx_format("%.*s", (int)slash - 1, fit);
}

// Whether `regmix optimize` wrote the file, which records that. *edited: it was changed since.
static bool ours(const char *path, bool *edited) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  rmx_err ignored;
  *edited = false;
  if (rmx__yaml_read(path, &yaml, &ignored) != RMX_OK) return false;
  const bool made =
      json_is_object(json_object_get(yaml.root, "mixture")) &&
      json_is_string(json_object_get(json_object_get(yaml.root, "made_by"), "version"));
  *edited = made && rmx__json_seal_broken(yaml.root);
  return made;
}

rmx_status rmx__optimum_is_whole(const char *path, rmx_err *err) {
  bool edited = false;
  if (!rmx_exists(path) || !ours(path, &edited) || !edited) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s was changed by hand since `regmix optimize` wrote it. Move it away; `regmix "
                  "optimize` then writes it again, and --mixture FILE reads your version",
                  path);
}

// The hash of a fit's fit.json; false: there is none.
static bool fit_hash(const char *fit, char out[17]) {
  RMX_OWNED char *path = rmx_path_in(fit, "fit.json");
  uint64_t hash;
  rmx_err ignored;
  if (!path || rmx__file_hash(path, 0, &hash, &ignored) != RMX_OK) return false;
  rmx__hex(hash, out);
  return true;
}

// Warns if the fit that an optimum was found with was made again since. In an experiment that is
// found with what else is outdated.
static void warn_of_fit(const char *path, const rmx_listener *to) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  RMX_OWNED char *folder = folder_beside(path),
                 *config = folder ? rmx_path_in(folder, "regmix.yaml") : NULL;
  rmx_err ignored;
  char now[17];
  if (!config || rmx_exists(config) || rmx__yaml_read(path, &yaml, &ignored) != RMX_OK) return;
  const json_t *by = json_object_get(yaml.root, "made_by");
  const char *hash = json_string_value(json_object_get(by, "fit")),
             *place = json_string_value(json_object_get(by, "fit_folder"));
  RMX_OWNED char *fit = hash && place ? rmx_path_in(folder, place) : NULL;
  if (fit && fit_hash(fit, now) && strcmp(hash, now) != 0)
    rmx_warn(to,
             "%s was found with a fit that was made again since (%s); `regmix optimize` finds the "
             "mixture of the present one",
             path, fit);
}

void rmx__optimum_warn(const char *path, const rmx_listener *to) {
  bool edited = false;
  if (rmx_exists(path) && ours(path, &edited) && edited)
    rmx_warn(to,
             "%s was changed by hand since regmix wrote it; the changed mixture is used, and the "
             "results in the file may not apply to it",
             path);
  if (rmx_exists(path)) warn_of_fit(path, to);
}

rmx_status rmx_optimum_may_replace(const char *path, bool given, rmx_err *err) {
  struct stat info;
  bool edited = false;
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return RMX_OK;
  if (given || ours(path, &edited)) return rmx__optimum_is_whole(path, err);
  return rmx_fail(err, RMX_EINPUT,
                  "%s already exists, and `regmix optimize` did not write it; move it away, or "
                  "give --out FILE with another name",
                  path);
}

rmx_status rmx_optimum_place(rmx_pipeline *p, const char *given, const char *fit, char **path,
                             rmx_err *err) {
  *path = NULL;
  char *folder = given ? rmx_strdup(p->experiment.folder) : folder_beside(fit);
  char *config = folder ? rmx_path_in(folder, "regmix.yaml") : NULL,
       *file = config ? rmx_path_in(folder, "optimum.yaml") : NULL;
  rmx_status status = file ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && rmx_exists(config)) {
    rmx_note(&p->listener,
             "optimize: %s is not changed, since it contains the answer to regmix.yaml; --out FILE "
             "writes this answer",
             file);
  } else if (status == RMX_OK && (status = rmx_optimum_may_replace(file, false, err)) == RMX_OK) {
    *path = file;
    file = NULL;
  }
  free(folder), free(config), free(file);
  return status;
}

// The path from the folder that a file is in to another folder; both exist. NULL: not known.
static char *path_from_file(const char *file, const char *folder) {
  RMX_OWNED char *place = folder_beside(file), *from = place ? rmx_realpath(place) : NULL,
                 *to = rmx_realpath(folder);
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  if (!from || !to) return NULL;
  size_t common = 0;  // up to the last slash before which both are equal
  for (size_t i = 0;; i++) {
    const char a = from[i] ? from[i] : '/', c = to[i] ? to[i] : '/';
    if (a != c) break;
    if (a == '/') common = i;
    if (!from[i] || !to[i]) break;
  }
  for (const char *up = from + common; *up; up++)
    if (*up == '/' && up[1]) rmx_buf_puts(&b, "../");
  rmx_buf_puts(&b, to[common] ? to + common + 1 : ".");
  return b.failed ? NULL : rmx_strdup(b.data);
}

rmx_status rmx__optimum_write(const rmx_experiment *e, const char *path, const rmx_answer *s,
                              const char *fit, const rmx_corpus *corpus,
                              const struct rmx__stamp *stamp, rmx_err *err) {
  json_auto_t *root = rmx_answer_json(s);
  json_t *by = rmx__made_by(e, corpus);
  char hash[17];
  if (stamp) rmx__stamp_put(stamp, by);
  if (fit_hash(fit, hash)) {
    RMX_OWNED char *place = path_from_file(path, fit);
    json_object_set_new(by, "fit", json_string(hash));
    if (place) json_object_set_new(by, "fit_folder", json_string(place));
  }
  json_object_set_new(root, "made_by", by);
  return rmx__json_seal(root)
             ? rmx__yaml_write(path, root,
                               "The optimum: the share of the training tokens from each domain.",
                               err)
             : rmx_fail_memory(err, 0, "the optimum");
}

rmx_status rmx_optimum_write(const rmx_experiment *e, const char *path, const rmx_answer *s,
                             const char *fit, rmx_err *err) {
  return rmx__optimum_write(e, path, s, fit, NULL, NULL, err);
}
