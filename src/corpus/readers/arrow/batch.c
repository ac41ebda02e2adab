// SPDX-License-Identifier: Apache-2.0
// A batch has the numbers of values of all its columns and the places of all their buffers, each as
// one list, in the order of the schema. So the columns before a wanted one are counted.
// Format: apache/arrow, format/Message.fbs, docs/source/format/Columnar.rst.
#include <stdlib.h>

#include "column.h"

enum { LENGTH = 0, NODES = 1, BUFFERS = 2, COMPRESSION = 3, VARIADIC = 4 };  // of a RecordBatch
enum { PAIR = 16 };  // bytes of a node (values, nulls) and of a buffer (place, size)

struct walk {
  size_t node, buffer, view;  // the next ones
};

rmx_status rmx__arrow_batch_begin(struct rmx__arrow_batch *b, struct rmx__arrow_source *s,
                                  rmx_err *err) {
  static const rmx__codec codecs[] = {RMX__CODEC_LZ4_FRAME, RMX__CODEC_ZSTD};
  const int64_t rows = rmx__flat_number(b->flat, b->table, LENGTH, 8, 0);
  const size_t compression = rmx__flat_table(b->flat, b->table, COMPRESSION);
  s->codec = RMX__CODEC_NONE;
  if (compression) {
    const int64_t codec = rmx__flat_number(b->flat, compression, 0, 1, 0);
    if (codec < 0 || codec > 1) return rmx__arrow_broken(s, "an unknown compression", err);
    s->codec = codecs[codec];
  }
  if (b->flat->broken || rows < 0) return rmx__arrow_broken(s, "a batch cannot be read", err);
  b->rows = (uint64_t)rows;
  return RMX_OK;
}

// Two numbers of a list of pairs.
static rmx_status pair(const struct rmx__arrow_batch *b, struct rmx__arrow_source *s,
                       unsigned vector, size_t i, uint64_t out[2], rmx_err *err) {
  size_t n;
  const size_t first = rmx__flat_vector(b->flat, b->table, vector, PAIR, &n);
  if (i >= n) return rmx__arrow_broken(s, "a batch has too few buffers", err);
  for (unsigned k = 0; k < 2; k++) {
    const int64_t x = rmx__flat_number_at(b->flat, first + i * PAIR + 8 * k, 8);
    if (x < 0) return rmx__arrow_broken(s, "a batch has negative sizes", err);
    out[k] = (uint64_t)x;
  }
  return RMX_OK;
}

static rmx_status begin_buffer(rmx__arrow_buffer *out, const struct rmx__arrow_batch *b,
                               struct rmx__arrow_source *s, size_t i, rmx_err *err) {
  uint64_t at[2] = {0};
  RMX_TRY(pair(b, s, BUFFERS, i, at, err));
  if (at[0] > b->size || at[1] > b->size - at[0])
    return rmx__arrow_broken(s, "a buffer lies outside of its batch", err);
  return rmx__arrow_buffer_begin(out, s, b->body + at[0], at[1], err);
}

rmx_status rmx__arrow_further(struct rmx__arrow_level *l, const struct rmx__arrow_batch *b,
                              struct rmx__arrow_source *s, size_t i, rmx_err *err) {
  return begin_buffer(&l->second, b, s, l->further + i, err);
}

// The number of further buffers of the next view.
static rmx_status further_buffers(const struct rmx__arrow_batch *b, struct rmx__arrow_source *s,
                                  struct walk *w, size_t *out, rmx_err *err) {
  size_t n;
  const size_t first = rmx__flat_vector(b->flat, b->table, VARIADIC, 8, &n);
  const int64_t count = w->view < n ? rmx__flat_number_at(b->flat, first + 8 * w->view, 8) : -1;
  if (count < 0 || count > UINT32_MAX)
    return rmx__arrow_broken(s, "a batch does not say how many buffers a view has", err);
  w->view++;
  *out = (size_t)count;
  return RMX_OK;
}

// Passes one field, without its children. A field with a dictionary has only indices.
static rmx_status pass(const struct rmx__arrow_field *e, const struct rmx__arrow_batch *b,
                       struct rmx__arrow_source *s, bool indices, struct walk *w, rmx_err *err) {
  size_t further = 0;
  if (e->variadic && !indices) RMX_TRY(further_buffers(b, s, w, &further, err));
  w->node++;
  w->buffer += indices ? 2 : e->buffers + further;
  return RMX_OK;
}

// Finds the buffers of one level.
static rmx_status begin_level(struct rmx__arrow_level *l, const struct rmx__arrow_field *e,
                              const struct rmx__arrow_batch *b, struct rmx__arrow_source *s,
                              bool indices, const struct walk *w, rmx_err *err) {
  uint64_t node[2] = {0};
  RMX_TRY(pair(b, s, NODES, w->node, node, err));
  l->length = node[0];
  l->nulls = node[1] > 0;
  l->loaded = 0;
  const unsigned buffers = indices ? 2 : e->buffers;
  if (buffers > 0) RMX_TRY(begin_buffer(&l->validity, b, s, w->buffer, err));
  if (buffers > 1) RMX_TRY(begin_buffer(&l->first, b, s, w->buffer + 1, err));
  if (buffers > 2) RMX_TRY(begin_buffer(&l->second, b, s, w->buffer + 2, err));
  l->nulls = l->nulls && l->validity.size > 0;
  l->further = w->buffer + 2;
  l->nfurther = 0;
  struct walk copy = *w;
  return e->variadic && !indices ? further_buffers(b, s, &copy, &l->nfurther, err) : RMX_OK;
}

rmx_status rmx__arrow_column_begin(struct rmx__arrow_column *c, const struct rmx__arrow_schema *s,
                                   struct rmx__arrow_source *source,
                                   const struct rmx__arrow_batch *b, size_t first, rmx_err *err) {
  struct walk w = {0};
  const bool dictionary = first > 0;  // the values of one
  size_t level = 0;
  for (size_t i = dictionary ? first : 1; i < s->n && level < c->n;) {
    const struct rmx__arrow_field *e = &s->fields[i];
    const bool indices = e->dictionary >= 0 && !dictionary;
    if (i == c->levels[level].field)
      RMX_TRY(begin_level(&c->levels[level++], e, b, source, indices, &w, err));
    RMX_TRY(pass(e, b, source, indices, &w, err));
    i = indices ? s->names[i].end : i + 1;
  }
  if (b->flat->broken) return rmx__arrow_broken(source, "a batch cannot be read", err);
  if (level < c->n || c->levels[0].length != b->rows)
    return rmx__arrow_broken(source, "a column has another length than its batch", err);
  return RMX_OK;
}

rmx_status rmx__arrow_column_make(struct rmx__arrow_column *c, const struct rmx__arrow_schema *s,
                                  size_t leaf, rmx_err *err) {
  for (size_t i = leaf; i; i = s->names[i].parent) c->n++;
  c->levels = rmx_calloc(c->n, sizeof *c->levels);
  if (!c->levels) return rmx_fail_memory(err, c->n * sizeof *c->levels, s->path);
  size_t i = leaf;
  for (size_t k = c->n; k-- > 0; i = s->names[i].parent) {
    const int type = s->fields[i].type;
    c->levels[k].field = i;
    c->list = c->list || rmx__arrow_is_list(type) || type == RMX__ARROW_MAP;
  }
  return RMX_OK;
}

void rmx__arrow_level_release(struct rmx__arrow_level *l) {
  rmx__block_release(&l->validity.block);
  rmx__block_release(&l->first.block);
  rmx__block_release(&l->second.block);
}

void rmx__arrow_column_release(struct rmx__arrow_column *c) {
  for (size_t i = 0; c->levels && i < c->n; i++) rmx__arrow_level_release(&c->levels[i]);
  free(c->levels);
}
