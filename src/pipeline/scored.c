// SPDX-License-Identifier: Apache-2.0
// scored.json remembers the mixture that each row of metrics.csv was measured with. Rows and
// mixtures are joined by the name of the run; where mixtures.csv has changed since, the name says
// nothing: the fit leaves such rows out.
//
// {"groups": [{"domains": [name], "rows": {run: {"mixture": [weight], "cells": [hash]}}}]}. A
// row is the same measurement while all its cells are still there; further columns do not change
// it. "away" of a group, {run: {"mixture", "row": {column: cell}}}, has rows that left the table
// since another mixture took their name, until their mixture is back. Two mixtures are the same
// if they differ by a hundredth of the tokens or less: a spreadsheet rounds.
#include "scored.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "base/folder_lock.h"
#include "kept_rows.h"

static const char RECORD[] = "scored.json";
static const double same_within = 0.01;

// ---- mixtures

typedef struct mixture {
  const char *const *names;
  const double *w;
  size_t D;  // 0: none
} mixture;

// By name, from the place on where it should be.
static size_t find(const mixture *m, const char *name, size_t near) {
  for (size_t k = 0; k < m->D; k++)
    if (strcmp(m->names[(near + k) % m->D], name) == 0) return (near + k) % m->D;
  return m->D;
}

static double sum_of(const mixture *m) {
  double sum = 0;
  for (size_t d = 0; d < m->D; d++) sum += m->w[d];
  return sum > 0 ? sum : 1;
}

static bool same_mixture(const mixture *a, const mixture *b) {
  const double sum_a = sum_of(a), sum_b = sum_of(b);
  double distance = 0;
  if (a->D != b->D) return false;
  for (size_t d = 0; d < a->D; d++) {
    const size_t at = find(b, a->names[d], d);
    if (at == b->D) return false;
    distance += fabs(a->w[d] / sum_a - b->w[at] / sum_b) / 2;
  }
  return distance <= same_within;
}

static mixture row_of(const rmx_table *t, const char *id) {
  size_t i = 0;
  while (i < t->N && strcmp(t->ids[i], id) != 0) i++;
  if (i == t->N) return (mixture){0};
  return (mixture){(const char *const *)t->names, t->x + i * t->D, t->D};
}

rmx_status rmx__scored_moved(const rmx_table *now, const rmx_table *next, const rmx_strings *runs,
                             rmx_few *out, rmx_err *err) {
  (void)err;
  for (size_t i = 0; i < runs->n; i++) {
    const mixture a = row_of(now, runs->items[i]), b = row_of(next, runs->items[i]);
    if (a.D + b.D && !same_mixture(&a, &b)) rmx_few_add(out, runs->items[i]);
  }
  return RMX_OK;
}

// ---- the record

// A mixture as a group of the record has it; w has room for its weights. D = 0: it has none.
static mixture noted(const json_t *group, const json_t *row, const char **names, double *w) {
  const json_t *domains = json_object_get(group, "domains"), *x = json_object_get(row, "mixture");
  const size_t D = json_array_size(domains);
  if (json_array_size(x) != D) return (mixture){0};
  for (size_t d = 0; d < D; d++) {
    const char *name = json_string_value(json_array_get(domains, d));
    names[d] = name ? name : "";
    w[d] = json_number_value(json_array_get(x, d));
  }
  return (mixture){names, w, D};
}

static bool has_domains(const json_t *group, const mixture *m) {
  const json_t *domains = json_object_get(group, "domains");
  if (json_array_size(domains) != m->D) return false;
  for (size_t d = 0; d < m->D; d++) {
    const char *name = json_string_value(json_array_get(domains, d));
    if (!name || strcmp(name, m->names[d]) != 0) return false;
  }
  return true;
}

static json_t *row_in(const json_t *tree, const char *key, json_t **group) {
  size_t g;
  json_array_foreach(json_object_get(tree, "groups"), g, *group) {
    json_t *row = json_object_get(json_object_get(*group, "rows"), key);
    if (row) return row;
  }
  return NULL;
}

static json_t *group_for(json_t *tree, const mixture *m) {
  json_t *groups = json_object_get(tree, "groups"), *group, *domains;
  size_t g;
  json_array_foreach(groups, g, group)
    if (has_domains(group, m)) return group;
  group = json_pack("{s:o, s:{}}", "domains", domains = json_array(), "rows");
  for (size_t d = 0; d < m->D; d++) json_array_append_new(domains, json_string(m->names[d]));
  return group && json_array_append_new(groups, group) == 0 ? group : NULL;
}

static rmx_status note(json_t *tree, const char *key, const mixture *m, json_t *cells,
                       rmx_err *err) {
  json_t *old, *x = json_array(), *row = json_pack("{s:o, s:O}", "mixture", x, "cells", cells);
  if (row_in(tree, key, &old)) json_object_del(json_object_get(old, "rows"), key);
  for (size_t d = 0; row && d < m->D; d++)
    json_array_append_new(x, json_real(round(m->w[d] * 1e6) / 1e6));
  json_t *group = group_for(tree, m);
  if (!row || !group || json_object_set_new(json_object_get(group, "rows"), key, row) != 0)
    return rmx_fail_memory(err, 64, RECORD);
  return RMX_OK;
}

// ---- the rows of metrics.csv

struct looking {
  const rmx_experiment *e;
  rmx__scored how;
  rmx_cells c;
  rmx_table mixtures;
  json_t *tree;
  const char **names;  // room for a mixture of the record
  double *w;
  bool changed;
};

static void release(struct looking *l) {
  rmx_cells_release(&l->c);
  rmx_table_release(&l->mixtures);
  json_decref(l->tree);
  free(l->names), free(l->w);
}

static uint32_t hash_cell(const char *column, const char *text) {
  char *end;
  const double x = rmx__strtod(text, &end);
  const uint64_t hash = rmx_hash_string(column, 0);
  return (uint32_t)(*end ? rmx_hash_string(text, hash) : rmx_hash(&x, sizeof x, hash));
}

static json_t *cells_of(const rmx_cells *c, size_t i) {
  json_t *cells = json_array();
  for (size_t j = 1; j < c->C; j++) {
    const char *text = c->cells[i * c->C + j];
    char hex[9];
    snprintf(hex, sizeof hex, "%08x", (unsigned)hash_cell(c->header[j], text));
    if (*text) json_array_append_new(cells, json_string(hex));
  }
  return cells;
}

// All cells of the record are still there.
static bool still_there(const json_t *row, const json_t *cells) {
  const json_t *were = json_object_get(row, "cells");
  size_t i, k;
  json_t *was, *is;
  json_array_foreach(were, i, was) {
    bool found = false;
    json_array_foreach(cells, k, is) found = found || json_equal(was, is);
    if (!found) return false;
  }
  return json_array_size(were) > 0;
}

// Rows of one name: 0001, 0001#2.
static char *key_of(const rmx_cells *c, size_t i) {
  size_t times = 1;
  for (size_t k = 0; k < i; k++) times += strcmp(c->cells[k * c->C], c->cells[i * c->C]) == 0;
  return times == 1 ? rmx_strdup(c->cells[i * c->C])
                    : rmx_format("%s#%zu", c->cells[i * c->C], times);
}

// The mixture of the finished run whose losses are in the row, with names as in a table; *names and
// *w hold it.
static mixture of_result(const rmx_experiment *e, const rmx_cells *c, size_t i, rmx_strings *names,
                         double **w) {
  char of[17], fingerprint[17];
  RMX_OWNED_BY(rmx_run_release) rmx_run was = {0};
  rmx_err ignored;
  if (!rmx__row_is_result(e, c, i, false, of)) return (mixture){0};
  RMX_OWNED char *inside = rmx_format("runs/%s", c->cells[i * c->C]),
                 *folder = inside ? rmx_experiment_path(e, inside) : NULL;
  if (!folder || rmx_run_read(folder, &was, &ignored) != RMX_OK) return (mixture){0};
  rmx_run_fingerprint(&was, fingerprint);
  const size_t n = was.phases.n ? was.phases.n : 1;
  *w = rmx_calloc(n * was.D, sizeof **w);
  if (strcmp(of, fingerprint) != 0 || !*w) return (mixture){0};
  memcpy(*w, was.phases.n ? was.phases.mixture : was.mixture, n * was.D * sizeof **w);
  for (size_t k = 0; k < n * was.D; k++) {
    RMX_OWNED char *name = was.phases.n
                               ? rmx_format("phase_%zu_%s", k / was.D, was.domains[k % was.D])
                               : rmx_strdup(was.domains[k]);
    if (!name || !rmx_strings_add(names, name)) return (mixture){0};
  }
  return (mixture){(const char *const *)names->items, *w, names->n};
}

// *other: the row was measured with another mixture than that of its name today.
static rmx_status look_at(struct looking *l, size_t i, bool *other, rmx_err *err) {
  const char *id = l->c.cells[i * l->c.C];
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED double *w = NULL;
  RMX_OWNED char *key = key_of(&l->c, i);
  json_auto_t *cells = cells_of(&l->c, i);
  json_t *group;
  if (!key || !cells) return rmx_fail_memory(err, 64, "a row");
  const mixture today = row_of(&l->mixtures, id);
  const json_t *row = row_in(l->tree, key, &group);
  mixture then = {0};
  if (row && still_there(row, cells)) {
    then = noted(group, row, l->names, l->w);
  } else {
    then = of_result(l->e, &l->c, i, &names, &w);
    if (then.D == 0) then = today;
    if (then.D || l->how == RMX__SCORED_SEAL) {
      RMX_TRY(note(l->tree, key, &then, cells, err));
      l->changed = true;
    }
  }
  *other = today.D && !same_mixture(&then, &today);
  return RMX_OK;
}

// false: there are no such tables, or they can't be read, which others report.
static bool read_tables(struct looking *l) {
  RMX_OWNED char *metrics = rmx_experiment_path(l->e, "metrics.csv"),
                 *mixtures = rmx_experiment_path(l->e, "mixtures.csv");
  rmx_err ignored;
  return metrics && mixtures && rmx_exists(metrics) && rmx_exists(mixtures) &&
         rmx_csv_cells(metrics, &l->c, &ignored) == RMX_OK &&
         rmx_csv_read(mixtures, &l->mixtures, &ignored) == RMX_OK;
}

static rmx_status read_record(struct looking *l, rmx_err *err) {
  size_t most = 1, g;
  json_t *group;
  rmx_err ignored;
  if (rmx__experiment_read(l->e, RECORD, &l->tree, &ignored) != RMX_OK) l->tree = NULL;
  if (!json_is_array(json_object_get(l->tree, "groups"))) {
    json_decref(l->tree);
    l->tree = json_pack("{s:[]}", "groups");
  }
  json_array_foreach(json_object_get(l->tree, "groups"), g, group)
    if (json_array_size(json_object_get(group, "domains")) > most)
      most = json_array_size(json_object_get(group, "domains"));
  l->names = rmx_calloc(most, sizeof *l->names);
  l->w = rmx_calloc(most, sizeof *l->w);
  return l->tree && l->names && l->w ? RMX_OK : rmx_fail_memory(err, most, RECORD);
}

static rmx_status look(struct looking *l, rmx_strings *others, bool **rows, rmx_err *err) {
  if (!read_tables(l)) return RMX_OK;
  RMX_TRY(read_record(l, err));
  if (rows && !(*rows = rmx_calloc(l->c.N + 1, sizeof **rows)))
    return rmx_fail_memory(err, l->c.N, "rows");
  for (size_t i = 0; i < l->c.N; i++) {
    const char **id = &l->c.cells[i * l->c.C];
    const size_t at = rmx__numbered_name(*id, (const char *const *)l->mixtures.ids, l->mixtures.N);
    bool other = false;
    if (at < l->mixtures.N) *id = l->mixtures.ids[at];
    RMX_TRY(look_at(l, i, &other, err));
    if (rows) (*rows)[i] = other;
    if (other && others && !rmx_strings_have(others, *id) && !rmx_strings_add(others, *id))
      return rmx_fail_memory(err, 0, "names of runs");
  }
  if (!l->changed || l->how == RMX__SCORED_LOOK) return RMX_OK;
  return rmx__experiment_write(l->e, RECORD, json_incref(l->tree), err);
}

static rmx_status open_locked(struct looking *l, rmx_lock *lock, rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(l->e, RECORD);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  return rmx__lock_beside(path, lock, err);
}

// ---- rows that come back

static json_t *texts_of(const rmx_cells *c, size_t i) {
  json_t *texts = json_object();
  for (size_t j = 1; j < c->C; j++)
    if (*c->cells[i * c->C + j])
      json_object_set_new(texts, c->header[j], json_string(c->cells[i * c->C + j]));
  return texts;
}

rmx_status rmx__scored_put_away(const rmx_experiment *e, const rmx_cells *c, const bool *rows,
                                rmx_err *err) {
  RMX_OWNED_BY(release) struct looking l = {.e = e};
  RMX_OWNED_BY(rmx_folder_unlock) rmx_lock lock = {.fd = -1};
  bool some = false;
  for (size_t i = 0; i < c->N; i++) some |= rows[i];
  if (!some) return RMX_OK;
  RMX_TRY(open_locked(&l, &lock, err));
  RMX_TRY(read_record(&l, err));
  for (size_t i = 0; i < c->N; i++) {
    RMX_OWNED char *key = rows[i] ? key_of(c, i) : NULL;
    json_t *group, *row = key ? row_in(l.tree, key, &group) : NULL;
    if (!row) continue;
    if (!json_object_get(group, "away")) json_object_set_new(group, "away", json_object());
    json_t *away =
        json_pack("{s:O, s:o}", "mixture", json_object_get(row, "mixture"), "row", texts_of(c, i));
    json_object_del(json_object_get(group, "rows"), key);
    if (json_object_set_new(json_object_get(group, "away"), c->cells[i * c->C], away) != 0)
      return rmx_fail_memory(err, 64, RECORD);
  }
  return rmx__experiment_write(e, RECORD, json_incref(l.tree), err);
}

// The rows to bring back, {run: {column: cell}}; they are taken out of the record.
static rmx_status take_back(struct looking *l, json_t *back, rmx_err *err) {
  size_t g;
  json_t *group, *away;
  const char *id;
  void *next;
  json_array_foreach(json_object_get(l->tree, "groups"), g, group) {
    json_object_foreach_safe(json_object_get(group, "away"), next, id, away) {
      const mixture then = noted(group, away, l->names, l->w), today = row_of(&l->mixtures, id);
      if (then.D == 0 || today.D == 0 || !same_mixture(&then, &today)) continue;
      if (json_object_set(back, id, json_object_get(away, "row")) != 0)
        return rmx_fail_memory(err, 64, "a row");
      json_object_del(json_object_get(group, "away"), id);
    }
  }
  return RMX_OK;
}

static rmx_status all_columns(const rmx_cells *c, const json_t *back, rmx_strings *columns,
                              rmx_err *err) {
  const char *id, *column;
  json_t *row, *cell;
  bool good = true;
  for (size_t j = 0; j < c->C; j++) good = good && rmx_strings_add(columns, c->header[j]);
  json_object_foreach((json_t *)back, id, row)
    json_object_foreach(row, column, cell)
      if (!rmx_strings_have(columns, column)) good = good && rmx_strings_add(columns, column);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "columns");
}

static rmx_status write_rows(const struct looking *l, const json_t *back, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings columns = {0};
  RMX_OWNED char *path = rmx_experiment_path(l->e, "metrics.csv");
  const rmx_cells *c = &l->c;
  const char *id;
  json_t *row;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(all_columns(c, back, &columns, err));
  for (size_t j = 0; j < columns.n; j++)
    rmx_buf_puts(&b, j ? "," : ""), rmx_csv_field(&b, columns.items[j]);
  for (size_t i = 0; i < c->N; i++)
    for (size_t j = 0; j < columns.n; j++) {
      rmx_buf_puts(&b, j ? "," : "\n");
      if (j < c->C) rmx_csv_field(&b, c->cells[i * c->C + j]);
    }
  json_object_foreach((json_t *)back, id, row) {
    rmx_buf_puts(&b, "\n");
    rmx_csv_field(&b, id);
    for (size_t j = 1; j < columns.n; j++) {
      const char *cell = json_string_value(json_object_get(row, columns.items[j]));
      rmx_buf_puts(&b, ",");
      if (cell) rmx_csv_field(&b, cell);
    }
  }
  rmx_buf_puts(&b, "\n");
  return b.failed ? rmx_fail_memory(err, b.size, path) : rmx_write_file(path, b.data, b.size, err);
}

rmx_status rmx__scored_bring_back(const rmx_experiment *e, rmx_few *rows, rmx_err *err) {
  RMX_OWNED_BY(release) struct looking l = {.e = e};
  RMX_OWNED_BY(rmx_folder_unlock) rmx_lock lock = {.fd = -1};
  json_auto_t *back = json_object();
  const char *id;
  json_t *row;
  if (!back) return rmx_fail_memory(err, 64, "rows");
  if (!rmx__experiment_has(e, RECORD) || !read_tables(&l)) return RMX_OK;
  RMX_TRY(open_locked(&l, &lock, err));
  RMX_TRY(read_record(&l, err));
  RMX_TRY(take_back(&l, back, err));
  if (json_object_size(back) == 0) return RMX_OK;
  RMX_TRY(write_rows(&l, back, err));  // first: a row may be in both for a moment, never in neither
  json_object_foreach(back, id, row) rmx_few_add(rows, id);
  return rmx__experiment_write(e, RECORD, json_incref(l.tree), err);
}

// ---- all of it

rmx_status rmx__scored_look(const rmx_experiment *e, rmx__scored how, rmx_strings *others,
                            rmx_err *err) {
  RMX_OWNED_BY(release) struct looking l = {.e = e, .how = how};
  RMX_OWNED_BY(rmx_folder_unlock) rmx_lock lock = {.fd = -1};
  if (how != RMX__SCORED_LOOK) RMX_TRY(open_locked(&l, &lock, err));
  return look(&l, others, NULL, err);
}

rmx_status rmx__scored_rows(const rmx_experiment *e, bool **rows, rmx_err *err) {
  RMX_OWNED_BY(release) struct looking l = {.e = e};
  *rows = NULL;
  return look(&l, NULL, rows, err);
}
