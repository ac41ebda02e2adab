// SPDX-License-Identifier: Apache-2.0
// regmix suggest: the mixtures to train next.
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct suggest_args {
  char *fit, *out, *pending;
  int64_t runs, more;
  bool no_curve;
  rmx_problem_request problem;
};

static rmx_status print(const cli *c, const struct suggest_args *args, const rmx_next *s,
                        rmx_err *err) {
  const char *const *domains = rmx_fit_domains(s->fit);
  rmx_table table;
  RMX_TRY(rmx_suggestion_table(&s->suggestion, domains, &table, err));
  rmx_status status = args->out ? rmx_csv_write(args->out, &table, err) : RMX_OK;
  if (status == RMX_OK && c->common.json) {
    json_t *root = rmx_suggestion_json(&s->suggestion, domains);
    json_object_set_new(root, "learning_curve",
                        s->curve.sentence[0] ? rmx_learning_curve_json(&s->curve) : json_null());
    cli_print_json(root);
  } else if (status == RMX_OK && !args->out) {
    status = cli_print_table(&table, err);
  }
  rmx_table_release(&table);
  return status;
}

static rmx_status run_suggest(cli *c, rmx_err *err) {
  const struct suggest_args *args = c->own;
  RMX_TRY(cli_open(c, NULL, false, err));
  const rmx_next_request request = {.fit = args->fit,
                                    .pending = args->pending,
                                    .out = args->out,
                                    .runs = args->runs,
                                    .more = args->more,
                                    .no_curve = args->no_curve,
                                    .problem = args->problem};
  rmx_next next = {0};
  rmx_status status = rmx_pipeline_suggest(&c->pipeline, &request, &next, err);
  if (status == RMX_OK) status = print(c, args, &next, err);
  rmx_next_release(&next);
  return status;
}

#define AT(member) offsetof(struct suggest_args, member)
static const rmx_option options_table[] = {
    {"runs", RMX_INT, AT(runs), "8", 1, 10000, "K", "mixtures wanted (also -n)"},
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "the fit of the runs there are (default: the experiment's)"},
    {"pending", RMX_TEXT, AT(pending), NULL, 0, 0, "FILE",
     "mixtures chosen before that have no results yet: allowed for, not suggested again (default: "
     "the experiment's mixtures.csv)"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "the CSV to write; default: stdout"},
    {"more", RMX_INT, AT(more), "0", 0, 1e6, "M",
     "would so many more runs be worth their while? (0: as many again)"},
    {"no-curve", RMX_BOOL, AT(no_curve), "false", 0, 0, NULL,
     "do not ask that, which takes a few seconds"},
    PROBLEM_OPTIONS(struct suggest_args),
};
const rmx_command cli_suggest = {
    .name = "suggest",
    .words = "",
    .run = run_suggest,
    .options = options_table,
    .n_options = sizeof options_table / sizeof *options_table,
    .own_size = sizeof(struct suggest_args),
    .problem_at = AT(problem.keep),
    .summary = "the next mixtures to train, as CSV, and whether more are worth it",
};
