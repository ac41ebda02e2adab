// SPDX-License-Identifier: Apache-2.0
#include "launches.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/call.h"
#include "base/json.h"
#include "pipeline/steps.h"

// ASK_S: a controller that is down lets squeue wait. STARTING_S: a task that says it runs may not
// have a run yet.
enum { ASK_S = 10, STARTING_S = 60, MOST_TASKS = 1 << 20 };

const char *const rmx__task_state_names[] = {"pending", "running", "done", "failed", "preempted"};

// ---- what Slurm says of a task

enum said { NOTHING, WAITS, RUNS, ENDED, PREEMPTED };
static enum said meaning(const char *word) {
  static const struct {
    const char *word;
    enum said said;
  } words[] = {{"PENDING", WAITS},      {"REQUEUED", WAITS},      {"REQUEUE_HOLD", WAITS},
               {"SPECIAL_EXIT", WAITS}, {"REQUEUE_FED", WAITS},   {"RUNNING", RUNS},
               {"CONFIGURING", RUNS},   {"COMPLETING", RUNS},     {"STAGE_OUT", RUNS},
               {"SIGNALING", RUNS},     {"STOPPED", RUNS},        {"SUSPENDED", RUNS},
               {"RESIZING", RUNS},      {"PREEMPTED", PREEMPTED}, {"RESV_DEL_HOLD", WAITS}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strncmp(word, words[i].word, strlen(words[i].word)) == 0) return words[i].said;
  return ENDED;
}

// Whether this is the word of a state, whatever it means.
static bool is_state(const char *word) {
  return word[0] && strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(word);
}

// Lines "TASK STATE REASON" of squeue; "N/A" for TASK of a job without tasks, which counts as task
// 0. How many it understood. why: why the first task that waits does.
static size_t take_queue(const char *text, enum said *said, size_t tasks, char why[RMX__REASON]) {
  size_t n = 0;
  for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
    char task[24], state[40], *end = task;
    if (sscanf(at, "%23s%*[ \t]%39s", task, state) != 2 || !is_state(state)) continue;
    const unsigned long i = strcmp(task, "N/A") == 0 ? 0 : strtoul(task, &end, 10);
    if (strcmp(task, "N/A") != 0 && (*end || end == task)) continue;
    if (i < tasks) said[i] = meaning(state);
    if (i < tasks && said[i] == WAITS && !*why) sscanf(at, "%*s%*[ \t]%*s%*[ \t]%79[^\r\n]", why);
    n++;
  }
  return n;
}

// Lines "JOB_TASK|STATE" of sacct, for tasks that the queue has forgotten. How many it understood.
static size_t take_account(const char *text, enum said *said, size_t tasks) {
  size_t n = 0;
  for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
    unsigned long job, i;
    char state[40];
    if (sscanf(at, "%lu_%lu|%39[A-Z_]", &job, &i, state) != 3) {
      i = 0;  // a job without tasks
      if (sscanf(at, "%lu|%39[A-Z_]", &job, state) != 2) continue;
    }
    const enum said now = meaning(state);
    // what the accounts hold for alive is not in the queue
    if (i < tasks && said[i] == NOTHING) said[i] = now == PREEMPTED ? PREEMPTED : ENDED;
    n++;
  }
  return n;
}

// said (tasks) of a job. False: Slurm cannot be asked, or its answer cannot be understood. *silent:
// nor can it be asked again.
static bool ask_slurm(const char *job, enum said *said, size_t tasks, char why[RMX__REASON],
                      bool *silent) {
  const char *const queue[] = {"squeue", "-h",       "-r", "-t", "all",
                               "-o",     "%K %T %r", "-j", job,  NULL};
  const char *const account[] = {"sacct", "-n", "-P", "-X", "-o", "JobID,State", "-j", job, NULL};
  RMX_OWNED_BY(rmx__reply_release) struct rmx__reply q = {0}, a = {0};
  rmx_err ignored;
  *silent = *silent || rmx__call(queue, ASK_S, &q, &ignored) != RMX_OK || q.missing || q.timed_out;
  if (*silent) return false;
  const bool forgotten = q.errors.data && strstr(q.errors.data, "Invalid job id");
  if (q.code != 0 && !forgotten) return false;
  bool answered = take_queue(rmx__reply_text(&q), said, tasks, why) > 0 || forgotten;
  if (!answered && strspn(rmx__reply_text(&q), " \r\n") != q.text.size) return false;
  bool all = true;
  for (size_t i = 0; i < tasks; i++) all = all && said[i] != NOTHING;
  if (!all && rmx__call(account, ASK_S, &a, &ignored) == RMX_OK && a.code == 0)
    answered = take_account(rmx__reply_text(&a), said, tasks) > 0 || answered;
  return answered;
}

// ---- what the folder says of a task

struct mark {
  bool there, running;
  int code;
  double age_s;
};
static struct mark read_mark_in(const char *path) {
  struct mark m = {0};
  struct stat info;
  FILE *f = path ? rmx_fopen(path, "r") : NULL;
  char word[16] = "";
  if (!f) return m;
  m.there = fscanf(f, "%15s %d", word, &m.code) >= 1;
  m.running = strcmp(word, "running") == 0;
  if (fstat(fileno(f), &info) == 0) m.age_s = fabs(difftime(time(NULL), info.st_mtime));
  fclose(f);
  return m;
}

static struct mark read_mark(const struct rmx__launch *l, size_t task) {
  RMX_OWNED char *path = rmx_format("%s/%zu.state", l->folder, task);
  return read_mark_in(path);
}

// STOPPED: the exit codes of a program that was asked to stop, with checkpoints.
static bool stopped(const struct mark *m) {
  return m->there && !m->running && (m->code == 75 || m->code == 130);
}

// It trained its runs, though perhaps with other settings than those of today.
static bool succeeded(const struct mark *m) {
  return m->there && !m->running && m->code == 0;
}

// A task that is not done. claimed: somebody trains a run of it.
static rmx__task_state state_of(const struct mark *m, bool asked, enum said said, bool claimed) {
  if (said == WAITS) return RMX__TASK_PENDING;
  if (said == RUNS) return RMX__TASK_RUNNING;
  if (said == PREEMPTED) return RMX__TASK_PREEMPTED;
  if (said == ENDED || (asked && !m->there)) return RMX__TASK_FAILED;
  if (!m->there) return RMX__TASK_PENDING;
  if (stopped(m)) return RMX__TASK_PREEMPTED;
  const bool starting = !asked && m->age_s < STARTING_S;
  return m->running && (claimed || starting) ? RMX__TASK_RUNNING : RMX__TASK_FAILED;
}

// ---- launches

static void release_launch(struct rmx__launch *l) {
  free(l->folder), free(l->job), free(l->then), free(l->runs);
  json_decref(l->answers);
}

static char *text_of(const json_t *tree, const char *key) {
  const char *text = json_string_value(json_object_get(tree, key));
  return text ? rmx_strdup(text) : NULL;
}

// The path and the number of the experiment's folder.
void rmx__launch_put_place(const char *experiment, json_t *o) {
  struct stat info;
  if (stat(experiment, &info) != 0) return;
  json_object_set_new(o, "experiment", json_string(experiment));
  json_object_set_new(o, "inode", json_integer((json_int_t)info.st_ino));
}

// The record came with a copy of the experiment: its tasks work in the other folder. One folder may
// have several paths, on several machines; then its number is the same.
static bool is_of_copy(const rmx_experiment *e, const json_t *record) {
  const json_t *path = json_object_get(record, "experiment");
  json_auto_t *here = json_object();
  RMX_OWNED char *real = path ? rmx_realpath(e->folder) : NULL;
  if (real) rmx__launch_put_place(real, here);
  return json_object_size(here) && !json_equal(path, json_object_get(here, "experiment")) &&
         !json_equal(json_object_get(record, "inode"), json_object_get(here, "inode"));
}

// *good: false if Slurm did not take it, or if it is of another folder. A record that cannot be
// read now is an error: what it is of may be in the queue.
static rmx_status read_launch(const rmx_experiment *e, const char *folder, const char *name,
                              const rmx_run *runs, size_t n, struct rmx__launch *l, bool *good,
                              rmx_err *err) {
  char *end;
  json_auto_t *tree = NULL;
  rmx_err ignored;
  *good = false;
  *l = (struct rmx__launch){.number = strtol(name, &end, 10), .folder = rmx_path_in(folder, name)};
  RMX_OWNED char *json = l->folder ? rmx_path_in(l->folder, "launch.json") : NULL,
                 *list = l->folder ? rmx_path_in(l->folder, "runs.txt") : NULL;
  l->runs = rmx_calloc(n, sizeof *l->runs);
  if (!list || !l->runs) return rmx_fail_memory(err, n * sizeof *l->runs, "a launch");
  if (*end || l->number <= 0 || !rmx_exists(json)) return RMX_OK;
  const rmx_status status = rmx__json_read(json, &tree, err);
  if (status != RMX_OK) return status == RMX_EINPUT ? RMX_OK : status;
  l->tasks = (size_t)json_integer_value(json_object_get(tree, "tasks"));
  l->job = text_of(tree, "job"), l->then = text_of(tree, "then");
  l->answers = json_incref(json_object_get(tree, "answers"));
  *good = l->job && l->tasks <= MOST_TASKS && !is_of_copy(e, tree) &&
          rmx__runs_in_file(list, runs, n, l->runs, &l->n, &ignored) == RMX_OK;
  return RMX_OK;
}

static int older(const void *a, const void *b) {
  const struct rmx__launch *x = a, *y = b;
  return x->number < y->number ? -1 : x->number > y->number;
}

static rmx_status read_all(const rmx_experiment *e, const rmx_run *runs, size_t n,
                           struct rmx__launches *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED char *folder = rmx_experiment_path(e, RMX__LAUNCHES);
  if (!folder) return rmx_fail_memory(err, 0, "a path");
  out->queued = rmx_calloc(n, sizeof *out->queued);
  if (rmx_exists(folder)) RMX_TRY(rmx_list(folder, &names, err));
  out->items = rmx_calloc(names.n, sizeof *out->items);
  if (!out->queued || !out->items) return rmx_fail_memory(err, n, "the launches");
  for (size_t i = 0; i < names.n; i++) {
    struct rmx__launch *l = &out->items[out->n];
    bool good;
    const rmx_status status = read_launch(e, folder, names.items[i], runs, n, l, &good, err);
    if (good)
      out->n++;
    else
      release_launch(l);
    RMX_TRY(status);
  }
  qsort(out->items, out->n, sizeof *out->items, older);
  return RMX_OK;
}

struct look {
  const rmx_run *runs;
  const rmx_run_state *states;  // of the runs
  bool *later;                  // (runs) a later launch has the run
  bool *queued;
  bool *silent;  // Slurm did not answer
  bool *then;    // a later launch has a job for the steps after training
};

// A task in the queue would train this run with other settings.
static bool is_other(const struct rmx__launch *l, const rmx_run *r) {
  const char *answers = json_string_value(json_object_get(l->answers, r->name));
  char now[17];
  rmx_run_fingerprint(r, now);
  return answers && strcmp(answers, now) != 0;
}

static void count_task(struct rmx__launch *l, size_t task, enum said said, const struct look *k) {
  const struct mark m = read_mark(l, task);
  bool done = true, claimed = false, taken_over = true;
  for (size_t j = task; j < l->n; j += l->tasks) {
    const size_t run = l->runs[j];
    const bool ended =
        k->states[run] >= RMX_RUN_DIVERGED || (k->states[run] == RMX_RUN_OUTDATED && succeeded(&m));
    done = done && ended;
    claimed = claimed || k->states[run] == RMX_RUN_RUNNING;
    taken_over = taken_over && (ended || k->later[run]);
  }
  // What is in the queue may train with other settings than those that the runs are done with.
  const bool queued = said == WAITS || (said == RUNS && (!m.there || m.running));
  const rmx__task_state state =
      done && !queued ? RMX__TASK_DONE : state_of(&m, l->asked, said, claimed);
  // A later launch took only what was not in the queue.
  const bool live =
      said == WAITS || said == RUNS ||
      (!l->asked && !taken_over && (state == RMX__TASK_PENDING || state == RMX__TASK_RUNNING));
  l->live = l->live || live;
  for (size_t j = task; j < l->n && live; j += l->tasks) {
    k->queued[l->runs[j]] = k->queued[l->runs[j]] || k->states[l->runs[j]] < RMX_RUN_DIVERGED;
    l->other = l->other || is_other(l, &k->runs[l->runs[j]]);
  }
  if (done || live || !taken_over) l->count[state]++;
}

// The job after it; its script writes how it stands to then.state.
static void look_at_then(struct rmx__launch *l, const struct look *k) {
  if (!l->then || *k->then) return;
  RMX_OWNED char *path = rmx_path_in(l->folder, "then.state");
  const struct mark m = read_mark_in(path);
  enum said said = NOTHING;
  *k->then = l->then_counts = true;
  const bool asked = !succeeded(&m) && ask_slurm(l->then, &said, 1, l->then_why, k->silent);
  l->then_state = succeeded(&m)         ? RMX__TASK_DONE
                  : !asked && m.running ? RMX__TASK_RUNNING
                                        : state_of(&m, asked, said, false);
}

// Whether Slurm may have a task of it, by the folder.
static bool may_be_queued(const struct rmx__launch *l) {
  for (size_t task = 0; task < l->tasks; task++) {
    const struct mark m = read_mark(l, task);
    if (!m.there || m.running || stopped(&m)) return true;
  }
  return false;
}

static rmx_status count_tasks(struct rmx__launch *l, const struct look *k, rmx_err *err) {
  RMX_OWNED enum said *said = rmx_calloc(l->tasks + 1, sizeof *said);
  if (!said) return rmx_fail_memory(err, l->tasks * sizeof *said, "the tasks of a job");
  bool left = false;
  for (size_t j = 0; j < l->n && l->tasks; j++)
    left = left || k->states[l->runs[j]] < RMX_RUN_DIVERGED;
  l->asked = l->tasks && (left || may_be_queued(l)) &&
             ask_slurm(l->job, said, l->tasks, l->why, k->silent);
  look_at_then(l, k);
  for (size_t task = 0; task < l->tasks; task++) count_task(l, task, said[task], k);
  for (size_t j = 0; j < l->n; j++) k->later[l->runs[j]] = true;
  return RMX_OK;
}

rmx_status rmx__launches_look(const rmx_experiment *e, const rmx_run *runs, size_t n,
                              struct rmx__launches *out, rmx_err *err) {
  *out = (struct rmx__launches){0};
  RMX_TRY(read_all(e, runs, n, out, err));
  if (out->n == 0) return RMX_OK;
  RMX_OWNED rmx_run_state *states = rmx_calloc(n, sizeof *states);
  RMX_OWNED bool *later = rmx_calloc(n, sizeof *later);
  if (!states || !later) return rmx_fail_memory(err, n * sizeof *states, "the states of the runs");
  for (size_t i = 0; i < n; i++) states[i] = rmx_run_look(&runs[i], NULL);
  bool silent = false, then = false;
  const struct look k = {runs, states, later, out->queued, &silent, &then};
  for (size_t i = out->n; i-- > 0;) RMX_TRY(count_tasks(&out->items[i], &k, err));
  if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "stopped while Slurm was asked");
  return RMX_OK;
}

void rmx__launches_release(struct rmx__launches *l) {
  for (size_t i = 0; i < l->n; i++) release_launch(&l->items[i]);
  free(l->items), free(l->queued);
  *l = (struct rmx__launches){0};
}

static void put_reason(json_t *o, const char *key, char why[RMX__REASON]) {
  rmx_make_printable(why, "");
  if (*why && strcmp(why, "None") != 0) json_object_set_new(o, key, json_string(why));
}

json_t *rmx__launches_json(const struct rmx__launches *l) {
  json_t *list = json_array();
  for (size_t i = 0; i < l->n; i++) {
    struct rmx__launch *x = &l->items[i];
    size_t shown = 0;
    json_t *o = json_pack("{s:I, s:s, s:b}", "launch", (json_int_t)x->number, "job", x->job,
                          "slurm_answered", x->asked);
    for (int s = 0; s < RMX__TASK_STATES; s++) {
      json_object_set_new(o, rmx__task_state_names[s], json_integer((json_int_t)x->count[s]));
      shown += x->count[s];
    }
    if (x->then) json_object_set_new(o, "then", json_string(x->then));
    if (x->then_counts) {
      RMX_OWNED char *log = rmx_path_in(x->folder, "then.txt");
      json_object_set_new(o, "then_state", json_string(rmx__task_state_names[x->then_state]));
      json_object_set_new(o, "then_log", log ? json_string(log) : json_null());
    }
    put_reason(o, "reason", x->why);
    put_reason(o, "then_reason", x->then_why);
    if (shown || x->then_counts)
      json_array_append_new(list, o);
    else
      json_decref(o);
  }
  return list;
}
