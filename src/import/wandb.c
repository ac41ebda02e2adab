// SPDX-License-Identifier: Apache-2.0
// A Weights & Biases export: one run per row, first Name and State, then the config and summary
// columns that its page showed. Runs that did not finish are left out.

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/order.h"
#include "formats.h"

// If the page does not show State, the export still has Name and another of its columns.
static bool sniff(const rmx__source *s) {
  if (!s->cells) return false;
  size_t name = rmx__column_called(s->cells, "name");
  if (name == SIZE_MAX) return false;
  if (rmx__column_called(s->cells, "state") != SIZE_MAX) return true;
  return strcmp(s->cells->header[name], "Name") == 0 &&
         (rmx__column_called(s->cells, "created") != SIZE_MAX ||
          rmx__column_called(s->cells, "runtime") != SIZE_MAX ||
          rmx__column_called(s->cells, "sweep") != SIZE_MAX);
}

// Whether two rows that are kept have the same cell in column j.
static rmx_status repeats(const rmx_cells *c, size_t j, const bool *left_out, bool *again,
                          rmx_err *err) {
  RMX_OWNED const char **names = rmx_calloc(c->N, sizeof *names);
  if (!names) return rmx_fail_memory(err, c->N * sizeof *names, c->path);
  size_t n = 0;
  for (size_t i = 0; i < c->N; i++)
    if (!left_out[i]) names[n++] = c->cells[i * c->C + j];
  qsort(names, n, sizeof *names, rmx__by_text);
  *again = false;
  for (size_t i = 1; i < n; i++) *again = *again || strcmp(names[i], names[i - 1]) == 0;
  return RMX_OK;
}

static rmx_status read_wandb(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  size_t name = rmx__column_called(c, "name"), state = rmx__column_called(c, "state"),
         id = rmx__column_called(c, "id");
  RMX_OWNED bool *skip = rmx_calloc(c->C, sizeof *skip),
                 *left_out = rmx_calloc(c->N, sizeof *left_out);
  bool again = false;
  if (!skip || !left_out) return rmx_fail_memory(err, c->N, s->path);
  if (state == SIZE_MAX)
    rmx_warn(s->listener, "%s: no column State, so unfinished runs can't be left out", s->path);
  else
    RMX_TRY(rmx__leave_unfinished(s, state, name, false, left_out, err));
  size_t named_by = name;
  RMX_TRY(repeats(c, name, left_out, &again, err));
  if (again && id != SIZE_MAX) {
    named_by = id;
    rmx_note(s->listener,
             "%s: some runs have the same name; they are distinguished by column \"%s\"", s->path,
             c->header[id]);
  }
  static const char *const about_runs[] = {"name",     "state",    "id",      "notes",   "user",
                                           "tags",     "created",  "runtime", "sweep",   "group",
                                           "job type", "hostname", "updated", "end time"};
  for (size_t k = 0; k < sizeof about_runs / sizeof *about_runs; k++) {
    size_t j = rmx__column_called(c, about_runs[k]);
    if (j != SIZE_MAX) skip[j] = true;
  }
  return rmx__import_view(
      s, &(rmx__view){.id = named_by, .skip = skip, .out = left_out, .guess = true}, out, err);
}

const rmx__table_format rmx__format_wandb = {
    .name = "wandb",
    .help = "a Weights & Biases CSV export (columns Name and State)",
    .sniff = sniff,
    .read = read_wandb,
};
