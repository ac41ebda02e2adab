// SPDX-License-Identifier: Apache-2.0
// regmix report: writes the page.
#include "steps.h"

static rmx_status run_report(cli *c, rmx_err *err) {
  RMX_OWNED char *path = NULL;
  RMX_TRY(cli_open(c, NULL, false, err));
  const rmx_report_request *args = c->own;
  if (!args->fit && !args->optimum) rmx_pipeline_warn_outdated(&c->pipeline, RMX_STEP_REPORT);
  RMX_TRY(rmx_pipeline_report(&c->pipeline, c->own, &path, err));
  if (c->common.json)
    cli_print_json(json_pack("{s:s}", "report", path));
  else if (!cli_is_stdout(path))
    puts(rmx_shown(path));
  return RMX_OK;
}

const rmx_command cli_report = {
    .name = "report",
    .words = "",
    .run = run_report,
    CLI_OPTIONS(rmx_report_option_table, rmx_report_request),
    .summary = "write report.html: the mixture, the reasons for it, and how certain it is",
};
