// SPDX-License-Identifier: Apache-2.0
// Tables that `regmix train` writes again each time, and that the user may have extended: columns
// and rows that regmix did not write are kept. Numbers of regmix that were changed by hand are
// written again from the results, and the changed file is set aside.
//
// tables.json has for each table what regmix wrote into it: "now" {"columns": [name], "rows": {run:
// hash of its cells in these columns}, "of": {run: fingerprint}}. It is written before the table,
// with "before", what it wrote last, and again after it without. So after a kill in between, the
// rows of either are regmix's. "former" has what the user added to rows of runs that are not in use
// today (kept_cells.h).
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kept_cells.h"
#include "scored.h"

static const char RECORD[] = "tables.json";

static rmx_status read_record(const rmx_experiment *e, json_t **all, rmx_err *err) {
  *all = NULL;
  RMX_TRY(rmx__experiment_read(e, RECORD, all, err));
  if (!*all) *all = json_object();
  return *all ? RMX_OK : rmx_fail_memory(err, 64, RECORD);
}

// ---- the file that is written

rmx_status rmx__set_file_aside(const rmx_experiment *e, const char *name, const char *path,
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

// Notes of which runs the rows are: those that are written, and those that the user added.
static rmx_status note_runs(const rmx__kept *k, const rmx_table *t, json_t *now, rmx_err *err) {
  json_t *of = json_object();
  char today[17];
  int bad = json_object_set_new(now, "of", of);
  for (size_t i = 0; !bad && i < t->N + k->c.N; i++) {
    const bool written = i < t->N;
    const char *id = written ? t->ids[i] : rmx__kept_cell(k, i - t->N, 0), *then = "";
    if (!written && k->row[i - t->N].whose != RMX__ADDED) continue;
    if (!written) then = k->row[i - t->N].of;
    if (rmx__kept_fingerprint(k, id, today)) then = today;
    if (*then) bad = json_object_set_new(of, id, json_string(then));
  }
  return bad ? rmx_fail_memory(err, 64, RECORD) : RMX_OK;
}

static void put_own(rmx_buf *b, const rmx__own_cells *o, const rmx_table *t, size_t i) {
  for (size_t j = 0; j < o->names.n; j++) {
    if (o->dropped[j]) continue;
    rmx_buf_puts(b, ",");
    rmx_csv_field(b, i < t->N ? o->cells[i * o->names.n + j] : o->names.items[j]);
  }
}

static void put_cell(rmx_buf *b, const rmx__kept *k, size_t i, const char *column) {
  const size_t at = rmx__kept_column(k, column);
  rmx_buf_puts(b, ",");
  if (at < k->c.C) rmx_csv_field(b, rmx__kept_cell(k, i, at));
}

static bool has_rows(const rmx__kept *k, const rmx_table *t) {
  size_t i = 0;
  while (i < k->c.N && k->row[i].whose != RMX__ADDED) i++;
  return t->N || i < k->c.N;
}

static void put_table(rmx_buf *b, const rmx__kept *k, const rmx__own_cells *o, const rmx_table *t) {
  rmx_csv_field(b, t->id_name);
  for (size_t j = 0; j < t->D; j++) rmx_buf_puts(b, ","), rmx_csv_field(b, t->names[j]);
  put_own(b, o, t, t->N);
  rmx_buf_puts(b, "\n");
  for (size_t i = 0; i < t->N; i++) {
    if (rmx__kept_replaces(k, t->ids[i])) continue;
    rmx_csv_field(b, t->ids[i]);
    for (size_t j = 0; j < t->D; j++) {
      rmx_buf_puts(b, ",");
      char number[32] = "";
      if (!isnan(t->x[i * t->D + j])) rmx_double_text(t->x[i * t->D + j], number);
      rmx_buf_puts(b, number);
    }
    put_own(b, o, t, i);
    rmx_buf_puts(b, "\n");
  }
  for (size_t i = 0; i < k->c.N; i++) {
    if (k->row[i].whose != RMX__ADDED) continue;
    rmx_csv_field(b, rmx__kept_cell(k, i, 0));
    for (size_t j = 0; j < t->D; j++) put_cell(b, k, i, t->names[j]);
    for (size_t j = 0; j < o->names.n; j++)
      if (!o->dropped[j]) put_cell(b, k, i, o->names.items[j]);
    rmx_buf_puts(b, "\n");
  }
}

// ---- messages

static void tell_added(rmx_pipeline *p, const rmx__kept *k, const rmx__own_cells *o) {
  rmx_few columns = {0}, rows = {0};
  for (size_t j = 0; j < o->names.n; j++)
    if (!o->dropped[j]) rmx_few_add(&columns, o->names.items[j]);
  for (size_t i = 0; i < k->c.N; i++)
    if (k->row[i].whose == RMX__ADDED) rmx_few_add(&rows, rmx__kept_cell(k, i, 0));
  if (columns.n)
    rmx_note(&p->listener, "train: %zu column%s that you added to %s %s kept (%s)", columns.n,
             rmx_s(columns.n), k->name, rmx_is(columns.n), columns.text);
  if (rows.n)
    rmx_note(&p->listener, "train: %zu row%s that you added to %s %s kept (%s)", rows.n,
             rmx_s(rows.n), k->name, rmx_is(rows.n), rows.text);
}

static void list(const rmx__kept *k, enum rmx__whose whose, rmx_few *out) {
  for (size_t i = 0; i < k->c.N; i++)
    if (k->row[i].whose == whose) rmx_few_add(out, rmx__kept_cell(k, i, 0));
}

static rmx_status keep_former(rmx_pipeline *p, const char *name, const char *path,
                              const char *reason, rmx_err *err) {
  RMX_OWNED char *to = NULL;
  RMX_TRY(rmx__set_file_aside(&p->experiment, name, path, &to, err));
  rmx_warn(&p->listener,
           "%s: %s; it is written again from the results, and the former file is kept as %s", name,
           reason, to);
  return RMX_OK;
}

// Reads what is to be kept of the file, and sets aside what can't be.
static rmx_status look_again(rmx_pipeline *p, const char *name, const char *path,
                             const json_t *record, const json_t *now,
                             const struct rmx__runs_of *runs, rmx__kept *k, rmx_err *err) {
  rmx_few changed = {0};
  rmx_err why;
  rmx_status status = rmx__kept_look(&p->experiment, name, record, now, runs, k, &why);
  if (status == RMX_OK && k->foreign) status = RMX_EINPUT;  // `why` says why
  if (status == RMX_ENOMEM) return *err = why, status;
  if (status != RMX_OK) {
    rmx__kept_release(k);
    *k = (rmx__kept){.name = name, .record = record, .runs = *runs};
    return keep_former(p, name, path, why.message, err);
  }
  list(k, RMX__CHANGED, &changed);
  if (!changed.n) return RMX_OK;
  RMX_OWNED char *reason =
      rmx_format("numbers of %zu run%s were changed since `regmix train` wrote them (%s)",
                 changed.n, rmx_s(changed.n), changed.text);
  return reason ? keep_former(p, name, path, reason, err) : rmx_fail_memory(err, 0, "a message");
}

// What the user added that is not in the new table.
static rmx_status tell_left_out(rmx_pipeline *p, const rmx__kept *k, const char *path,
                                const rmx__own_cells *o, rmx_err *err) {
  rmx_few rows = {0};
  list(k, RMX__FORMER, &rows);
  if (o->left.n > o->lost)
    rmx_note(&p->listener,
             "train: what you added to %zu row%s of %s (%s) was measured on runs that are not in "
             "use now; it is kept in %s, and comes back with %s",
             o->left.n, rmx_s(o->left.n), k->name, o->left.text, RECORD,
             o->left.n == 1 ? "its run" : "their runs");
  if (!rows.n && !o->lost) return RMX_OK;
  const rmx_few *named = rows.n ? &rows : &o->left;
  RMX_OWNED char *reason = rmx_format(
      "what you added to %zu row%s (%s) was measured on runs that are not in the new table, or "
      "that have another mixture now, so it is left out",
      named->n, rmx_s(named->n), named->text);
  return reason ? keep_former(p, k->name, path, reason, err) : rmx_fail_memory(err, 0, "a message");
}

static rmx_status put_rows_away(const rmx_experiment *e, const rmx__kept *k, rmx_err *err) {
  RMX_OWNED bool *rows = rmx_calloc(k->c.N + 1, sizeof *rows);
  if (!rows) return rmx_fail_memory(err, k->c.N, "rows");
  for (size_t i = 0; i < k->c.N; i++) rows[i] = k->row[i].whose == RMX__FORMER;
  return rmx__scored_put_away(e, &k->c, rows, err);
}

static rmx_status write_record(const rmx_experiment *e, json_t *all, const char *name, json_t *now,
                               const json_t *before, json_t *former, rmx_err *err) {
  json_t *one = json_pack("{s:O}", "now", now);
  if (before) json_object_set(one, "before", (json_t *)before);
  if (json_object_size(former)) json_object_set(one, "former", former);
  if (json_object_set_new(all, name, one) != 0) return rmx_fail_memory(err, 64, RECORD);
  return rmx__experiment_write(e, RECORD, json_incref(all), err);
}

// What was kept, and what will be: until the table is written, a cell is in one of them.
static json_t *either(const json_t *had, const json_t *former) {
  const char *run;
  json_t *names, *all = json_deep_copy(former);
  json_object_foreach((json_t *)had, run, names) {
    json_t *there = json_object_get(all, run);
    if (!there)
      json_object_set(all, run, names);
    else
      json_object_update_missing(there, names);
  }
  return all;
}

rmx_status rmx__table_write(rmx_pipeline *p, const char *name, const rmx_table *t,
                            const struct rmx__runs_of *runs, rmx_err *err) {
  RMX_OWNED_BY(rmx__kept_release) rmx__kept k = {0};
  RMX_OWNED_BY(rmx__own_cells_release) rmx__own_cells own = {0};
  RMX_OWNED_BY(rmx_buf_release) rmx_buf b = {0};
  RMX_OWNED char *path = rmx_experiment_path(&p->experiment, name);
  json_auto_t *all = NULL, *now = rmx__kept_part(t);
  if (!path || !now) return rmx_fail_memory(err, 0, "a table");
  RMX_TRY(read_record(&p->experiment, &all, err));
  json_auto_t *record = json_incref(json_object_get(all, name));
  const json_t *before = json_object_get(record, "now"), *had = json_object_get(record, "former");
  json_auto_t *former = had ? json_deep_copy(had) : json_object();
  if (!former) return rmx_fail_memory(err, 0, RECORD);
  RMX_TRY(look_again(p, name, path, record, now, runs, &k, err));
  RMX_TRY(rmx__own_cells_find(&k, t, former, &own, err));
  RMX_TRY(tell_left_out(p, &k, path, &own, err));
  RMX_TRY(put_rows_away(&p->experiment, &k, err));
  RMX_TRY(note_runs(&k, t, now, err));
  for (size_t i = 0; i < t->N; i++)
    if (rmx__kept_replaces(&k, t->ids[i])) json_object_del(json_object_get(now, "rows"), t->ids[i]);
  const bool same = before && json_equal(before, now) && !json_object_get(record, "before") &&
                    (had ? json_equal(had, former) : json_object_size(former) == 0);
  json_auto_t *until = either(had, former);
  if (!same) RMX_TRY(write_record(&p->experiment, all, name, now, before, until, err));
  put_table(&b, &k, &own, t);
  if (b.failed) return rmx_fail_memory(err, b.size, path);
  if (has_rows(&k, t))
    RMX_TRY(rmx_write_file(path, b.data, b.size, err));
  else
    unlink(path);
  tell_added(p, &k, &own);
  return same ? RMX_OK : write_record(&p->experiment, all, name, now, NULL, former, err);
}

bool rmx__table_has_results(const rmx_experiment *e, const char *name) {
  json_auto_t *all = NULL;
  rmx_err ignored;
  if (read_record(e, &all, &ignored) != RMX_OK) return false;
  const json_t *now = json_object_get(json_object_get(all, name), "now");
  return json_object_size(json_object_get(now, "rows")) > 0;
}

rmx_status rmx__table_may_grow(const rmx_experiment *e, const char *name, rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(e, name);
  RMX_OWNED_BY(rmx_table_release) rmx_table numbers = {0};
  json_auto_t *all = NULL;
  if (!path) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(read_record(e, &all, err));
  if (json_object_get(all, name) || !rmx_exists(path)) return RMX_OK;
  if (rmx_csv_read(path, &numbers, err) == RMX_OK) return RMX_OK;
  return rmx_fail_in(err,
                     "`regmix train` would write into %s, which another program wrote, and it is "
                     "not a table of numbers: mend it, or move it away",
                     name);
}

rmx_status rmx__table_look(const rmx_experiment *e, const char *name,
                           const struct rmx__runs_of *runs, rmx_few *changed, rmx_strings *added,
                           rmx_err *err) {
  RMX_OWNED_BY(rmx__kept_release) rmx__kept k = {0};
  json_auto_t *all = NULL;
  RMX_TRY(read_record(e, &all, err));
  RMX_TRY(rmx__kept_look(e, name, json_object_get(all, name), NULL, runs, &k, err));
  list(&k, RMX__CHANGED, changed);
  for (size_t i = 0; i < k.c.N; i++)
    if (k.row[i].whose == RMX__ADDED && !rmx_strings_add(added, rmx__kept_cell(&k, i, 0)))
      return rmx_fail_memory(err, 0, "names of runs");
  return RMX_OK;
}
