// SPDX-License-Identifier: Apache-2.0
// The plain table: the first column contains the names of the runs, every other column contains
// numbers, and columns of text are reported. If the first column contains values, the rows are
// numbered. The row numbers that a data frame saves as a first column without a name tell no runs
// apart in another table, nor do seeds and losses, so they are not the names if another column is.

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/c_number.h"
#include "base/json.h"
#include "formats.h"

static bool sniff(const rmx__source *s) {
  return s->cells != NULL;
}

bool rmx__is_own_table(const rmx__source *s) {
  const rmx_cells *c = s->cells;
  if (!c || s->options->what != RMX_IMPORT_MIXTURES || strcmp(c->header[0], "run") != 0)
    return false;
  for (size_t i = 0; i < c->N; i++) {
    double sum = 0, x;
    for (size_t j = 1; j < c->C; j++) {
      if (!rmx__is_number(c->cells[i * c->C + j], &x) || x < 0) return false;
      sum += x;
    }
    if (!(fabs(sum - 1) < 1e-6)) return false;
  }
  return c->N > 0;
}

bool rmx__is_row_number(const char *header) {
  return !*header || strncmp(header, "Unnamed: ", 9) == 0;
}

// Whether the cells of a column name runs: each is given, and few runs share a name, unless each
// has a row for each step.
static rmx_status names_runs(const rmx_cells *c, size_t j, bool *names, rmx_err *err) {
  enum { MOST_RUNS = 8 };
  json_auto_t *seen = json_object();
  *names = false;
  for (size_t i = 0; i < c->N; i++) {
    const char *name = c->cells[i * c->C + j];
    char *end;
    if (!*name || (strchr(name, '.') && (rmx__strtod(name, &end), !*end))) return RMX_OK;
    if (json_object_set_new_nocheck(seen, name, json_true()) != 0)
      return rmx_fail_memory(err, 64, c->path);
  }
  const size_t distinct = json_object_size(seen);
  *names = distinct > 1 && (rmx__step_column(c) != SIZE_MAX || distinct * MOST_RUNS >= c->N);
  return RMX_OK;
}

// Whether the first column can't name the runs: it numbers the rows, or has a setting or values.
static bool is_no_name(const rmx_cells *c) {
  static const char *const settings[] = {"seed", "size", "params"};
  bool fraction = false;
  if (rmx__is_row_number(c->header[0]) || rmx__is_step(c->header[0])) return true;
  for (size_t k = 0; k < sizeof settings / sizeof *settings; k++)
    if (strcasecmp(c->header[0], settings[k]) == 0) return true;
  for (size_t i = 0; i < c->N; i++) {
    char *end;
    const char *cell = c->cells[i * c->C];
    if (rmx__strtod(cell, &end), *end || end == cell) return false;
    fraction = fraction || strchr(cell, '.');
  }
  return fraction;
}

rmx_status rmx__id_column(const rmx__source *s, size_t *id, rmx_err *err) {
  static const char *const names[] = {"run",  "run_id",     "run_name", "run name",
                                      "name", "experiment", "trial",    "model"};
  const rmx_cells *c = s->cells;
  *id = 0;
  if (s->options->id || !is_no_name(c)) return RMX_OK;
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    const size_t j = rmx__column_called(c, names[k]);
    bool good = false;
    if (j != SIZE_MAX) RMX_TRY(names_runs(c, j, &good, err));
    if (good) return *id = j, RMX_OK;
  }
  return RMX_OK;
}

void rmx__tell_id(const rmx__source *s, size_t id) {
  if (id)
    rmx_note(s->listener,
             "%s: the first column does not name the runs; their names are in column \"%s\"",
             s->path, s->cells->header[id]);
}

static rmx_status read_csv(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  const size_t state = rmx__state_column(c);
  size_t id = 0;
  RMX_TRY(rmx__id_column(s, &id, err));
  RMX_OWNED bool *left_out = rmx_calloc(c->N, sizeof *left_out),
                 *skip = rmx_calloc(c->C, sizeof *skip);
  if (!left_out || !skip) return rmx_fail_memory(err, c->N, s->path);
  if (state != 0) RMX_TRY(rmx__leave_unfinished(s, state, id, false, left_out, err));
  rmx__tell_id(s, id);
  skip[0] = id > 0 && rmx__is_row_number(c->header[0]);
  return rmx__import_view(
      s, &(rmx__view){.id = id, .skip = skip, .out = left_out, .may_lack_names = true}, out, err);
}

const rmx__table_format rmx__format_csv = {
    .name = "csv",
    .help = "a CSV file with one run per row and its name in the first column, if it has one",
    .sniff = sniff,
    .read = read_csv,
};
