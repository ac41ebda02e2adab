// SPDX-License-Identifier: Apache-2.0
// eval.tasks: the models of runs are scored on tasks. Each run keeps its scores in scores.json,
// with the hashes of the task files and of the model, so only what is new is scored.
#include <stdlib.h>
#include <string.h>

#include <regmix/eval.h>

#include "steps.h"
#include "task_scores.h"

// ---- the model of a run

char *rmx__scored_model(const rmx_run *r, char hash[17]) {
  static const char *const parts[] = {"", "model", "hf"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    RMX_OWNED char *folder = *parts[i] ? rmx_path_in(r->folder, parts[i]) : rmx_strdup(r->folder),
                   *path = folder ? rmx_model_path(folder) : NULL;
    uint64_t h = 0;
    rmx_err ignored;
    if (!path || !rmx_exists(path) || rmx__file_hash(path, 0, &h, &ignored) != RMX_OK) continue;
    rmx__hex(h, hash);
    char *found = folder;
    folder = NULL;
    return found;
  }
  return NULL;
}

static bool has_model(const rmx_run *r) {
  char hash[17];
  RMX_OWNED char *folder = rmx__scored_model(r, hash);
  return folder != NULL;
}

// ---- scores.json

json_t *rmx__scores_read(const rmx_run *r) {
  RMX_OWNED char *path = rmx_path_in(r->folder, "scores.json");
  json_t *tree = NULL;
  rmx_err ignored;
  if (path && rmx_exists(path) && rmx__json_read(path, &tree, &ignored) == RMX_OK) return tree;
  return json_object();
}

bool rmx__is_scored(const json_t *scores, const rmx__task *t, const char *model) {
  const char *file = json_string_value(json_object_get(json_object_get(scores, "files"), t->name)),
             *of = json_string_value(json_object_get(scores, "model_hash"));
  return file && of && strcmp(file, t->hash) == 0 && strcmp(of, model) == 0;
}

// Adds the maps of a result to those of the run.
static bool merge(json_t *scores, json_t *fresh) {
  const char *key;
  json_t *value;
  bool good = true;
  json_object_foreach(fresh, key, value) {
    json_t *had = json_object_get(scores, key);
    good &= json_is_object(had) ? json_object_update(had, value) == 0
                                : json_object_set(scores, key, value) == 0;
  }
  return good;
}

static rmx_status write_scores(const rmx_run *r, json_t *scores, const char *model,
                               const rmx__task *const *tasks, size_t n, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(r->folder, "scores.json");
  json_t *files = json_object_get(scores, "files");
  if (!files) json_object_set_new(scores, "files", files = json_object());
  bool good = path && json_object_set_new(scores, "model_hash", json_string(model)) == 0;
  for (size_t i = 0; i < n && good; i++)
    good = json_object_set_new(files, tasks[i]->name, json_string(tasks[i]->hash)) == 0;
  return good ? rmx__json_write(path, scores, err) : rmx_fail_memory(err, 0, "scores");
}

// ---- scoring

// The models of some runs are scored. What several of them warn of is printed once.
struct scoring {
  const rmx_pipeline *p;
  rmx__tasks tasks;
  rmx_strings warned;
  size_t done;  // runs whose model was scored
};

static void release_scoring(struct scoring *s) {
  rmx__tasks_release(&s->tasks);
  rmx_strings_release(&s->warned);
}

static void warn_once(void *context, const char *message) {
  struct scoring *s = context;
  if (rmx_strings_have(&s->warned, message)) return;
  rmx_strings_add(&s->warned, message);
  rmx_warn(&s->p->listener, "%s", message);
}

static rmx_status score_model(struct scoring *s, const char *folder, const rmx__task *const *tasks,
                              size_t n, json_t **fresh, rmx_err *err) {
  const rmx_pipeline *p = s->p;
  const rmx_kernels *k;
  const rmx_listener listener = {.context = s, .warn = warn_once};
  rmx_lm *m = NULL;
  rmx_tokenizer *t = NULL;
  RMX_OWNED const char **paths = rmx_calloc(n, sizeof *paths);
  if (!paths) return rmx_fail_memory(err, n * sizeof *paths, "tasks");
  for (size_t i = 0; i < n; i++) paths[i] = tasks[i]->path;
  RMX_TRY(rmx_lm_kernels(p->experiment.config.general.isa, &k, err));
  rmx_status status = rmx_lm_open(folder, k, rmx_worker_jobs(&p->experiment), &m, err);
  if (status == RMX_OK) status = rmx_eval_tokenizer(folder, &t, err);
  const rmx_eval_job job = {.model = m,
                            .tokenizer = t,
                            .max_items = p->experiment.config.eval.limit,
                            .listener = &listener};
  if (status == RMX_OK) status = rmx_eval(&job, paths, n, fresh, err);
  rmx_tokenizer_free(t);
  rmx_lm_free(m);
  return status;
}

// Scores what the run, whose model is in `folder`, has not been scored on yet.
static rmx_status score_run(struct scoring *s, const rmx_run *r, const char *folder,
                            const char *hash, rmx_err *err) {
  const rmx__tasks *tasks = &s->tasks;
  RMX_OWNED const rmx__task **open = rmx_calloc(tasks->n, sizeof *open);
  json_auto_t *scores = rmx__scores_read(r), *fresh = NULL;
  size_t n = 0;
  if (!open || !scores) return rmx_fail_memory(err, 0, "scores");
  for (size_t i = 0; i < tasks->n; i++)
    if (!rmx__is_scored(scores, &tasks->list[i], hash)) open[n++] = &tasks->list[i];
  if (n == 0) return RMX_OK;
  const char *of = json_string_value(json_object_get(scores, "model_hash"));
  if (of && strcmp(of, hash) != 0) json_object_clear(scores);
  if (score_model(s, folder, open, n, &fresh, err) != RMX_OK)
    return rmx_fail_in(err, "run %s", r->name);
  if (!merge(scores, fresh)) return rmx_fail_memory(err, 0, "scores");
  s->done++;
  return write_scores(r, scores, hash, open, n, err);
}

static bool is_done(const rmx_run *r) {
  return rmx_run_look(r, NULL) == RMX_RUN_DONE;
}

rmx_status rmx__score_runs(rmx_pipeline *p, const rmx_run *runs, size_t n, const char *what,
                           rmx_err *err) {
  RMX_OWNED_BY(release_scoring) struct scoring s = {.p = p};
  rmx_few without = {0};
  const double began = rmx_now();
  char time[32];
  RMX_TRY(rmx__tasks_read(&p->experiment, &s.tasks, err));
  for (size_t i = 0; i < n && s.tasks.n; i++) {
    if (!is_done(&runs[i])) continue;
    char hash[17];
    RMX_OWNED char *folder = rmx__scored_model(&runs[i], hash);
    if (folder)
      RMX_TRY(score_run(&s, &runs[i], folder, hash, err));
    else
      rmx_few_add(&without, runs[i].name);
    rmx_progress(&p->listener, "scores", (double)(i + 1), (double)n, "models", NULL);
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "stopped while models are scored");
  }
  if (s.done)
    rmx_note(&p->listener, "%s: %zu model%s scored on %zu task%s in %s", what, s.done,
             rmx_s(s.done), s.tasks.n, rmx_s(s.tasks.n), rmx_duration(rmx_now() - began, time));
  if (without.n)
    rmx_warn(&p->listener,
             "%s: %zu of %zu run%s %s no model that could be scored: %s; the cells are empty. A "
             "trainer of your own leaves one in its folder (see docs/trainer.md)",
             what, without.n, n, rmx_s(n), rmx_has(without.n), without.text);
  return RMX_OK;
}

rmx_status rmx__agree_to_keep_models(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_err *err) {
  rmx__finished lost = {0};
  if (p->experiment.config.eval.tasks.n == 0) return RMX_OK;
  RMX_TRY(rmx__check_tasks(&p->experiment, err));
  for (size_t i = 0; i < n; i++) {
    json_auto_t *result = NULL;
    rmx_run without = runs[i];
    without.keep_model = false;
    if (rmx_run_look(&without, &result) == RMX_RUN_DONE && !without.training.command &&
        !has_model(&without))
      rmx__count_finished(&lost, result);
  }
  if (p->would) return RMX_OK;
  return rmx__agree(p, &lost,
                    "did not keep their models, which eval.tasks needs, and would be trained again",
                    err);
}
