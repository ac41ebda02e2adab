// SPDX-License-Identifier: Apache-2.0
// Tables that `regmix train` writes again each time, and that the user may have extended: columns
// and rows that regmix did not write are kept. Numbers of regmix that were changed by hand are
// written again from the results, and the changed file is set aside.
//
// tables.json has for each table what regmix wrote into it: "now" {"columns": [name], "rows": {run:
// hash of its cells in these columns}, "of": {run: fingerprint}}. It is written before the table,
// with "before", what it wrote last, and again after it without. So after a kill in between, the
// rows of either are regmix's.
//
// What the user added to a row was measured on the run of that name. If that is another run today,
// with another mixture or other settings, it is left out, and the former file is set aside.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/c_number.h"
#include "base/json.h"
#include "steps.h"

static const char RECORD[] = "tables.json";

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

static json_t *part_of(const rmx_table *t) {
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

// FORMER: the user's, of a run that has other settings today
enum whose { RMX__OURS, RMX__CHANGED, RMX__ADDED, RMX__FORMER };

struct kept {
  rmx_cells c;      // the file; c.C = 0: there is none
  bool *column;     // (C) which columns the user added
  enum whose *row;  // (N)
  const json_t *record;
  struct rmx__runs_of runs;  // today's, borrowed; n = 0: not known
};

static void release_kept(struct kept *k) {
  rmx_cells_release(&k->c);
  free(k->column), free(k->row);
}

static const char *cell(const rmx_cells *c, size_t i, size_t j) {
  return c->cells[i * c->C + j];
}

static size_t column_of(const rmx_cells *c, const char *name) {
  size_t j = 1;
  while (j < c->C && strcmp(c->header[j], name) != 0) j++;
  return j;
}

static bool is_column(const json_t *part, const char *name) {
  size_t j;
  json_t *column;
  json_array_foreach(json_object_get(part, "columns"), j, column)
    if (strcmp(json_string_value(column) ? json_string_value(column) : "", name) == 0) return true;
  return false;
}

// Marks the rows that are as a part says.
static rmx_status mark_ours(struct kept *k, const json_t *part, rmx_err *err) {
  const json_t *columns = json_object_get(part, "columns"), *rows = json_object_get(part, "rows");
  const size_t n = json_array_size(columns);
  RMX_OWNED size_t *at = rmx_calloc(n + 1, sizeof *at);
  RMX_OWNED const char **name = rmx_calloc(n + 1, sizeof *name);
  if (!at || !name) return rmx_fail_memory(err, n * sizeof *at, "columns");
  for (size_t j = 0; j < n; j++) {
    const char *text = json_string_value(json_array_get(columns, j));
    name[j] = text ? text : "";
    at[j] = column_of(&k->c, name[j]);
  }
  for (size_t i = 0; i < k->c.N; i++) {
    const char *wanted = json_string_value(json_object_get(rows, cell(&k->c, i, 0)));
    uint64_t hash = 0;
    for (size_t j = 0; wanted && j < n; j++)
      hash = hash_cell(at[j] < k->c.C ? cell(&k->c, i, at[j]) : "", rmx_hash_string(name[j], hash));
    if (wanted && strtoull(wanted, NULL, 16) == hash) k->row[i] = RMX__OURS;
  }
  return RMX_OK;
}

// Another row of the same name is regmix's: this one is a run of the user's of the same mixture.
static bool repeats(const struct kept *k, size_t i) {
  size_t o = 0;
  while (o < k->c.N &&
         (k->row[o] != RMX__OURS || strcmp(cell(&k->c, o, 0), cell(&k->c, i, 0)) != 0))
    o++;
  return o < k->c.N;
}

// The fingerprint of today's run of which this row is: NAME, or NAME@TOKENS of evaluations.csv.
static bool fingerprint_of(const struct rmx__runs_of *runs, const char *id, char out[17]) {
  for (size_t k = 0; k < runs->n; k++) {
    const size_t length = strlen(runs->runs[k].name);
    if (strncmp(runs->runs[k].name, id, length) != 0 || (id[length] && id[length] != '@')) continue;
    rmx_run_fingerprint(&runs->runs[k], out);
    return true;
  }
  return false;
}

static const char *noted_of(const json_t *record, const char *id) {
  const json_t *now = json_object_get(record, "now");
  return json_string_value(json_object_get(json_object_get(now, "of"), id));
}

// What the user added to this row is of a run that has other settings today.
static bool is_former(const struct kept *k, const char *id) {
  char today[17];
  const char *then = noted_of(k->record, id);
  return then && fingerprint_of(&k->runs, id, today) && strcmp(then, today) != 0;
}

// Notes of which runs the rows are: those that are written, and those that the user added.
static rmx_status note_runs(const struct kept *k, const rmx_table *t, json_t *now, rmx_err *err) {
  json_t *of = json_object();
  char today[17];
  int bad = json_object_set_new(now, "of", of);
  for (size_t i = 0; !bad && i < t->N + k->c.N; i++) {
    const bool written = i < t->N;
    const char *id = written ? t->ids[i] : cell(&k->c, i - t->N, 0);
    if (!written && k->row[i - t->N] != RMX__ADDED) continue;
    const char *then = noted_of(k->record, id);
    if (fingerprint_of(&k->runs, id, today)) then = today;
    if (then) bad = json_object_set_new(of, id, json_string(then));
  }
  return bad ? rmx_fail_memory(err, 64, RECORD) : RMX_OK;
}

static bool has_row(const json_t *part, const char *id) {
  return json_object_get(json_object_get(part, "rows"), id);
}

// Whose each row and column of the file is.
static rmx_status look(const char *path, const json_t *record, const struct rmx__runs_of *runs,
                       struct kept *k, rmx_err *err) {
  const json_t *now = json_object_get(record, "now"), *before = json_object_get(record, "before");
  *k = (struct kept){.record = record};
  if (runs) k->runs = *runs;
  RMX_OWNED_BY(rmx_table_release) rmx_table numbers = {0};
  if (!rmx_exists(path)) return RMX_OK;
  RMX_TRY(rmx_csv_read(path, &numbers, err));  // what other commands can't read is not kept
  RMX_TRY(rmx_csv_cells(path, &k->c, err));
  k->column = rmx_calloc(k->c.C, sizeof *k->column);
  k->row = rmx_calloc(k->c.N + 1, sizeof *k->row);
  if (!k->column || !k->row) return rmx_fail_memory(err, k->c.N * sizeof *k->row, "a table");
  for (size_t j = 1; j < k->c.C; j++)
    k->column[j] = !is_column(now, k->c.header[j]) && !is_column(before, k->c.header[j]);
  for (size_t i = 0; i < k->c.N; i++) k->row[i] = RMX__ADDED;
  RMX_TRY(mark_ours(k, now, err));
  RMX_TRY(mark_ours(k, before, err));
  for (size_t i = 0; i < k->c.N; i++) {
    const char *id = cell(&k->c, i, 0);
    if (k->row[i] == RMX__ADDED && (has_row(now, id) || has_row(before, id)) && !repeats(k, i))
      k->row[i] = RMX__CHANGED;
    else if (k->row[i] == RMX__ADDED && is_former(k, id))
      k->row[i] = RMX__FORMER;
  }
  return RMX_OK;
}

static rmx_status read_record(const rmx_experiment *e, json_t **all, rmx_err *err) {
  *all = NULL;
  RMX_TRY(rmx__experiment_read(e, RECORD, all, err));
  if (!*all) *all = json_object();
  return *all ? RMX_OK : rmx_fail_memory(err, 64, RECORD);
}

// ---- the file that is written

// The file as it is, under a name of its content.
static rmx_status set_file_aside(const rmx_experiment *e, const char *name, const char *path,
                                 char **to, rmx_err *err) {
  RMX_OWNED char *text = NULL, *folder = rmx_experiment_path(e, RMX_SET_ASIDE);
  size_t size;
  char hex[17];
  RMX_TRY(folder ? rmx_mkdirs(folder, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(rmx_read_file(path, &text, &size, err));
  rmx__hex(rmx_hash(text, size, 0), hex);
  *to = rmx_format("%s/%s-%s", folder, hex, name);
  if (!*to) return rmx_fail_memory(err, 0, "a path");
  return rmx_exists(*to) ? RMX_OK : rmx_write_file(*to, text, size, err);
}

static bool is_ours(const struct kept *k, size_t i) {
  return k->row[i] == RMX__OURS || k->row[i] == RMX__CHANGED;
}

// The user's cell in a row that regmix writes.
static const char *beside(const struct kept *k, const char *id, size_t j) {
  for (size_t i = 0; i < k->c.N && !is_former(k, id); i++)
    if (is_ours(k, i) && strcmp(cell(&k->c, i, 0), id) == 0) return cell(&k->c, i, j);
  return "";
}

// A row that the user added has priority over one that regmix never wrote.
static bool replaced(const struct kept *k, const char *id) {
  if (has_row(json_object_get(k->record, "now"), id)) return false;
  for (size_t i = 0; i < k->c.N; i++)
    if (k->row[i] == RMX__ADDED && strcmp(cell(&k->c, i, 0), id) == 0) return true;
  return false;
}

static void put_columns(rmx_buf *b, const struct kept *k, size_t i, const char *id) {
  for (size_t j = 1; j < k->c.C; j++) {
    if (!k->column[j]) continue;
    rmx_buf_puts(b, ",");
    rmx_csv_field(b, i < k->c.N ? cell(&k->c, i, j) : id ? beside(k, id, j) : k->c.header[j]);
  }
}

static void put_table(rmx_buf *b, const struct kept *k, const rmx_table *t) {
  const size_t none = k->c.N;
  rmx_csv_field(b, t->id_name);
  for (size_t j = 0; j < t->D; j++) rmx_buf_puts(b, ","), rmx_csv_field(b, t->names[j]);
  put_columns(b, k, none, NULL);
  rmx_buf_puts(b, "\n");
  for (size_t i = 0; i < t->N; i++) {
    if (replaced(k, t->ids[i])) continue;
    rmx_csv_field(b, t->ids[i]);
    for (size_t j = 0; j < t->D; j++) {
      rmx_buf_puts(b, ",");
      char number[32] = "";
      if (!isnan(t->x[i * t->D + j])) rmx_double_text(t->x[i * t->D + j], number);
      rmx_buf_puts(b, number);
    }
    put_columns(b, k, none, t->ids[i]);
    rmx_buf_puts(b, "\n");
  }
  for (size_t i = 0; i < k->c.N; i++) {
    if (k->row[i] != RMX__ADDED) continue;
    rmx_csv_field(b, cell(&k->c, i, 0));
    for (size_t j = 0; j < t->D; j++) {
      const size_t at = column_of(&k->c, t->names[j]);
      rmx_buf_puts(b, ",");
      if (at < k->c.C) rmx_csv_field(b, cell(&k->c, i, at));
    }
    put_columns(b, k, i, NULL);
    rmx_buf_puts(b, "\n");
  }
}

// ---- messages

static void tell_added(rmx_pipeline *p, const char *name, const struct kept *k) {
  rmx_few columns = {0}, rows = {0};
  for (size_t j = 1; j < k->c.C; j++)
    if (k->column[j]) rmx_few_add(&columns, k->c.header[j]);
  for (size_t i = 0; i < k->c.N; i++)
    if (k->row[i] == RMX__ADDED) rmx_few_add(&rows, cell(&k->c, i, 0));
  if (columns.n)
    rmx_note(&p->listener, "train: %zu column%s that you added to %s %s kept (%s)", columns.n,
             rmx_s(columns.n), name, rmx_is(columns.n), columns.text);
  if (rows.n)
    rmx_note(&p->listener, "train: %zu row%s that you added to %s %s kept (%s)", rows.n,
             rmx_s(rows.n), name, rmx_is(rows.n), rows.text);
}

static void list_changed(const struct kept *k, rmx_few *changed) {
  for (size_t i = 0; i < k->c.N; i++)
    if (k->row[i] == RMX__CHANGED) rmx_few_add(changed, cell(&k->c, i, 0));
}

static bool has_own_cell(const struct kept *k, size_t i) {
  size_t j = 1;
  while (j < k->c.C && !(k->column[j] && *cell(&k->c, i, j))) j++;
  return j < k->c.C;
}

// Rows with something of the user's that the new table can't have.
static void list_left_out(const struct kept *k, const rmx_table *t, rmx_few *left) {
  for (size_t i = 0; i < k->c.N; i++) {
    const char *id = cell(&k->c, i, 0);
    size_t at = 0;
    while (at < t->N && strcmp(t->ids[at], id) != 0) at++;
    if (k->row[i] == RMX__FORMER ||
        (is_ours(k, i) && has_own_cell(k, i) && (at == t->N || is_former(k, id))))
      rmx_few_add(left, id);
  }
}

// Without a record nobody knows who wrote what: a file that has anything that `now` has not is set
// aside whole.
static bool is_foreign(struct kept *k) {
  for (size_t j = 1; j < k->c.C; j++)
    if (k->column[j]) return true;
  for (size_t i = 0; i < k->c.N; i++)
    if (k->row[i] != RMX__OURS) return true;
  return false;
}

static rmx_status keep_former(rmx_pipeline *p, const char *name, const char *path,
                              const char *reason, rmx_err *err) {
  RMX_OWNED char *to = NULL;
  RMX_TRY(set_file_aside(&p->experiment, name, path, &to, err));
  rmx_warn(&p->listener,
           "%s: %s; it is written again from the results, and the former file is kept as %s", name,
           reason, to);
  return RMX_OK;
}

// Reads what is to be kept of the file, and sets aside what can't be.
static rmx_status look_again(rmx_pipeline *p, const char *name, const char *path,
                             const json_t *record, const json_t *now,
                             const struct rmx__runs_of *runs, struct kept *k, rmx_err *err) {
  json_auto_t *assumed = record ? NULL : json_pack("{s:O}", "now", now);
  rmx_few changed = {0};
  rmx_err why;
  const rmx_status status = look(path, record ? record : assumed, runs, k, &why);
  if (status == RMX_ENOMEM) return *err = why, status;
  if (status != RMX_OK) RMX_TRY(keep_former(p, name, path, why.message, err));
  if (status == RMX_OK && !record && is_foreign(k))
    RMX_TRY(keep_former(p, name, path,
                        "it differs from the results, and no record says what regmix wrote into it",
                        err));
  if (status != RMX_OK || !record) {
    release_kept(k);
    *k = (struct kept){.runs = *runs};
    return RMX_OK;
  }
  list_changed(k, &changed);
  if (!changed.n) return RMX_OK;
  RMX_OWNED char *reason =
      rmx_format("numbers of %zu run%s were changed since `regmix train` wrote them (%s)",
                 changed.n, rmx_s(changed.n), changed.text);
  return reason ? keep_former(p, name, path, reason, err) : rmx_fail_memory(err, 0, "a message");
}

static rmx_status set_left_out_aside(rmx_pipeline *p, const char *name, const char *path,
                                     const struct kept *k, const rmx_table *t, rmx_err *err) {
  rmx_few left = {0};
  list_left_out(k, t, &left);
  if (!left.n) return RMX_OK;
  RMX_OWNED char *reason = rmx_format(
      "what you added to %zu row%s (%s) was measured on runs that are not in the new table, or "
      "that "
      "have another mixture or other settings now, so it is left out",
      left.n, rmx_s(left.n), left.text);
  return reason ? keep_former(p, name, path, reason, err) : rmx_fail_memory(err, 0, "a message");
}

static rmx_status write_record(const rmx_experiment *e, json_t *all, const char *name, json_t *now,
                               const json_t *before, rmx_err *err) {
  json_t *one = json_pack("{s:O}", "now", now);
  if (before) json_object_set(one, "before", (json_t *)before);
  if (json_object_set_new(all, name, one) != 0) return rmx_fail_memory(err, 64, RECORD);
  return rmx__experiment_write(e, RECORD, json_incref(all), err);
}

rmx_status rmx__table_write(rmx_pipeline *p, const char *name, const rmx_table *t,
                            const struct rmx__runs_of *runs, rmx_err *err) {
  RMX_OWNED_BY(release_kept) struct kept k = {0};
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  RMX_OWNED char *path = rmx_experiment_path(&p->experiment, name);
  json_auto_t *all = NULL, *now = part_of(t);
  if (!path || !now) return rmx_fail_memory(err, 0, "a table");
  RMX_TRY(read_record(&p->experiment, &all, err));
  json_auto_t *record = json_incref(json_object_get(all, name));
  const json_t *before = json_object_get(record, "now");
  RMX_TRY(look_again(p, name, path, record, now, runs, &k, err));
  if (k.c.C) RMX_TRY(set_left_out_aside(p, name, path, &k, t, err));
  RMX_TRY(note_runs(&k, t, now, err));
  for (size_t i = 0; i < t->N; i++)
    if (k.c.C && replaced(&k, t->ids[i])) json_object_del(json_object_get(now, "rows"), t->ids[i]);
  const bool same = before && json_equal(before, now) && !json_object_get(record, "before");
  if (!same) RMX_TRY(write_record(&p->experiment, all, name, now, before, err));
  put_table(&b, &k, t);
  RMX_TRY(b.failed ? rmx_fail_memory(err, b.size, path)
                   : rmx_write_file(path, b.data, b.size, err));
  tell_added(p, name, &k);
  return same ? RMX_OK : write_record(&p->experiment, all, name, now, NULL, err);
}

rmx_status rmx__table_look(const rmx_experiment *e, const char *name,
                           const struct rmx__runs_of *runs, rmx_few *changed, rmx_strings *added,
                           rmx_err *err) {
  RMX_OWNED_BY(release_kept) struct kept k = {0};
  RMX_OWNED char *path = rmx_experiment_path(e, name);
  json_auto_t *all = NULL;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(read_record(e, &all, err));
  const json_t *record = json_object_get(all, name);
  if (record) RMX_TRY(look(path, record, runs, &k, err));
  list_changed(&k, changed);
  for (size_t i = 0; i < k.c.N; i++)
    if (k.row[i] == RMX__ADDED && !rmx_strings_add(added, cell(&k.c, i, 0)))
      return rmx_fail_memory(err, 0, "names of runs");
  return RMX_OK;
}
