// SPDX-License-Identifier: Apache-2.0
// regmix run: all of the pipeline in order, taking up where it stopped.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

static rmx_status print_result(const rmx_experiment *e, rmx_err *err) {
  rmx_corpus *corpus;
  RMX_TRY(open_corpus(e, &corpus, err));
  double *w = rmx_calloc(corpus->D_train, sizeof *w);
  rmx_status status = w ? read_optimum(e, corpus, w, err) : rmx_fail_memory(err, 0, "a mixture");
  if (status == RMX_OK) {
    printf("\nThe mixture (share of training tokens):\n");
    print_mixture(corpus->names, w, corpus->prior, NULL, NULL, corpus->D_train);
    status = print_gain_of(e, err);
  }
  if (status == RMX_OK) {
    printf("\nThe comparison (%s):\n", "large models, same tokens each");
    status = print_comparison_of(e, false, err);
  }
  if (status == RMX_OK && e->config.compare.methods.n) {
    printf("\nThe methods:\n");
    status = print_methods_of(e, false, err);
  }
  char *path = rmx_experiment_path(e, "report.html");
  if (status == RMX_OK && path) printf("\nThe page: %s\n", path);
  free(path);
  free(w);
  rmx_corpus_free(corpus);
  return status;
}

static rmx_status print_result_json(const rmx_experiment *e, rmx_err *err) {
  char *optimum = rmx_experiment_path(e, "optimum.yaml"),
       *compared = rmx_experiment_path(e, "large/comparison.json");
  char *report = rmx_experiment_path(e, "report.html");
  rmx_yaml yaml = {0};
  json_t *tree = NULL;
  rmx_status status = optimum && compared && report ? rmx_yaml_read(optimum, &yaml, err)
                                                    : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_json_read(compared, &tree, err);
  if (status == RMX_OK) {
    json_t *root = json_object();
    json_object_set(root, "optimum", yaml.root);
    json_object_set(root, "comparison", tree);
    json_object_set_new(root, "report", json_string(report));
    cli_print_json(root);
  }
  json_decref(tree);
  rmx_yaml_release(&yaml);
  free(optimum), free(compared), free(report);
  return status;
}

// Finished runs may go out of use: that is asked before anything is written.
static rmx_status agree_and_train(const cli *c, const rmx_experiment *e, rmx_err *err) {
  RMX_TRY(step_agree(c, e, err));
  return step_train(c, e, err);
}

static rmx_status run_all(const cli *c, const rmx_experiment *e, rmx_err *err) {
  static const struct {
    const char *name;
    rmx_status (*run)(const cli *, const rmx_experiment *, rmx_err *);
  } steps[] = {
      {"prepare", step_prepare}, {"sample", step_sample},     {"train", agree_and_train},
      {"fit", step_fit},         {"optimize", step_optimize}, {"compare", step_compare},
      {"methods", step_methods}, {"report", step_report},
  };
  const bool methods = e->config.compare.methods.n > 0;
  const size_t all = sizeof steps / sizeof *steps, n = all - !methods;
  for (size_t k = 0, i = 0; k < all; k++) {
    if (steps[k].run == step_methods && !methods) continue;
    const double began = rmx_now();
    char time[32];
    cli_step("step", ++i, n);
    RMX_TRY(steps[k].run(c, e, err));
    cli_detail("step %zu of %zu, %s, took %s", i, n, steps[k].name,
               cli_duration(rmx_now() - began, time));
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "stopped; `regmix run` goes on from here");
  }
  cli_step("step", 0, 0);
  return RMX_OK;
}

// Steps behind one that would do something cannot know yet what they will find.
static void tell_later(const cli *c, const rmx_experiment *e, const char *step) {
  const long long runs = (long long)e->config.sample.runs,
                  large = (long long)(e->config.compare.against.n + 1) * e->config.compare.seeds;
  if (strcmp(step, "train") == 0)
    step_tells(c, step, true,
               "would then train up to %lld runs; those that the changes leave are used again",
               runs);
  else if (strcmp(step, "compare") == 0)
    step_tells(c, step, true, "would then train up to %lld large models", large);
  else
    step_tells(c, step, true, "would follow where that changes what it depends on");
}

static rmx_status say_all(const cli *c, const rmx_experiment *e, rmx_err *err) {
  static const struct {
    const char *name;
    rmx_status (*run)(const cli *, const rmx_experiment *, rmx_err *);
  } steps[] = {{"prepare", step_prepare},   {"sample", step_sample},
               {"train", step_train},       {"fit", step_fit},
               {"optimize", step_optimize}, {"compare", step_compare},
               {"methods", NULL},           {"report", NULL}};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    const bool methods = strcmp(steps[i].name, "methods") == 0;
    if (methods && e->config.compare.methods.n == 0) continue;
    if (dry_run_pending(c))
      tell_later(c, e, steps[i].name);
    else if (steps[i].run)
      RMX_TRY(steps[i].run(c, e, err));
    else if (methods)
      step_tells(c, "methods", false, "would look what the %zu methods lack",
                 e->config.compare.methods.n);
    else
      step_tells(c, "report", false, "would be written again, as each time");
  }
  return RMX_OK;
}

struct run_args {
  bool redo, dry_run;
};

static rmx_status run_run(cli *c, rmx_err *err) {
  const struct run_args *args = c->own;
  rmx_experiment e;
  *c->may_redo = args->redo;
  RMX_TRY(open_experiment(c, c->words.n ? c->words.items[0] : NULL, true, &e, err));
  double began = rmx_now();
  rmx_status status = RMX_OK;
  if (e.config.n_target == 0)
    status = rmx_fail(
        err, RMX_EINPUT,
        "%s: no target: add for example `target: wikipedia` (a domain, or a map `domain: weight`)",
        e.config_path);
  if (status == RMX_OK) status = check_methods(c, &e, false, false, err);
  if (status == RMX_OK && args->dry_run) {
    if (!(c->dry = dry_run_begin())) status = rmx_fail_memory(err, 0, "a dry run");
    c->listener.note = NULL;  // what is found is the result
    if (status == RMX_OK) status = say_all(c, &e, err);
    if (status == RMX_OK) dry_run_end(c->dry, c->common.json);
    rmx_experiment_release(&e);
    return status;
  }
  if (status == RMX_OK) status = run_all(c, &e, err);
  char time[32];
  if (status == RMX_OK)
    rmx_note(&c->listener, "all done in %s", cli_duration(rmx_now() - began, time));
  if (status == RMX_OK)
    status = c->common.json ? print_result_json(&e, err) : print_result(&e, err);
  rmx_experiment_release(&e);
  return status;
}

static const rmx_option options[] = {
    {"dry-run", RMX_BOOL, offsetof(struct run_args, dry_run), "false", 0, 0, NULL,
     "say what each step would do, and how long training would take; change nothing"},
    REDO_OPTION(struct run_args),
};
const cli_command cli_run = {
    .name = "run",
    .words = "[REGMIX.YAML]",
    .most_words = 1,
    .run = run_run,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .own_size = sizeof(struct run_args),
    .summary =
        "all of it in order: prepare, sample, train, fit, optimize, compare (and compare.methods, "
        "where given), report",
    .about =
        "Does what is missing and nothing twice: stop it at any time (Ctrl-C, power cut) and run "
        "it again. What a changed setting "
        "touches is done again, after saying so. Finished runs that will no longer be used are set "
        "aside, and used again when the setting "
        "returns; before that a person is asked, and a script has to give --redo. The experiment "
        "is the folder of the regmix.yaml, or -C.",
    .examples =
        "  regmix run examples/quickstart/regmix.yaml\n  regmix run -C exp --set sample.runs=128 "
        "--redo\n"
        "  regmix run -C exp --dry-run\n    what is to do, without doing it\n",
};
