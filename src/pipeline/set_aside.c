// SPDX-License-Identifier: Apache-2.0
// regmix gc: deletes what was set aside when settings changed, and the models of proxies that are
// no longer to be kept, and reports what it was.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "steps.h"

// The content of a folder of set-aside runs and corpora.
typedef struct holding {
  rmx__finished runs;
  size_t corpora, models;
  bool unfinished;  // text that a prepare has read that did not end
  double bytes;
} holding;

static void count_file(holding *h, const char *path, const char *name, const struct stat *info) {
  rmx_err ignored;
  json_t *result = NULL;
  // deleting a second hard link frees no space
  h->bytes += (double)info->st_size / (double)info->st_nlink;
  h->corpora += strcmp(name, "corpus.json") == 0;
  if (strcmp(name, "result.json") != 0 || rmx__json_read(path, &result, &ignored) != RMX_OK) return;
  rmx__count_finished(&h->runs, result);
  json_decref(result);
}

static rmx_status count_folder(holding *h, const char *folder, rmx_err *err) {
  DIR *d = rmx_opendir(folder);
  rmx_status status = d ? RMX_OK : rmx_fail_errno(err, "cannot read the folder %s", folder);
  for (struct dirent *e; status == RMX_OK && (e = readdir(d));) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    RMX_OWNED char *path = rmx_path_in(folder, e->d_name);
    struct stat info;
    if (!path)
      status = rmx_fail_memory(err, 0, "a path");
    else if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
      h->unfinished = h->unfinished || strcmp(e->d_name, "new") == 0;
      status = count_folder(h, path, err);
    } else if (lstat(path, &info) == 0)
      count_file(h, path, e->d_name, &info);
  }
  if (d) closedir(d);
  return status;
}

// A table may be the only copy of what a user measured, or of mixtures that were trained elsewhere.
static bool is_table(const char *path) {
  const size_t n = strlen(path);
  struct stat info;
  return n > 4 && strcmp(path + n - 4, ".csv") == 0 && lstat(path, &info) == 0 &&
         S_ISREG(info.st_mode);
}

// All that is in a place but the tables, whose paths are added to `tables`. *some: there is more.
static rmx_status count_place(holding *h, const char *place, bool remove, json_t *tables,
                              bool *some, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_TRY(rmx_list(place, &names, err));
  *some = false;
  for (size_t i = 0; i < names.n; i++) {
    RMX_OWNED char *path = rmx_path_in(place, names.items[i]);
    struct stat info;
    if (!path) return rmx_fail_memory(err, 0, "a path");
    if (is_table(path)) {
      json_array_append_new(tables, json_string(path));
      continue;
    }
    h->unfinished = h->unfinished || strcmp(names.items[i], "new") == 0;
    if (lstat(path, &info) != 0) continue;
    if (S_ISDIR(info.st_mode))
      RMX_TRY(count_folder(h, path, err));
    else
      count_file(h, path, names.items[i], &info);
    if (remove) RMX_TRY(rmx_remove_tree(path, err));
  }
  if (remove) rmdir(place);  // unless a table is left
  *some = h->bytes > 0 || h->unfinished;
  return RMX_OK;
}

static rmx_status add_place(rmx_strings *places, const char *folder, rmx_err *err) {
  char *path = rmx_path_in(folder, RMX_SET_ASIDE);
  bool good = path && (!rmx_exists(path) || rmx_strings_add(places, path));
  free(path);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a path");
}

// Corpora are next to corpus/; runs are next to runs/<run>, compare/<run> and large/<name>/<seed>.
static rmx_status find_places(const rmx_experiment *e, rmx_strings *places, rmx_err *err) {
  static const char *const folders[] = {"", "runs", "compare", "large"};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    RMX_OWNED char *folder =
        *folders[i] ? rmx_experiment_path(e, folders[i]) : rmx_strdup(e->folder);
    RMX_TRY(folder ? add_place(places, folder, err) : rmx_fail_memory(err, 0, "a path"));
    if (strcmp(folders[i], "large") == 0) RMX_TRY(rmx_list(folder, &names, err));
    for (size_t j = 0; j < names.n; j++) {
      RMX_OWNED char *inner = rmx_path_in(folder, names.items[j]);
      RMX_TRY(inner ? add_place(places, inner, err) : rmx_fail_memory(err, 0, "a path"));
    }
  }
  return RMX_OK;
}

static json_t *holding_json(const holding *h) {
  json_t *o = json_object();
  json_object_set_new(o, "runs", json_integer((json_int_t)h->runs.runs));
  json_object_set_new(o, "timed", json_integer((json_int_t)h->runs.timed));
  json_object_set_new(o, "wall_s", json_real(h->runs.wall_s));
  json_object_set_new(o, "corpora", json_integer((json_int_t)h->corpora));
  json_object_set_new(o, "models", json_integer((json_int_t)h->models));
  json_object_set_new(o, "bytes", json_real(h->bytes));
  json_object_set_new(o, "unfinished", json_boolean(h->unfinished));
  return o;
}

static void add(holding *all, const holding *h) {
  all->runs.runs += h->runs.runs;
  all->runs.timed += h->runs.timed;
  all->runs.wall_s += h->runs.wall_s;
  all->corpora += h->corpora;
  all->models += h->models;
  all->unfinished = all->unfinished || h->unfinished;
  all->bytes += h->bytes;
}

// Models in runs/<run>/, if the config asks for none. What else is in these folders stays.
static rmx_status count_models(const rmx_experiment *e, bool remove, holding *h, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings runs = {0};
  RMX_OWNED char *folder = rmx_experiment_path(e, "runs");
  if (!folder) return rmx_fail_memory(err, 0, "a path");
  if (rmx__keeps_models(&e->config) || !rmx_exists(folder)) return RMX_OK;
  RMX_TRY(rmx_list(folder, &runs, err));
  for (size_t i = 0; i < runs.n; i++) {
    RMX_OWNED char *run = rmx_path_in(folder, runs.items[i]), *model = NULL;
    struct stat info;
    if (!run || !(model = rmx_model_path(run))) return rmx_fail_memory(err, 0, "a path");
    if (lstat(model, &info) != 0) continue;
    if (remove && unlink(model) != 0) return rmx_fail_errno(err, "cannot delete %s", model);
    h->models++;
    h->bytes += (double)info.st_size / (double)info.st_nlink;
  }
  return RMX_OK;
}

// Finished runs of no present mixture or swarm. Where the present ones are not known, none is
// unused.
static rmx_status count_unused(const rmx_experiment *e, bool remove, holding *h, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings folders = {0};
  rmx_corpus *corpus = NULL;
  rmx_run *runs = NULL;
  rmx__finished unused = {0};
  rmx_few names = {0};
  rmx_err ignored;
  size_t n = 0;
  if (rmx_corpus_open(e->folder, &corpus, &ignored) != RMX_OK) return RMX_OK;
  const bool known = rmx__all_runs(e, corpus, &runs, &n, &ignored) == RMX_OK;
  rmx_status status = known ? rmx__unused_runs(e, runs, n, &unused, &names, &folders, err) : RMX_OK;
  for (size_t i = 0; i < folders.n && status == RMX_OK; i++) {
    status = count_folder(h, folders.items[i], err);
    if (status == RMX_OK && remove) status = rmx_remove_tree(folders.items[i], err);
  }
  rmx_runs_release(runs, n);
  rmx_corpus_free(corpus);
  return status;
}

static rmx_status count_all(const rmx_experiment *e, bool remove, json_t **out, rmx_err *err) {
  rmx_strings places = {0};
  holding all = {0};
  json_t *folders = json_array(), *tables = json_array();
  rmx_status status = find_places(e, &places, err);
  for (size_t i = 0; i < places.n && status == RMX_OK; i++) {
    holding h = {0};
    bool some;
    status = count_place(&h, places.items[i], remove, tables, &some, err);
    if (status != RMX_OK) break;
    if (!some) continue;
    json_t *o = holding_json(&h);
    json_object_set_new(o, "folder", json_string(places.items[i]));
    json_array_append_new(folders, o);
    add(&all, &h);
  }
  rmx_strings_release(&places);
  holding models = {0}, unused = {0};
  if (status == RMX_OK) status = count_unused(e, remove, &unused, err);
  if (unused.bytes > 0) {
    json_t *o = holding_json(&unused);
    json_object_set_new(o, "folder", json_string("runs, of no present mixture or swarm"));
    json_array_append_new(folders, o);
    add(&all, &unused);
  }
  if (status == RMX_OK) status = count_models(e, remove, &models, err);
  if (models.models) {
    json_t *o = holding_json(&models);
    json_object_set_new(o, "folder", json_string("runs"));
    json_array_append_new(folders, o);
    add(&all, &models);
  }
  *out = holding_json(&all);
  json_object_set_new(*out, "deleted", json_boolean(remove));
  json_object_set_new(*out, "folders", folders);
  json_object_set_new(*out, "tables", tables);
  return status;
}

rmx_status rmx_set_aside(const rmx_experiment *e, bool remove, const rmx_listener *to, json_t **out,
                         rmx_err *err) {
  *out = NULL;
  if (!remove) return count_all(e, false, out, err);
  rmx_lock lock;
  RMX_TRY(rmx_folder_lock(e->folder, NULL, to, &lock, err));
  rmx_status status =
      lock.elsewhere ? rmx_fail(err, RMX_EINPUT,
                                "%s: another process is preparing or cleaning this experiment, so "
                                "nothing was deleted; run `regmix gc` again after it has ended",
                                e->folder)
                     : count_all(e, true, out, err);
  rmx_folder_unlock(&lock);
  return status;
}
