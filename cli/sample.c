// SPDX-License-Identifier: Apache-2.0
// regmix sample: writes the random mixtures of the proxies to mixtures.csv.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

static void print_mixtures_json(const char *path, const rmx_table *t) {
  cli_print_json(json_pack("{s:o, s:I, s:o}", "path", path ? json_string(path) : json_null(),
                           "runs", (json_int_t)t->N, "mixtures", rmx__table_json(t)));
}

static rmx_status print_sample_json(const rmx_pipeline *p, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_OWNED char *path = rmx_experiment_path(&p->experiment, "mixtures.csv");
  RMX_TRY(path ? rmx_csv_read(path, &t, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(rmx_pipeline_unchanged(p, err));
  print_mixtures_json(path, &t);
  return RMX_OK;
}

struct sample_args {
  char *prior, *out;
  bool redo, dry_run;
};

// Draws mixtures around a prior of the user, without a corpus, for training with another program.
static rmx_status sample_around(cli *c, const struct sample_args *args, rmx_err *err) {
  rmx_table t = {0};
  RMX_TRY(rmx_sample_around(&c->pipeline, args->prior, &t, err));
  rmx_status status = args->out ? rmx_csv_write(args->out, &t, err) : RMX_OK;
  if (status == RMX_OK && c->common.json)
    print_mixtures_json(args->out, &t);
  else if (status == RMX_OK && !args->out)
    status = cli_print_table(&t, err);
  rmx_table_release(&t);
  return status;
}

static rmx_status say_sample(rmx_pipeline *p, rmx_err *err) {
  return rmx_pipeline_step(p, RMX_STEP_SAMPLE, err);
}

static rmx_status run_sample(cli *c, rmx_err *err) {
  struct sample_args *args = c->own;
  RMX_TRY(cli_open(c, NULL, !args->prior, err));
  c->pipeline.redo = args->redo;
  if (args->prior && args->dry_run)
    return rmx_fail(err, RMX_EUSAGE,
                    "--dry-run is of an experiment's mixtures; with --prior leave it out");
  if (args->prior) return sample_around(c, args, err);
  if (args->dry_run) return cli_dry_run(c, say_sample, err);
  RMX_TRY(rmx_pipeline_step(&c->pipeline, RMX_STEP_SAMPLE, err));
  return c->common.json ? print_sample_json(&c->pipeline, err) : RMX_OK;
}

#define AT(member) offsetof(struct sample_args, member)
static const rmx_option options[] = {
    {"prior", RMX_TEXT, AT(prior), NULL, 0, 0, "FILE",
     "mixture to sample around, as a YAML map `domain: weight`; needs no corpus"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "with --prior: CSV file to write; default: stdout"},
    REDO_OPTION(struct sample_args),
    DRY_RUN_OPTION(struct sample_args),
};
const rmx_command cli_sample = {
    .name = "sample",
    .words = "",
    .run = run_sample,
    CLI_OPTIONS(options, struct sample_args),
    .summary = "draw the random mixtures of the proxies, and write them to mixtures.csv",
};
