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
  RMX_OWNED_BY(rmx_next_release) rmx_next next = {0};
  RMX_TRY(rmx_pipeline_suggest(&c->pipeline, &request, &next, err));
  return print(c, args, &next, err);
}

#define AT(member) offsetof(struct suggest_args, member)
static const rmx_option options_table[] = {
    {"runs", RMX_INT, AT(runs), "8", 1, 10000, "K", "number of mixtures to suggest (also -n)"},
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "folder of the fit of the existing runs (default: the fit of the experiment)"},
    {"pending", RMX_TEXT, AT(pending), NULL, 0, 0, "FILE",
     "mixtures that were chosen earlier and have no results yet; they are taken into account and "
     "not suggested again (default: mixtures.csv of the experiment)"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "CSV file to write; default: stdout"},
    {"more", RMX_INT, AT(more), "0", 0, 1e6, "M",
     "number of further runs for the estimate of what more runs would gain (0: as many as there "
     "are)"},
    {"no-curve", RMX_BOOL, AT(no_curve), "false", 0, 0, NULL,
     "skip this estimate, which takes a few seconds"},
    PROBLEM_OPTIONS(struct suggest_args),
};
const rmx_command cli_suggest = {
    .name = "suggest",
    .words = "",
    .run = run_suggest,
    CLI_OPTIONS(options_table, struct suggest_args),
    .problem_at = AT(problem.keep),
    .summary = "print the next mixtures to train, and what more runs would gain",
};
