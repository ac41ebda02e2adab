// SPDX-License-Identifier: Apache-2.0
// Whose each row and column of a table is. Regmix's is what tables.json says that it wrote and what
// is a result of a run; all else is the user's. So a table of which no record is there is the
// user's, but for the results in it.
#include "kept_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "scored.h"

// ---- what regmix wrote

static uint64_t hash_number(double x, uint64_t hash) {
  return isnan(x) ? rmx_hash_string("", hash) : rmx_hash(&x, sizeof x, hash);
}

// A number counts as its value: other digits of it are no change.
static uint64_t hash_cell(const char *text, uint64_t hash) {
  char *end;
  const double x = rmx__strtod(text, &end);
  return *text && !*end ? hash_number(x, hash) : rmx_hash_string(text, hash);
}

json_t *rmx__kept_part(const rmx_table *t) {
  json_t *columns = json_array(), *rows = json_object();
  int bad = 0;
  for (size_t j = 0; j < t->D; j++) bad |= json_array_append_new(columns, json_string(t->names[j]));
  for (size_t i = 0; i < t->N; i++) {
    uint64_t hash = 0;
    for (size_t j = 0; j < t->D; j++)
      hash = hash_number(t->x[i * t->D + j], rmx_hash_string(t->names[j], hash));
    bad |= json_object_set_new(rows, t->ids[i], rmx__hex_json(hash));
  }
  json_t *part = json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
  if (!bad) return part;
  json_decref(part);
  return NULL;
}

// ---- what is in the file

void rmx__kept_release(rmx__kept *k) {
  rmx_cells_release(&k->c);
  free(k->column), free(k->row);
}

const char *rmx__kept_cell(const rmx__kept *k, size_t i, size_t j) {
  return k->c.cells[i * k->c.C + j];
}

static const char *id_of(const rmx__kept *k, size_t i) {
  return rmx__kept_cell(k, i, 0);
}

size_t rmx__kept_column(const rmx__kept *k, const char *name) {
  size_t j = 1;
  while (j < k->c.C && strcmp(k->c.header[j], name) != 0) j++;
  return j < k->c.C ? j : k->c.C;
}

bool rmx__kept_is_ours(const rmx__kept *k, size_t i) {
  return k->row[i].whose == RMX__OURS || k->row[i].whose == RMX__CHANGED;
}

static bool is_column(const json_t *part, const char *name) {
  size_t j;
  json_t *column;
  json_array_foreach(json_object_get(part, "columns"), j, column)
    if (strcmp(json_string_value(column) ? json_string_value(column) : "", name) == 0) return true;
  return false;
}

static bool has_row(const json_t *part, const char *id) {
  return json_object_get(json_object_get(part, "rows"), id);
}

static void take_run(rmx__kept_row *row, const json_t *part, const char *id) {
  const char *of = json_string_value(json_object_get(json_object_get(part, "of"), id));
  if (of) snprintf(row->of, sizeof row->of, "%s", of);
}

// Marks the rows that are as a part says.
static rmx_status mark_ours(rmx__kept *k, const json_t *part, rmx_err *err) {
  const json_t *columns = json_object_get(part, "columns"), *rows = json_object_get(part, "rows");
  const size_t n = json_array_size(columns);
  RMX_OWNED size_t *at = rmx_calloc(n + 1, sizeof *at);
  RMX_OWNED const char **name = rmx_calloc(n + 1, sizeof *name);
  if (!at || !name) return rmx_fail_memory(err, n * sizeof *at, "columns");
  for (size_t j = 0; j < n; j++) {
    const char *text = json_string_value(json_array_get(columns, j));
    name[j] = text ? text : "";
    at[j] = rmx__kept_column(k, name[j]);
  }
  for (size_t i = 0; i < k->c.N; i++) {
    const char *wanted = json_string_value(json_object_get(rows, id_of(k, i)));
    uint64_t hash = 0;
    for (size_t j = 0; wanted && j < n; j++)
      hash = hash_cell(at[j] < k->c.C ? rmx__kept_cell(k, i, at[j]) : "",
                       rmx_hash_string(name[j], hash));
    if (!wanted || strtoull(wanted, NULL, 16) != hash) continue;
    k->row[i].whose = RMX__OURS;
    take_run(&k->row[i], part, id_of(k, i));
  }
  return RMX_OK;
}

// The row of regmix that has the name of row i; c.N: there is none.
static size_t repeated(const rmx__kept *k, size_t i) {
  size_t o = 0;
  while (o < k->c.N &&
         (o == i || k->row[o].whose != RMX__OURS || strcmp(id_of(k, o), id_of(k, i)) != 0))
    o++;
  return o;
}

// Row i has nothing that is not in row o, or for which row o has a place.
static bool fits_into(const rmx__kept *k, size_t i, size_t o) {
  for (size_t j = 1; j < k->c.C; j++) {
    const char *a = rmx__kept_cell(k, i, j), *b = rmx__kept_cell(k, o, j);
    if (*a && hash_cell(a, 0) != hash_cell(b, 0) && !(k->column[j] && !*b)) return false;
  }
  return true;
}

bool rmx__kept_fingerprint(const rmx__kept *k, const char *id, char out[17]) {
  for (size_t r = 0; r < k->runs.n; r++) {
    const rmx_run *run = &k->runs.runs[r];
    const size_t length = strlen(run->name);
    if (strncmp(run->name, id, length) != 0 || (id[length] && id[length] != '@')) continue;
    rmx_run_fingerprint(run, out);
    return true;
  }
  return false;
}

// The row of regmix is of another run than today's of its name.
static bool is_of_another(const rmx__kept *k, size_t i) {
  char today[17];
  return *k->row[i].of && rmx__kept_fingerprint(k, id_of(k, i), today) &&
         strcmp(k->row[i].of, today) != 0;
}

bool rmx__kept_replaces(const rmx__kept *k, const char *id) {
  bool added = false;
  if (has_row(json_object_get(k->record, "now"), id)) return false;
  for (size_t i = 0; i < k->c.N; i++) {
    if (strcmp(id_of(k, i), id) != 0) continue;
    if (rmx__kept_is_ours(k, i)) return false;
    added = added || k->row[i].whose == RMX__ADDED;
  }
  return added;
}

// Without a record: rows that are as they would be written now, and results.
static rmx_status mark_results(const rmx_experiment *e, rmx__kept *k, const json_t *next,
                               rmx_err *err) {
  const bool half = strcmp(k->name, "metrics-half.csv") == 0;
  RMX_TRY(mark_ours(k, next, err));
  for (size_t i = 0; i < k->c.N; i++)
    if (k->row[i].whose == RMX__ADDED && rmx__row_is_result(e, &k->c, i, half, k->row[i].of))
      k->row[i].whose = RMX__OURS;
  return RMX_OK;
}

static rmx_status mark_recorded(rmx__kept *k, rmx_err *err) {
  const json_t *now = json_object_get(k->record, "now"),
               *before = json_object_get(k->record, "before");
  RMX_TRY(mark_ours(k, before, err));
  RMX_TRY(mark_ours(k, now, err));
  for (size_t i = 0; i < k->c.N; i++) {
    const char *id = id_of(k, i);
    if (k->row[i].whose != RMX__ADDED) continue;
    take_run(&k->row[i], now, id);
    if ((has_row(now, id) || has_row(before, id)) && repeated(k, i) == k->c.N)
      k->row[i].whose = RMX__CHANGED;
  }
  return RMX_OK;
}

// The user's rows that were measured with another mixture than that of their name today.
static rmx_status mark_former(const rmx_experiment *e, rmx__kept *k, rmx_err *err) {
  RMX_OWNED bool *others = NULL;
  if (strcmp(k->name, "metrics.csv") != 0) return RMX_OK;
  RMX_TRY(rmx__scored_rows(e, &others, err));
  for (size_t i = 0; others && i < k->c.N; i++)
    if (k->row[i].whose == RMX__ADDED && others[i]) k->row[i].whose = RMX__FORMER;
  return RMX_OK;
}

// ---- names that a spreadsheet changed

// A row of 1 is of the run 0001.
static rmx_status restore_names(rmx__kept *k, rmx_err *err) {
  const json_t *rows = json_object_get(json_object_get(k->record, "now"), "rows");
  const size_t n = k->runs.n + json_object_size(rows);
  RMX_OWNED const char **names = rmx_calloc(n + 1, sizeof *names);
  size_t m = 0;
  const char *id;
  json_t *hash;
  if (!names) return rmx_fail_memory(err, n * sizeof *names, "names");
  for (size_t r = 0; r < k->runs.n; r++) names[m++] = k->runs.runs[r].name;
  json_object_foreach((json_t *)rows, id, hash) {
    size_t r = 0;
    while (r < k->runs.n && strcmp(names[r], id) != 0) r++;
    if (r == k->runs.n) names[m++] = id;
  }
  for (size_t i = 0; i < k->c.N; i++) {
    const size_t at = rmx__numbered_name(id_of(k, i), names, m);
    if (at < m) k->c.cells[i * k->c.C] = names[at];
  }
  return RMX_OK;
}

// ---- all of it

rmx_status rmx__kept_look(const rmx_experiment *e, const char *name, const json_t *record,
                          const json_t *next, const struct rmx__runs_of *runs, rmx__kept *k,
                          rmx_err *err) {
  *k = (rmx__kept){.name = name, .record = record};
  if (runs) k->runs = *runs;
  RMX_OWNED_BY(rmx_table_release) rmx_table numbers = {0};
  RMX_OWNED char *path = rmx_experiment_path(e, name);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(path)) return RMX_OK;
  // what other commands can't read is not kept; a table of which nothing is recorded may be of
  // another program
  k->foreign = rmx_csv_read(path, &numbers, err) != RMX_OK;
  if (k->foreign && (record || err->status == RMX_ENOMEM)) return err->status;
  RMX_TRY(rmx_csv_cells(path, &k->c, err));
  k->column = rmx_calloc(k->c.C, sizeof *k->column);
  k->row = rmx_calloc(k->c.N + 1, sizeof *k->row);
  if (!k->column || !k->row) return rmx_fail_memory(err, k->c.N * sizeof *k->row, "a table");
  const json_t *now = record ? json_object_get(record, "now") : next,
               *before = json_object_get(record, "before");
  for (size_t j = 1; j < k->c.C; j++)
    k->column[j] = !is_column(now, k->c.header[j]) && !is_column(before, k->c.header[j]);
  for (size_t i = 0; i < k->c.N; i++) k->row[i].whose = RMX__ADDED;
  RMX_TRY(restore_names(k, err));
  RMX_TRY(record ? mark_recorded(k, err) : mark_results(e, k, next, err));
  for (size_t i = 0; i < k->c.N; i++) {
    const size_t o = k->row[i].whose == RMX__ADDED ? repeated(k, i) : k->c.N;
    if (o < k->c.N && fits_into(k, i, o) && !is_of_another(k, o)) k->row[i] = k->row[o];
  }
  return mark_former(e, k, err);
}
