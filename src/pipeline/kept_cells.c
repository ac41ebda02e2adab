// SPDX-License-Identifier: Apache-2.0
// What the user added to the rows that regmix writes, by the runs that it was measured on.
#include "kept_cells.h"

#include <stdlib.h>
#include <string.h>

void rmx__own_cells_release(rmx__own_cells *o) {
  rmx_strings_release(&o->names);
  free(o->run), free(o->cells), free(o->dropped);
}

static const char *id_of(const rmx__kept *k, size_t i) {
  return rmx__kept_cell(k, i, 0);
}

// NAME@TOKENS is row @TOKENS of its run.
static const char *tokens_of(const char *id) {
  const char *at = strrchr(id, '@');
  return at ? at : "";
}

static bool has_own_cell(const rmx__kept *k, size_t i) {
  size_t j = 1;
  while (j < k->c.C && !(k->column[j] && *rmx__kept_cell(k, i, j))) j++;
  return j < k->c.C;
}

static rmx_status name_runs(const rmx__kept *k, const rmx_table *t, rmx__own_cells *o,
                            rmx_err *err) {
  if (!(o->run = rmx_calloc(t->N + 1, sizeof *o->run)))
    return rmx_fail_memory(err, t->N * sizeof *o->run, "rows");
  for (size_t i = 0; i < t->N; i++) {
    char of[17];
    if (rmx__kept_fingerprint(k, t->ids[i], of))
      snprintf(o->run[i], sizeof *o->run, "%s%.40s", of, tokens_of(t->ids[i]));
  }
  return RMX_OK;
}

static bool is_written(const rmx_table *t, const char *column) {
  for (size_t j = 0; j < t->D; j++)
    if (strcmp(t->names[j], column) == 0) return true;
  return false;
}

static rmx_status add_name(rmx__own_cells *o, const rmx_table *t, const char *name, rmx_err *err) {
  if (is_written(t, name) || rmx_strings_have(&o->names, name)) return RMX_OK;
  return rmx_strings_add(&o->names, name) ? RMX_OK : rmx_fail_memory(err, 0, "columns");
}

// What was kept of the run of row i, under its name, else alone under another. *name: that name.
static json_t *kept_of(const rmx__kept *k, const rmx__own_cells *o, const rmx_table *t, size_t i,
                       const char **name) {
  const json_t *had = json_object_get(k->record, "former");
  json_t *names = *o->run[i] ? json_object_get(had, o->run[i]) : NULL;
  if (!names || rmx__kept_replaces(k, t->ids[i])) return NULL;
  void *one = json_object_iter_at(names, t->ids[i]);
  if (!one && json_object_size(names) == 1) one = json_object_iter(names);
  *name = one ? json_object_iter_key(one) : NULL;
  return json_object_iter_value(one);
}

static rmx_status find_names(const rmx__kept *k, const rmx_table *t, rmx__own_cells *o,
                             rmx_err *err) {
  for (size_t j = 1; j < k->c.C; j++)
    if (k->column[j]) RMX_TRY(add_name(o, t, k->c.header[j], err));
  for (size_t i = 0; i < t->N; i++) {
    const char *column, *name;
    json_t *cell;
    json_object_foreach(kept_of(k, o, t, i, &name), column, cell)
      RMX_TRY(add_name(o, t, column, err));
  }
  return RMX_OK;
}

// The written row to which the user's cells of row i of the file belong; t->N: none.
static size_t row_for(const rmx__kept *k, const rmx_table *t, const rmx__own_cells *o, size_t i) {
  const char *id = id_of(k, i), *of = k->row[i].of;
  size_t r = 0;
  while (r < t->N && strcmp(t->ids[r], id) != 0) r++;
  if (r < t->N && (!*of || strncmp(o->run[r], of, strlen(of)) == 0)) return r;
  for (r = 0; r < t->N && *of; r++)
    if (strncmp(o->run[r], of, strlen(of)) == 0 && strcmp(tokens_of(t->ids[r]), tokens_of(id)) == 0)
      return r;
  return t->N;
}

static void put(rmx__own_cells *o, size_t r, const char *column, const char *text) {
  const size_t n = o->names.n;
  for (size_t j = 0; j < n; j++)
    if (strcmp(o->names.items[j], column) == 0 && !*o->cells[r * n + j]) o->cells[r * n + j] = text;
}

static void put_row(const rmx__kept *k, size_t i, rmx__own_cells *o, size_t r) {
  for (size_t j = 1; j < k->c.C; j++)
    if (k->column[j]) put(o, r, k->c.header[j], rmx__kept_cell(k, i, j));
}

// Keeps the user's cells of row i for the day when its run is in use again.
static rmx_status put_away(const rmx__kept *k, size_t i, json_t *former, rmx__own_cells *o,
                           rmx_err *err) {
  const char *id = id_of(k, i);
  char run[64];
  rmx_few_add(&o->left, id);
  o->lost += !*k->row[i].of;
  if (!*k->row[i].of) return RMX_OK;
  snprintf(run, sizeof run, "%s%.40s", k->row[i].of, tokens_of(id));
  if (!json_object_get(former, run)) json_object_set_new(former, run, json_object());
  json_t *cells = json_object();
  int bad = json_object_set_new(json_object_get(former, run), id, cells);
  for (size_t j = 1; j < k->c.C; j++)
    if (k->column[j] && *rmx__kept_cell(k, i, j))
      bad |= json_object_set_new(cells, k->c.header[j], json_string(rmx__kept_cell(k, i, j)));
  return bad ? rmx_fail_memory(err, 0, "cells") : RMX_OK;
}

static void take_back(const rmx__kept *k, const rmx_table *t, size_t i, json_t *former,
                      rmx__own_cells *o) {
  const char *column, *name = NULL;
  json_t *cell, *cells = kept_of(k, o, t, i, &name);
  json_object_foreach(cells, column, cell)
    put(o, i, column, json_string_value(cell) ? json_string_value(cell) : "");
  if (!cells) return;
  json_t *names = json_object_get(former, o->run[i]);
  json_object_del(names, name);
  if (json_object_size(names) == 0) json_object_del(former, o->run[i]);
}

// A column of which nothing is left has no place in the table until its cells come back.
static void drop_columns(const rmx__kept *k, const rmx_table *t, const bool *away,
                         rmx__own_cells *o) {
  const size_t n = o->names.n;
  for (size_t j = 0; j < n; j++) {
    const size_t at = rmx__kept_column(k, o->names.items[j]);
    size_t some = 0, gone = 0;
    for (size_t i = 0; i < t->N; i++) some += *o->cells[i * n + j] != '\0';
    for (size_t i = 0; at < k->c.C && i < k->c.N; i++) {
      const bool there = *rmx__kept_cell(k, i, at) != '\0';
      gone += there && away[i];
      some += there && k->row[i].whose == RMX__ADDED;
    }
    o->dropped[j] = gone && !some;
  }
}

rmx_status rmx__own_cells_find(const rmx__kept *k, const rmx_table *t, json_t *former,
                               rmx__own_cells *o, rmx_err *err) {
  *o = (rmx__own_cells){0};
  RMX_TRY(name_runs(k, t, o, err));
  RMX_TRY(find_names(k, t, o, err));
  const size_t n = o->names.n;
  RMX_OWNED bool *away = rmx_calloc(k->c.N + 1, sizeof *away);
  o->cells = rmx_calloc(t->N * n + 1, sizeof *o->cells);
  o->dropped = rmx_calloc(n + 1, sizeof *o->dropped);
  if (!away || !o->cells || !o->dropped) return rmx_fail_memory(err, t->N * n, "columns");
  for (size_t i = 0; i < t->N * n; i++) o->cells[i] = "";
  for (size_t i = 0; i < k->c.N; i++) {
    if (!rmx__kept_is_ours(k, i) || !has_own_cell(k, i)) continue;
    const size_t r = row_for(k, t, o, i);
    if (r < t->N) put_row(k, i, o, r);
    away[i] = r == t->N;
    if (away[i]) RMX_TRY(put_away(k, i, former, o, err));
  }
  for (size_t i = 0; i < t->N && n; i++) take_back(k, t, i, former, o);
  drop_columns(k, t, away, o);
  return RMX_OK;
}
