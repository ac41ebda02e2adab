// SPDX-License-Identifier: Apache-2.0
// regmix report: writes the page.
#include "steps.h"

static rmx_status run_report(cli *c, rmx_err *err) {
  RMX_OWNED char *path = NULL;
  RMX_TRY(cli_open(c, NULL, false, err));
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
