// SPDX-License-Identifier: Apache-2.0
#include "gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELLS_MAX = 20000000 };

static rmx_status no_memory(rmx_err *err) {
  return rmx_fail_memory(err, 64, "the cells of a table");
}

// Appends a string with its zero; *at is its place.
static rmx_status keep_text(rmx__gather *g, const char *text, size_t *at, rmx_err *err) {
  *at = g->text.size;
  rmx_buf_add(&g->text, text, strlen(text) + 1);
  return g->text.failed ? no_memory(err) : RMX_OK;
}

// The place that is kept under a key, or SIZE_MAX. Names are any bytes.
static size_t place_of(const rmx__gather *g, const char *key) {
  const json_t *place = json_object_get(g->places, key);
  return place ? (size_t)json_integer_value(place) : SIZE_MAX;
}

static rmx_status keep_place(rmx__gather *g, const char *key, size_t place, rmx_err *err) {
  if (!g->places) g->places = json_object();
  return json_object_set_new_nocheck(g->places, key, json_integer((json_int_t)place)) == 0
             ? RMX_OK
             : no_memory(err);
}

// Finds the row or column of a name, or adds it.
static rmx_status find_line(rmx__gather *g, char kind, const char *name, size_t **list, size_t *n,
                            size_t *room, size_t *at, rmx_err *err) {
  RMX_OWNED char *key = rmx_format("\n%c%s", kind, name);
  if (!key) return no_memory(err);
  *at = place_of(g, key);
  if (*at != SIZE_MAX) return RMX_OK;
  if (*n == *room) {
    const size_t grown = *room ? 2 * *room : 64;
    size_t *larger = rmx_realloc(*list, grown, sizeof *larger);
    if (!larger) return no_memory(err);
    *list = larger;
    *room = grown;
  }
  RMX_TRY(keep_text(g, name, &(*list)[*n], err));
  RMX_TRY(keep_place(g, key, *n, err));
  *at = (*n)++;
  return RMX_OK;
}

static rmx_status add_cell(rmx__gather *g, const rmx__gathered *cell, rmx_err *err) {
  if (g->n == g->room) {
    const size_t grown = g->room ? 2 * g->room : 256;
    rmx__gathered *larger = rmx_realloc(g->cells, grown, sizeof *larger);
    if (!larger) return no_memory(err);
    g->cells = larger;
    g->room = grown;
  }
  g->cells[g->n++] = *cell;
  return RMX_OK;
}

rmx_status rmx__gather_put(rmx__gather *g, const char *row, const char *column, const char *text,
                           double step, bool *had, rmx_err *err) {
  rmx__gathered cell = {.step = step};
  char key[48];
  if (had) *had = false;
  RMX_TRY(find_line(g, 'r', row, &g->rows, &g->n_rows, &g->rows_room, &cell.row, err));
  if (!column) return RMX_OK;
  RMX_TRY(
      find_line(g, 'c', column, &g->columns, &g->n_columns, &g->columns_room, &cell.column, err));
  snprintf(key, sizeof key, "%zu\n%zu", cell.row, cell.column);
  const size_t at = place_of(g, key);
  if (had) *had = at != SIZE_MAX && step == g->cells[at].step;
  if (at != SIZE_MAX && step < g->cells[at].step) return RMX_OK;
  RMX_TRY(keep_text(g, text, &cell.text, err));
  if (at != SIZE_MAX) {
    g->cells[at] = cell;
    return RMX_OK;
  }
  RMX_TRY(keep_place(g, key, g->n, err));
  return add_cell(g, &cell, err);
}

rmx_status rmx__gather_number(rmx__gather *g, const char *row, const char *column, double x,
                              double step, rmx_err *err) {
  char text[32] = "";
  if (!isnan(x)) rmx_double_text(x, text);
  return rmx__gather_put(g, row, column, text, step, NULL, err);
}

rmx_status rmx__gather_cells(const rmx__gather *g, const char *path, const char *id,
                             const char *missing, rmx_cells *out, rmx_err *err) {
  const size_t C = g->n_columns + 1, N = g->n_rows, fixed = strlen(id) + strlen(missing) + 2;
  *out = (rmx_cells){.N = N, .C = C};
  if (N > CELLS_MAX / C)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a table of %zu runs and %zu columns is too large; wanted %d cells or "
                    "fewer. Is the column of the runs another one?",
                    path, N, C, CELLS_MAX);
  out->path = rmx_strdup(path);
  out->text = rmx_calloc(fixed + g->text.size, 1);
  out->header = rmx_calloc(C, sizeof *out->header);
  out->cells = rmx_calloc(N * C, sizeof *out->cells);
  out->lines = rmx_calloc(N, sizeof *out->lines);
  if (!out->path || !out->text || !out->header || !out->cells || !out->lines) {
    rmx_cells_release(out);
    return no_memory(err);
  }
  char *none = out->text + strlen(id) + 1, *text = out->text + fixed;
  memcpy(out->text, id, strlen(id) + 1);
  memcpy(none, missing, strlen(missing) + 1);
  if (g->text.size) memcpy(text, g->text.data, g->text.size);
  out->header[0] = out->text;
  for (size_t j = 1; j < C; j++) out->header[j] = text + g->columns[j - 1];
  for (size_t i = 0; i < N * C; i++) out->cells[i] = i % C ? none : text + g->rows[i / C];
  for (size_t i = 0; i < N; i++) out->lines[i] = (int)i + 1;
  for (size_t k = 0; k < g->n; k++)
    out->cells[g->cells[k].row * C + g->cells[k].column + 1] = text + g->cells[k].text;
  return RMX_OK;
}

// The last step of each column: last (n_columns).
static void find_last(const rmx__gather *g, double *last) {
  for (size_t j = 0; j < g->n_columns; j++) last[j] = 0;
  for (size_t k = 0; k < g->n; k++)
    last[g->cells[k].column] = fmax(last[g->cells[k].column], g->cells[k].step);
}

rmx_status rmx__gather_tell_short(const rmx__gather *g, const char *path, const rmx_listener *to,
                                  rmx_err *err) {
  static const double near = 0.9;  // trainers round the number of steps
  RMX_OWNED double *last = rmx_calloc(g->n_columns + 1, sizeof *last);
  RMX_OWNED size_t *cell = rmx_calloc(g->n_rows + 1, sizeof *cell);  // its place + 1
  rmx_few names = {0};
  if (!last || !cell) return rmx_fail_memory(err, g->n_columns * sizeof *last, "steps");
  find_last(g, last);
  for (size_t k = 0; k < g->n; k++) {
    const rmx__gathered *c = &g->cells[k];
    if (c->step >= 0 && c->step < near * last[c->column] && !cell[c->row]) cell[c->row] = k + 1;
  }
  for (size_t i = 0; i < g->n_rows; i++) {
    char text[128];
    if (!cell[i]) continue;
    const rmx__gathered *c = &g->cells[cell[i] - 1];
    snprintf(text, sizeof text, "%.40s (step %.6g of %.6g)", g->text.data + g->rows[i], c->step,
             last[c->column]);
    rmx_few_add(&names, text);
  }
  if (names.n)
    rmx_warn(to,
             "%s: %zu of %zu run%s ended long before the others, and what %s measured last counts "
             "as if it had ended with them: %s; leave out runs that were stopped",
             path, names.n, g->n_rows, rmx_s(g->n_rows), names.n == 1 ? "it" : "each", names.text);
  return RMX_OK;
}

void rmx__gather_release(rmx__gather *g) {
  rmx_buf_release(&g->text);
  json_decref(g->places);
  free(g->rows);
  free(g->columns);
  free(g->cells);
  *g = (rmx__gather){0};
}
