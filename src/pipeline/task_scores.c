// SPDX-License-Identifier: Apache-2.0
// eval.tasks: the scores of the models of runs on tasks. Each run keeps them in scores.json, with
// the hashes of the task files and of the model, so only what is new is scored. They become columns
// of metrics.csv.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <regmix/eval.h>

#include "steps.h"

typedef struct task {
  char *path, *name;
  char hash[17];
} task;
struct tasks {
  task *list;  // (n)
  size_t n;
};

static void release_tasks(struct tasks *t) {
  for (size_t i = 0; i < t->n; i++) free(t->list[i].path), free(t->list[i].name);
  free(t->list);
  *t = (struct tasks){0};
}

// ---- the files of the config

static rmx_status add_task(struct tasks *t, const char *path, rmx_err *err) {
  for (size_t i = 0; i < t->n; i++)
    if (strcmp(t->list[i].path, path) == 0) return RMX_OK;
  task *grown = rmx_realloc(t->list, t->n + 1, sizeof *grown);
  if (!grown) return rmx_fail_memory(err, (t->n + 1) * sizeof *grown, "tasks");
  t->list = grown;
  task *one = &t->list[t->n++];
  *one = (task){.path = rmx_strdup(path), .name = rmx_eval_task_name(path)};
  if (!one->path || !one->name) return rmx_fail_memory(err, 0, "tasks");
  for (size_t i = 0; i + 1 < t->n; i++)
    if (strcmp(t->list[i].name, one->name) == 0)
      return rmx_fail(err, RMX_EINPUT, "eval.tasks: %s and %s have the same name \"%s\"",
                      t->list[i].path, path, one->name);
  return RMX_OK;
}

// A file, or a pattern of files.
static rmx_status add_tasks(const rmx_experiment *e, const char *text, struct tasks *t,
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
static rmx_status list_tasks(const rmx_experiment *e, struct tasks *t, rmx_err *err) {
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

// The same with the hash of each file, which reads all of it.
static rmx_status read_tasks(const rmx_experiment *e, struct tasks *t, rmx_err *err) {
  RMX_TRY(list_tasks(e, t, err));
  for (size_t i = 0; i < t->n; i++) {
    uint64_t hash = 0;
    RMX_TRY(rmx__file_hash(t->list[i].path, (uint64_t)e->config.eval.limit, &hash, err));
    rmx__hex(hash, t->list[i].hash);
  }
  return RMX_OK;
}

rmx_status rmx__check_tasks(const rmx_experiment *e, rmx_err *err) {
  RMX_OWNED_BY(release_tasks) struct tasks tasks = {0};
  return read_tasks(e, &tasks, err);
}

bool rmx__is_task_score(const rmx_experiment *e, const char *metric) {
  static const char *const kinds[] = {"acc",           "acc_norm",        "perplexity",
                                      "bits_per_byte", "word_perplexity", "byte_perplexity"};
  const char *slash = strrchr(metric, '/');
  RMX_OWNED_BY(release_tasks) struct tasks tasks = {0};
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

// ---- the model of a run

// The folder of its model: its own, or `model` in it, as trainers of the user's may leave it; NULL:
// there is none. *hash is of the numbers.
static char *model_folder(const rmx_run *r, char hash[17]) {
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
  RMX_OWNED char *folder = model_folder(r, hash);
  return folder != NULL;
}

// ---- scores.json

static json_t *read_scores(const rmx_run *r) {
  RMX_OWNED char *path = rmx_path_in(r->folder, "scores.json");
  json_t *tree = NULL;
  rmx_err ignored;
  if (path && rmx_exists(path) && rmx__json_read(path, &tree, &ignored) == RMX_OK) return tree;
  return json_object();
}

static bool is_scored(const json_t *scores, const task *t, const char *model) {
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
                               const task *const *tasks, size_t n, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(r->folder, "scores.json");
  json_t *files = json_object_get(scores, "files");
  if (!files) json_object_set_new(scores, "files", files = json_object());
  bool good = path && json_object_set_new(scores, "model_hash", json_string(model)) == 0;
  for (size_t i = 0; i < n && good; i++)
    good = json_object_set_new(files, tasks[i]->name, json_string(tasks[i]->hash)) == 0;
  return good ? rmx__json_write(path, scores, err) : rmx_fail_memory(err, 0, "scores");
}

// ---- scoring

static rmx_status score_model(const rmx_pipeline *p, const char *folder, const task *const *tasks,
                              size_t n, json_t **fresh, rmx_err *err) {
  const rmx_kernels *k;
  const rmx_listener quiet = {.context = p->listener.context, .warn = p->listener.warn};
  rmx_lm *m = NULL;
  rmx_tokenizer *t = NULL;
  RMX_OWNED const char **paths = rmx_calloc(n, sizeof *paths);
  if (!paths) return rmx_fail_memory(err, n * sizeof *paths, "tasks");
  for (size_t i = 0; i < n; i++) paths[i] = tasks[i]->path;
  RMX_TRY(rmx_lm_kernels(p->experiment.config.general.isa, &k, err));
  rmx_status status = rmx_lm_open(folder, k, rmx_worker_jobs(&p->experiment), &m, err);
  if (status == RMX_OK) status = rmx_eval_tokenizer(folder, &t, err);
  const rmx_eval_job job = {
      .model = m, .tokenizer = t, .max_items = p->experiment.config.eval.limit, .listener = &quiet};
  if (status == RMX_OK) status = rmx_eval(&job, paths, n, fresh, err);
  rmx_tokenizer_free(t);
  rmx_lm_free(m);
  return status;
}

// Scores what the run, whose model is in `folder`, has not been scored on yet. *done counts runs
// that were.
static rmx_status score_run(const rmx_pipeline *p, const struct tasks *tasks, const rmx_run *r,
                            const char *folder, const char *hash, size_t *done, rmx_err *err) {
  RMX_OWNED const task **open = rmx_calloc(tasks->n, sizeof *open);
  json_auto_t *scores = read_scores(r), *fresh = NULL;
  size_t n = 0;
  if (!open || !scores) return rmx_fail_memory(err, 0, "scores");
  for (size_t i = 0; i < tasks->n; i++)
    if (!is_scored(scores, &tasks->list[i], hash)) open[n++] = &tasks->list[i];
  if (n == 0) return RMX_OK;
  const char *of = json_string_value(json_object_get(scores, "model_hash"));
  if (of && strcmp(of, hash) != 0) json_object_clear(scores);
  if (score_model(p, folder, open, n, &fresh, err) != RMX_OK)
    return rmx_fail_in(err, "run %s", r->name);
  if (!merge(scores, fresh)) return rmx_fail_memory(err, 0, "scores");
  ++*done;
  return write_scores(r, scores, hash, open, n, err);
}

static bool is_done(const rmx_run *r) {
  return rmx_run_look(r, NULL) == RMX_RUN_DONE;
}

rmx_status rmx__score_runs(rmx_pipeline *p, const rmx_run *runs, size_t n, const char *what,
                           rmx_err *err) {
  RMX_OWNED_BY(release_tasks) struct tasks tasks = {0};
  size_t done = 0;
  rmx_few without = {0};
  const double began = rmx_now();
  char time[32];
  RMX_TRY(read_tasks(&p->experiment, &tasks, err));
  for (size_t i = 0; i < n && tasks.n; i++) {
    if (!is_done(&runs[i])) continue;
    char hash[17];
    RMX_OWNED char *folder = model_folder(&runs[i], hash);
    if (folder)
      RMX_TRY(score_run(p, &tasks, &runs[i], folder, hash, &done, err));
    else
      rmx_few_add(&without, runs[i].name);
    rmx_progress(&p->listener, "scores", (double)(i + 1), (double)n, "models", NULL);
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "stopped while models are scored");
  }
  if (done)
    rmx_note(&p->listener, "%s: %zu model%s scored on %zu task%s in %s", what, done, rmx_s(done),
             tasks.n, rmx_s(tasks.n), rmx_duration(rmx_now() - began, time));
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

// ---- as metrics

double rmx__task_score(const json_t *scores, const char *metric) {
  const char *slash = strrchr(metric, '/');
  RMX_OWNED char *name = slash ? rmx_format("%.*s", (int)(slash - metric), metric) : NULL,
                 *key = slash ? rmx_format("%s,none", slash + 1) : NULL;
  const json_t *x =
      name && key ? json_object_get(json_object_get(json_object_get(scores, "results"), name), key)
                  : NULL;
  return json_is_number(x) ? json_number_value(x) : NAN;
}

// The names of the metrics of a task, in the order in which it was scored.
static rmx_status add_names(const json_t *scores, const char *name, rmx_strings *out,
                            rmx_err *err) {
  const char *key;
  json_t *value;
  json_object_foreach(json_object_get(json_object_get(scores, "results"), name), key, value) {
    const char *comma = strchr(key, ',');
    if (!json_is_number(value) || !comma || strstr(key, "_stderr,")) continue;
    RMX_OWNED char *metric = rmx_format("%s/%.*s", name, (int)(comma - key), key);
    bool known = false;
    for (size_t i = 0; metric && i < out->n; i++) known |= strcmp(out->items[i], metric) == 0;
    if (!metric || (!known && !rmx_strings_add(out, metric)))
      return rmx_fail_memory(err, 0, "names of metrics");
  }
  return RMX_OK;
}

rmx_status rmx__task_metrics(const rmx_experiment *e, const rmx_run *runs, size_t n,
                             rmx_strings *names, json_t **scores, rmx_err *err) {
  RMX_OWNED_BY(release_tasks) struct tasks tasks = {0};
  if (e->config.eval.tasks.n) RMX_TRY(read_tasks(e, &tasks, err));
  for (size_t i = 0; i < n && tasks.n; i++) {
    char hash[17];
    RMX_OWNED char *folder = model_folder(&runs[i], hash);
    if (!(scores[i] = read_scores(&runs[i]))) return rmx_fail_memory(err, 0, "scores");
    for (size_t k = 0; k < tasks.n; k++)
      if (folder && is_scored(scores[i], &tasks.list[k], hash))
        RMX_TRY(add_names(scores[i], tasks.list[k].name, names, err));
      else
        json_object_del(json_object_get(scores[i], "results"), tasks.list[k].name);
  }
  return RMX_OK;
}

static rmx_better direction_of(json_t *const *scores, size_t n, const char *metric) {
  const char *slash = strrchr(metric, '/');
  for (size_t i = 0; i < n; i++) {
    RMX_OWNED char *name = rmx_format("%.*s", (int)(slash - metric), metric);
    const json_t *high =
        name ? json_object_get(
                   json_object_get(json_object_get(scores[i], "higher_is_better"), name), slash + 1)
             : NULL;
    if (json_is_boolean(high)) return json_is_true(high) ? RMX_BETTER_HIGH : RMX_BETTER_LOW;
  }
  return rmx_better_by_name(metric);
}

// What is known about a score over the runs: {"chance", "standard_error", "low", "high", "sd"}.
static json_t *facts_of(const rmx_table *t, size_t column, json_t *const *scores, size_t n) {
  const char *metric = t->names[column], *slash = strrchr(metric, '/');
  RMX_OWNED char *name = rmx_format("%.*s", (int)(slash - metric), metric),
                 *error = rmx_format("%s_stderr", metric);
  double low = INFINITY, high = -INFINITY, sum = 0, squares = 0, errors = 0, k = 0, known = 0;
  json_t *o = json_object();
  for (size_t i = 0; i < t->N; i++) {
    const double x = t->x[i * t->D + column];
    if (!isfinite(x)) continue;
    low = fmin(low, x), high = fmax(high, x);
    sum += x, squares += x * x, k++;
  }
  for (size_t i = 0; i < n && name && error; i++) {
    const json_t *chance = json_object_get(json_object_get(scores[i], "chance"), name);
    const double x = rmx__task_score(scores[i], error);
    if (isfinite(x)) errors += x, known++;
    if (json_is_number(chance) && strncmp(slash + 1, "acc", 3) == 0)
      json_object_set(o, "chance", (json_t *)chance);
  }
  if (known > 0) json_object_set_new(o, "standard_error", json_real(errors / known));
  if (k > 0) {
    json_object_set_new(o, "low", json_real(low));
    json_object_set_new(o, "high", json_real(high));
    json_object_set_new(o, "sd", json_real(sqrt(fmax(squares / k - sum / k * sum / k, 0))));
  }
  return o;
}

// Says which accuracies are no better than guessing, or differ less than they are uncertain.
static void tell(const rmx_pipeline *p, const char *metric, const json_t *facts) {
  const json_t *chance = json_object_get(facts, "chance"),
               *error = json_object_get(facts, "standard_error"),
               *high = json_object_get(facts, "high");
  const double se = json_number_value(error), sd = json_number_value(json_object_get(facts, "sd"));
  const bool guesses = chance && json_number_value(high) < json_number_value(chance) + 3 * se,
             same = error && sd < 1.5 * se;
  const char *slash = strrchr(metric, '/');
  if (!json_is_number(high) || strncmp(slash + 1, "acc", 3) != 0 || !(guesses || same)) return;
  char level[48] = "";
  if (chance) snprintf(level, sizeof level, "guessing gives %.3g, ", json_number_value(chance));
  rmx_warn(&p->listener,
           "%s: the runs have %.3g to %.3g; %sthe standard error of one is %.2g. %s; %.*s/"
           "bits_per_byte is the better target for small models",
           metric, json_number_value(json_object_get(facts, "low")), json_number_value(high), level,
           se, guesses ? "That is not clearly better than guessing" : "They differ by little more",
           (int)(slash - metric), metric);
}

// The table with columns for the scores of `names`. scores (n) of the runs.
static rmx_status widen(const rmx_table *t, const rmx_run *runs, size_t n, const rmx_strings *names,
                        json_t *const *scores, rmx_table *out, rmx_err *err) {
  const size_t D = t->D + names->n;
  RMX_TRY(rmx_table_make(out, t->id_name, t->N, D, err));
  if (!(out->better = rmx_calloc(D, sizeof *out->better)))
    return rmx_fail_memory(err, D, "a table");
  for (size_t d = 0; d < D; d++) {
    const char *name = d < t->D ? t->names[d] : names->items[d - t->D];
    if (d >= t->D)
      out->better[d] = direction_of(scores, n, name);
    else if (t->better)
      out->better[d] = t->better[d];
    if (!(out->names[d] = rmx_strdup(name))) return rmx_fail_memory(err, 0, "a name");
  }
  for (size_t i = 0; i < t->N; i++) {
    size_t at = 0;
    while (at < n && strcmp(runs[at].name, t->ids[i]) != 0) at++;
    if (!(out->ids[i] = rmx_strdup(t->ids[i]))) return rmx_fail_memory(err, 0, "a name");
    for (size_t d = 0; d < D; d++)
      out->x[i * D + d] = d < t->D ? t->x[i * t->D + d]
                          : at < n ? rmx__task_score(scores[at], names->items[d - t->D])
                                   : NAN;
  }
  return RMX_OK;
}

static rmx_status add_scores(const rmx_pipeline *p, const rmx_run *runs, size_t n,
                             const rmx_strings *names, json_t *const *scores, rmx_table *t,
                             json_t *facts, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table both = {0};
  if (names->n == 0) return RMX_OK;
  RMX_TRY(widen(t, runs, n, names, scores, &both, err));
  for (size_t k = 0; k < names->n; k++) {
    json_t *o = facts_of(&both, t->D + k, scores, n);
    tell(p, names->items[k], o);
    if (json_object_set_new(facts, names->items[k], o) != 0)
      return rmx_fail_memory(err, 0, "scores");
  }
  const rmx_table had = *t;
  *t = both;
  both = had;
  return RMX_OK;
}

rmx_status rmx__add_task_scores(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_table *t,
                                json_t *facts, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED json_t **scores = rmx_calloc(n, sizeof *scores);
  if (!scores) return rmx_fail_memory(err, n * sizeof *scores, "scores");
  rmx_status status = rmx__task_metrics(&p->experiment, runs, n, &names, scores, err);
  if (status == RMX_OK) status = add_scores(p, runs, n, &names, scores, t, facts, err);
  for (size_t i = 0; i < n; i++) json_decref(scores[i]);
  return status;
}
