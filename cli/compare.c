// SPDX-License-Identifier: Apache-2.0
// regmix pretrain and regmix compare: train the large model on the optimum and on other mixtures,
// with the same tokens and seeds. A mixture with a name is a contender; each of its seeds is a run.
#include <math.h>
#include <regmix/baselines.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct compare_args {
  rmx_strings methods;
  int64_t seeds;
  char *budget;
  bool redo, dry_run;
};

static rmx_status say_compare(rmx_pipeline *p, rmx_err *err) {
  const size_t methods = p->experiment.config.compare.methods.n;
  if (methods == 0) return rmx_pipeline_step(p, RMX_STEP_COMPARE, err);
  RMX_TRY(rmx_pipeline_step(p, RMX_STEP_PREPARE, err));
  if (!p->pending) return rmx_pipeline_step(p, RMX_STEP_METHODS, err);
  p->would(p->context, "methods", true, "would train what the methods lack");
  return RMX_OK;
}

// Values of the command line replace those of the config.
static rmx_status take_arguments(const struct compare_args *args, rmx_compare_options *o,
                                 rmx_err *err) {
  if (args->seeds > 0) o->seeds = args->seeds;
  if (args->methods.n) rmx_strings_release(&o->methods);
  bool good = true;
  for (size_t i = 0; i < args->methods.n; i++)
    good &= rmx_strings_add(&o->methods, args->methods.items[i]);
  if (args->budget) {
    free(o->budget);
    good &= (o->budget = rmx_strdup(args->budget)) != NULL;
  }
  return good ? RMX_OK : rmx_fail_memory(err, 0, "options");
}

static rmx_status run_compare(cli *c, rmx_err *err) {
  const struct compare_args *args = c->own;
  rmx_pipeline *p = &c->pipeline;
  RMX_TRY(cli_open(c, NULL, true, err));
  p->redo = args->redo;
  rmx_compare_options *o = &p->experiment.config.compare;
  RMX_TRY(take_arguments(args, o, err));
  RMX_TRY(rmx_methods_check(p, args->methods.n > 0, args->budget != NULL, err));
  if (args->dry_run) return cli_dry_run(c, say_compare, err);
  if (o->methods.n) {
    RMX_TRY(rmx_pipeline_step(p, RMX_STEP_PREPARE, err));
    RMX_TRY(rmx_experiment_resolve(&p->experiment, err));
    RMX_TRY(rmx_pipeline_step(p, RMX_STEP_METHODS, err));
    RMX_TRY(print_methods_of(c, err));
  } else {
    RMX_TRY(rmx_pipeline_step(p, RMX_STEP_COMPARE, err));
    RMX_TRY(print_comparison_of(c, err));
  }
  return rmx_pipeline_step(p, RMX_STEP_REPORT, err);
}

#define AT(member) offsetof(struct compare_args, member)
static const rmx_option compare_options[] = {
    {"methods", RMX_LIST, AT(methods), NULL, 0, 0, "NAME,NAME,...",
     "compare these methods that choose data, not the optimum with compare.against; a name may "
     "also be optimum, best_run, single:DOMAIN or a mixture file"},
    {"seeds", RMX_INT, AT(seeds), NULL, 1, 1000, "N",
     "number of large models per mixture, with paired seeds; default: compare.seeds"},
    {"budget", RMX_TEXT, AT(budget), NULL, 0, 0, "FLOPS|TOKENS",
     "with --methods: budget of each method to find its mixture, in FLOPs (1e15) or in tokens of "
     "the proxy (20Mtokens); default: the cost of the proxies"},
    REDO_OPTION(struct compare_args),
    DRY_RUN_OPTION(struct compare_args),
};
#undef AT

static bool method_item(size_t i, rmx_command_item *out) {
  if (i >= rmx_baselines_n) return false;
  const rmx_baseline *b = rmx_baselines[i];
  *out = (rmx_command_item){b->name, b->help, b->suits, b->source};
  return true;
}

const rmx_command cli_compare = {
    .name = "compare",
    .words = "",
    .run = run_compare,
    CLI_OPTIONS(compare_options, struct compare_args),
    .items = "Methods",
    .item = method_item,
    .summary = "train the large model on the optimum and on other mixtures, with paired seeds",
};

// ---- pretrain: one mixture

struct pretrain_args {
  char *mixture, *init;
  int64_t seeds;
  bool redo;
};

static rmx_status print_losses(const char *folder, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, "result.json");
  const char *domain;
  json_auto_t *result = NULL;
  json_t *loss;
  RMX_TRY(path ? rmx__json_read(path, &result, err) : rmx_fail_memory(err, 0, "a path"));
  cli_print("%s\n", rmx_shown(folder));
  json_object_foreach(json_object_get(result, "loss_nats"), domain, loss)
    cli_print("  %-*s %8.4f nats per token\n", rmx_pad(rmx_shown(domain), 24), rmx_shown(domain),
              json_is_number(loss) ? json_number_value(loss) : NAN);
  return RMX_OK;
}

static rmx_status run_pretrain(cli *c, rmx_err *err) {
  const struct pretrain_args *args = c->own;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings folders = {0};
  json_auto_t *row = NULL;
  RMX_TRY(cli_open(c, NULL, true, err));
  c->pipeline.redo = args->redo;
  if (args->init) RMX_TRY(rmx_pipeline_init(&c->pipeline, args->init, err));
  rmx_pipeline_warn_outdated(&c->pipeline, args->mixture ? RMX_STEP_SAMPLE : RMX_STEP_COMPARE);
  RMX_TRY(
      rmx_pipeline_pretrain(&c->pipeline, args->mixture, (size_t)args->seeds, &row, &folders, err));
  for (size_t s = 0; !c->common.json && s < folders.n; s++)
    RMX_TRY(print_losses(folders.items[s], err));
  if (c->common.json) cli_print_json(json_incref(row));
  return RMX_OK;
}

#define AT(member) offsetof(struct pretrain_args, member)
static const rmx_option pretrain_options[] = {
    {"mixture", RMX_TEXT, AT(mixture), NULL, 0, 0, "NAME|FILE",
     "mixture to train on: prior, uniform, best_single, best_run, single:DOMAIN or a file; "
     "default: the optimum"},
    {"init", RMX_TEXT, AT(init), NULL, 0, 0, "DIR",
     "begin with the weights of the model in this folder; the same as large.init"},
    {"seeds", RMX_INT, AT(seeds), "1", 1, 1000, "N",
     "number of models to train, each with its own seed"},
    REDO_OPTION(struct pretrain_args),
};
const rmx_command cli_pretrain = {
    .name = "pretrain",
    .words = "",
    .run = run_pretrain,
    CLI_OPTIONS(pretrain_options, struct pretrain_args),
    .summary = "train the large model on the optimum or on a mixture of your own",
};
