// SPDX-License-Identifier: Apache-2.0
// regmix gc: deletes what was set aside when settings changed, and prints what it was.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct gc_args {
  bool dry_run;
};

// What is there of it, and the bytes of all.
static void print_holding(const char *head, const json_t *o) {
  char time[32], bytes[16];
  const double runs = cli_get(o, "runs"), corpora = cli_get(o, "corpora"),
               models = cli_get(o, "models");
  cli_print("%s: ", head);
  if (models > 0) cli_print("%.0f model%s of proxies, ", models, rmx_s(models));
  const double timed = cli_get(o, "timed");
  if (runs > 0) cli_print("%.0f finished run%s, ", runs, rmx_s(runs));
  if (timed > 0 && timed < runs) cli_print("%.0f of them ", timed);
  if (timed > 0)
    cli_print("%stook %s, ", timed < runs ? "" : "which ",
              rmx_duration(cli_get(o, "wall_s"), time));
  if (corpora > 0) cli_print("%.0f corp%s, ", corpora, corpora == 1 ? "us" : "ora");
  if (json_is_true(json_object_get(o, "unfinished")))
    cli_print("what a stopped prepare has read, ");
  cli_print("%sB in all\n", rmx_count(cli_get(o, "bytes"), bytes));
}

static void print_all(const json_t *root) {
  const json_t *folders = json_object_get(root, "folders"),
               *tables = json_object_get(root, "tables");
  size_t i;
  json_t *o;
  json_array_foreach(folders, i, o) print_holding(cli_text(o, "folder"), o);
  if (json_array_size(folders) == 0)
    cli_print(json_array_size(tables) ? "nothing to delete\n" : "nothing was set aside\n");
  else
    print_holding(json_is_true(json_object_get(root, "deleted")) ? "deleted" : "would be deleted",
                  root);
  if (json_array_size(tables)) {
    cli_print("kept, since they may be the only copies of what you measured or trained on:\n");
    json_array_foreach(tables, i, o) cli_print("  %s\n", json_string_value(o));
  }
  const double models = cli_get(root, "models");
  if (models > 0)
    cli_print(
        "The config scores no tasks, so it does not need the model%s. If eval.tasks is set later, "
        "%s trained again.\n",
        rmx_s(models), models == 1 ? "this run is" : "these runs are");
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
