// SPDX-License-Identifier: Apache-2.0
// Files of columns: a row is a document, and one column has its text.
#include <stdlib.h>
#include <string.h>

#include "arrow/arrow.h"
#include "format.h"
#include "parquet/parquet.h"

// What the reader of such a file gives: the functions of parquet.h, for example.
struct table_type {
  rmx_status (*open)(rmx__input *file, const char *const *names, size_t n, uint64_t most,
                     void **out, rmx_err *err);
  rmx_status (*next)(void *table, rmx_buf *const *values, bool *has, bool *cut, bool *more,
                     rmx_err *err);
  void (*close)(void *table);
};

struct table {
  const struct table_type *type;
  void *file;
  rmx_buf **values;  // (1 + fields) the text, then the fields
  bool *has;         // the same
  char *text;        // the alternative of text_field that is a column; NULL: all of it
};

static void close_table(rmx__reader *r) {
  struct table *t = r->state;
  if (!t) return;
  if (t->file) t->type->close(t->file);
  free(t->values);
  free(t->has);
  free(t->text);
  free(t);
}

// Opens the file with the column that text_field names, or else with the first of its alternatives
// that is there.
static rmx_status open_columns(rmx__reader *r, struct table *t, const char **names, size_t n,
                               rmx_err *err) {
  enum { MOST = 1 << 30 };  // bytes of a document, if no limit is set
  const uint64_t most = r->o.max_document && r->o.max_document < MOST ? r->o.max_document : MOST;
  const char *at = strchr(r->o.text_field, ',') ? r->o.text_field : NULL, *name;
  size_t size;
  names[0] = r->o.text_field;
  rmx_status status = t->type->open(&r->input, names, n, most, &t->file, err);
  while (status == RMX_EINPUT && rmx__next_alternative(&at, &name, &size)) {
    rmx_err ignored;  // the first error names all of them
    free(t->text);
    t->text = rmx_format("%.*s", (int)size, name);
    if (!t->text) return rmx_fail_memory(err, size, r->path);
    names[0] = t->text;
    if (t->type->open(&r->input, names, n, most, &t->file, &ignored) == RMX_OK) status = RMX_OK;
  }
  return status;
}

static rmx_status open_table(rmx__reader *r, const struct table_type *type, rmx_err *err) {
  const size_t n = 1 + rmx__fields(r);
  struct table *t = r->state = rmx_calloc(1, sizeof *t);
  if (t) t->type = type;
  if (t) t->values = rmx_calloc(n, sizeof *t->values);
  if (t) t->has = rmx_calloc(n, sizeof *t->has);
  const char **names = rmx_calloc(n, sizeof *names);
  const bool good = t && t->values && t->has && names;
  for (size_t i = 0; i < n && good; i++) {
    names[i] = i ? r->o.fields->items[i - 1] : NULL;
    t->values[i] = i ? &r->values[i - 1] : &r->text;
  }
  const rmx_status status =
      good ? open_columns(r, t, names, n, err) : rmx_fail_memory(err, n * sizeof *names, r->path);
  free(names);
  return status;
}

static rmx_status next_row(rmx__reader *r, bool *more, rmx_err *err) {
  struct table *t = r->state;
  bool cut;
  RMX_TRY(t->type->next(t->file, t->values, t->has, &cut, more, err));
  if (!*more) return RMX_OK;
  r->line_number++;
  for (size_t i = 0; i < rmx__fields(r); i++) r->has[i] = t->has[i + 1];
  if (cut && !r->o.skip_bad) return rmx__too_long(r, "a row", err);
  r->bad_lines += cut;
  if (cut) r->text.size = 0;
  r->no_text += !cut && !t->has[0];
  return RMX_OK;
}

// ---- Parquet -------------------------------------------------------------------------------

static rmx_status parquet_open(rmx__input *file, const char *const *names, size_t n, uint64_t most,
                               void **out, rmx_err *err) {
  rmx__parquet *p = NULL;
  rmx_status status = rmx__parquet_open(file, names, n, most, &p, err);
  *out = p;
  return status;
}

static rmx_status parquet_next(void *table, rmx_buf *const *values, bool *has, bool *cut,
                               bool *more, rmx_err *err) {
  return rmx__parquet_next(table, values, has, cut, more, err);
}

static void parquet_close(void *table) {
  rmx__parquet_close(table);
}

static rmx_status open_parquet(rmx__reader *r, rmx_err *err) {
  static const struct table_type type = {parquet_open, parquet_next, parquet_close};
  return open_table(r, &type, err);
}

static const char *const parquet_endings[] = {".parquet", ".parq", ".pq", NULL};
const rmx__format rmx__format_parquet = {
    .endings = parquet_endings,
    .flags = RMX__FORMAT_COLUMNS | RMX__FORMAT_RANDOM,
    .open = open_parquet,
    .next = next_row,
    .close = close_table,
};

// ---- Arrow ---------------------------------------------------------------------------------

static rmx_status arrow_open(rmx__input *file, const char *const *names, size_t n, uint64_t most,
                             void **out, rmx_err *err) {
  rmx__arrow *a = NULL;
  rmx_status status = rmx__arrow_open(file, names, n, most, &a, err);
  *out = a;
  return status;
}

static rmx_status arrow_next(void *table, rmx_buf *const *values, bool *has, bool *cut, bool *more,
                             rmx_err *err) {
  return rmx__arrow_next(table, values, has, cut, more, err);
}

static void arrow_close(void *table) {
  rmx__arrow_close(table);
}

static rmx_status open_arrow(rmx__reader *r, rmx_err *err) {
  static const struct table_type type = {arrow_open, arrow_next, arrow_close};
  return open_table(r, &type, err);
}

static const char *const arrow_endings[] = {".arrow", ".arrows", ".feather", ".ipc", NULL};
const rmx__format rmx__format_arrow = {
    .endings = arrow_endings,
    .flags = RMX__FORMAT_COLUMNS | RMX__FORMAT_RANDOM,
    .open = open_arrow,
    .next = next_row,
    .close = close_table,
};
