// SPDX-License-Identifier: Apache-2.0
// regmix prepare: turns text into tokens.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct prepare_args {
  bool redo, new_tokenizer, dry_run;
  char *classifier;
};

static rmx_status prepare(rmx_pipeline *p, rmx_err *err) {
  return rmx_pipeline_step(p, RMX_STEP_PREPARE, err);
}

static rmx_status run_prepare(cli *c, rmx_err *err) {
  const struct prepare_args *args = c->own;
  rmx_pipeline *p = &c->pipeline;
  RMX_TRY(cli_open(c, c->words.n ? c->words.items[0] : NULL, true, err));
  p->redo = args->redo;
  p->new_tokenizer = args->new_tokenizer;
  if (args->dry_run) return cli_dry_run(c, prepare, err);
  RMX_TRY(prepare(p, err));
  RMX_TRY(rmx_experiment_resolve(&p->experiment, err));
  json_auto_t *made = NULL;
  if (args->classifier) RMX_TRY(rmx_train_classifier(p, args->classifier, &made, err));
  if (!c->common.json) return RMX_OK;
  json_t *tree;
  RMX_TRY(rmx_prepared_json(p, &tree, err));
  RMX_TRY(rmx_pipeline_unchanged(p, err));
  if (made) json_object_set(tree, "classifier", made);
  cli_print_json(tree);
  return RMX_OK;
}

static const rmx_option options[] = {
    {"new-tokenizer", RMX_BOOL, offsetof(struct prepare_args, new_tokenizer), "false", 0, 0, NULL,
     "train the tokenizer again on the present text; without this option the old tokenizer is kept "
     "while its settings stay the same"},
    {"train-classifier", RMX_TEXT, offsetof(struct prepare_args, classifier), NULL, 0, 0, "FILE",
     "then train a classifier of the domains and write it to FILE, for corpus.classifier"},
    REDO_OPTION(struct prepare_args),
    DRY_RUN_OPTION(struct prepare_args),
};
const rmx_command cli_prepare = {
    .name = "prepare",
    .words = "[REGMIX.YAML]",
    .max_words = 1,
    .run = run_prepare,
    CLI_OPTIONS(options, struct prepare_args),
    .summary =
        "turn text into tokens: the tokenizer, and the training and validation files of each "
        "domain",
};
