// SPDX-License-Identifier: Apache-2.0
// Runs of MLflow as CSV: of its page (Run ID, Name, Status, then parameters and metrics by their
// plain names), or of search_runs().to_csv() (run_id, status, metrics.*, params.*, tags.*).

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats.h"

static bool starts(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool has_prefixes(const rmx_cells *c) {
  for (size_t j = 0; j < c->C; j++)
    if (starts(c->header[j], "metrics.") || starts(c->header[j], "params.")) return true;
  return false;
}

static bool sniff(const rmx__source *s) {
  const rmx_cells *c = s->cells;
  if (!c) return false;
  if (rmx__column_called(c, "run_id") != SIZE_MAX && has_prefixes(c)) return true;
  return rmx__column_called(c, "Run ID") != SIZE_MAX &&
         rmx__column_called(c, "Status") != SIZE_MAX &&
         (rmx__column_called(c, "Source Type") != SIZE_MAX ||
          rmx__column_called(c, "Start Time") != SIZE_MAX);
}

// The column of the names, unless a name repeats or is missing: then that of the ids.
static size_t name_column(const rmx__source *s, const bool *left_out) {
  const rmx_cells *c = s->cells;
  static const char *const names[] = {"tags.mlflow.runName", "Name", "run_name"};
  size_t name = SIZE_MAX, id = rmx__column_called(c, "run_id");
  for (size_t k = 0; k < 3 && name == SIZE_MAX; k++) name = rmx__column_called(c, names[k]);
  if (id == SIZE_MAX) id = rmx__column_called(c, "Run ID");
  if (name == SIZE_MAX) return id;
  for (size_t i = 0; i < c->N; i++) {
    if (left_out[i]) continue;
    bool good = *c->cells[i * c->C + name];
    for (size_t e = 0; e < i && good; e++)
      good = left_out[e] || strcmp(c->cells[i * c->C + name], c->cells[e * c->C + name]) != 0;
    if (good) continue;
    rmx_note(s->listener,
             "%s: some runs have no name or the same one; they are distinguished by column \"%s\"",
             s->path, c->header[id]);
    return id;
  }
  return name;
}

// "metrics.loss" is called "loss".
static void drop_prefix(rmx_table *t, const char *prefix) {
  for (size_t d = 0; d < t->D; d++)
    if (starts(t->names[d], prefix) && t->names[d][strlen(prefix)])
      memmove(t->names[d], t->names[d] + strlen(prefix), strlen(t->names[d] + strlen(prefix)) + 1);
}

static rmx_status read_mlflow(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  static const char *const about_runs[] = {
      "start time", "duration", "run id",        "name",       "source type", "source name", "user",
      "status",     "run_id",   "experiment_id", "start_time", "end_time",    "artifact_uri"};
  const bool prefixes = has_prefixes(c), metrics = s->options->what == RMX_IMPORT_METRICS;
  const char *wanted = metrics ? "metrics." : "params.";
  RMX_OWNED bool *skip = rmx_calloc(c->C, sizeof *skip),
                 *left_out = rmx_calloc(c->N, sizeof *left_out);
  if (!skip || !left_out) return rmx_fail_memory(err, c->N, s->path);
  const size_t state = rmx__column_called(c, "status");
  RMX_TRY(rmx__leave_unfinished(s, state, name_column(s, left_out), false, left_out, err));
  for (size_t j = 0; j < c->C; j++) skip[j] = prefixes && !starts(c->header[j], wanted);
  for (size_t k = 0; k < sizeof about_runs / sizeof *about_runs; k++) {
    const size_t j = rmx__column_called(c, about_runs[k]);
    if (j != SIZE_MAX) skip[j] = true;
  }
  rmx__source table = *s;
  rmx_import_options options = *s->options;
  options.mixed = false;
  table.options = &options;
  RMX_TRY(rmx__import_view(&table,
                           &(rmx__view){.id = name_column(s, left_out),
                                        .skip = skip,
                                        .out = left_out,
                                        .guess = !prefixes || !metrics},
                           out, err));
  if (metrics) drop_prefix(out, wanted);
  return RMX_OK;
}

const rmx__table_format rmx__format_mlflow = {
    .name = "mlflow",
    .help = "runs of MLflow as CSV",
    .sniff = sniff,
    .read = read_mlflow,
};
