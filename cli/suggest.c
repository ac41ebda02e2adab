// SPDX-License-Identifier: Apache-2.0
// regmix suggest: the mixtures to train next.
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

static rmx_status print(const cli *c, const rmx_next_request *args, const rmx_next *s,
                        rmx_err *err) {
  const char *const *domains = rmx_fit_domains(s->fit);
  rmx_table table;
  RMX_TRY(rmx_suggestion_table(&s->suggestion, domains, &table, err));
  rmx_status status = args->out ? rmx_csv_write(args->out, &table, err) : RMX_OK;
  if (status == RMX_OK && c->common.json) {
    cli_print_json(rmx_next_json(s));
  } else if (status == RMX_OK && !args->out) {
    status = cli_print_table(&table, err);
  }
  rmx_table_release(&table);
  return status;
}

static rmx_status run_suggest(cli *c, rmx_err *err) {
  const rmx_next_request *args = c->own;
  RMX_TRY(cli_open(c, NULL, false, err));
  RMX_OWNED_BY(rmx_next_release) rmx_next next = {0};
  if (!args->fit) rmx_pipeline_warn_outdated(&c->pipeline, RMX_STEP_OPTIMIZE);
  RMX_TRY(rmx_pipeline_suggest(&c->pipeline, args, &next, err));
  return print(c, args, &next, err);
}

const rmx_command cli_suggest = {
    .name = "suggest",
    .words = "",
    .run = run_suggest,
    CLI_OPTIONS(rmx_suggest_option_table, rmx_next_request),
    .problem_at = offsetof(rmx_next_request, problem.keep),
    .summary = "print the next mixtures to train, and what more runs would gain",
};
