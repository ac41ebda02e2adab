// SPDX-License-Identifier: Apache-2.0
// Gives the runs that are not done to Slurm, as an array of tasks.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/c_number.h"
#include "base/call.h"
#include "base/json.h"
#include "base/path.h"
#include "launches.h"
#include "pipeline/steps.h"
#include "request.h"
#include "sbatch.h"
#include "script.h"
#include "swarm/cost.h"

// MOST_TASKS: of an array, unless --tasks is given (Slurm's own limit is 1001 unless it is set up
// otherwise).
enum { MOST_TASKS = 256, LEAST_NOTICE_S = 120 };

struct launch {
  rmx_pipeline *p;
  const rmx_launch_request *request;
  const rmx_run *runs;
  size_t n, *chosen, m;  // (m) the runs to submit, in the order of the tasks
  size_t done, queued, held;
  struct rmx__launches earlier;
  struct rmx__slurm_job job;
  rmx_buf script, then;
  char *folder, *experiment;
  char *job_id, *then_id;
  rmx_strings hidden;  // variables that sbatch does not get
  rmx_lock lock;
  bool locked;
};

// ---- which runs

static rmx_status choose(struct launch *l, rmx_err *err) {
  RMX_OWNED size_t *order = rmx_calloc(l->n, sizeof *order);
  l->chosen = rmx_calloc(l->n, sizeof *l->chosen);
  if (!order || !l->chosen) return rmx_fail_memory(err, l->n * sizeof *order, "a list of runs");
  rmx__longest_first(l->runs, l->n, order);
  for (size_t k = 0; k < l->n; k++) {
    const rmx_run *r = &l->runs[order[k]];
    bool back = false;
    rmx_run_state state = rmx_run_look(r, NULL);
    if (!l->request->dry_run && state < RMX_RUN_DIVERGED && state != RMX_RUN_RUNNING)
      RMX_TRY(rmx_run_take_back(r, &back, err));
    if (back) state = rmx_run_look(r, NULL);
    if (state >= RMX_RUN_DIVERGED)
      l->done++;
    else if (l->earlier.queued && l->earlier.queued[order[k]])
      l->queued++;
    else if (state == RMX_RUN_RUNNING)
      l->held++;
    else
      l->chosen[l->m++] = order[k];
    l->job.redo = l->job.redo || state == RMX_RUN_OUTDATED;
  }
  return RMX_OK;
}

// Seconds of a time as Slurm reads it: M, M:S, H:M:S, D-H, D-H:M, D-H:M:S; 0: not known.
static double limit_s(const char *text) {
  double x[3] = {0}, days = 0;
  const char *dash = text ? strchr(text, '-') : NULL;
  if (!text || !isdigit((unsigned char)*text)) return 0;
  if (dash) days = rmx__strtod(text, NULL);
  const int n = sscanf(dash ? dash + 1 : text, "%lf:%lf:%lf", &x[0], &x[1], &x[2]);
  if (dash) return 86400 * days + 3600 * x[0] + 60 * x[1] + x[2];
  return n == 3 ? 3600 * x[0] + 60 * x[1] + x[2] : 60 * x[0] + x[1];
}

static void set_up(struct launch *l) {
  const rmx_training *t = &l->p->experiment.config.proxy;
  const rmx_launch_request *r = l->request;
  struct rmx__slurm_job *j = &l->job;
  const int64_t threads = t->threads > 0 ? t->threads : 1;
  const bool pytorch = rmx_training_is_pytorch(t);
  const size_t wanted = r->gpus    ? (size_t)r->gpus
                        : r->tasks ? (size_t)r->tasks
                        : pytorch  ? 1
                                   : MOST_TASKS;
  j->runs = l->m, j->all = l->n;
  j->tasks = wanted < l->m ? wanted : l->m;
  j->gpu = r->gpus > 0;
  j->cpus = r->cpus ? r->cpus : threads;
  const int64_t large = l->p->experiment.config.large.threads;
  j->then_cpus = large > j->cpus ? large : j->cpus;
  // one process for a GPU, which has all runs of its task
  j->jobs = j->gpu || pytorch || j->cpus < threads ? 1 : j->cpus / threads;
  const double limit = limit_s(r->time),
               notice = LEAST_NOTICE_S + (rmx_training_is_outside(t) ? t->grace_s : 0);
  j->notice_s = (int64_t)(limit > 0 && notice > limit / 2 ? limit / 2 : notice);
  if (j->notice_s < 1) j->notice_s = 1;
}

// ---- its folder

// The launch with the last job for the steps after training; NULL: there is none.
static const struct rmx__launch *last_then(const struct launch *l) {
  for (size_t i = 0; i < l->earlier.n; i++)
    if (l->earlier.items[i].then_counts) return &l->earlier.items[i];
  return NULL;
}

static bool any_live(const struct launch *l) {
  for (size_t i = 0; i < l->earlier.n; i++)
    if (l->earlier.items[i].live) return true;
  return false;
}

// A job for the steps after training is to be submitted. One that waits does not wait for the new
// tasks, and so it is replaced. One that waits for no task of ours may wait for ever.
static bool wants_then(const struct launch *l) {
  const struct rmx__launch *t = last_then(l);
  const bool waits = t && t->then_state == RMX__TASK_PENDING,
             runs = t && t->then_state == RMX__TASK_RUNNING;
  if (!l->m && (runs || (waits && any_live(l)))) return false;
  return l->request->then || (waits && l->m);
}

// An earlier script that Slurm may have: the same runs are not submitted twice without a word.
static rmx_status check_known(const struct launch *l, rmx_err *err) {
  const bool array = l->m && rmx__exists_in(l->folder, "array.sh" RMX__ASKED);
  if (l->request->dry_run ||
      !(array || (wants_then(l) && rmx__exists_in(l->folder, "then.sh" RMX__ASKED))))
    return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "it is not known whether Slurm took %s/%s.sh, since sbatch was stopped or gave "
                  "no clear answer. Look with `squeue --me`, and end what is there of it with "
                  "scancel. Then remove %s/%s.sh" RMX__ASKED " and give the same command again",
                  l->folder, array ? "array" : "then", l->folder, array ? "array" : "then");
}

// The first number whose launch Slurm did not take.
static rmx_status choose_folder(struct launch *l, rmx_err *err) {
  for (long k = 1;; k++) {
    free(l->folder);
    l->folder = rmx_format("%s/" RMX__LAUNCHES "/%ld", l->experiment, k);
    if (!l->folder) return rmx_fail_memory(err, 0, "a path");
    RMX_TRY(check_known(l, err));
    if (!rmx__exists_in(l->folder, "launch.json") &&
        !rmx__exists_in(l->folder, "array.sh" RMX__ASKED) &&
        !rmx__exists_in(l->folder, "then.sh" RMX__ASKED))
      return RMX_OK;
  }
}

static rmx_status write_in(const char *folder, const char *name, const rmx_buf *text,
                           rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, name);
  if (text->failed || !path) return rmx_fail_memory(err, text->size, "a script");
  return rmx_write_file(path, text->data ? text->data : "", text->size, err);
}

static rmx_status write_files(struct launch *l, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf list = {0};
  for (size_t k = 0; k < l->m; k++) rmx_buf_printf(&list, "%s\n", l->runs[l->chosen[k]].name);
  RMX_TRY(rmx_remove_tree(l->folder, err));  // of a launch that was refused
  RMX_TRY(rmx_mkdirs(l->folder, err));
  RMX_TRY(write_in(l->folder, "runs.txt", &list, err));
  RMX_TRY(write_in(l->folder, "array.sh", &l->script, err));
  return l->then.size ? write_in(l->folder, "then.sh", &l->then, err) : RMX_OK;
}

static rmx_status write_record(const struct launch *l, rmx_err *err) {
  json_auto_t *o =
      json_pack("{s:s, s:I}", "job", l->job_id ? l->job_id : "", "tasks", (json_int_t)l->job.tasks);
  json_t *answers = json_object();
  for (size_t k = 0; k < l->m; k++) {
    const rmx_run *r = &l->runs[l->chosen[k]];
    char fingerprint[17];
    rmx_run_fingerprint(r, fingerprint);
    json_object_set_new(answers, r->name, json_string(fingerprint));
  }
  json_object_set_new(o, "answers", answers);
  rmx__launch_put_place(l->experiment, o);
  if (l->then_id) json_object_set_new(o, "then", json_string(l->then_id));
  RMX_OWNED char *path = rmx_path_in(l->folder, "launch.json");
  return path ? rmx__json_write(path, o, err) : rmx_fail_memory(err, 0, "a path");
}

// ---- sbatch

// Submits a script; *id: the number of the job. after: "--dependency=...", or NULL. An answer
// that is known goes into launch.json.
static rmx_status submit(struct launch *l, const char *name, const char *after, char **id,
                         rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(l->folder, name);
  RMX_OWNED char *asked = path ? rmx_format("%s" RMX__ASKED, path) : NULL;
  const char *words[] = {"sbatch", "--parsable", path, NULL, NULL, NULL};
  bool known = true;
  if (!path || !asked) return rmx_fail_memory(err, 0, "a path");
  if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "stopped before sbatch");
  if (after) words[2] = after, words[3] = "--kill-on-invalid-dep=yes", words[4] = path;
  RMX_TRY(rmx_write_file(asked, "", 0, err));
  rmx_note(&l->p->listener, "launch: gives %s to sbatch", path);
  const rmx_status status = rmx__sbatch(words, &l->hidden, path, id, &known, err);
  if (status == RMX_OK && write_record(l, err) != RMX_OK)  // `asked` stays
    return rmx_fail_in(err,
                       "Slurm took %s as job %s, but that is not recorded. End it with `scancel "
                       "%s`, then remove %s and give the same command again. The cause",
                       path, *id, *id, asked);
  if (known) unlink(asked);
  return status;
}

// "--dependency=afterany:1:2" of this launch and of earlier ones with tasks that are not done.
// NULL: there is none.
static char *dependency(const struct launch *l) {
  rmx_buf out = {0};
  for (size_t i = 0; i < l->earlier.n; i++)
    if (l->earlier.items[i].live) rmx_buf_printf(&out, ":%s", l->earlier.items[i].job);
  if (l->job_id) rmx_buf_printf(&out, ":%s", l->job_id);
  char *text = out.size ? rmx_format("--dependency=afterany%s", out.data) : NULL;
  rmx_buf_release(&out);
  return text;
}

// A job for the steps after training whose place another one has taken.
static void end_older_then(const struct launch *l) {
  const struct rmx__launch *t = last_then(l);
  if (!t || t->then_state != RMX__TASK_PENDING) return;
  const char *const words[] = {"scancel", t->then, NULL};
  RMX_OWNED_BY(rmx__reply_release) struct rmx__reply r = {0};
  rmx_err ignored;
  if (rmx__call(words, RMX__SUBMIT_S, &r, &ignored) == RMX_OK && !r.missing && r.code == 0)
    rmx_note(&l->p->listener,
             "launch: job %s takes the place of job %s, which did not wait for these tasks",
             l->then_id, t->then);
  else
    rmx_warn(&l->p->listener,
             "job %s takes the place of job %s, which could not be ended: %s; end it with `scancel "
             "%s`",
             l->then_id, t->then, rmx__reply_why(&r), t->then);
}

static rmx_status submit_all(struct launch *l, rmx_err *err) {
  RMX_TRY(rmx__sbatch_hidden(l->request, &l->p->listener, &l->hidden, err));
  RMX_TRY(write_files(l, err));
  if (l->m) RMX_TRY(submit(l, "array.sh", NULL, &l->job_id, err));
  if (!l->then.size) return RMX_OK;
  RMX_OWNED char *after = dependency(l);
  if (submit(l, "then.sh", after, &l->then_id, err) == RMX_OK) {
    end_older_then(l);
    return RMX_OK;
  }
  return rmx_fail_in(err, "the training is submitted%s%s. The job after it",
                     l->job_id ? " as job " : "", l->job_id ? l->job_id : "");
}

// ---- all of it

static void tell_then(const struct launch *l) {
  const struct rmx__launch *t = last_then(l);
  if (!t || l->then.size || t->then_state == RMX__TASK_DONE) return;
  if (t->then_state == RMX__TASK_PENDING || t->then_state == RMX__TASK_RUNNING)
    rmx_note(&l->p->listener, "launch: job %s, the steps after training, is %s", t->then,
             rmx__task_state_names[t->then_state]);
  else
    rmx_note(&l->p->listener,
             "launch: job %s, the steps after training, did not succeed; --then submits them again",
             t->then);
}

// Tasks in the queue and those of this launch would set aside what the others made.
static rmx_status check_settings(const struct launch *l, rmx_err *err) {
  const struct rmx__launch *other = NULL;
  for (size_t i = 0; i < l->earlier.n; i++)
    if (l->earlier.items[i].other) other = &l->earlier.items[i];
  if (!other || (!l->m && !l->queued)) return RMX_OK;
  if (!l->request->dry_run)
    return rmx_fail(err, RMX_EINPUT,
                    "job %s has tasks in the queue that train these runs with other settings. End "
                    "them with `scancel %s`, or give the settings that they were launched with. "
                    "Nothing was submitted",
                    other->job, other->job);
  rmx_warn(&l->p->listener,
           "job %s has tasks in the queue that train these runs with other settings; nothing can "
           "be submitted until they have ended",
           other->job);
  return RMX_OK;
}

static void tell_left_out(const struct launch *l) {
  if (l->queued)
    rmx_note(&l->p->listener, "launch: %zu run%s %s in the queue already", l->queued,
             rmx_s((double)l->queued), rmx_is((double)l->queued));
  if (l->held)
    rmx_note(&l->p->listener, "launch: %zu run%s %s being trained by other processes", l->held,
             rmx_s((double)l->held), rmx_is((double)l->held));
  if (!l->m)
    rmx_note(&l->p->listener, "launch: %zu of %zu run%s %s done, and there is nothing to submit",
             l->done, l->n, rmx_s((double)l->n), rmx_is((double)l->done));
  for (size_t i = 0; i < l->earlier.n; i++)
    if (l->earlier.items[i].live && !l->earlier.items[i].asked)
      rmx_warn(&l->p->listener,
               "Slurm did not say which tasks of job %s are in the queue; by the folder some are",
               l->earlier.items[i].job);
}

// sbatch reads the path of the logs: a quote ends it, and after a backslash it expands no %a.
static rmx_status check_path(const char *path, rmx_err *err) {
  const char *bad = strpbrk(path, "\n\"\\");
  return !bad ? RMX_OK
              : rmx_fail(err, RMX_EINPUT,
                         "%s: sbatch cannot write logs to a path with %s in it; rename the folder",
                         path,
                         *bad == '"'    ? "a quote (\")"
                         : *bad == '\n' ? "a new line"
                                        : "a backslash");
}

static rmx_status make_scripts(struct launch *l, rmx_err *err) {
  struct rmx__slurm_job *j = &l->job;
  l->experiment = rmx_realpath(l->p->experiment.folder);
  RMX_OWNED char *program = rmx_realpath(l->p->program);
  if (!l->experiment || !program) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(check_path(l->experiment, err));
  RMX_TRY(choose_folder(l, err));
  j->p = l->p, j->request = l->request;
  j->experiment = l->experiment, j->program = program, j->folder = l->folder;
  set_up(l);
  if (l->m) rmx__slurm_array(j, &l->script);
  if (wants_then(l)) rmx__slurm_then(j, &l->then);
  return l->script.failed || l->then.failed ? rmx_fail_memory(err, 0, "a script") : RMX_OK;
}

static json_t *launched_json(const struct launch *l) {
  json_t *o =
      json_pack("{s:I, s:I, s:I, s:I}", "runs", (json_int_t)l->m, "tasks", (json_int_t)l->job.tasks,
                "done", (json_int_t)l->done, "queued", (json_int_t)(l->queued + l->held));
  json_object_set_new(o, "script", l->script.size ? json_string(l->script.data) : json_null());
  json_object_set_new(o, "then_script", l->then.size ? json_string(l->then.data) : json_null());
  json_object_set_new(o, "folder", l->m ? json_string(l->folder) : json_null());
  json_object_set_new(o, "job", l->job_id ? json_string(l->job_id) : json_null());
  json_object_set_new(o, "then", l->then_id ? json_string(l->then_id) : json_null());
  return o;
}

// From looking at the queue to the answer of sbatch, one launch at a time.
static rmx_status lock_launches(struct launch *l, rmx_err *err) {
  RMX_OWNED char *folder = rmx_experiment_path(&l->p->experiment, RMX__LAUNCHES);
  if (!folder) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx_mkdirs(folder, err));
  RMX_TRY(rmx_folder_lock(folder, NULL, &l->p->listener, &l->lock, err));
  l->locked = !l->lock.elsewhere;
  if (l->locked) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "another launch of %s is under way, so this one submitted nothing; wait until it "
                  "has ended, and give the same command again",
                  l->p->experiment.folder);
}

static rmx_status check_mixtures(const struct launch *l, const rmx_corpus *corpus, rmx_err *err) {
  if (!rmx__mixtures_are_stale(&l->p->experiment, corpus)) return RMX_OK;
  if (!l->request->dry_run)
    return rmx_fail(err, RMX_EINPUT,
                    "%s. Nothing was submitted. `regmix sample` draws it now; to keep the "
                    "mixtures, give the settings of before, or remove mixtures.json, which makes "
                    "the file your own",
                    RMX__STALE_MIXTURES);
  rmx_warn(&l->p->listener, "%s", RMX__STALE_MIXTURES);
  return RMX_OK;
}

static rmx_status launch(struct launch *l, rmx_err *err) {
  rmx_pipeline *p = l->p;
  p->redo = p->redo || l->request->redo;
  if (!l->request->dry_run) {
    RMX_TRY(lock_launches(l, err));
    RMX_TRY(rmx__agree_to_leave(p, l->runs, l->n, &l->job.redo, err));
    RMX_TRY(rmx__agree_to_outdate(p, l->runs, l->n, true, err));
    RMX_TRY(rmx_experiment_resolve(&p->experiment, err));
  }
  RMX_TRY(rmx__launches_look(&p->experiment, l->runs, l->n, &l->earlier, err));
  RMX_TRY(choose(l, err));
  RMX_TRY(check_settings(l, err));
  RMX_TRY(make_scripts(l, err));
  tell_left_out(l);
  tell_then(l);
  if (l->request->dry_run || (!l->m && !l->then.size)) return RMX_OK;
  return submit_all(l, err);
}

static void release(struct launch *l) {
  rmx__launches_release(&l->earlier);
  rmx_buf_release(&l->script), rmx_buf_release(&l->then);
  rmx_strings_release(&l->hidden);
  if (l->locked) rmx_folder_unlock(&l->lock);
  free(l->chosen), free(l->folder), free(l->experiment), free(l->job_id), free(l->then_id);
}

rmx_status rmx_pipeline_launch(rmx_pipeline *p, const rmx_launch_request *request, json_t **out,
                               rmx_err *err) {
  struct rmx__runs_of r = {0};
  RMX_TRY(rmx__launch_check(p, request, err));
  if (!request->dry_run && !rmx__on_path("sbatch"))
    return rmx_fail(err, RMX_EINPUT,
                    "there is no sbatch in PATH, so this machine cannot submit to Slurm; run this "
                    "on a login node of the cluster, or add --dry-run to see the script");
  rmx_status status = rmx__runs_open(p, !request->dry_run, &r, err);
  struct launch l = {.p = p, .request = request, .runs = r.runs, .n = r.n};
  if (status == RMX_OK) status = check_mixtures(&l, r.corpus, err);
  if (status == RMX_OK) status = launch(&l, err);
  if (status == RMX_OK) *out = launched_json(&l);
  release(&l);
  rmx__runs_close(&r);
  return status;
}
