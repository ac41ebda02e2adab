// SPDX-License-Identifier: Apache-2.0
// regmix run: runs all steps of the pipeline in order, and continues where it stopped.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// Prints the mixture of each phase, where there are phases.
static rmx_status print_phases(const rmx_experiment *e, rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(e, "optimum.yaml");
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  RMX_TRY(path ? rmx__yaml_read(path, &yaml, err) : rmx_fail_memory(err, 0, "a path"));
  const json_t *list = json_object_get(yaml.root, "phases");
  for (size_t k = 0; k < json_array_size(list); k++) {
    RMX_OWNED char *text = rmx_phase_text(list, k);
    if (text) cli_print("%s  %s\n", k ? "" : "\nThe mixture of each phase:\n", rmx_shown(text));
  }
  return RMX_OK;
}

static rmx_status print_result(const cli *c, rmx_err *err) {
  const rmx_experiment *e = &c->pipeline.experiment;
  rmx_corpus *corpus;
  RMX_TRY(rmx_experiment_corpus(e, &corpus, err));
  double *w = rmx_calloc(corpus->D_train, sizeof *w);
  rmx_status status =
      w ? rmx_optimum_read(e, corpus, w, err) : rmx_fail_memory(err, 0, "a mixture");
  if (status == RMX_OK) status = print_phases(e, err);
  if (status == RMX_OK) {
    cli_print("\nThe mixture (share of the training tokens):\n");
    print_mixture(corpus->names, w, corpus->prior, NULL, NULL, NULL, corpus->D_train);
    status = print_gain_of(e, err);
  }
  if (status == RMX_OK) {
    cli_print("\nThe comparison (%s):\n", "large models, the same tokens for each");
    status = print_comparison_of(c, err);
  }
  if (status == RMX_OK && e->config.compare.methods.n) {
    cli_print("\nThe methods:\n");
    status = print_methods_of(c, err);
  }
  char *path = rmx_experiment_path(e, "report.html");
  if (status == RMX_OK && path) cli_print("\nThe page: %s\n", rmx_shown(path));
  free(path);
  free(w);
  rmx_corpus_free(corpus);
  return status;
}

static rmx_status print_result_json(const cli *c, rmx_err *err) {
  RMX_OWNED char *optimum = rmx_experiment_path(&c->pipeline.experiment, "optimum.yaml"),
                 *report = rmx_experiment_path(&c->pipeline.experiment, "report.html");
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  json_auto_t *tree = NULL;
  RMX_TRY(optimum && report ? rmx__yaml_read(optimum, &yaml, err)
                            : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(cli_read(c, "large/comparison.json", &tree, err));
  json_t *root = json_object();
  json_object_set(root, "optimum", yaml.root);
  json_object_set(root, "comparison", tree);
  json_object_set_new(root, "report", json_string(report));
  cli_print_json(root);
  return RMX_OK;
}

struct run_args {
  bool redo, dry_run, trained;
};

static rmx_status run_run(cli *c, rmx_err *err) {
  const struct run_args *args = c->own;
  RMX_TRY(cli_open(c, c->words.n ? c->words.items[0] : NULL, true, err));
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
