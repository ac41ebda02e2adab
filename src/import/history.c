// SPDX-License-Identifier: Apache-2.0
// A table with several rows of a run, one for each step of its training, as loggers write it. Of
// each metric the last value of a run counts: loggers leave a cell empty at steps at which the
// metric was not measured.

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "formats.h"
#include "gather.h"

// Whether two columns have the same name: the plain table reports them.
static bool has_doubles(const rmx_cells *c) {
  for (size_t j = 0; j < c->C; j++)
    for (size_t k = 0; k < j; k++)
      if (strcmp(c->header[j], c->header[k]) == 0) return true;
  return false;
}

// Whether some run has rows of different steps.
static bool has_steps(const rmx_cells *c, size_t id, size_t step) {
  json_auto_t *first = json_object();
  for (size_t i = 0; i < c->N; i++) {
    const char *run = c->cells[i * c->C + id], *text = c->cells[i * c->C + step],
               *had = json_string_value(json_object_get(first, run));
    if (had && strcmp(had, text) != 0) return true;
    if (!had && json_object_set_new_nocheck(first, run, json_string_nocheck(text)) != 0)
      return false;
  }
  return false;
}

static size_t id_of(const rmx__source *s) {
  const size_t j = s->options->id ? rmx__column_called(s->cells, s->options->id) : SIZE_MAX;
  return j == SIZE_MAX ? rmx__id_column(s) : j;
}

// Runs of several sizes and lengths are told apart by the columns that are asked for.
static bool sniff(const rmx__source *s) {
  if (!s->cells || s->options->what != RMX_IMPORT_METRICS || s->options->tokens_column ||
      s->options->size_column)
    return false;
  const size_t id = id_of(s), step = rmx__step_column(s->cells);
  return step != SIZE_MAX && step != id && has_steps(s->cells, id, step) && !has_doubles(s->cells);
}

static rmx_status take_row(const rmx__source *s, size_t i, size_t id, size_t step, rmx__gather *g,
                           size_t *again, rmx_err *err) {
  const rmx_cells *c = s->cells;
  const char *const *row = c->cells + i * c->C;
  const bool first = g->n == 0;  // it has all columns, in their order
  double at;
  RMX_TRY(rmx__step_of(c, i, step, &at, err));
  for (size_t j = 0; j < c->C; j++) {
    bool had = false;
    if (j == id || j == step || rmx__is_row_number(c->header[j])) continue;
    if (!*row[j] && !first) continue;
    RMX_TRY(rmx__gather_put(g, row[id], c->header[j], row[j], *row[j] ? at : -1, &had, err));
    *again += had;
  }
  return rmx__gather_put(g, row[id], NULL, NULL, 0, NULL, err);
}

static rmx_status read_history(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  const size_t state = rmx__state_column(c), id = id_of(s), step = rmx__step_column(c);
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  RMX_OWNED bool *left_out = rmx_calloc(c->N, sizeof *left_out);
  size_t again = 0;
  if (!left_out) return rmx_fail_memory(err, c->N, s->path);
  if (state != SIZE_MAX) RMX_TRY(rmx__leave_unfinished(s, state, id, left_out, err));
  for (size_t i = 0; i < c->N; i++)
    if (!left_out[i]) RMX_TRY(take_row(s, i, id, step, &g, &again, err));
  rmx__tell_id(s, s->options->id ? 0 : id);
  rmx_note(s->listener,
           "%s: %zu rows of %zu run%s: the last value of each metric by column \"%s\" counts",
           s->path, c->N, g.n_rows, rmx_s(g.n_rows), c->header[step]);
  rmx__tell_again(s, again);
  return rmx__import_gathered(s, &g, c->header[id], "", s->options->mixed, out, err);
}

const rmx__table_format rmx__format_history = {
    .name = "history",
    .help = "a CSV file with a row for each run and step",
    .sniff = sniff,
    .read = read_history,
};
