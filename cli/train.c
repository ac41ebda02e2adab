// SPDX-License-Identifier: Apache-2.0
// regmix train: trains one proxy per mixture in worker processes, then writes metrics.csv.
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#include "steps.h"

struct train_args {
  int64_t jobs;
  rmx_strings slice;
  char *runs;
  bool redo, dry_run;
};

static rmx_status print_train_json(const rmx_experiment *e, rmx_err *err) {
  rmx_corpus *corpus;
  RMX_TRY(rmx_experiment_corpus(e, &corpus, err));
  char *metrics = rmx_experiment_path(e, "metrics.csv");
  json_t *o = json_object();
  rmx_status status = rmx_swarm_states_json(e, corpus, o, err);
  json_object_set_new(o, "metrics", json_string(metrics ? metrics : ""));
  if (status == RMX_OK)
    cli_print_json(o);
  else
    json_decref(o);
  free(metrics);
  rmx_corpus_free(corpus);
  return status;
}

static rmx_status say_train(rmx_pipeline *p, rmx_err *err) {
  return rmx_pipeline_step(p, RMX_STEP_TRAIN, err);
}

static rmx_status run_train(cli *c, rmx_err *err) {
  const struct train_args *args = c->own;
  rmx_pipeline *p = &c->pipeline;
  RMX_TRY(cli_open(c, NULL, true, err));
  p->redo = args->redo;
  p->slice.runs = args->runs;
  if (args->slice.n > 1)
    return rmx_fail(err, RMX_EUSAGE, "--slice is given %zu times; a process trains one part",
                    args->slice.n);
  if (args->slice.n) RMX_TRY(rmx_slice_parse(args->slice.items[0], &p->slice, err));
  if (args->jobs > 0) p->experiment.config.general.jobs = args->jobs;
  if (args->dry_run) return cli_dry_run(c, say_train, err);
  RMX_TRY(rmx_pipeline_step(p, RMX_STEP_TRAIN, err));
  return c->common.json ? print_train_json(&p->experiment, err) : RMX_OK;
}

// The signals of a terminal and of a batch system reach the whole group, and then the supervisor
// sends them again. A second signal has no further effect on a worker.
static void on_worker_signal(int number) {
  (void)number;
  rmx_interrupt();
}

static rmx_status run_worker(cli *c, rmx_err *err) {
  if (c->words.n == 0) return rmx_fail(err, RMX_EUSAGE, "the folder of a run is missing");
  const struct sigaction action = {.sa_handler = on_worker_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // if its supervisor dies, it writes its checkpoint and ends
#endif
  rmx_status status = rmx_swarm_work(c->words.items, c->words.n, *(char **)c->own,
                                     rmx_baselines_controller, c->common.json ? NULL : stdout, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(json_pack("{s:s}", "run", c->words.items[0]));
  return status;
}

static const rmx_option train_options[] = {
    {"jobs", RMX_INT, offsetof(struct train_args, jobs), NULL, 1, 512, "N",
     "number of runs that are trained at the same time; default: `jobs` of the config"},
    {"slice", RMX_LIST, offsetof(struct train_args, slice), NULL, 0, 0, "I/N",
     "train part I of N of the runs, I from 0 to N-1; no run is in two parts"},
    {"runs", RMX_TEXT, offsetof(struct train_args, runs), NULL, 0, 0, "FILE",
     "train only the runs that this file names, one a line; --slice is then a part of these"},
    REDO_OPTION(struct train_args),
    DRY_RUN_OPTION(struct train_args),
};
const rmx_command cli_train = {
    .name = "train",
    .words = "",
    .run = run_train,
    CLI_OPTIONS(train_options, struct train_args),
    .summary = "train one small model per mixture, and write metrics.csv",
};

static const rmx_option worker_options[] = {
    {"isa", RMX_TEXT, 0, NULL, 0, 0, "LEVEL", "instruction set of the kernels"},
};
const rmx_command cli_worker = {
    .name = "worker",
    .words = "FOLDER...",
    .max_words = 1 << 30,
    .run = run_worker,
    .hidden = true,
    .options = worker_options,
    .n_options = 1,
    .own_size = sizeof(char *),
    .summary = "train the one run in FOLDER (`train` starts one such process per run)",
};
