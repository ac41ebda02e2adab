// SPDX-License-Identifier: Apache-2.0
// regmix check: tests whether a config can be run, without running it.
#include <string.h>

#include "steps.h"

static void print_domains(const json_t *domains) {
  cli_table t = {.align = "lrrl"};
  size_t i;
  json_t *d;
  cli_cell(&t, "domain");
  cli_cell(&t, "files");
  cli_cell(&t, "bytes");
  cli_cell(&t, "format");
  json_array_foreach(domains, i, d) {
    char bytes[16];
    const double valid = cli_get(d, "valid_files");
    cli_cell(&t, "%s", cli_text(d, "name"));
    cli_cell(&t, valid > 0 ? "%.0f+%.0f" : "%.0f", cli_get(d, "files"), valid);
    cli_cell(&t, "%s", rmx_count(cli_get(d, "bytes"), bytes));
    cli_cell(&t, "%s%s%s", cli_text(d, "format"),
             json_is_true(json_object_get(d, "valid_only")) ? " (validation only)" : "",
             json_is_true(json_object_get(d, "target")) ? " (target)" : "");
  }
  cli_table_print(&t);
}

static rmx_status answer(const cli *c, json_t *root, rmx_err *err) {
  const json_t *problems = json_object_get(root, "problems"),
               *domains = json_object_get(root, "domains");
  const size_t n = json_array_size(problems);
  size_t i;
  json_t *p;
  if (c->common.json) {
    cli_print_json(json_incref(root));
  } else {
    if (json_array_size(domains)) print_domains(domains);
    json_array_foreach(problems, i, p) cli_print("problem: %s\n", json_string_value(p));
    if (n == 0) cli_print("no problems\n");
  }
  return n == 0 ? RMX_OK : rmx_fail(err, RMX_EINPUT, "%zu problem%s", n, rmx_s(n));
}

static rmx_status run_check(cli *c, rmx_err *err) {
  json_t *root = NULL;
  rmx_status status = cli_open(c, c->words.n ? c->words.items[0] : NULL, true, err);
  if (status == RMX_OK) {
    status = rmx_pipeline_check(&c->pipeline, &root, err);
  } else if (status == RMX_EINPUT) {  // a config that can't be read is reported like other problems
    root = json_pack("{s:b, s:[s], s:[], s:[]}", "ok", false, "problems", err->message, "domains",
                     "left_out");
    status = RMX_OK;
  }
  if (status == RMX_OK) status = answer(c, root, err);
  json_decref(root);
  return status;
}

const rmx_command cli_check = {
    .name = "check",
    .words = "[REGMIX.YAML]",
    .max_words = 1,
    .run = run_check,
    .summary =
        "test whether regmix.yaml can be run (files, targets, bounds, programs); trains nothing",
};
