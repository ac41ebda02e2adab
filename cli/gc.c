// SPDX-License-Identifier: Apache-2.0
// regmix gc: deletes what was set aside when settings changed, and says what that was.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steps.h"

struct gc_args {
  bool dry_run;
};

// What a folder of set-aside things holds.
typedef struct holding {
  finished runs;
  size_t corpora;
  double bytes;
} holding;

static void count_file(holding *h, const char *path, const char *name, const struct stat *info) {
  rmx_err ignored;
  json_t *result = NULL;
  // a second name of a file frees nothing
  h->bytes += (double)info->st_size / (double)info->st_nlink;
  h->corpora += strcmp(name, "corpus.json") == 0;
  if (strcmp(name, "result.json") != 0 || rmx_json_read(path, &result, &ignored) != RMX_OK) return;
  count_finished(&h->runs, result);
  json_decref(result);
}

static rmx_status count_folder(holding *h, const char *folder, rmx_err *err) {
  DIR *d = rmx_opendir(folder);
  rmx_status status = d ? RMX_OK : rmx_fail_errno(err, "cannot read the folder %s", folder);
  for (struct dirent *e; status == RMX_OK && (e = readdir(d));) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    char *path = rmx_path_in(folder, e->d_name);
    struct stat info;
    if (!path)
      status = rmx_fail_memory(err, 0, "a path");
    else if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
      status = count_folder(h, path, err);
    else if (lstat(path, &info) == 0)
      count_file(h, path, e->d_name, &info);
    free(path);
  }
  if (d) closedir(d);
  return status;
}

static rmx_status add_place(rmx_strings *places, const char *folder, rmx_err *err) {
  char *path = rmx_path_in(folder, RMX_SET_ASIDE);
  bool good = path && (!rmx_exists(path) || rmx_strings_add(places, path));
  free(path);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a path");
}

// Corpora beside corpus/; runs beside runs/<run>, compare/<run> and large/<name>/<seed>.
static rmx_status find_places(const rmx_experiment *e, rmx_strings *places, rmx_err *err) {
  static const char *const folders[] = {"", "runs", "compare", "large"};
  rmx_strings names = {0};
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < sizeof folders / sizeof *folders && status == RMX_OK; i++) {
    char *folder = *folders[i] ? rmx_experiment_path(e, folders[i]) : rmx_strdup(e->folder);
    status = folder ? add_place(places, folder, err) : rmx_fail_memory(err, 0, "a path");
    if (status == RMX_OK && strcmp(folders[i], "large") == 0)
      status = rmx_list(folder, &names, err);
    for (size_t j = 0; j < names.n && status == RMX_OK; j++) {
      char *inner = rmx_path_in(folder, names.items[j]);
      status = inner ? add_place(places, inner, err) : rmx_fail_memory(err, 0, "a path");
      free(inner);
    }
    free(folder);
  }
  rmx_strings_release(&names);
  return status;
}

static json_t *holding_json(const holding *h) {
  json_t *o = json_object();
  json_object_set_new(o, "runs", json_integer((json_int_t)h->runs.runs));
  json_object_set_new(o, "wall_s", json_real(h->runs.wall_s));
  json_object_set_new(o, "corpora", json_integer((json_int_t)h->corpora));
  json_object_set_new(o, "bytes", json_real(h->bytes));
  return o;
}

static void print_holding(const char *head, const holding *h) {
  char time[32], bytes[16];
  printf("%s: %zu finished run%s, which took %s, and %zu corp%s; %sB\n", head, h->runs.runs,
         h->runs.runs == 1 ? "" : "s", cli_duration(h->runs.wall_s, time), h->corpora,
         h->corpora == 1 ? "us" : "ora", cli_count(h->bytes, bytes));
}

rmx_status set_aside_json(const rmx_experiment *e, json_t **out, rmx_err *err) {
  rmx_strings places = {0};
  holding all = {0};
  rmx_status status = find_places(e, &places, err);
  for (size_t i = 0; i < places.n && status == RMX_OK; i++)
    status = count_folder(&all, places.items[i], err);
  rmx_strings_release(&places);
  if (status == RMX_OK) *out = holding_json(&all);
  return status;
}

static rmx_status collect(const cli *c, const rmx_experiment *e, bool dry, rmx_err *err) {
  rmx_strings places = {0};
  holding all = {0};
  json_t *list = json_array();
  rmx_status status = find_places(e, &places, err);
  for (size_t i = 0; i < places.n && status == RMX_OK; i++) {
    holding h = {0};
    status = count_folder(&h, places.items[i], err);
    if (status == RMX_OK && !dry) status = rmx_remove_tree(places.items[i], err);
    if (status != RMX_OK) break;
    if (!c->common.json) print_holding(places.items[i], &h);
    json_t *o = holding_json(&h);
    json_object_set_new(o, "folder", json_string(places.items[i]));
    json_array_append_new(list, o);
    all.runs.runs += h.runs.runs;
    all.runs.wall_s += h.runs.wall_s;
    all.corpora += h.corpora;
    all.bytes += h.bytes;
  }
  if (status == RMX_OK && c->common.json) {
    json_t *o = holding_json(&all);
    json_object_set_new(o, "deleted", json_boolean(!dry));
    json_object_set(o, "folders", list);
    cli_print_json(o);
  } else if (status == RMX_OK) {
    if (places.n == 0)
      puts("nothing was set aside");
    else
      print_holding(dry ? "would be deleted" : "deleted", &all);
  }
  json_decref(list);
  rmx_strings_release(&places);
  return status;
}

static rmx_status run_gc(cli *c, rmx_err *err) {
  const struct gc_args *args = c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, true, &e, err));
  rmx_lock lock = {.fd = -1};
  rmx_status status =
      args->dry_run ? RMX_OK : rmx_folder_lock(e.folder, NULL, &c->listener, &lock, err);
  if (status == RMX_OK && lock.elsewhere)
    status = rmx_fail(err, RMX_EINPUT,
                      "%s: another process prepares or cleans this experiment; nothing was "
                      "deleted. Run `regmix gc` again after its end",
                      e.folder);
  if (status == RMX_OK) status = collect(c, &e, args->dry_run, err);
  rmx_folder_unlock(&lock);
  rmx_experiment_release(&e);
  return status;
}

static const rmx_option options[] = {
    {"dry-run", RMX_BOOL, offsetof(struct gc_args, dry_run), "false", 0, 0, NULL,
     "say what would be deleted, and delete nothing"},
};
const cli_command cli_gc = {
    .name = "gc",
    .words = "",
    .run = run_gc,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct gc_args),
    .summary = "delete finished runs and corpora of settings that are no longer asked for",
    .about =
        "When a setting changes, finished runs and the corpus of the old setting are set aside, "
        "and used again when it returns: "
        "runs/.set-aside/, large/<name>/.set-aside/, compare/.set-aside/, and .set-aside/ for "
        "corpora. This command deletes all that was set aside, "
        "and says how many runs that were, how long they took, and how much room they had. What "
        "the present settings use is not touched.",
    .examples = "  regmix gc -C exp --dry-run\n  regmix gc -C exp\n  regmix gc -C exp --json\n",
};
