// SPDX-License-Identifier: Apache-2.0
// regmix report: the page.
#include <regmix/report.h>
#include <stdlib.h>

#include "steps.h"

rmx_status step_report(const cli *c, const rmx_experiment *e, rmx_err *err) {
  char *path = rmx_experiment_path(e, "report.html");
  rmx_status status = path ? rmx_report_write(e->folder, path, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) rmx_note(&c->listener, "report: %s", path);
  free(path);
  return status;
}

static rmx_status run_report(cli *c, rmx_err *err) {
  const char *out = *(char **)c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, false, &e, err));
  char *path = out ? rmx_strdup(out) : rmx_experiment_path(&e, "report.html");
  rmx_status status = path ? rmx_report_write(e.folder, path, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) puts(path);
  free(path);
  rmx_experiment_release(&e);
  return status;
}

static const rmx_option options[] = {
    {"out", RMX_TEXT, 0, NULL, 0, 0, "FILE", "where the page goes; default: report.html in the experiment"},
};
const cli_command cli_report = {
    .name = "report", .words = "", .run = run_report,
    .options = options, .n_options = 1, .own_size = sizeof(char *),
    .summary = "write report.html: the mixture, why, and how sure",
    .about = "One self-contained page of what the experiment's folder holds: mixture against prior, predicted against true, each domain's "
             "effect, learning curves, the comparison of the optimum and that of `compare --methods`. Parts that are not there yet say which command makes them.",
    .examples = "  regmix report -C exp\n",
};
