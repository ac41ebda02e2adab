// SPDX-License-Identifier: Apache-2.0
// regmix plan: what an experiment will cost, before it is begun. The speed is measured here, in a
// second of training of each model, on all processors that will be at work.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct plan_args {
  int64_t cores;
  bool without_text;
};

// tokens of an optimiser step that is measured: beyond, AdamW's share is no more to be seen
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
  double idle;  // share of the processors it wanted that it had while it was measured
};

// The workers that will run at a time are measured at a time: they share caches and memory.
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

static rmx_status cost_of(struct cost *k, int vocab, double valid_tokens, int jobs,
                          const rmx_kernels *kernels, rmx_err *err) {
  const rmx_training *t = k->training;
  RMX_TRY(rmx_training_model(t, vocab, &k->model, err));
  k->tokens = (double)(rmx_training_steps(t) * rmx_training_batch(t) * t->context);
  k->flop_per_token = rmx_model_flop_per_token(&k->model, (int)t->context);
  // Validation is a forward pass: a third of training.
  const double valid = (1.0 + (t->eval_half ? 1.0 : 0.0) + (double)t->evals) * valid_tokens,
               work = k->tokens + valid / 3.0;
  k->flops = (double)k->runs * k->flop_per_token * work;
  // As `train` will do it: the runs share the processors.
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
  // More workers than processors get their share of them.
  const double share = (double)at_once / k->jobs;
  k->tokens_per_s = speed.tokens_per_s * share;
  k->run_s = k->tokens / speed.tokens_per_s + valid / speed.valid_tokens_per_s;
  k->seconds = rounds_s(k, k->jobs) / share;
  return RMX_OK;
}

static double valid_tokens_of(const rmx_experiment *e, const rmx_corpus *corpus,
                              const rmx_training *t) {
  double sum = 0;
  if (!corpus)
    return (double)e->config.n_domains * (double)(t->eval_tokens ? t->eval_tokens : 100000);
  for (size_t d = 0; d < corpus->D; d++)
    sum += (double)rmx_evaluate_tokens(corpus, d, t->eval_tokens);
  return sum;
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
  return o;
}

static json_t *elsewhere_tree(const struct cost costs[2], int64_t cores) {
  json_t *o = json_object();
  double sum = 0;
  json_object_set_new(o, "cores", json_integer(cores));
  for (int i = 0; i < 2; i++) {
    const int jobs = jobs_on(&costs[i], cores);
    const double seconds = rounds_s(&costs[i], jobs);
    json_object_set_new(o, i ? "large" : "proxies",
                        json_pack("{s:i, s:f}", "jobs", jobs, "seconds", seconds));
    sum += seconds;
  }
  json_object_set_new(o, "seconds", json_real(sum));
  return o;
}

static void print_elsewhere(const struct cost costs[2], int64_t cores) {
  const int at_once[2] = {jobs_on(&costs[0], cores), jobs_on(&costs[1], cores)};
  const double each[2] = {rounds_s(&costs[0], at_once[0]), rounds_s(&costs[1], at_once[1])};
  char time[3][32];
  printf(
      "On %lld such cores about %s: proxies %s, %d at a time, large models %s, %d at a time.\n"
      "  This takes the cores to be as fast as those here, with all of them at work, and memory to "
      "be no tighter for more of them.\n",
      (long long)cores, rmx_duration(each[0] + each[1], time[0]), rmx_duration(each[0], time[1]),
      at_once[0], rmx_duration(each[1], time[2]), at_once[1]);
}

static void print_cost(const struct cost *k) {
  char parameters[16], tokens[16], rate[16], time[32];
  printf("%-14s %6zu %12s %10s %11.3g %12s %8d %9.0f %8.0f  %s\n", k->what, k->runs,
         rmx_count((double)rmx_model_parameters(&k->model), parameters),
         rmx_count(k->tokens, tokens), k->flops, rmx_count(k->tokens_per_s, rate), k->threads,
         k->memory / 1048576.0, k->disk / 1048576.0, rmx_duration(k->seconds, time));
}

static rmx_status plan(cli *c, const rmx_experiment *e, rmx_err *err) {
  const int64_t cores = ((const struct plan_args *)c->own)->cores;
  const rmx_kernels *kernels;
  RMX_TRY(rmx_kernels_get(e->config.general.isa, &kernels, err));
  rmx_corpus *corpus = NULL;
  rmx_err ignored;
  if (rmx_experiment_corpus(e, &corpus, &ignored) != RMX_OK) corpus = NULL;
  int vocab = corpus ? corpus->vocab : (int)e->config.corpus.vocab, jobs = rmx_worker_jobs(e);
  struct cost costs[2] = {
      {.what = "proxies", .training = &e->config.proxy, .runs = (size_t)e->config.sample.runs},
      {.what = "large models",
       .training = &e->config.large,
       .runs = (e->config.compare.against.n + 1) * (size_t)e->config.compare.seeds},
  };
  rmx_status status = RMX_OK;
  for (int i = 0; i < 2 && status == RMX_OK; i++) {
    status = cost_of(&costs[i], vocab, valid_tokens_of(e, corpus, costs[i].training), jobs, kernels,
                     err);
    if (status != RMX_OK) rmx_fail_in(err, "%s", costs[i].what);
    // Proxies leave a log and a result; a checkpoint (weights and two moments) only while they run.
    double weights = 4.0 * (double)rmx_model_parameters(&costs[i].model);
    costs[i].disk = i == 0 ? (double)costs[i].runs * 25e3 + 3.0 * weights * jobs
                           : (double)costs[i].runs * (weights + 25e3);
  }
  if (corpus) rmx_corpus_free(corpus);
  RMX_TRY(status);
  if (c->common.json) {
    json_t *root = json_object();
    json_object_set_new(root, "isa", json_string(rmx_kernels_name(kernels)));
    json_object_set_new(root, "jobs", json_integer(jobs));
    json_object_set_new(root, "proxies", cost_tree(&costs[0]));
    json_object_set_new(root, "large", cost_tree(&costs[1]));
    json_object_set_new(root, "seconds", json_real(costs[0].seconds + costs[1].seconds));
    if (cores) json_object_set_new(root, "elsewhere", elsewhere_tree(costs, cores));
    cli_print_json(root);
    return RMX_OK;
  }
  char time[32], twice[32], share[16];
  printf("%-14s %6s %12s %10s %11s %12s %8s %9s %8s  %s\n", "", "runs", "parameters", "tokens",
         "FLOPs", "tokens/s", "threads", "MiB each", "disk MiB", "time");
  print_cost(&costs[0]);
  print_cost(&costs[1]);
  printf(
      "\nIn all about %s here, with %d workers at a time (processor level %s, measured for a "
      "second each).\n",
      rmx_duration(costs[0].seconds + costs[1].seconds, time), jobs, rmx_kernels_name(kernels));
  const double idle = costs[0].idle < costs[1].idle ? costs[0].idle : costs[1].idle;
  if (idle < 0.9)
    printf(
        "Other programs were at work while this was measured, which had %.0f %% of the processors "
        "it wanted: alone it would be faster.\n",
        100 * idle);
  if (cores) print_elsewhere(costs, cores);
  printf(
      "FLOPs count the output head, attention and validation. The search costs %s times the FLOPs "
      "of one large model.\n",
      rmx_count(costs[0].flops / (costs[1].flops / (double)costs[1].runs), share));
  printf("Proxies trained too short rank mixtures wrongly: twice the tokens each would take %s.\n",
         rmx_duration(2 * costs[0].seconds, twice));
  return RMX_OK;
}

// What cannot be done has no price: the target and the files must be there.
static rmx_status check_text(cli *c, const rmx_experiment *e, rmx_err *err) {
  rmx_sources s = {0};
  rmx_status status = rmx_sources_find(&c->pipeline, &s, err);
  for (size_t i = 0; i < s.n && status == RMX_OK; i++) {
    rmx_source_look look;
    status = rmx_corpus_look(&e->config.corpus, &s.domains[i], e->folder, false, &look, err);
    if (status != RMX_OK)
      rmx_fail_in(err, "nothing to plan for (--without-text does without the text)");
  }
  rmx_sources_release(&s);
  return status;
}

static rmx_status run_plan(cli *c, rmx_err *err) {
  rmx_experiment *e = &c->pipeline.experiment;
  RMX_TRY(cli_open(c, c->words.n ? c->words.items[0] : NULL, true, err));
  rmx_status status =
      ((const struct plan_args *)c->own)->without_text ? RMX_OK : check_text(c, e, err);
  if (status == RMX_OK) status = plan(c, e, err);
  return status;
}

static const rmx_option options[] = {
    {"cores", RMX_INT, offsetof(struct plan_args, cores), "0", 0, 1e6, "N",
     "say too how long a machine of so many cores like these would take"},
    {"without-text", RMX_BOOL, offsetof(struct plan_args, without_text), "false", 0, 0, NULL,
     "do not look whether the target and the files of text exist"},
};
const cli_command cli_plan = {
    .name = "plan",
    .words = "[REGMIX.YAML]",
    .most_words = 1,
    .run = run_plan,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct plan_args),
    .summary = "what it will cost: runs, tokens, FLOPs, memory, disk, time on this machine",
    .about =
        "Trains each model for a second on random tokens, as many copies at a time as there will "
        "be workers (or processors, if "
        "those are fewer), and multiplies. The target and the files of text must exist, unless "
        "--without-text is given. An optimiser step of more than 16384 tokens is measured by one "
        "of 16384.",
    .examples =
        "  regmix plan -C exp\n  regmix plan -C exp --set proxy.tokens=5M --json\n"
        "  regmix plan examples/published/regmix.yaml --without-text --cores 64\n    how long the "
        "paper's 512 proxies would take, here and on a server\n",
};
