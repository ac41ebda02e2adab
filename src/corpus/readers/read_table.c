// SPDX-License-Identifier: Apache-2.0
// Files of columns: a row is a document, and one column has its text.
#include <stdlib.h>
#include <string.h>

#include "arrow/arrow.h"
#include "format.h"
#include "parquet/parquet.h"

// What the reader of such a file gives: the functions of parquet.h, for example.
struct table_type {
  rmx_status (*open)(rmx__input *file, const struct rmx__wanted *w, void **out, rmx_err *err);
  rmx_status (*next)(void *table, rmx_buf *const *values, bool *has, bool *cut, bool *more,
                     rmx_err *err);
  void (*close)(void *table);
};

struct table {
  const struct table_type *type;
  void *file;
  struct rmx__wanted wanted;
  const char **names;  // (n) the alternatives of the text, then the fields
  char *texts;         // the alternatives, with a zero after each
  rmx_buf *others;     // (wanted.texts) values of those after the first
  rmx_buf **values;    // (n)
  bool *has;           // (n)
  rmx_strings columns;
};

static void close_table(rmx__reader *r) {
  struct table *t = r->state;
  if (!t) return;
  if (t->file) t->type->close(t->file);
  for (size_t i = 0; t->others && i < t->wanted.texts; i++) rmx_buf_release(&t->others[i]);
  rmx_strings_release(&t->columns);
  free(t->names), free(t->texts), free(t->others), free(t->values), free(t->has);
  free(t);
}

// The name of the whole text_field is looked for as well, because a name may have a comma.
static size_t divide_texts(struct table *t, const char *text_field) {
  const char *at = text_field, *name;
  char *to = t->texts;
  size_t n = 0, size;
  t->names[n++] = text_field;
  if (!strchr(text_field, ',')) return n;
  while (rmx__next_alternative(&at, &name, &size)) {
    memcpy(to, name, size);
    to[size] = '\0';
    t->names[n++] = to;
    to += size + 1;
  }
  return n;
}

static rmx_status no_room(const rmx__reader *r, size_t n, rmx_err *err) {
  return rmx_fail_memory(err, n * sizeof(rmx_buf), r->path);
}

static rmx_status want_columns(rmx__reader *r, struct table *t, rmx_err *err) {
  enum { MOST = 1 << 30 };  // bytes of a document, if no limit is set
  const char *field = r->o.text_field;
  size_t n = 2 + rmx__fields(r), texts;
  for (const char *p = field; *p; p++) n += *p == ',';
  t->names = rmx_calloc(n, sizeof *t->names);
  t->texts = rmx_calloc(strlen(field) + 2, 1);
  if (!t->names || !t->texts) return no_room(r, n, err);
  texts = divide_texts(t, field);
  n = texts + rmx__fields(r);
  for (size_t i = texts; i < n; i++) t->names[i] = r->o.fields->items[i - texts];
  const uint64_t most = r->o.max_document && r->o.max_document < MOST ? r->o.max_document : MOST;
  t->wanted = (struct rmx__wanted){t->names, n, texts, field, most, &t->columns};
  t->others = rmx_calloc(texts, sizeof *t->others);
  t->values = rmx_calloc(n, sizeof *t->values);
  t->has = rmx_calloc(n, sizeof *t->has);
  if (!t->others || !t->values || !t->has) return no_room(r, n, err);
  for (size_t i = 0; i < n; i++)
    t->values[i] = i == 0 ? &r->text : i < texts ? &t->others[i] : &r->values[i - texts];
  return RMX_OK;
}

static rmx_status open_table(rmx__reader *r, const struct table_type *type, rmx_err *err) {
  struct table *t = r->state = rmx_calloc(1, sizeof *t);
  if (!t) return rmx_fail_memory(err, sizeof *t, r->path);
  t->type = type;
  RMX_TRY(want_columns(r, t, err));
  return type->open(&r->input, &t->wanted, &t->file, err);
}

static const rmx_strings *columns_of(const rmx__reader *r) {
  const struct table *t = r->state;
  return t ? &t->columns : NULL;
}

// Of the alternatives the first that has text becomes the text. False: all are null.
static bool choose_text(rmx__reader *r, struct table *t) {
  bool any = t->has[0];
  for (size_t i = 1; i < t->wanted.texts && rmx__is_blank(r->text.data, r->text.size); i++) {
    if (!t->has[i]) continue;
    any = true;
    rmx_buf text = r->text;
    r->text = t->others[i];
    t->others[i] = text;
  }
  return any;
}

static rmx_status next_row(rmx__reader *r, bool *more, rmx_err *err) {
  struct table *t = r->state;
  bool cut;
  RMX_TRY(t->type->next(t->file, t->values, t->has, &cut, more, err));
  if (!*more) return RMX_OK;
  r->line_number++;
  for (size_t i = 0; i < rmx__fields(r); i++) r->has[i] = t->has[t->wanted.texts + i];
  if (cut && !r->o.skip_bad) return rmx__too_long(r, "a row", err);
  r->lost.bad_lines += cut;
  if (cut)
    r->text.size = 0;
  else
    r->document = choose_text(r, t);
  r->lost.no_text += !cut && !r->document;
  return RMX_OK;
}

// ---- Parquet -------------------------------------------------------------------------------

static rmx_status parquet_open(rmx__input *file, const struct rmx__wanted *w, void **out,
                               rmx_err *err) {
  rmx__parquet *p = NULL;
  rmx_status status = rmx__parquet_open(file, w, &p, err);
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
    .columns = columns_of,
    .close = close_table,
};

// ---- Arrow ---------------------------------------------------------------------------------

static rmx_status arrow_open(rmx__input *file, const struct rmx__wanted *w, void **out,
                             rmx_err *err) {
  rmx__arrow *a = NULL;
  rmx_status status = rmx__arrow_open(file, w, &a, err);
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
    .columns = columns_of,
    .close = close_table,
};
