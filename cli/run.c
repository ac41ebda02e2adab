// SPDX-License-Identifier: Apache-2.0
// regmix run: runs all steps of the pipeline in order, and continues where it stopped.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "steps.h"

// What is shown of an experiment.
struct result {
  rmx_corpus *corpus;
  double *mixture;  // (corpus->D_train)
  rmx__yaml optimum;
  json_t *comparison;
  char *page;
};

static void release_result(struct result *r) {
  if (r->corpus) rmx_corpus_free(r->corpus);
  free(r->mixture), free(r->page);
  rmx__yaml_release(&r->optimum);
  json_decref(r->comparison);
}

// All of it is read before any is shown: another process may replace the files.
static rmx_status read_result(const cli *c, struct result *out, rmx_err *err) {
  const rmx_experiment *e = &c->pipeline.experiment;
  RMX_OWNED char *optimum = rmx_experiment_path(e, "optimum.yaml");
  out->page = rmx_experiment_path(e, "report.html");
  RMX_TRY(rmx_experiment_corpus(e, &out->corpus, err));
  out->mixture = rmx_calloc(out->corpus->D_train, sizeof *out->mixture);
  if (!optimum || !out->page || !out->mixture) return rmx_fail_memory(err, 0, "the result");
  RMX_TRY(rmx_optimum_read(e, out->corpus, out->mixture, err));
  RMX_TRY(rmx__yaml_read(optimum, &out->optimum, err));
  return cli_read(c, "large/comparison.json", &out->comparison, err);  // all files are ours
}

// Prints the mixture of each phase, where there are phases.
static void print_phases(const json_t *optimum) {
  const json_t *list = json_object_get(optimum, "phases");
  for (size_t k = 0; k < json_array_size(list); k++) {
    RMX_OWNED char *text = rmx_phase_text(list, k);
    if (text) cli_print("%s  %s\n", k ? "" : "\nThe mixture of each phase:\n", rmx_shown(text));
  }
}

static rmx_status print_result(const cli *c, rmx_err *err) {
  RMX_OWNED_BY(release_result) struct result r = {0};
  RMX_TRY(read_result(c, &r, err));
  print_phases(r.optimum.root);
  cli_print("\nThe mixture (share of the training tokens):\n");
  print_mixture(r.corpus->names, r.mixture, r.corpus->prior, NULL, NULL, NULL, r.corpus->D_train);
  print_gain(r.optimum.root);
  cli_print("\nThe comparison (%s):\n", "large models, the same tokens for each");
  print_comparison(r.comparison);
  if (c->pipeline.experiment.config.compare.methods.n) {
    cli_print("\nThe methods:\n");
    RMX_TRY(print_methods_of(c, err));
  }
  cli_print("\nThe page: %s\n", rmx_shown(r.page));
  return RMX_OK;
}

static rmx_status print_result_json(const cli *c, rmx_err *err) {
  RMX_OWNED_BY(release_result) struct result r = {0};
  RMX_TRY(read_result(c, &r, err));
  json_t *root = json_object();
  json_object_set(root, "optimum", r.optimum.root);
  json_object_set(root, "comparison", r.comparison);
  json_object_set_new(root, "report", json_string(r.page));
  cli_print_json(root);
  return RMX_OK;
}

struct run_args {
  bool redo, dry_run, trained;
};

// The config may be that of another folder than -C names, which may have its own.
static void tell_config(const cli *c, const char *yaml) {
  const rmx_experiment *e = &c->pipeline.experiment;
  RMX_OWNED char *own = rmx_path_in(e->folder, "regmix.yaml");
  struct stat its, given;
  if (!own || stat(yaml, &given) != 0) return;
  const bool there = stat(own, &its) == 0;
  if (there && its.st_dev == given.st_dev && its.st_ino == given.st_ino) return;
  if (there)
    rmx_warn(&c->listener, "the config is %s, not %s; the experiment is in %s (-C)", yaml, own,
             e->folder);
  else
    rmx_note(&c->listener, "the config is %s; the experiment is in %s (-C)", yaml, e->folder);
}

static rmx_status run_run(cli *c, rmx_err *err) {
  const struct run_args *args = c->own;
  RMX_TRY(cli_open(c, c->words.n ? c->words.items[0] : NULL, true, err));
  if (c->words.n && c->common.folder) tell_config(c, c->words.items[0]);
  c->pipeline.redo = args->redo;
  c->pipeline.trained = args->trained;
  if (args->dry_run) return cli_dry_run(c, rmx_pipeline_run, err);
  RMX_TRY(rmx_pipeline_run(&c->pipeline, err));
  return c->common.json ? print_result_json(c, err) : print_result(c, err);
}

static const rmx_option options[] = {
    DRY_RUN_OPTION(struct run_args),
    REDO_OPTION(struct run_args),
    {"trained", RMX_BOOL, offsetof(struct run_args, trained), "false", 0, 0, NULL,
     "train no proxies: stop if some are not done, as the job of `launch slurm --then` does"},
};
const rmx_command cli_run = {
    .name = "run",
    .words = "[REGMIX.YAML]",
    .max_words = 1,
    .run = run_run,
    CLI_OPTIONS(options, struct run_args),
    .summary = "run all steps in order: prepare, sample, train, fit, optimize, compare, report",
};
