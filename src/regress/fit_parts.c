// SPDX-License-Identifier: Apache-2.0
// The files in the folder of a fit, and whether they belong together: fit.json holds the hash of
// every other file and of the runs in fit.json itself.

#include "fit_parts.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder_lock.h"
#include "base/json.h"
#include "base/path.h"
#include "base/stamp.h"
#include "fit.h"

static const char RUNS[] = "runs";  // no file has this name, since all have extensions

static rmx_status hash_of_file(const char *folder, const char *name, char out[17], rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, name);
  uint64_t hash = 0;
  RMX_TRY(path ? rmx__file_hash(path, 0, &hash, err) : rmx_fail_memory(err, 256, "a path"));
  rmx__hex(hash, out);
  return RMX_OK;
}

// Hashes names and numbers as they are in memory, so that spelling in the file does not matter.
static void hash_of_runs(const rmx_fit *f, char out[17]) {
  uint64_t hash = 0;
  for (size_t d = 0; d < f->D; d++) hash = rmx_hash_string(f->domains[d], hash);
  for (size_t m = 0; m < f->M; m++) hash = rmx_hash_string(f->metrics[m], hash);
  for (size_t i = 0; f->run_ids && i < f->N; i++) hash = rmx_hash_string(f->run_ids[i], hash);
  hash = rmx_hash(f->runs, f->N * f->D * sizeof(double), hash);
  const double *const columns[] = {f->truth, f->out_of_fold};
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; columns[k] && i < f->N * f->M; i++) {
      double x = isfinite(columns[k][i]) ? columns[k][i] : NAN;
      if (isnan(x)) x = 0.123456789;  // not every NaN has the same bits
      hash = rmx_hash(&x, sizeof x, hash);
    }
  rmx__hex(hash, out);
}

rmx_status rmx__hash_part(const char *folder, const char *name, json_t *hashes, rmx_err *err) {
  char hash[17];
  RMX_TRY(hash_of_file(folder, name, hash, err));
  return json_object_set_new(hashes, name, json_string(hash)) == 0
             ? RMX_OK
             : rmx_fail_memory(err, 64, "a hash");
}

rmx_status rmx__hash_runs(const rmx_fit *f, json_t *hashes, rmx_err *err) {
  char hash[17];
  hash_of_runs(f, hash);
  return json_object_set_new(hashes, RUNS, json_string(hash)) == 0
             ? RMX_OK
             : rmx_fail_memory(err, 64, "a hash");
}

rmx_status rmx__check_runs(const rmx_fit *f, const json_t *fit, const char *path, rmx_err *err) {
  const char *wanted = json_string_value(json_object_get(json_object_get(fit, "hashes"), RUNS));
  char hash[17];
  if (!wanted) return RMX_OK;
  hash_of_runs(f, hash);
  if (strcmp(wanted, hash) == 0) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: its runs and values are not those it was written with: the file was changed or damaged; "
      "make the fit again with `regmix fit`",
      path);
}

rmx_status rmx__check_parts(const char *folder, const json_t *fit, rmx_err *err) {
  const char *name;
  json_t *wanted;
  json_object_foreach(json_object_get(fit, "hashes"), name, wanted) {
    char hash[17];
    if (strcmp(name, RUNS) == 0) continue;
    if (strchr(name, '/') || name[0] == '.')
      return rmx_fail(err, RMX_EINPUT, "%s/%s: \"%s\" in \"hashes\" is not in the folder itself",
                      folder, RMX__FIT_JSON, name);
    RMX_TRY(hash_of_file(folder, name, hash, err));
    if (json_is_string(wanted) && strcmp(json_string_value(wanted), hash) == 0) continue;
    return rmx_fail(err, RMX_EINPUT,
                    "%s/%s: is not the file that %s was written with (its hash differs): it was "
                    "changed, damaged or "
                    "left by another fit; make the fit again with `regmix fit`",
                    folder, name, RMX__FIT_JSON);
  }
  return RMX_OK;
}

// A name that fit.json gives to a part; one that leads elsewhere, or is not of a file, is none.
static bool add_part(rmx_strings *out, const char *name) {
  const bool inside = name && *name && !strchr(name, '/') && name[0] != '.';
  return !inside || strcmp(name, RUNS) == 0 || rmx_strings_add(out, name);
}

rmx_status rmx__fit_parts(const char *folder, rmx_strings *out, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, RMX__FIT_JSON);
  json_auto_t *fit = NULL;
  json_t *item;
  rmx_err damaged;
  const char *name;
  size_t k;
  bool good =
      path && rmx_strings_add(out, RMX__FIT_JSON) && rmx_strings_add(out, RMX__CROSS_VALIDATION);
  if (good && rmx_exists(path) && rmx__json_read(path, &fit, &damaged) == RMX_OK) {
    json_object_foreach(json_object_get(fit, "hashes"), name, item)
      good = good && add_part(out, name);
    json_array_foreach(json_object_get(fit, "metrics"), k, item) {  // 0.1.0 wrote no hashes
      good = good && add_part(out, json_string_value(json_object_get(item, "file")));
    }
  }
  return good ? RMX_OK : rmx_fail_memory(err, 256, "a list of files");
}

// The first `size` - 1 bytes of a file in the folder, or fewer; their number, -1: there is none.
static int beginning(const char *folder, const char *name, char *text, size_t size) {
  RMX_OWNED char *path = rmx_path_in(folder, name);
  FILE *file = path ? rmx_fopen(path, "rb") : NULL;
  if (!file) return -1;
  const size_t n = fread(text, 1, size - 1, file);
  text[n] = '\0';
  fclose(file);
  return (int)n;
}

// Whether the folder holds a fit: a fit.json that begins like one, since another program may call a
// file of its own so; or, where that was deleted, a table with the columns of cross-validation.csv,
// which nobody else has under this name.
static bool holds_fit(const char *folder) {
  static const char columns[] = RMX__CROSS_VALIDATION_COLUMNS;
  char text[256];
  const int n = beginning(folder, RMX__FIT_JSON, text, sizeof text);
  if (n == 0 || (n > 0 && strstr(text, "\"domains\""))) return true;
  return beginning(folder, RMX__CROSS_VALIDATION, text, sizeof text) > 0 &&
         strncmp(text, columns, sizeof columns - 1) == 0;
}

// What another process that writes a fit has in the folder for a moment.
static bool is_passing(const char *name) {
  return strcmp(name, ".regmix.lock") == 0 || (strchr(name, '@') && rmx__ends_in(name, ".tmp"));
}

// The names of all that is in a folder.
static rmx_status things_in(const char *folder, rmx_few *out, rmx_err *err) {
  DIR *d = rmx_opendir(folder);
  if (!d && errno == ENOTDIR)
    return rmx_fail(err, RMX_EUSAGE,
                    "%s is a file: a fit needs a folder of its own; name another one", folder);
  if (!d) return rmx_fail_errno(err, "cannot read the folder %s", folder);
  for (struct dirent *e; (e = readdir(d)) != NULL;)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !is_passing(e->d_name))
      rmx_few_add(out, e->d_name);
  closedir(d);
  return RMX_OK;
}

static rmx_status may_write(const char *folder, rmx_err *err) {
  if (!rmx_exists(folder) || holds_fit(folder)) return RMX_OK;
  rmx_few others = {0};
  RMX_TRY(things_in(folder, &others, err));
  if (others.n == 0) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE,
                  "%s holds other files (%s) and no fit: a fit needs a folder of its own; move "
                  "these files away, or name another folder",
                  folder, others.text);
}

// Another process may be moving a fit into the folder, of which fit.json is the last file.
rmx_status rmx_fit_may_write(const char *folder, rmx_err *err) {
  RMX_OWNED_BY(rmx_folder_unlock) rmx_lock lock = {.fd = -1};
  if (may_write(folder, err) == RMX_OK) return RMX_OK;
  if (err->status != RMX_EUSAGE) return err->status;
  RMX_TRY(rmx__lock_beside(folder, &lock, err));
  return may_write(folder, err);
}

rmx_status rmx__fit_put(rmx_outfolder *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_folder_unlock) rmx_lock lock = {.fd = -1};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings old = {0};
  RMX_TRY(rmx__lock_beside(out->path, &lock, err));
  RMX_TRY(may_write(out->path, err));
  RMX_TRY(rmx__fit_parts(out->path, &old, err));
  return rmx_outfolder_commit(out, &old, RMX__FIT_JSON, err);
}
