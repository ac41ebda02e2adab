// SPDX-License-Identifier: Apache-2.0
// The files that eval.tasks names.
#include <stdlib.h>
#include <string.h>

#include <regmix/eval.h>

#include "steps.h"
#include "task_scores.h"

void rmx__tasks_release(rmx__tasks *t) {
  for (size_t i = 0; i < t->n; i++) free(t->list[i].path), free(t->list[i].name);
  free(t->list);
  *t = (rmx__tasks){0};
}

static rmx_status add_task(rmx__tasks *t, const char *path, rmx_err *err) {
  for (size_t i = 0; i < t->n; i++)
    if (strcmp(t->list[i].path, path) == 0) return RMX_OK;
  rmx__task *grown = rmx_realloc(t->list, t->n + 1, sizeof *grown);
  if (!grown) return rmx_fail_memory(err, (t->n + 1) * sizeof *grown, "tasks");
  t->list = grown;
  rmx__task *one = &t->list[t->n++];
  *one = (rmx__task){.path = rmx_strdup(path), .name = rmx_eval_task_name(path)};
  if (!one->path || !one->name) return rmx_fail_memory(err, 0, "tasks");
  for (size_t i = 0; i + 1 < t->n; i++)
    if (strcmp(t->list[i].name, one->name) == 0)
      return rmx_fail(err, RMX_EINPUT, "eval.tasks: %s and %s have the same name \"%s\"",
                      t->list[i].path, path, one->name);
  return RMX_OK;
}

// A file, or a pattern of files.
static rmx_status add_tasks(const rmx_experiment *e, const char *text, rmx__tasks *t,
                            rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings paths = {0};
  RMX_OWNED char *path = rmx_experiment_path(e, text);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (rmx_exists(path)) return add_task(t, path, err);
  RMX_TRY(rmx_glob(path, &paths, err));
  for (size_t i = 0; i < paths.n; i++) RMX_TRY(add_task(t, paths.items[i], err));
  if (paths.n) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "eval.tasks: no file %s; wanted files of tasks or of text (see `regmix help "
                  "eval`), with paths from the folder of the config",
                  path);
}

// "a,b" are two, unless there is a file of that name.
static rmx_status list_tasks(const rmx_experiment *e, rmx__tasks *t, rmx_err *err) {
  const rmx_strings *given = &e->config.eval.tasks;
  for (size_t k = 0; k < given->n; k++) {
    RMX_OWNED char *whole = rmx_experiment_path(e, given->items[k]),
                   *text = rmx_strdup(given->items[k]);
    char *rest = NULL;
    if (!whole || !text) return rmx_fail_memory(err, 0, "a path");
    if (rmx_exists(whole)) {
      RMX_TRY(add_task(t, whole, err));
      continue;
    }
    for (char *one = strtok_r(text, ",", &rest); one; one = strtok_r(NULL, ",", &rest))
      RMX_TRY(add_tasks(e, one, t, err));
  }
  return RMX_OK;
}

rmx_status rmx__tasks_read(const rmx_experiment *e, rmx__tasks *t, rmx_err *err) {
  RMX_TRY(list_tasks(e, t, err));
  for (size_t i = 0; i < t->n; i++) {
    uint64_t hash = 0;
    RMX_TRY(rmx__file_hash(t->list[i].path, (uint64_t)e->config.eval.limit, &hash, err));
    rmx__hex(hash, t->list[i].hash);
  }
  return RMX_OK;
}

rmx_status rmx__check_tasks(const rmx_experiment *e, rmx_err *err) {
  RMX_OWNED_BY(rmx__tasks_release) rmx__tasks tasks = {0};
  return rmx__tasks_read(e, &tasks, err);
}

rmx_status rmx__task_bytes(const rmx_experiment *e, double *bytes, rmx_err *err) {
  RMX_OWNED_BY(rmx__tasks_release) rmx__tasks tasks = {0};
  *bytes = 0;
  RMX_TRY(list_tasks(e, &tasks, err));
  for (size_t i = 0; i < tasks.n; i++) {
    double more = 0;
    RMX_TRY(rmx_eval_bytes(tasks.list[i].path, e->config.eval.limit, &more, err));
    *bytes += more;
  }
  return RMX_OK;
}

bool rmx__is_task_score(const rmx_experiment *e, const char *metric) {
  static const char *const kinds[] = {"acc",           "acc_norm",        "perplexity",
                                      "bits_per_byte", "word_perplexity", "byte_perplexity"};
  const char *slash = strrchr(metric, '/');
  RMX_OWNED_BY(rmx__tasks_release) rmx__tasks tasks = {0};
  rmx_err ignored;
  bool kind = false, known = false;
  for (size_t k = 0; slash && k < sizeof kinds / sizeof *kinds; k++)
    kind = kind || strcmp(slash + 1, kinds[k]) == 0;
  if (!kind || list_tasks(e, &tasks, &ignored) != RMX_OK) return false;
  for (size_t i = 0; i < tasks.n; i++) {
    const size_t n = strlen(tasks.list[i].name);
    known = known || ((size_t)(slash - metric) == n && memcmp(metric, tasks.list[i].name, n) == 0);
  }
  return known;
}
