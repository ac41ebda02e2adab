// SPDX-License-Identifier: Apache-2.0
// How a run stands, read off its folder.
#include <dirent.h>
#include <regmix/swarm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/stamp.h"
#include "claim.h"
#include "look.h"

const char *const rmx_run_state_names[] = {"to do",   "started",  "running", "outdated",
                                           "damaged", "diverged", "done"};

json_t *rmx__read_in(const char *folder, const char *name) {
  json_t *tree = NULL;
  rmx_err ignored;
  RMX_OWNED char *path = rmx_path_in(folder, name);
  struct stat info;
  // A pipe in its place would be waited for without end.
  if (path && stat(path, &info) == 0 && S_ISREG(info.st_mode))
    rmx__json_read(path, &tree, &ignored);
  return tree;
}

static bool has(const char *folder, const char *name, struct stat *info) {
  RMX_OWNED char *path = rmx_path_in(folder, name);
  return path && stat(path, info) == 0;
}

static bool has_checkpoint(const char *folder) {
  struct stat info;
  return has(folder, "checkpoint.safetensors", &info) || has(folder, "checkpoint.bin", &info);
}

static bool same_fingerprint(const char *folder, const rmx_run *r, const json_t *result) {
  const char *got = rmx__fingerprint_in(result, "answers");
  if (!got || rmx_run_has_fingerprint(r, got, NULL)) return got != NULL;
  if (!r->training.command) return false;
  json_auto_t *run = rmx__read_in(folder, "run.json");
  return rmx_run_has_fingerprint(
      r, got, json_string_value(json_object_get(json_object_get(run, "training"), "command")));
}

static bool newer(const struct stat *a, const struct stat *b) {
  if (a->st_mtim.tv_sec != b->st_mtim.tv_sec) return a->st_mtim.tv_sec > b->st_mtim.tv_sec;
  return a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

// A model that was to be kept is there and is the one the result was measured on. It was written
// before the result, so only one that was touched since is read from end to end.
static bool model_is_whole(const char *folder, const json_t *result) {
  struct stat model, written;
  RMX_OWNED char *path = rmx_model_path(folder);
  if (!path || stat(path, &model) != 0 || !has(folder, "result.json", &written)) return false;
  char hex[17];
  const char *wanted = json_string_value(json_object_get(result, "model_hash"));
  uint64_t hash = 0;
  rmx_err ignored;
  rmx_model_config config;
  bool good = rmx_model_file_hash(path, &hash, &ignored) == RMX_OK;
  rmx__hex(hash, hex);
  good = good && (!wanted || strcmp(hex, wanted) == 0);
  if (good && newer(&model, &written))
    good = rmx_model_read_config(path, &config, &ignored) == RMX_OK;
  return good;
}

// The state of the result in a folder for this run; TODO: there is no result.
static rmx_run_state result_in(const char *folder, const rmx_run *r, json_t **result) {
  struct stat info;
  json_t *o = rmx__read_in(folder, "result.json");
  *result = o;
  if (!o) return has(folder, "result.json", &info) ? RMX_RUN_DAMAGED : RMX_RUN_TODO;
  // Without a fingerprint, a command of the user left it and its worker was killed before it
  // checked the result.
  if (!rmx__fingerprint_in(o, "answers")) return RMX_RUN_TODO;
  if (!same_fingerprint(folder, r, o) || rmx_result_seal_broken(o)) return RMX_RUN_OUTDATED;
  const char *status = json_string_value(json_object_get(o, "status"));
  if (status && strcmp(status, "diverged") == 0) return RMX_RUN_DIVERGED;
  return r->keep_model && !r->training.command && !model_is_whole(folder, o) ? RMX_RUN_DAMAGED
                                                                             : RMX_RUN_DONE;
}

bool rmx__finished_in(const char *folder, const rmx_run *r) {
  json_auto_t *result = NULL;
  const rmx_run_state state = result_in(folder, r, &result);
  return state == RMX_RUN_DONE || state == RMX_RUN_DIVERGED;
}

// A model that was kept; one that is damaged is read, and found to be so.
static rmx_status can_read_model(const rmx_run *r, rmx_err *err) {
  RMX_OWNED char *path = rmx_model_path(r->folder);
  rmx_model_config config;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (!r->keep_model || r->training.command || !rmx_exists(path)) return RMX_OK;
  const rmx_status status = rmx_model_read_config(path, &config, err);
  return status == RMX_EINPUT ? RMX_OK : status;
}

rmx_status rmx__can_read_result(const rmx_run *r, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(r->folder, "result.json"), *text = NULL;
  struct stat info;
  size_t size;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) return RMX_OK;
  if (rmx_read_file(path, &text, &size, err) == RMX_OK && can_read_model(r, err) == RMX_OK)
    return RMX_OK;
  return rmx_fail_in(err, "run %s may be finished, so it is not trained again", r->name);
}

static void list(const char *folder) {
  DIR *d = rmx_opendir(folder);
  while (d && readdir(d)) continue;
  if (d) closedir(d);
}

void rmx__list_anew(const rmx_run *r) {
  const char *slash = strrchr(r->folder, '/');
  RMX_OWNED char *above = slash ? rmx_format("%.*s", (int)(slash - r->folder), r->folder) : NULL;
  if (above && *above) list(above);
  list(r->folder);
}

rmx_run_state rmx_run_look(const rmx_run *r, json_t **result) {
  json_t *o = NULL;
  rmx_run_state state = result_in(r->folder, r, &o);
  if (state == RMX_RUN_TODO && has_checkpoint(r->folder)) state = RMX_RUN_STARTED;
  if (state < RMX_RUN_DIVERGED && rmx__claim_held(r->folder)) state = RMX_RUN_RUNNING;
  if (result)
    *result = o;
  else
    json_decref(o);
  return state;
}

// run.json in the folder asks what r asks.
static bool asks_the_same(const char *folder, const rmx_run *r, bool *readable) {
  RMX_OWNED_BY(rmx_run_release) rmx_run was = {0};
  rmx_err ignored;
  char fingerprint[17];
  *readable = rmx_run_read(folder, &was, &ignored) == RMX_OK;
  if (!*readable) return false;
  rmx_run_fingerprint(&was, fingerprint);
  return rmx_run_has_fingerprint(r, fingerprint, NULL);
}

bool rmx__begun_in(const char *folder, const rmx_run *r) {
  struct stat info;
  bool readable;
  return !has(folder, "result.json", &info) && asks_the_same(folder, r, &readable);
}

bool rmx_run_is_another(const rmx_run *r) {
  json_t *result = NULL;
  const rmx_run_state state = result_in(r->folder, r, &result);
  json_decref(result);
  if (state != RMX_RUN_TODO) return state == RMX_RUN_OUTDATED;
  // Files that the user's own trainer writes during the training have names that only it knows.
  if (!has_checkpoint(r->folder) && !rmx_training_is_outside(&r->training)) return false;
  bool readable;
  return !asks_the_same(r->folder, r, &readable) && readable;
}

// As a user knows it: not every part of a run is a key of the config.
static const char *called(const char *key) {
  return strcmp(key, "corpus_hash") == 0 ? "the corpus"
         : strcmp(key, "vocab") == 0     ? "the vocabulary"
                                         : key;
}

static void differences(const json_t *old, const json_t *new, const char *prefix, rmx_buf *out) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)new, key, value) {
    const json_t *before = json_object_get(old, key);
    if (before && json_equal((json_t *)before, value)) continue;
    if (json_is_object(value) && json_is_object(before) && strcmp(key, "training") == 0)
      differences(before, value, "", out);
    else
      rmx_buf_printf(out, "%s%s%s", out->size ? ", " : "", prefix, called(key));
  }
  json_object_foreach((json_t *)old, key, value)
    if (!json_object_get(new, key))
      rmx_buf_printf(out, "%s%s%s", out->size ? ", " : "", prefix, key);
}

bool rmx_run_is_of_mixture(const char *difference) {
  return strcmp(difference, "mixture") == 0 || strcmp(difference, "mixture, steering") == 0 ||
         strcmp(difference, "steering") == 0;
}

void rmx_run_difference(const rmx_run *r, rmx_buf *out) {
  rmx_run was;
  rmx_err ignored;
  json_t *old = NULL, *new = rmx_run_json(r), *result = rmx__read_in(r->folder, "result.json");
  if (rmx_run_read(r->folder, &was, &ignored) == RMX_OK) {
    old = rmx_run_json(&was);
    rmx_run_release(&was);
  }
  if (old) differences(old, new, "", out);
  if (rmx_result_seal_broken(result))
    rmx_buf_printf(out, "%sthe losses in %s/result.json, by hand", out->size ? ", " : "",
                   r->folder);
  json_decref(result);
  json_decref(old);
  json_decref(new);
}
