// SPDX-License-Identifier: Apache-2.0
// regmix doctor: checks this machine, and a folder on it.
#include "steps.h"

static rmx_status run_doctor(cli *c, rmx_err *err) {
  json_t *root = rmx_doctor(c->common.folder ? c->common.folder : "."), *check;
  const json_t *checks = json_object_get(root, "checks");
  const size_t all = json_array_size(checks);
  const double failed = cli_get(root, "failed");
  size_t i;
  if (c->common.json) cli_print_json(json_incref(root));
  json_array_foreach(checks, i, check) {
    if (c->common.json) break;
    cli_print("%-5s %-13s %s\n", cli_text(check, "verdict"), cli_text(check, "name"),
              cli_text(check, "found"));
    if (*cli_text(check, "advice"))
      cli_print("%-5s %-13s -> %s\n", "", "", cli_text(check, "advice"));
  }
  json_decref(root);
  if (failed == 0) return RMX_OK;
  return rmx_fail(err, RMX_EIO, "%.0f of %zu checks failed; see the advice above", failed, all);
}

const rmx_command cli_doctor = {
    .name = "doctor",
    .words = "",
    .run = run_doctor,
    .summary = "check the processor, memory, libraries and file system of this machine",
};
