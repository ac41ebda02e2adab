// SPDX-License-Identifier: Apache-2.0
// regmix gc: deletes what was set aside when settings changed, and prints what it was.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct gc_args {
  bool dry_run;
};

static void print_holding(const char *head, const json_t *o) {
  char time[32], bytes[16];
  const double runs = cli_get(o, "runs"), corpora = cli_get(o, "corpora");
  if (cli_get(o, "models") > 0) printf("%s: %.0f models of proxies\n", head, cli_get(o, "models"));
  printf(
      "%s: %.0f finished run%s, which took %s, and %.0f corp%s%s; %sB\n", head, runs, rmx_s(runs),
      rmx_duration(cli_get(o, "wall_s"), time), corpora, corpora == 1 ? "us" : "ora",
      json_is_true(json_object_get(o, "unfinished")) ? ", and what a stopped prepare has read" : "",
      rmx_count(cli_get(o, "bytes"), bytes));
}

static void print_all(const json_t *root) {
  const json_t *folders = json_object_get(root, "folders");
  size_t i;
  json_t *o;
  json_array_foreach(folders, i, o) print_holding(cli_text(o, "folder"), o);
  if (json_array_size(folders) == 0)
    puts("nothing was set aside");
  else
    print_holding(json_is_true(json_object_get(root, "deleted")) ? "deleted" : "would be deleted",
                  root);
}

static rmx_status run_gc(cli *c, rmx_err *err) {
  const struct gc_args *args = c->own;
  json_t *root = NULL;
  RMX_TRY(cli_open(c, NULL, true, err));
  RMX_TRY(rmx_set_aside(&c->pipeline.experiment, !args->dry_run, &c->listener, &root, err));
  return cli_show(c, root, print_all);
}

static const rmx_option options[] = {
    {"dry-run", RMX_BOOL, offsetof(struct gc_args, dry_run), "false", 0, 0, NULL,
     "print what would be deleted, and delete nothing"},
};
const rmx_command cli_gc = {
    .name = "gc",
    .words = "",
    .run = run_gc,
    CLI_OPTIONS(options, struct gc_args),
    .summary = "delete finished runs and corpora of old settings",
};
