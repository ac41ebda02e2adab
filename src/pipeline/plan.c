// SPDX-License-Identifier: Apache-2.0
// Computes the cost of an experiment before it starts. The speed is measured on this machine: each
// model trains for a second on all processors that will be used, or PyTorch trains it for some.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "plan_pytorch.h"
#include "steps.h"

// largest optimiser step that is measured, in tokens; in larger steps the share of AdamW is
// negligible
enum { MOST_MEASURED = 16384 };

struct cost {
  const char *what;
  const rmx_training *training;
  size_t runs;
  rmx_model_config model;
  double tokens;                 // of one run
  double flop_per_token, flops;  // flops: of all runs
  double tokens_per_s;           // of one worker
  int jobs, threads;             // workers at a time; threads of each
  double memory, disk;           // bytes: of one worker; of all runs
  double run_s, seconds;         // of one run; of all of them
  double valid_share;            // of the time: validation
  double score_s;                // of the time: scoring the models on tasks
  double idle;  // share of the requested processors that it got during the measurement
  struct rmx__pytorch_speed pytorch;
};

// The workers are measured at the same time, as they will run: they share caches and memory.
struct copies {
  rmx_training training;
  int vocab;
  const rmx_kernels *kernels;
  rmx_speed speed[64];
  rmx_err err[64];
};

static void measure_copy(void *context, size_t i) {
  struct copies *c = context;
  rmx_training_speed(&c->training, c->vocab, c->kernels, 0.6, &c->speed[i], &c->err[i]);
}

// The mean of `at_once` copies.
static rmx_status measure(const rmx_training *t, int threads, int vocab, const rmx_kernels *kernels,
                          size_t at_once, rmx_speed *out, rmx_err *err) {
  struct copies *c = rmx_calloc(1, sizeof *c);
  if (!c) return rmx_fail_memory(err, sizeof *c, "a measurement");
  c->training = *t;
  c->training.threads = threads;
  const int64_t most = t->micro_tokens > MOST_MEASURED ? t->micro_tokens : MOST_MEASURED;
  if (c->training.batch_tokens > most) c->training.batch_tokens = most;
  c->vocab = vocab;
  c->kernels = kernels;
  at_once = at_once > 64 ? 64 : at_once;
  rmx_parallel((int)at_once, at_once, measure_copy, c);
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < at_once && status == RMX_OK; i++) {
    if ((status = c->err[i].status) != RMX_OK) *err = c->err[i];
    out->tokens_per_s += c->speed[i].tokens_per_s / (double)at_once;
    out->valid_tokens_per_s += c->speed[i].valid_tokens_per_s / (double)at_once;
    out->processor += c->speed[i].processor / (double)at_once;  // of the whole process, each
  }
  free(c);
  return status;
}

static double rounds_s(const struct cost *k, int at_once) {
  return ceil((double)k->runs / at_once) * k->run_s;
}

// Runs at a time on `cores`, each with as many threads as here.
static int jobs_on(const struct cost *k, int64_t cores) {
  const int64_t room = cores / k->threads > 1 ? cores / k->threads : 1;
  return k->runs < (size_t)room ? (int)k->runs : (int)room;
}

// Of each run of a row.
struct amount {
  double valid, tasks;  // tokens that are validated; that the model is scored on
};

// Runs of a process are trained together, so it takes as long as their tokens.
static void times_of_pytorch(struct cost *k, const struct amount *a) {
  const struct rmx__pytorch_speed *s = &k->pytorch;
  const double share = (double)s->at_once / s->processes;
  k->jobs = s->processes;
  k->threads = 1;
  k->idle = 1;
  k->memory = s->memory;
  k->tokens_per_s = s->tokens_per_s * share;
  k->run_s = k->tokens / s->tokens_per_s + a->valid / s->valid_tokens_per_s;
  k->valid_share = a->valid / s->valid_tokens_per_s / k->run_s;
  k->seconds = rounds_s(k, k->jobs) / share;
}

static rmx_status times_here(struct cost *k, int vocab, const struct amount *a, int jobs,
                             const rmx_kernels *kernels, rmx_err *err) {
  const rmx_training *t = k->training;
  // As in `train`, the runs share the processors.
  if (t->threads > 1 && jobs > rmx_processors() / t->threads)
    jobs = (int)(rmx_processors() / t->threads);
  k->jobs = jobs < 1 ? 1 : k->runs < (size_t)jobs ? (int)k->runs : jobs;
  k->threads = rmx_training_threads(t, (size_t)k->jobs);
  k->memory = (double)rmx_model_memory(&k->model, (int)rmx_training_micro_batch(t), (int)t->context,
                                       k->threads);
  const int processors = rmx_processors() / k->threads;
  const int at_once = k->jobs < processors ? k->jobs : processors > 1 ? processors : 1;
  rmx_speed speed = {0};
  RMX_TRY(measure(t, k->threads, vocab, kernels, (size_t)at_once, &speed, err));
  k->idle = speed.processor / (double)(at_once * k->threads);
  // If there are more workers than processors, each gets its share of them.
  const double share = (double)at_once / k->jobs;
  k->tokens_per_s = speed.tokens_per_s * share;
  k->run_s = k->tokens / speed.tokens_per_s + a->valid / speed.valid_tokens_per_s;
  k->valid_share = k->run_s > 0 ? a->valid / speed.valid_tokens_per_s / k->run_s : 0;
  k->seconds = rounds_s(k, k->jobs) / share;
  return RMX_OK;
}

// The models are scored here, whatever trained them: one after the other, on all processors.
static rmx_status add_scoring(struct cost *k, int vocab, const struct amount *a,
                              const rmx_kernels *kernels, rmx_err *err) {
  rmx_speed speed = {0};
  const int threads = rmx_processors();
  if (a->tasks <= 0) return RMX_OK;
  RMX_TRY(measure(k->training, threads, vocab, kernels, 1, &speed, err));
  k->score_s = (double)k->runs * a->tasks / speed.valid_tokens_per_s;
  k->seconds += k->score_s;
  return RMX_OK;
}

static rmx_status cost_of(struct cost *k, int vocab, struct amount a, int jobs,
                          const rmx_kernels *kernels, rmx_err *err) {
  const rmx_training *t = k->training;
  RMX_TRY(rmx_training_model(t, vocab, &k->model, err));
  k->tokens = (double)(rmx_training_steps(t) * rmx_training_batch(t) * t->context);
  k->flop_per_token = rmx_model_flop_per_token(&k->model, (int)t->context);
  // Validation is a forward pass: a third of training.
  a.valid *= 1.0 + (t->eval_half ? 1.0 : 0.0) + (double)t->evals;
  k->flops = (double)k->runs * k->flop_per_token * (k->tokens + a.valid / RMX_FORWARD_PASSES);
  if (k->pytorch.answer)
    times_of_pytorch(k, &a);
  else
    RMX_TRY(times_here(k, vocab, &a, jobs, kernels, err));
  return add_scoring(k, vocab, &a, kernels, err);
}

static json_t *cost_tree(const struct cost *k) {
  json_t *o = json_object();
  json_object_set_new(o, "runs", json_integer((json_int_t)k->runs));
  json_object_set_new(o, "parameters", json_integer((json_int_t)rmx_model_parameters(&k->model)));
  json_object_set_new(o, "tokens_each", json_real(k->tokens));
  json_object_set_new(o, "gflop_per_token", json_real(k->flop_per_token / 1e9));
  json_object_set_new(o, "flops", json_real(k->flops));
  json_object_set_new(o, "tokens_per_s", json_real(k->tokens_per_s));
  json_object_set_new(o, "processors_had", json_real(k->idle));
  json_object_set_new(o, "jobs", json_integer(k->jobs));
  json_object_set_new(o, "threads", json_integer(k->threads));
  json_object_set_new(o, "memory_mib", json_real(k->memory / 1048576.0));
  json_object_set_new(o, "disk_mib", json_real(k->disk / 1048576.0));
  json_object_set_new(o, "seconds", json_real(k->seconds));
  json_object_set_new(o, "valid_seconds", json_real(k->valid_share * (k->seconds - k->score_s)));
  json_object_set_new(o, "score_seconds", json_real(k->score_s));
  if (k->pytorch.answer) json_object_set(o, "pytorch", k->pytorch.answer);
  return o;
}

// Under "proxies", "large" or, of a swarm, its name in "swarms".
static void put_cost(json_t *o, const struct cost *costs, size_t i, json_t *tree) {
  if (i < 2) {
    json_object_set_new(o, i ? "large" : "proxies", tree);
    return;
  }
  if (i == 2) json_object_set_new(o, "swarms", json_object());
  json_object_set_new(json_object_get(o, "swarms"), costs[i].what, tree);
}

static json_t *elsewhere_tree(const struct cost *costs, size_t n, int64_t cores) {
  json_t *o = json_object();
  double sum = 0;
  json_object_set_new(o, "cores", json_integer(cores));
  for (size_t i = 0; i < n; i++) {
    const bool here = costs[i].pytorch.answer != NULL;  // more cores do not make a GPU faster
    const int jobs = here ? costs[i].jobs : jobs_on(&costs[i], cores);
    const double training = here ? costs[i].seconds - costs[i].score_s : rounds_s(&costs[i], jobs),
                 seconds = training + costs[i].score_s * rmx_processors() / (double)cores;
    put_cost(o, costs, i, json_pack("{s:i, s:f}", "jobs", jobs, "seconds", seconds));
    sum += seconds;
  }
  json_object_set_new(o, "seconds", json_real(sum));
  return o;
}

static json_t *text_tree(const struct rmx__plan_text *t) {
  return json_pack("{s:f, s:f, s:f, s:f}", "bytes", t->bytes, "seconds", t->seconds, "disk_mib",
                   (t->spool + t->tokens) / 1048576.0, "token_files_mib", t->tokens / 1048576.0);
}

static size_t runs_of(const rmx_config *c, size_t i) {
  const size_t runs = (size_t)c->sample.runs;
  if (i == 0) return runs;
  if (i == 1) return (c->compare.against.n + 1) * (size_t)c->compare.seeds;
  const size_t most = (size_t)c->swarms[i - 2].runs;
  return most > 0 && most < runs ? most : runs;
}

// The speed of the user's own program is not measured.
static void tell_command(const rmx_pipeline *p, const struct cost *k) {
  rmx_warn(&p->listener,
           "%s: trained by a command, whose speed is not measured; the time is that of regmix's "
           "own trainer on this processor",
           k->what);
}

// costs (n): of the proxies, of the large models and of each swarm.
static rmx_status measure_all(rmx_pipeline *p, const struct rmx__plan_text *text,
                              struct cost *costs, size_t n, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  const rmx_kernels *kernels;
  const int jobs = rmx_worker_jobs(&p->experiment);
  RMX_TRY(rmx_kernels_get(c->general.isa, &kernels, err));
  for (size_t i = 0; i < n; i++) {
    costs[i] = (struct cost){.what = i == 0   ? "proxies"
                                     : i == 1 ? "large models"
                                              : c->swarms[i - 2].name,
                             .training = rmx__training_at(c, i),
                             .runs = runs_of(c, i)};
    struct cost *k = &costs[i];
    if (rmx_training_is_pytorch(k->training))
      RMX_TRY(rmx__pytorch_speed(p, k->what, k->training, text->vocab, k->runs, &k->pytorch, err));
    else if (rmx_training_is_outside(k->training))
      tell_command(p, k);
    const struct amount a = {.valid = text->valid_tokens[i], .tasks = text->task_tokens};
    if (cost_of(&costs[i], text->vocab, a, jobs, kernels, err) != RMX_OK)
      return rmx_fail_in(err, "%s", costs[i].what);
    // Proxies keep a log and a result, and a model if asked; a checkpoint (weights and two moments)
    // exists only while they run.
    const double weights = 4.0 * (double)rmx_model_parameters(&costs[i].model);
    const bool kept = i == 1 || rmx__keeps_models(c);
    costs[i].disk =
        (double)costs[i].runs * ((kept ? weights : 0) + 25e3) + (i == 1 ? 0 : 3.0 * weights * jobs);
  }
  return RMX_OK;
}

static json_t *plan_tree(const rmx_pipeline *p, const struct rmx__plan_text *text,
                         const struct cost *costs, size_t n, int64_t cores) {
  json_t *root = json_object();
  const rmx_kernels *kernels = NULL;
  double seconds = text->seconds, scoring = 0;
  rmx_err ignored;
  if (rmx_kernels_get(p->experiment.config.general.isa, &kernels, &ignored) == RMX_OK)
    json_object_set_new(root, "isa", json_string(rmx_kernels_name(kernels)));
  json_object_set_new(root, "jobs", json_integer(rmx_worker_jobs(&p->experiment)));
  json_object_set_new(root, "prepare", text_tree(text));
  for (size_t i = 0; i < n; i++) {
    put_cost(root, costs, i, cost_tree(&costs[i]));
    seconds += costs[i].seconds;
    scoring += costs[i].score_s;
  }
  json_object_set_new(root, "seconds", json_real(seconds));
  json_object_set_new(root, "score_seconds", json_real(scoring));
  if (text->epochs) json_object_set(root, "epochs", text->epochs);
  if (cores) json_object_set_new(root, "elsewhere", elsewhere_tree(costs, n, cores));
  return root;
}

static void release(struct cost *costs, size_t n) {
  for (size_t i = 0; i < n; i++) json_decref(costs[i].pytorch.answer);
  free(costs);
}

static rmx_status plan(rmx_pipeline *p, int64_t cores, const struct rmx__plan_text *text,
                       json_t **out, rmx_err *err) {
  const size_t n = 2 + p->experiment.config.n_swarms;
  struct cost *costs = rmx_calloc(n, sizeof *costs);
  if (!costs) return rmx_fail_memory(err, n * sizeof *costs, "a plan");
  char message[400];
  rmx__caps_text(&p->experiment, text->caps, message);
  if (text->caps < 1) rmx_warn(&p->listener, "by the sizes of the files, %s", message);
  const rmx_status status = measure_all(p, text, costs, n, err);
  if (status == RMX_OK) *out = plan_tree(p, text, costs, n, cores);
  release(costs, n);
  return status;
}

rmx_status rmx_pipeline_plan(rmx_pipeline *p, int64_t cores, bool without_text, json_t **out,
                             rmx_err *err) {
  struct rmx__plan_text text;
  rmx_status status = rmx__plan_text(p, without_text, &text, err);
  if (status == RMX_OK) status = plan(p, cores, &text, out, err);
  free(text.valid_tokens);
  json_decref(text.epochs);
  return status;
}
