// SPDX-License-Identifier: Apache-2.0
// regmix doctor: checks this machine, and a folder on it.
#include "steps.h"

static const char *text(const json_t *o, const char *key) {
  const char *value = json_string_value(json_object_get(o, key));
  return value ? value : "";
}

static rmx_status run_doctor(cli *c, rmx_err *err) {
  json_t *root = rmx_doctor(c->common.folder ? c->common.folder : "."), *check;
  const json_t *checks = json_object_get(root, "checks");
  const size_t all = json_array_size(checks);
  const long long failed = json_integer_value(json_object_get(root, "failed"));
  size_t i;
  if (c->common.json) cli_print_json(json_incref(root));
  json_array_foreach(checks, i, check) {
    if (c->common.json) break;
    printf("%-5s %-13s %s\n", text(check, "verdict"), text(check, "name"), text(check, "found"));
    if (*text(check, "advice")) printf("%-5s %-13s -> %s\n", "", "", text(check, "advice"));
  }
  json_decref(root);
  if (failed == 0) return RMX_OK;
  return rmx_fail(err, RMX_EIO, "%lld of %zu checks failed; see the advice above", failed, all);
}

const rmx_command cli_doctor = {
    .name = "doctor",
    .words = "",
    .run = run_doctor,
    .summary = "check the processor, memory, libraries and file system of this machine",
};
