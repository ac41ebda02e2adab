// SPDX-License-Identifier: Apache-2.0
// The encodings of values in a Parquet page.
// Format: apache/parquet-format, Encodings.md.
#include <string.h>

#include "column.h"
#include "corpus/readers/cell.h"

enum {
  PLAIN = 0,
  PLAIN_DICTIONARY = 2,
  RLE = 3,
  DELTA_BINARY_PACKED = 5,
  DELTA_LENGTH_BYTE_ARRAY = 6,
  DELTA_BYTE_ARRAY = 7,
  RLE_DICTIONARY = 8,
  BYTE_STREAM_SPLIT = 9,
};

// ---- a value as text --------------------------------------------------------------------------

static void add_whole(const rmx__parquet_leaf *leaf, uint64_t x, rmx_buf *out) {
  rmx__cell_add_whole(out, x, leaf->width, leaf->is_unsigned);
}

// A value of n bytes as it is in the file.
static void add_bytes(const rmx__parquet_leaf *leaf, const uint8_t *p, size_t n, rmx_buf *out) {
  float narrow;
  double wide;
  switch (leaf->type) {
    case RMX__PARQUET_INT32:
      add_whole(leaf, rmx__u32_at(p), out);
      break;
    case RMX__PARQUET_INT64:
      add_whole(leaf, rmx__u64_at(p), out);
      break;
    case RMX__PARQUET_FLOAT:
      memcpy(&narrow, p, sizeof narrow);
      rmx__cell_add_float(out, narrow);
      break;
    case RMX__PARQUET_DOUBLE:
      memcpy(&wide, p, sizeof wide);
      rmx__cell_add_double(out, wide);
      break;
    default:
      rmx_buf_add(out, p, n);
  }
}

// ---- the encodings ----------------------------------------------------------------------------

// Takes n bytes of the values. NULL: there are fewer.
static const uint8_t *take(struct rmx__parquet_values *v, uint64_t n) {
  const uint8_t *p = v->at;
  if (n > (uint64_t)(v->end - p)) return NULL;
  v->at += n;
  return p;
}

static bool next_plain(rmx__parquet_column *c, rmx_buf *out) {
  struct rmx__parquet_values *v = &c->values;
  const rmx__parquet_leaf *leaf = c->leaf;
  if (leaf->type == RMX__PARQUET_BOOLEAN) {
    if (v->bit / 8 >= (uint64_t)(v->end - v->at)) return false;
    rmx__cell_add_bool(out, v->at[v->bit / 8] >> v->bit % 8 & 1);
    v->bit++;
    return true;
  }
  uint64_t n = leaf->width;
  if (n == 0) {
    const uint8_t *size = take(v, 4);
    if (!size) return false;
    n = rmx__u32_at(size);
  }
  const uint8_t *p = take(v, n);
  if (p) add_bytes(leaf, p, (size_t)n, out);
  return p != NULL;
}

static bool next_indexed(rmx__parquet_column *c, rmx_buf *out) {
  uint32_t i;
  if (!rmx__runs_next(&c->values.runs, &i) || i >= c->nentries) return false;
  add_bytes(c->leaf, c->dictionary.data + c->entries[i].at, c->entries[i].size, out);
  return true;
}

static bool next_flag(rmx__parquet_column *c, rmx_buf *out) {
  uint32_t x;
  if (!rmx__runs_next(&c->values.runs, &x)) return false;
  rmx__cell_add_bool(out, x);
  return true;
}

static bool next_delta(rmx__parquet_column *c, rmx_buf *out) {
  int64_t x;
  if (!rmx__deltas_next(&c->values.deltas, &x)) return false;
  add_whole(c->leaf, (uint64_t)x, out);
  return true;
}

static const uint8_t *next_with_length(struct rmx__parquet_values *v, int64_t *n) {
  return rmx__deltas_next(&v->deltas, n) && *n >= 0 ? take(v, (uint64_t)*n) : NULL;
}

static bool next_length(rmx__parquet_column *c, rmx_buf *out) {
  int64_t n;
  const uint8_t *p = next_with_length(&c->values, &n);
  if (p) rmx_buf_add(out, p, (size_t)n);
  return p != NULL;
}

static bool next_prefixed(rmx__parquet_column *c, rmx_buf *out) {
  struct rmx__parquet_values *v = &c->values;
  int64_t prefix, n;
  const uint8_t *p = next_with_length(v, &n);
  if (!p || !rmx__deltas_next(&v->prefixes, &prefix) || prefix < 0 ||
      (uint64_t)prefix > v->before.size)
    return false;
  v->before.size = (size_t)prefix;
  rmx_buf_add(&v->before, p, (size_t)n);
  rmx_buf_add(out, v->before.data, v->before.size);
  out->failed = out->failed || v->before.failed;
  return true;
}

// All first bytes of the values, then all second bytes, and so on.
static bool next_split(rmx__parquet_column *c, rmx_buf *out) {
  struct rmx__parquet_values *v = &c->values;
  if (v->index >= v->n) return false;
  rmx_buf bytes = {0};
  for (uint32_t i = 0; i < c->leaf->width; i++) rmx_buf_add(&bytes, v->at + i * v->n + v->index, 1);
  v->index++;
  if (!bytes.failed) add_bytes(c->leaf, (const uint8_t *)bytes.data, bytes.size, out);
  out->failed = out->failed || bytes.failed;
  rmx_buf_release(&bytes);
  return true;
}

// ---- which encoding ---------------------------------------------------------------------------

static bool is_text(rmx__parquet_type type) {
  return type == RMX__PARQUET_BYTES || type == RMX__PARQUET_FIXED;
}

// Begins strings with their lengths, and perhaps the lengths of their prefixes, before them.
static bool begin_lengths(struct rmx__parquet_values *v, bool prefixes) {
  const uint8_t *at = v->at;
  v->before.size = 0;
  rmx_buf_add(&v->before, "", 0);
  if (prefixes) {
    if (!rmx__deltas_make(&v->prefixes, at, v->end)) return false;
    at = rmx__deltas_end(&v->prefixes);
    if (!at) return false;
  }
  if (!rmx__deltas_make(&v->deltas, at, v->end)) return false;
  v->at = rmx__deltas_end(&v->deltas);
  return v->at != NULL;
}

bool rmx__parquet_values_begin(rmx__parquet_column *c, int encoding, const uint8_t *data,
                               size_t size) {
  struct rmx__parquet_values *v = &c->values;
  const rmx__parquet_type type = c->leaf->type;
  const bool text = is_text(type), flag = type == RMX__PARQUET_BOOLEAN;
  v->encoding = encoding;
  v->at = data;
  v->end = data + size;
  v->bit = v->index = 0;
  switch (encoding) {
    case PLAIN:
      return true;
    case PLAIN_DICTIONARY:
    case RLE_DICTIONARY:
      if (size == 0) data = (const uint8_t *)"", size = 1;  // a page of nulls
      v->runs = rmx__runs_make(data + 1, size - 1, *data);
      return c->has_dictionary && *data <= 32;
    case RLE:  // after its size
      if (size >= 4 && rmx__u32_at(data) <= size - 4) size = 4 + rmx__u32_at(data);
      v->runs = rmx__runs_make(data + (size < 4 ? size : 4), size < 4 ? 0 : size - 4, 1);
      return flag;
    case DELTA_BINARY_PACKED:
      return !text && !flag && rmx__deltas_make(&v->deltas, data, v->end);
    case DELTA_LENGTH_BYTE_ARRAY:
      return type == RMX__PARQUET_BYTES && begin_lengths(v, false);
    case DELTA_BYTE_ARRAY:
      return text && begin_lengths(v, true);
    case BYTE_STREAM_SPLIT:
      v->n = c->leaf->width ? size / c->leaf->width : 0;
      return c->leaf->width > 0;
    default:
      return false;
  }
}

bool rmx__parquet_value_next(rmx__parquet_column *c, rmx_buf *out) {
  switch (c->values.encoding) {
    case PLAIN:
      return next_plain(c, out);
    case PLAIN_DICTIONARY:
    case RLE_DICTIONARY:
      return next_indexed(c, out);
    case RLE:
      return next_flag(c, out);
    case DELTA_BINARY_PACKED:
      return next_delta(c, out);
    case DELTA_LENGTH_BYTE_ARRAY:
      return next_length(c, out);
    case DELTA_BYTE_ARRAY:
      return next_prefixed(c, out);
    default:
      return next_split(c, out);
  }
}

rmx_status rmx__parquet_dictionary(rmx__parquet_column *c, uint64_t n, rmx_err *err) {
  static const char cut[] = "a dictionary is cut off";
  const rmx__block *d = &c->dictionary;
  const uint64_t least = c->leaf->width ? c->leaf->width : 4;
  c->nentries = 0;
  if (n > d->size / least) return rmx__parquet_broken(c, cut, err);
  if (n > c->entries_room) {
    rmx__parquet_span *entries = rmx_realloc(c->entries, (size_t)n, sizeof *entries);
    if (!entries) return rmx_fail_memory(err, (size_t)n * sizeof *entries, c->file->path);
    c->entries = entries;
    c->entries_room = (size_t)n;
  }
  for (size_t at = 0; c->nentries < n; c->nentries++) {
    size_t size = c->leaf->width;
    if (size == 0) {
      if (d->size - at < 4) return rmx__parquet_broken(c, cut, err);
      size = rmx__u32_at(d->data + at);
      at += 4;
    }
    if (size > d->size - at) return rmx__parquet_broken(c, cut, err);
    c->entries[c->nentries] = (rmx__parquet_span){(uint32_t)at, (uint32_t)size};
    at += size;
  }
  c->has_dictionary = true;
  return RMX_OK;
}
