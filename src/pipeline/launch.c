// SPDX-License-Identifier: Apache-2.0
// Gives the runs that are not done to Slurm, as an array of tasks.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "call.h"
#include "launches.h"
#include "slurm_script.h"
#include "steps.h"
#include "swarm/cost.h"

// SUBMIT_S: sbatch may wait for a busy controller. MOST_TASKS: of an array, unless --tasks is given
// (Slurm's own limit is 1001 unless it is set up otherwise).
enum { SUBMIT_S = 120, MOST_TASKS = 256, LEAST_NOTICE_S = 120 };

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
};

// ---- what was asked

// The value of an option goes into a script, where a new line would begin another one.
static rmx_status check_value(const char *name, const char *value, const char *allowed,
                              rmx_err *err) {
  bool good = value && *value;
  for (const char *c = value; good && *c; c++)
    good = allowed ? isalnum((unsigned char)*c) || strchr(allowed, *c) : (unsigned char)*c >= ' ';
  if (good || !value) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE, "--%s \"%s\" is not what sbatch takes", name, value);
}

static rmx_status check_request(const rmx_pipeline *p, const rmx_launch_request *r, rmx_err *err) {
  const rmx_training *t = &p->experiment.config.proxy;
  RMX_TRY(check_value("partition", r->partition, "_-.,", err));
  RMX_TRY(check_value("time", r->time, ":-", err));
  for (size_t i = 0; i < r->sbatch.n; i++)
    RMX_TRY(check_value("sbatch", r->sbatch.items[i], NULL, err));
  if (r->gpus && !rmx_training_is_outside(t))
    return rmx_fail(err, RMX_EUSAGE,
                    "--gpus %lld: regmix's own trainer uses no GPU; set proxy.trainer: pytorch, or "
                    "leave --gpus out",
                    (long long)r->gpus);
  if (r->gpus && r->tasks)
    return rmx_fail(err, RMX_EUSAGE, "--gpus gives each GPU a task; leave --tasks out");
  return RMX_OK;
}

static bool in_path(const char *program) {
  const char *at = getenv("PATH");
  for (; at && *at; at += strcspn(at, ":"), at += *at == ':') {
    RMX_OWNED char *path = rmx_format("%.*s/%s", (int)strcspn(at, ":"), at, program);
    if (path && access(path, X_OK) == 0) return true;
  }
  return false;
}

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
    if (!l->request->dry_run && (state == RMX_RUN_TODO || state == RMX_RUN_OUTDATED))
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
  if (dash) days = strtod(text, NULL);
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
  // one process for a GPU, which has all runs of its task
  j->jobs = j->gpu || pytorch || j->cpus < threads ? 1 : j->cpus / threads;
  const double limit = limit_s(r->time),
               notice = LEAST_NOTICE_S + (rmx_training_is_outside(t) ? t->grace_s : 0);
  j->notice_s = (int64_t)(limit > 0 && notice > limit / 2 ? limit / 2 : notice);
  if (j->notice_s < 1) j->notice_s = 1;
}

// ---- its folder

// The first number whose launch Slurm did not take.
static rmx_status choose_folder(struct launch *l, rmx_err *err) {
  for (long k = 1;; k++) {
    free(l->folder);
    l->folder = rmx_format("%s/" RMX__LAUNCHES "/%ld", l->experiment, k);
    RMX_OWNED char *taken = l->folder ? rmx_path_in(l->folder, "launch.json") : NULL;
    if (!taken) return rmx_fail_memory(err, 0, "a path");
    if (!rmx_exists(taken)) return RMX_OK;
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
  json_t *o =
      json_pack("{s:s, s:I}", "job", l->job_id ? l->job_id : "", "tasks", (json_int_t)l->job.tasks);
  if (l->then_id) json_object_set_new(o, "then", json_string(l->then_id));
  RMX_OWNED char *path = rmx_path_in(l->folder, "launch.json");
  return path ? rmx__json_write(path, o, err) : rmx_fail_memory(err, 0, "a path");
}

// ---- sbatch

static const char *advice_for(const char *why) {
  static const struct {
    const char *part, *advice;
  } known[] = {{"partition", "`sinfo` lists the partitions; --partition chooses one"},
               {"ime limit", "`sinfo` shows the limits; --time sets a shorter one"},
               {"array", "--tasks N makes fewer tasks, each with more runs"},
               {"account", "--sbatch account=NAME names the account"},
               {"QOS", "--sbatch qos=NAME names a quality of service that you may use"},
               {"gres", "`sinfo -o %G` lists the GPUs of the nodes; --partition chooses others"},
               {"configuration is not available",
                "--cpus and --gpus may ask for more than a node "
                "has; `sinfo -N -l` lists the nodes"},
               {"ontact", "Slurm's controller does not answer; try again later"}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strstr(why, known[i].part)) return known[i].advice;
  return "change the options, or submit the script by hand with other ones";
}

// Submits a script; *id: the number of the job. after: "--dependency=...", or NULL.
static rmx_status submit(const char *folder, const char *name, const char *after, char **id,
                         rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, name);
  RMX_OWNED_BY(rmx__reply_release) struct rmx__reply r = {0};
  const char *words[] = {"sbatch", "--parsable", path, NULL, NULL, NULL};
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (after) words[2] = after, words[3] = "--kill-on-invalid-dep=yes", words[4] = path;
  RMX_TRY(rmx__call(words, SUBMIT_S, &r, err));
  if (r.timed_out)
    return rmx_fail(err, RMX_EIO,
                    "sbatch did not answer within %d s; look with `squeue --me` whether it took %s "
                    "before you try again",
                    SUBMIT_S, path);
  const size_t digits = strspn(rmx__reply_text(&r), "0123456789");
  if (r.code == 0 && digits) {
    *id = rmx_format("%.*s", (int)digits, rmx__reply_text(&r));
    return *id ? RMX_OK : rmx_fail_memory(err, digits, "the number of a job");
  }
  const char *why = rmx__reply_why(&r);
  return rmx_fail(err, RMX_EINPUT, "sbatch refused %s: %s; %s. Nothing of it was submitted", path,
                  why, advice_for(why));
}

// "--dependency=afterok:1:2" of this launch and of earlier ones with tasks that are not done. NULL:
// there is none.
static char *dependency(const struct launch *l) {
  rmx_buf out = {0};
  for (size_t i = 0; i < l->earlier.n; i++)
    if (l->earlier.items[i].live) rmx_buf_printf(&out, ":%s", l->earlier.items[i].job);
  if (l->job_id) rmx_buf_printf(&out, ":%s", l->job_id);
  char *text = out.size ? rmx_format("--dependency=afterok%s", out.data) : NULL;
  rmx_buf_release(&out);
  return text;
}

static bool then_waits(const struct launch *l) {
  for (size_t i = 0; i < l->earlier.n; i++)
    if (l->earlier.items[i].then_live) return true;
  return false;
}

static rmx_status submit_all(struct launch *l, rmx_err *err) {
  RMX_TRY(write_files(l, err));
  if (l->m) RMX_TRY(submit(l->folder, "array.sh", NULL, &l->job_id, err));
  if (l->m) RMX_TRY(write_record(l, err));  // before anything else can go wrong
  if (!l->then.size) return RMX_OK;
  RMX_OWNED char *after = dependency(l);
  if (submit(l->folder, "then.sh", after, &l->then_id, err) != RMX_OK)
    return rmx_fail_in(err, "the training is submitted%s%s, but not the job after it",
                       l->job_id ? " as job " : "", l->job_id ? l->job_id : "");
  return write_record(l, err);
}

// ---- all of it

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

static rmx_status make_scripts(struct launch *l, rmx_err *err) {
  struct rmx__slurm_job *j = &l->job;
  l->experiment = rmx_realpath(l->p->experiment.folder);
  RMX_OWNED char *program = rmx_realpath(l->p->program);
  if (!l->experiment || !program) return rmx_fail_memory(err, 0, "a path");
  if (strpbrk(l->experiment, "\n\""))
    return rmx_fail(err, RMX_EINPUT, "%s: Slurm cannot have a quote or a new line in a path",
                    l->experiment);
  RMX_TRY(choose_folder(l, err));
  j->p = l->p, j->request = l->request;
  j->experiment = l->experiment, j->program = program, j->folder = l->folder;
  set_up(l);
  if (l->m) rmx__slurm_array(j, &l->script);
  if (l->request->then && !then_waits(l)) rmx__slurm_then(j, &l->then);
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

static rmx_status launch(struct launch *l, const rmx_corpus *corpus, rmx_err *err) {
  rmx_pipeline *p = l->p;
  p->redo = p->redo || l->request->redo;
  if (!l->request->dry_run) {
    RMX_TRY(rmx__agree_to_outdate(p, l->runs, l->n, true, err));
    RMX_TRY(rmx_experiment_resolve(&p->experiment, err));
  }
  (void)corpus;
  RMX_TRY(rmx__launches_look(&p->experiment, l->runs, l->n, &l->earlier, err));
  RMX_TRY(choose(l, err));
  RMX_TRY(make_scripts(l, err));
  tell_left_out(l);
  if (l->request->dry_run || (!l->m && !l->then.size)) return RMX_OK;
  return submit_all(l, err);
}

static void release(struct launch *l) {
  rmx__launches_release(&l->earlier);
  rmx_buf_release(&l->script), rmx_buf_release(&l->then);
  free(l->chosen), free(l->folder), free(l->experiment), free(l->job_id), free(l->then_id);
}

rmx_status rmx_pipeline_launch(rmx_pipeline *p, const rmx_launch_request *request, json_t **out,
                               rmx_err *err) {
  struct rmx__runs_of r = {0};
  RMX_TRY(check_request(p, request, err));
  if (!request->dry_run && !in_path("sbatch"))
    return rmx_fail(err, RMX_EINPUT,
                    "there is no sbatch in PATH, so this machine cannot submit to Slurm; run this "
                    "on a login node of the cluster, or add --dry-run to see the script");
  rmx_status status = rmx__runs_open(p, !request->dry_run, &r, err);
  struct launch l = {.p = p, .request = request, .runs = r.runs, .n = r.n};
  if (status == RMX_OK) status = launch(&l, r.corpus, err);
  if (status == RMX_OK) *out = launched_json(&l);
  release(&l);
  rmx__runs_close(&r);
  return status;
}
