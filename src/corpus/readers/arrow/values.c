// SPDX-License-Identifier: Apache-2.0
// The value of a row: down the chain of nested columns, then as text.
#include <string.h>

#include "column.h"
#include "corpus/readers/cell.h"

// A row that is being read.
struct row {
  struct rmx__arrow_column *column;
  const struct rmx__arrow_schema *schema;
  struct rmx__arrow_source *source;
  const struct rmx__arrow_batch *batch;
  uint64_t most;
  rmx_buf *out;
  bool has, cut;
};

// ---- texts ------------------------------------------------------------------------------------

static void add(struct row *r, const uint8_t *bytes, uint64_t n) {
  if (r->cut) return;
  if (r->has) rmx_buf_puts(r->out, "\n");
  r->has = true;
  if (n > r->most || r->out->size + n > r->most)
    r->cut = true;
  else
    rmx_buf_add(r->out, bytes, (size_t)n);
}

// The n bytes from `from` of a buffer.
static rmx_status add_text(struct row *r, rmx__arrow_buffer *b, uint64_t from, uint64_t n,
                           rmx_err *err) {
  const uint8_t *bytes = NULL;
  if (n <= r->most) RMX_TRY(rmx__arrow_buffer_get(b, r->source, from, n, &bytes, err));
  add(r, bytes, n);
  return RMX_OK;
}

// Two offsets of a level, in order.
static rmx_status offsets(struct row *r, struct rmx__arrow_level *l, uint64_t i, unsigned bytes,
                          uint64_t out[2], rmx_err *err) {
  int64_t x[2];
  for (unsigned k = 0; k < 2; k++)
    RMX_TRY(rmx__arrow_buffer_number(&l->first, r->source, i + k, bytes, false, &x[k], err));
  if (x[0] < 0 || x[1] < x[0])
    return rmx__arrow_broken(r->source, "the offsets of a column are not in order", err);
  out[0] = (uint64_t)x[0];
  out[1] = (uint64_t)x[1];
  return RMX_OK;
}

static rmx_status add_offset_text(struct row *r, struct rmx__arrow_level *l, uint64_t i,
                                  unsigned bytes, rmx_err *err) {
  uint64_t at[2] = {0};
  RMX_TRY(offsets(r, l, i, bytes, at, err));
  return add_text(r, &l->second, at[0], at[1] - at[0], err);
}

// A view has 16 bytes: the size, and the text if it has 12 bytes or fewer; else its first 4 bytes,
// and its buffer and place.
static rmx_status add_view(struct row *r, struct rmx__arrow_level *l, uint64_t i, rmx_err *err) {
  enum { VIEW = 16, SHORT = 12 };
  const uint8_t *p;
  RMX_TRY(rmx__arrow_buffer_get(&l->first, r->source, i * VIEW, VIEW, &p, err));
  const uint32_t n = rmx__u32_at(p), buffer = rmx__u32_at(p + 8), at = rmx__u32_at(p + 12);
  if (n <= SHORT) {
    add(r, p + 4, n);
    return RMX_OK;
  }
  if (buffer >= l->nfurther)
    return rmx__arrow_broken(r->source, "a view names a buffer that is not there", err);
  if (l->loaded != (size_t)buffer + 1) {
    RMX_TRY(rmx__arrow_further(l, r->batch, r->source, buffer, err));
    l->loaded = (size_t)buffer + 1;
  }
  return add_text(r, &l->second, at, n, err);
}

// ---- other values -----------------------------------------------------------------------------

static rmx_status add_number(struct row *r, struct rmx__arrow_level *l,
                             const struct rmx__arrow_field *e, uint64_t i, rmx_err *err) {
  rmx_buf text = {0};
  const uint8_t *p;
  float narrow;
  double wide;
  if (i > l->first.size) return rmx__arrow_broken(r->source, "too few numbers", err);
  RMX_TRY(rmx__arrow_buffer_get(&l->first, r->source, i * e->bytes, e->bytes, &p, err));
  if (e->type == RMX__ARROW_REAL && e->bytes == sizeof narrow) {
    memcpy(&narrow, p, sizeof narrow);
    rmx__cell_add_float(&text, narrow);
  } else if (e->type == RMX__ARROW_REAL) {
    memcpy(&wide, p, sizeof wide);
    rmx__cell_add_double(&text, wide);
  } else {
    uint64_t x = 0;
    for (unsigned k = 0; k < e->bytes; k++) x |= (uint64_t)p[k] << (8 * k);
    rmx__cell_add_whole(&text, x, e->bytes, e->is_unsigned);
  }
  add(r, (const uint8_t *)text.data, text.size);
  r->out->failed = r->out->failed || text.failed;
  rmx_buf_release(&text);
  return RMX_OK;
}

static rmx_status add_flag(struct row *r, struct rmx__arrow_level *l, uint64_t i, rmx_err *err) {
  bool flag;
  RMX_TRY(rmx__arrow_buffer_bit(&l->first, r->source, i, &flag, err));
  add(r, (const uint8_t *)(flag ? "true" : "false"), flag ? 4 : 5);
  return RMX_OK;
}

static rmx_status add_entry(struct row *r, struct rmx__arrow_level *l,
                            const struct rmx__arrow_field *e, uint64_t i, rmx_err *err) {
  const struct rmx__arrow_dictionary *d = r->column->dictionary;
  int64_t k;
  RMX_TRY(rmx__arrow_buffer_number(&l->first, r->source, i, e->index_bytes, e->index_unsigned, &k,
                                   err));
  if (k < 0 || (uint64_t)k >= d->n)
    return rmx__arrow_broken(r->source, "a column names a value that its dictionary lacks", err);
  const uint64_t from = k ? d->ends[k - 1] : 0;
  if (d->has[k]) add(r, (const uint8_t *)d->text.data + from, d->ends[k] - from);
  return RMX_OK;
}

static rmx_status add_value(struct row *r, struct rmx__arrow_level *l, uint64_t i, rmx_err *err) {
  const struct rmx__arrow_field *e = &r->schema->fields[l->field];
  if (r->column->dictionary) return add_entry(r, l, e, i, err);
  switch (e->type) {
    case RMX__ARROW_UTF8:
    case RMX__ARROW_BINARY:
      return add_offset_text(r, l, i, 4, err);
    case RMX__ARROW_LARGE_UTF8:
    case RMX__ARROW_LARGE_BINARY:
      return add_offset_text(r, l, i, 8, err);
    case RMX__ARROW_UTF8_VIEW:
    case RMX__ARROW_BINARY_VIEW:
      return add_view(r, l, i, err);
    case RMX__ARROW_FIXED_BINARY:
      if (e->bytes && i > l->first.size / e->bytes)
        return rmx__arrow_broken(r->source, "a value reaches out of its buffer", err);
      return add_text(r, &l->first, i * e->bytes, e->bytes, err);
    case RMX__ARROW_BOOL:
      return add_flag(r, l, i, err);
    default:
      return add_number(r, l, e, i, err);
  }
}

// ---- nested columns -------------------------------------------------------------------------

// The values of a list in the level below: from at[0] up to at[1].
static rmx_status list_range(struct row *r, struct rmx__arrow_level *l, uint64_t i, uint64_t at[2],
                             rmx_err *err) {
  const struct rmx__arrow_field *e = &r->schema->fields[l->field];
  switch (e->type) {
    case RMX__ARROW_LIST:
    case RMX__ARROW_MAP:
      return offsets(r, l, i, 4, at, err);
    case RMX__ARROW_LARGE_LIST:
      return offsets(r, l, i, 8, at, err);
    case RMX__ARROW_FIXED_LIST:
      if (e->bytes && i >= UINT64_MAX / e->bytes / 2)
        return rmx__arrow_broken(r->source, "a list reaches out of its column", err);
      at[0] = i * e->bytes;
      at[1] = at[0] + e->bytes;
      return RMX_OK;
    default:  // a struct
      at[0] = i;
      at[1] = i + 1;
      return RMX_OK;
  }
}

// Adds value i of a level. The recursion is as deep as the columns are nested. Since offsets are in
// order, a batch costs no more than the numbers of its values.
static rmx_status add_level(struct row *r, size_t level, uint64_t i, rmx_err *err) {
  struct rmx__arrow_level *l = &r->column->levels[level];
  uint64_t at[2] = {0};
  bool valid = true;
  if (i >= l->length || i >> 48)
    return rmx__arrow_broken(r->source, "a list reaches out of its column", err);
  if (l->nulls) RMX_TRY(rmx__arrow_buffer_bit(&l->validity, r->source, i, &valid, err));
  if (!valid) return RMX_OK;
  if (level + 1 == r->column->n) return add_value(r, l, i, err);
  RMX_TRY(list_range(r, l, i, at, err));
  for (uint64_t k = at[0]; k < at[1]; k++) RMX_TRY(add_level(r, level + 1, k, err));
  return RMX_OK;
}

rmx_status rmx__arrow_column_row(struct rmx__arrow_column *c, const struct rmx__arrow_schema *s,
                                 struct rmx__arrow_source *source,
                                 const struct rmx__arrow_batch *batch, uint64_t row, uint64_t most,
                                 rmx_buf *out, bool *has, bool *cut, rmx_err *err) {
  struct row r = {c, s, source, batch, most, out, false, false};
  RMX_TRY(add_level(&r, 0, row, err));
  *has = r.has;
  *cut = r.cut;
  return out->failed ? rmx_fail_memory(err, out->size, source->file.path) : RMX_OK;
}
