// SPDX-License-Identifier: Apache-2.0
// ratios.csv and metrics.csv of Olmix. Users write: run_id, perhaps name, then one column per
// domain or metric. The program itself writes: run, name, index, then the columns, perhaps after
// the row numbers of a data frame. Only the first columns can be ids, so a later domain "name" is
// kept, and so is an earlier one, whose cells are weights.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats.h"

static const char *const id_names[] = {"run_id", "run", "name", "index", "", "Unnamed: 0"};
enum { ID_NAMES = sizeof id_names / sizeof *id_names };

// Whether the cells of a column tell the runs apart: one is text, or they are different whole
// numbers, as far as the first rows tell. Weights and metrics are neither.
static bool names_runs(const rmx_cells *c, size_t j) {
  enum { ROWS = 1000 };
  double x, before;
  for (size_t i = 0; i < c->N; i++) {
    const char *cell = c->cells[i * c->C + j];
    if (!rmx__is_missing(cell) && !rmx__is_number(cell, &x)) return true;
  }
  for (size_t i = 0; i < c->N && i < ROWS; i++) {
    if (!rmx__is_number(c->cells[i * c->C + j], &x)) continue;
    if (x != floor(x)) return false;
    for (size_t e = 0; e < i; e++)
      if (rmx__is_number(c->cells[e * c->C + j], &before) && before == x) return false;
  }
  return true;
}

// The number of leading columns that name the run, and which one is its id. 0: not this format.
static size_t id_columns(const rmx_cells *c, size_t *id) {
  size_t n = 0, best = ID_NAMES;
  for (bool more = true; more && n < c->C; n += more) {
    size_t k = 0;
    while (k < ID_NAMES && strcmp(c->header[n], id_names[k]) != 0) k++;
    more = k < ID_NAMES && n < 4 && (n == 0 || names_runs(c, n));
    if (more && k < best) {
      best = k;
      *id = n;
    }
  }
  return best < 2 && n > 1 ? n : 0;  // one such column is the plain table
}

static bool sniff(const rmx__source *s) {
  size_t id;
  return s->cells && id_columns(s->cells, &id) > 0;
}

static rmx_status read_olmix(const rmx__source *s, rmx_table *out, rmx_err *err) {
  size_t id = 0, n = id_columns(s->cells, &id);
  RMX_OWNED bool *skip = rmx_calloc(s->cells->C, sizeof *skip),
                 *left_out = rmx_calloc(s->cells->N, sizeof *left_out);
  if (!skip || !left_out) return rmx_fail_memory(err, s->cells->C, s->path);
  for (size_t j = 0; j < n; j++) skip[j] = true;
  RMX_TRY(rmx__leave_unfinished(s, rmx__state_column(s->cells), id, false, left_out, err));
  RMX_TRY(rmx__import_view(s, &(rmx__view){.id = id, .skip = skip, .out = left_out}, out, err));
  rmx_note(s->listener, "%s: read as a table of Olmix; the names of the runs are in column \"%s\"",
           s->path, s->cells->header[id]);
  return RMX_OK;
}

const rmx__table_format rmx__format_olmix = {
    .name = "olmix",
    .help = "Olmix's ratios.csv or metrics.csv",
    .sniff = sniff,
    .read = read_olmix,
};
