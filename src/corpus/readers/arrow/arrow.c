// SPDX-License-Identifier: Apache-2.0
// Arrow IPC: messages with a schema, dictionaries and batches of rows. A stream is the messages one
// after the other. A file has a footer too, with the places of dictionaries and batches.
// Format: apache/arrow, docs/source/format/Columnar.rst, "Serialization and Interprocess
// Communication (IPC)".
#include "arrow.h"

#include <stdlib.h>
#include <string.h>

#include "column.h"

enum { SCHEMA = 1, DICTIONARY = 2, BATCH = 3 };  // kinds of messages
enum { MAGIC = 6, MOST_DICTIONARY = 1 << 30 };   // bytes

struct message {
  struct rmx__flat flat;
  int kind;
  size_t table;         // of the kind
  uint64_t body, size;  // of the file
};

struct rmx__arrow {
  struct rmx__arrow_source source;
  struct rmx__arrow_schema schema;
  rmx__block metadata;  // of the present message
  size_t n;
  struct rmx__arrow_column *columns;           // (n)
  struct rmx__arrow_dictionary *dictionaries;  // (n) of those columns that have one
  size_t texts;                                // columns that can be the text
  uint64_t most;
  uint64_t at, end;  // of a stream: the next message, and the end of the file
  uint64_t *places;  // (nplaces) of a file: its batches
  size_t nplaces, place;
  struct message message;  // the present batch
  struct rmx__arrow_batch batch;
  uint64_t row;
};

// ---- messages ----------------------------------------------------------------------------------

static rmx_status cut_off(const rmx__arrow *a, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: the Arrow file is cut off, in a message; fetch it again",
                  a->source.file.path);
}

// Reads the message at *at, and moves *at after it. *more: false at the end.
static rmx_status read_message(rmx__arrow *a, uint64_t *at, struct message *m, bool *more,
                               rmx_err *err) {
  enum { HEADER_KIND = 1, HEADER = 2, BODY_SIZE = 3 };
  rmx__random_access *file = &a->source.file;
  uint8_t head[8] = {0};
  const uint64_t left = a->end - *at;
  *more = false;
  if (left == 0) return RMX_OK;
  if (left < 4) return cut_off(a, err);
  RMX_TRY(rmx__random_access_read(file, *at, head, left < 8 ? 4 : 8, err));
  // Since version 0.15 a message begins with -1.
  const bool marked = rmx__u32_at(head) == UINT32_MAX;
  const uint32_t size = rmx__u32_at(head + (marked ? 4 : 0));
  const uint64_t metadata = *at + (marked ? 8 : 4);
  if (size == 0) return RMX_OK;
  if (metadata > a->end || size > a->end - metadata) return cut_off(a, err);
  RMX_TRY(rmx__block_reserve(&a->metadata, size, file->path, err));
  RMX_TRY(rmx__random_access_read(file, metadata, a->metadata.data, size, err));
  *m = (struct message){.flat = {a->metadata.data, size, false}, .body = metadata + size};
  const size_t root = rmx__flat_root(&m->flat);
  const int64_t body = rmx__flat_number(&m->flat, root, BODY_SIZE, 8, 0);
  m->kind = (int)rmx__flat_number(&m->flat, root, HEADER_KIND, 1, 0);
  m->table = rmx__flat_table(&m->flat, root, HEADER);
  if (m->flat.broken || !m->table || body < 0)
    return rmx__arrow_broken(&a->source, "a message cannot be read", err);
  m->size = (uint64_t)body;
  if (m->size > a->end - m->body) return cut_off(a, err);
  *at = m->body + m->size;
  *more = true;
  return RMX_OK;
}

// ---- dictionaries -----------------------------------------------------------------------------

static rmx_status add_entries(rmx__arrow *a, struct rmx__arrow_dictionary *d,
                              struct rmx__arrow_column *values, const struct rmx__arrow_batch *b,
                              rmx_err *err) {
  bool cut;
  for (uint64_t i = 0; i < b->rows; i++) {
    if (d->n == d->capacity) {
      const size_t capacity = d->capacity ? 2 * d->capacity : 256;
      uint64_t *ends = rmx_realloc(d->ends, capacity, sizeof *ends);
      if (ends) d->ends = ends;
      bool *has = ends ? rmx_realloc(d->has, capacity, sizeof *has) : NULL;
      if (!has) return rmx_fail_memory(err, capacity * sizeof *ends, a->source.file.path);
      d->has = has;
      d->capacity = capacity;
    }
    RMX_TRY(rmx__arrow_column_row(values, &a->schema, &a->source, b, i, MOST_DICTIONARY, &d->text,
                                  &d->has[d->n], &cut, err));
    if (cut) return rmx__arrow_broken(&a->source, "a dictionary has more than 1 GB", err);
    d->ends[d->n++] = d->text.size;
  }
  return RMX_OK;
}

static rmx_status load_dictionary(rmx__arrow *a, struct rmx__arrow_dictionary *d, struct message *m,
                                  rmx_err *err) {
  enum { DATA = 1, IS_DELTA = 2 };
  struct rmx__arrow_batch b = {&m->flat, rmx__flat_table(&m->flat, m->table, DATA), m->body,
                               m->size, 0};
  struct rmx__arrow_level level = {.field = d->field};
  struct rmx__arrow_column values = {.levels = &level, .n = 1};
  if (!rmx__flat_number(&m->flat, m->table, IS_DELTA, 1, 0)) d->n = d->text.size = 0;
  RMX_TRY(rmx__arrow_batch_begin(&b, &a->source, err));
  rmx_status status = rmx__arrow_column_begin(&values, &a->schema, &a->source, &b, d->field, err);
  if (status == RMX_OK) status = add_entries(a, d, &values, &b, err);
  rmx__arrow_level_release(&level);
  return status;
}

static rmx_status load_dictionaries(rmx__arrow *a, struct message *m, rmx_err *err) {
  const int64_t id = rmx__flat_number(&m->flat, m->table, 0, 8, 0) & INT64_MAX;
  for (size_t i = 0; i < a->n; i++)
    if (a->columns[i].dictionary && a->dictionaries[i].id == id)
      RMX_TRY(load_dictionary(a, &a->dictionaries[i], m, err));
  return RMX_OK;
}

// ---- opening ----------------------------------------------------------------------------------

// leaf: the field of the schema; 0: the column is missing.
static rmx_status make_column(rmx__arrow *a, size_t i, size_t leaf, rmx_err *err) {
  if (!leaf) return RMX_OK;
  RMX_TRY(rmx__arrow_column_make(&a->columns[i], &a->schema, leaf, err));
  if (a->schema.fields[leaf].dictionary < 0) return RMX_OK;
  a->dictionaries[i].field = leaf;
  a->dictionaries[i].id = a->schema.fields[leaf].dictionary;
  a->columns[i].dictionary = &a->dictionaries[i];
  return RMX_OK;
}

static rmx_status make_columns(rmx__arrow *a, const struct rmx__wanted *w, rmx_err *err) {
  const struct rmx__arrow_schema *s = &a->schema;
  rmx_err wrong, why = {.status = RMX_OK};
  size_t leaf, found = 0;
  a->columns = rmx_calloc(w->n, sizeof *a->columns);
  a->dictionaries = rmx_calloc(w->n, sizeof *a->dictionaries);
  if (!a->columns || !a->dictionaries)
    return rmx_fail_memory(err, w->n * sizeof *a->columns, a->source.file.path);
  a->n = w->n;
  for (size_t i = 0; i < w->texts; i++) {
    if (rmx__arrow_schema_find(s, w->names[i], true, &leaf, &wrong) == RMX_OK)
      RMX_TRY(make_column(a, i, leaf, err));
    else if (why.status == RMX_OK)
      why = wrong;
    found += a->columns[i].n > 0;
  }
  RMX_TRY(rmx__texts_found(w, found, &why, s->names, s->n, s->path, err));
  for (size_t i = w->texts; i < w->n; i++) {
    RMX_TRY(rmx__arrow_schema_find(s, w->names[i], false, &leaf, err));
    RMX_TRY(make_column(a, i, leaf, err));
  }
  return RMX_OK;
}

// The places of the messages in a vector of the footer.
static rmx_status block_place(rmx__arrow *a, const struct rmx__flat *f, size_t first, size_t i,
                              uint64_t *out, rmx_err *err) {
  enum { BLOCK = 24 };
  const int64_t at = rmx__flat_number_at(f, first + i * BLOCK, 8);
  if (at < 0 || (uint64_t)at > a->end)
    return rmx__arrow_broken(&a->source, "a batch lies outside of the file", err);
  *out = (uint64_t)at;
  return RMX_OK;
}

// Reads the schema, the places of the batches, and all dictionaries, from the footer (f).
static rmx_status read_footer(rmx__arrow *a, struct rmx__flat *f, const struct rmx__wanted *w,
                              rmx_err *err) {
  enum { FOOTER_SCHEMA = 1, DICTIONARIES = 2, BATCHES = 3, BLOCK = 24 };
  const size_t root = rmx__flat_root(f), schema = rmx__flat_table(f, root, FOOTER_SCHEMA);
  size_t ndictionaries,
      dictionaries = rmx__flat_vector(f, root, DICTIONARIES, BLOCK, &ndictionaries);
  const size_t batches = rmx__flat_vector(f, root, BATCHES, BLOCK, &a->nplaces);
  if (f->broken || !schema) return rmx__arrow_broken(&a->source, "its footer cannot be read", err);
  RMX_TRY(rmx__arrow_schema_read(&a->schema, f, schema, err));
  RMX_TRY(make_columns(a, w, err));
  a->places = rmx_calloc(a->nplaces, sizeof *a->places);
  if (!a->places) return rmx_fail_memory(err, a->nplaces * sizeof *a->places, a->schema.path);
  for (size_t i = 0; i < a->nplaces; i++)
    RMX_TRY(block_place(a, f, batches, i, &a->places[i], err));
  for (size_t i = 0; i < ndictionaries; i++) {
    struct message m;
    uint64_t at;
    bool more;
    RMX_TRY(block_place(a, f, dictionaries, i, &at, err));
    RMX_TRY(read_message(a, &at, &m, &more, err));
    if (!more || m.kind != DICTIONARY)
      return rmx__arrow_broken(&a->source, "its footer names a dictionary that is not there", err);
    RMX_TRY(load_dictionaries(a, &m, err));
  }
  return RMX_OK;
}

static rmx_status open_file(rmx__arrow *a, const struct rmx__wanted *w, rmx_err *err) {
  rmx__random_access *file = &a->source.file;
  enum { TAIL = 4 + MAGIC };
  uint8_t tail[TAIL] = {0};
  rmx__block footer = {0};
  if (file->size >= MAGIC + TAIL)
    RMX_TRY(rmx__random_access_read(file, file->size - TAIL, tail, TAIL, err));
  if (memcmp(tail + 4, "ARROW1", MAGIC) != 0)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: the Arrow file is cut off: its end, the footer, is missing; fetch it again",
        file->path);
  const uint32_t size = rmx__u32_at(tail);
  a->end = file->size - TAIL;
  if (size > a->end) return rmx__arrow_broken(&a->source, "its footer is larger than it", err);
  a->end -= size;
  rmx_status status = rmx__block_reserve(&footer, size, file->path, err);
  if (status == RMX_OK) status = rmx__random_access_read(file, a->end, footer.data, size, err);
  struct rmx__flat flat = {footer.data, size, false};
  if (status == RMX_OK) status = read_footer(a, &flat, w, err);
  rmx__block_release(&footer);
  return status;
}

static rmx_status open_stream(rmx__arrow *a, const struct rmx__wanted *w, rmx_err *err) {
  struct message m;
  bool more;
  a->end = a->source.file.size;
  RMX_TRY(read_message(a, &a->at, &m, &more, err));
  if (!more || m.kind != SCHEMA)
    return rmx__arrow_broken(&a->source, "it does not begin with a schema", err);
  RMX_TRY(rmx__arrow_schema_read(&a->schema, &m.flat, m.table, err));
  return make_columns(a, w, err);
}

static rmx_status open_any(rmx__arrow *a, const struct rmx__wanted *w, rmx_err *err) {
  rmx__random_access *file = &a->source.file;
  uint8_t head[8] = {0};
  if (file->size >= sizeof head) RMX_TRY(rmx__random_access_read(file, 0, head, sizeof head, err));
  if (memcmp(head, "ARROW1", MAGIC) == 0) return open_file(a, w, err);
  if (memcmp(head, "FEA1", 4) == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: Feather of version 1 is not read; write it again in version 2",
                    file->path);
  // An old stream begins with the size of its schema.
  const uint32_t size = rmx__u32_at(head);
  const bool stream = size == UINT32_MAX || (size >= 16 && size % 8 == 4 && size < file->size);
  return stream ? open_stream(a, w, err) : rmx__not_of_type(file, "Arrow", err);
}

rmx_status rmx__arrow_open(rmx__input *file, const struct rmx__wanted *w, rmx__arrow **out,
                           rmx_err *err) {
  rmx__arrow *a = rmx_calloc(1, sizeof *a);
  if (!a) return rmx_fail_memory(err, sizeof *a, file->path);
  a->most = w->most;
  a->texts = w->texts;
  a->schema.path = file->path;
  rmx_status status = rmx__random_access_begin(&a->source.file, file, err);
  if (status == RMX_OK) status = open_any(a, w, err);
  if (status == RMX_OK)
    *out = a;
  else
    rmx__arrow_close(a);
  return status;
}

// ---- rows -------------------------------------------------------------------------------------

// The next message with rows, of a stream or of a file.
static rmx_status next_message(rmx__arrow *a, bool *more, rmx_err *err) {
  if (rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", a->schema.path);
  if (a->places) {
    *more = a->place < a->nplaces;
    if (!*more) return RMX_OK;
    uint64_t at = a->places[a->place++];
    RMX_TRY(read_message(a, &at, &a->message, more, err));
    if (!*more || a->message.kind != BATCH)
      return rmx__arrow_broken(&a->source, "its footer names a batch that is not there", err);
    return RMX_OK;
  }
  for (;;) {
    RMX_TRY(read_message(a, &a->at, &a->message, more, err));
    if (!*more || a->message.kind == BATCH) return RMX_OK;
    if (a->message.kind == DICTIONARY) RMX_TRY(load_dictionaries(a, &a->message, err));
  }
}

static rmx_status next_batch(rmx__arrow *a, bool *more, rmx_err *err) {
  *more = true;
  while (a->row == a->batch.rows) {
    a->row = 0;
    a->batch = (struct rmx__arrow_batch){0};
    RMX_TRY(next_message(a, more, err));
    if (!*more) return RMX_OK;
    struct message *m = &a->message;
    struct rmx__arrow_batch b = {&m->flat, m->table, m->body, m->size, 0};
    RMX_TRY(rmx__arrow_batch_begin(&b, &a->source, err));
    for (size_t i = 0; i < a->n; i++)
      if (a->columns[i].n)
        RMX_TRY(rmx__arrow_column_begin(&a->columns[i], &a->schema, &a->source, &b, 0, err));
    a->batch = b;
  }
  return RMX_OK;
}

rmx_status rmx__arrow_next(rmx__arrow *a, rmx_buf *const *values, bool *has, bool *cut, bool *more,
                           rmx_err *err) {
  RMX_TRY(next_batch(a, more, err));
  *cut = false;
  for (size_t i = 0; *more && i < a->n; i++) {
    bool long_value;
    values[i]->size = 0;
    rmx_buf_add(values[i], "", 0);
    has[i] = false;
    if (!a->columns[i].n) continue;                     // it is missing
    if (i >= a->texts && a->columns[i].list) continue;  // as a field it is not a single value
    RMX_TRY(rmx__arrow_column_row(&a->columns[i], &a->schema, &a->source, &a->batch, a->row,
                                  a->most, values[i], &has[i], &long_value, err));
    *cut = *cut || long_value;
    if (long_value) values[i]->size = 0;
  }
  a->row += *more;
  return RMX_OK;
}

void rmx__arrow_close(rmx__arrow *a) {
  if (!a) return;
  for (size_t i = 0; i < a->n; i++) {
    rmx__arrow_column_release(&a->columns[i]);
    rmx_buf_release(&a->dictionaries[i].text);
    free(a->dictionaries[i].ends);
    free(a->dictionaries[i].has);
  }
  free(a->columns);
  free(a->dictionaries);
  free(a->places);
  rmx__arrow_schema_release(&a->schema);
  rmx__codec_release(&a->source.state);
  rmx__block_release(&a->metadata);
  free(a);
}
