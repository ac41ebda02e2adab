// SPDX-License-Identifier: Apache-2.0
// regmix report: the page.
#include <regmix/report.h>
#include <stdlib.h>

#include "steps.h"

rmx_status rmx__step_report(rmx_pipeline *p, rmx_err *err) {
  char *path = rmx_experiment_path(&p->experiment, "report.html");
  const rmx_report_files files = {.folder = p->experiment.folder};
  rmx_status status =
      path ? rmx_report_write(&files, path, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) rmx_note(&p->listener, "report: %s", path);
  free(path);
  return status;
}