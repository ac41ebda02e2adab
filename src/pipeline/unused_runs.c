// SPDX-License-Identifier: Apache-2.0
// Finished runs in runs/ that are of no present mixture or swarm: a smaller sample.runs or a
// removed swarm leaves them. They stay where they are, and are used again if their mixture or swarm
// returns. While the tables of the experiment still have them, they are in use, and a person is
// asked before they go out of it.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"
#include "swarm/look.h"

// Whether it is the folder of one of these runs (n).
static bool is_of(const rmx_run *runs, size_t n, const char *name) {
  size_t i = 0;
  while (i < n && strcmp(runs[i].name, name) != 0) i++;
  return i < n;
}

// Whether a table that `regmix train` wrote has a row of this run: NAME, or NAME@TOKENS.
static bool is_in_tables(const json_t *tables, const char *name) {
  const char *table, *id;
  const size_t n = strlen(name);
  json_t *record, *of;
  json_object_foreach((json_t *)tables, table, record)
    json_object_foreach(json_object_get(json_object_get(record, "now"), "rows"), id, of)
      if (strncmp(id, name, n) == 0 && (!id[n] || id[n] == '@')) return true;
  return false;
}

// tables: count only the runs that are in these; NULL: all.
static rmx_status count(const rmx_experiment *e, const rmx_run *runs, size_t n,
                        const json_t *tables, rmx__finished *out, rmx_few *names,
                        rmx_strings *folders, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings found = {0}, renamed = {0}, used = {0};
  RMX_OWNED char *parent = rmx_experiment_path(e, "runs");
  RMX_TRY(parent ? rmx_list(parent, &found, err) : rmx_fail_memory(err, 0, "a path"));
  bool looked = false;  // that reads all results
  for (size_t i = 0; i < found.n; i++) {
    RMX_OWNED char *folder = rmx_path_in(parent, found.items[i]),
                   *path = folder ? rmx_path_in(folder, "result.json") : NULL;
    json_auto_t *result = NULL;
    rmx_err ignored;
    if (!path) return rmx_fail_memory(err, 0, "a path");
    if (is_of(runs, n, found.items[i]) || !rmx_exists(path) ||
        (tables && !is_in_tables(tables, found.items[i])) ||
        rmx__json_read(path, &result, &ignored) != RMX_OK ||
        !rmx__fingerprint_in(result, "answers"))
      continue;
    if (n && !looked) RMX_TRY(rmx__runs_elsewhere(runs, n, false, &renamed, &used, err));
    looked = true;
    if (rmx_strings_have(&used, folder)) continue;
    rmx__count_finished(out, result);
    rmx_few_add(names, found.items[i]);
    if (folders && !rmx_strings_add(folders, folder)) return rmx_fail_memory(err, 0, "a path");
  }
  return RMX_OK;
}

rmx_status rmx__unused_runs(const rmx_experiment *e, const rmx_run *runs, size_t n,
                            rmx__finished *out, rmx_few *names, rmx_strings *folders,
                            rmx_err *err) {
  return count(e, runs, n, NULL, out, names, folders, err);
}

rmx_status rmx__agree_to_leave(rmx_pipeline *p, const rmx_run *runs, size_t n, bool *some,
                               rmx_err *err) {
  rmx__finished unused = {0};
  rmx_few names = {0};
  json_auto_t *tables = NULL;
  rmx_err ignored;
  *some = false;
  if (rmx__experiment_read(&p->experiment, "tables.json", &tables, &ignored) != RMX_OK || !tables)
    return RMX_OK;
  RMX_TRY(count(&p->experiment, runs, n, tables, &unused, &names, NULL, err));
  *some = unused.runs > 0;
  RMX_OWNED char *why =
      rmx_format("would no longer be used (of no present mixture or swarm: %s)", names.text);
  char took[RMX__TOOK];
  if (*some && why && p->would) {
    rmx__would(p, "train", true, "%zu finished run%s%s %s", unused.runs, rmx_s(unused.runs),
               rmx__took(&unused, took), why);
    return RMX_OK;
  }
  return why ? rmx__agree(p, &unused, why, err) : rmx_fail_memory(err, 0, "a message");
}

rmx_status rmx__tell_unused(rmx_pipeline *p, const rmx_run *runs, size_t n, rmx_err *err) {
  rmx__finished unused = {0};
  rmx_few names = {0};
  char took[RMX__TOOK];
  RMX_TRY(rmx__unused_runs(&p->experiment, runs, n, &unused, &names, NULL, err));
  if (unused.runs)
    rmx_note(&p->listener,
             "train: %zu finished run%s%s %s no longer used, since %s of no present "
             "mixture or swarm (%s); if that returns, %s used again",
             unused.runs, rmx_s(unused.runs), rmx__took(&unused, took), rmx_is(unused.runs),
             unused.runs == 1 ? "it is" : "they are", names.text,
             unused.runs == 1 ? "it is" : "they are");
  return RMX_OK;
}
