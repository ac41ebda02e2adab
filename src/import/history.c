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
static rmx_status has_steps(const rmx_cells *c, size_t id, size_t step, bool *has, rmx_err *err) {
  json_auto_t *first = json_object();
  *has = false;
  for (size_t i = 0; i < c->N && !*has; i++) {
    const char *run = c->cells[i * c->C + id], *text = c->cells[i * c->C + step],
               *had = json_string_value(json_object_get(first, run));
    *has = had && strcmp(had, text) != 0;
    if (!had && json_object_set_new_nocheck(first, run, json_string_nocheck(text)) != 0)
      return rmx_fail_memory(err, 64, c->path);
  }
  return RMX_OK;
}

// The columns of the names and of the steps, and whether the table is a history.
static rmx_status look(const rmx__source *s, size_t *id, size_t *step, bool *is, rmx_err *err) {
  const rmx_cells *c = s->cells;
  *is = false;
  *step = rmx__step_column(c);
  if (*step == SIZE_MAX) return RMX_OK;
  RMX_TRY(rmx__id_column(s, id, err));
  if (s->options->id) *id = rmx__column_called(c, s->options->id);
  if (*id == SIZE_MAX || *step == *id) return RMX_OK;  // each row is a run
  RMX_TRY(has_steps(c, *id, *step, is, err));
  *is = *is && !has_doubles(c);
  return RMX_OK;
}

// Runs of several sizes and lengths are told apart by the columns that are asked for. Without
// memory to look, it is left to the reader, which looks again.
static bool sniff(const rmx__source *s) {
  size_t id, step;
  bool is = false;
  rmx_err ignored;
  if (!s->cells || s->options->what != RMX_IMPORT_METRICS || s->options->tokens_column ||
      s->options->size_column)
    return false;
  return look(s, &id, &step, &is, &ignored) != RMX_OK || is;
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
    if (j == id || j == step || (j == 0 && rmx__is_row_number(c->header[0]))) continue;
    if (!*row[j] && !first) continue;
    RMX_TRY(rmx__gather_put(g, row[id], c->header[j], row[j], *row[j] ? at : -1, &had, err));
    *again += had;
  }
  return rmx__gather_put(g, row[id], NULL, NULL, 0, NULL, err);
}

static rmx_status read_history(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  const size_t state = rmx__state_column(c);
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  size_t id = 0, step = 0;
  bool is = false;
  RMX_TRY(look(s, &id, &step, &is, err));
  if (!is) return rmx_fail_memory(err, c->N, s->path);
  RMX_OWNED bool *left_out = rmx_calloc(c->N, sizeof *left_out);
  size_t again = 0;
  if (!left_out) return rmx_fail_memory(err, c->N, s->path);
  RMX_TRY(rmx__leave_unfinished(s, state, id, true, left_out, err));
  for (size_t i = 0; i < c->N; i++)
    if (!left_out[i]) RMX_TRY(take_row(s, i, id, step, &g, &again, err));
  rmx__tell_id(s, s->options->id ? 0 : id);
  rmx_note(s->listener,
           "%s: %zu rows of %zu run%s: the last value of each metric by column \"%s\" counts",
           s->path, c->N, g.n_rows, rmx_s(g.n_rows), c->header[step]);
  rmx__tell_again(s, again);
  RMX_TRY(rmx__gather_tell_short(&g, s->path, s->listener, err));
  return rmx__import_gathered(s, &g, c->header[id], "", s->options->mixed, out, err);
}

const rmx__table_format rmx__format_history = {
    .name = "history",
    .help = "a CSV file with a row for each run and step",
    .sniff = sniff,
    .read = read_history,
};
