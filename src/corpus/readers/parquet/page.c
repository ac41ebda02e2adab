// SPDX-License-Identifier: Apache-2.0
// The pages of a column of a Parquet file: their headers, checksums and compression.
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "column.h"
#include "thrift.h"

enum { DATA_PAGE = 0, DICTIONARY_PAGE = 2, DATA_PAGE_V2 = 3 };
enum { WINDOW = 1 << 18, HEADER_MOST = 1 << 24 };  // bytes
enum { ENCODING_PLAIN = 0, ENCODING_PLAIN_DICTIONARY = 2, ENCODING_RLE = 3 };

struct header {
  int64_t type, size, compressed, crc;
  bool has_crc;
  int64_t values, encoding, definition_encoding, repetition_encoding;
  int64_t definition_bytes, repetition_bytes;  // of version 2
  bool plain;                                  // a page of version 2 that is not compressed
};

rmx_status rmx__parquet_broken(const rmx__parquet_column *c, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: broken Parquet file: column \"%.200s\", row group %zu: %s",
                  c->file->path, c->leaf->name, c->group, what);
}

// ---- bytes of the file -----------------------------------------------------------------------

// Makes the next n bytes of the chunk available in raw.data. If it reads, it reads some more.
static rmx_status need(rmx__parquet_column *c, size_t n, const uint8_t **out, rmx_err *err) {
  const uint64_t left = c->chunk.end - c->chunk.at;
  if (n > left) return rmx__parquet_broken(c, "a page reaches out of its column", err);
  if (c->chunk.at < c->raw_at || c->chunk.at + n > c->raw_at + c->raw.size) {
    const size_t size = n > WINDOW || left < WINDOW ? (n > WINDOW ? n : (size_t)left) : WINDOW;
    RMX_TRY(rmx__block_reserve(&c->raw, size, c->file->path, err));
    RMX_TRY(rmx__random_access_read(c->file, c->chunk.at, c->raw.data, size, err));
    c->raw.size = size;
    c->raw_at = c->chunk.at;
  }
  *out = c->raw.data + (c->chunk.at - c->raw_at);
  return RMX_OK;
}

// ---- headers ----------------------------------------------------------------------------------

// The part of a header that belongs to the kind of page. The ids of its fields differ.
static void read_kind(struct rmx__thrift *t, struct header *h, int kind) {
  enum { VALUES = 1, ENCODING = 2, V2_ENCODING = 4 };
  int field, last = 0;
  while ((field = rmx__thrift_field(t, &last))) {
    const int id = field / 16, type = field % 16;
    if (kind == DATA_PAGE_V2 && id == 7 && type <= RMX__THRIFT_FALSE) {
      h->plain = type == RMX__THRIFT_FALSE;
    } else if (type != RMX__THRIFT_I32) {
      rmx__thrift_skip(t, field);
    } else {
      const int64_t x = rmx__thrift_int(t);
      if (id == VALUES) h->values = x;
      if (id == (kind == DATA_PAGE_V2 ? V2_ENCODING : ENCODING)) h->encoding = x;
      if (kind == DATA_PAGE && id == 3) h->definition_encoding = x;
      if (kind == DATA_PAGE && id == 4) h->repetition_encoding = x;
      if (kind == DATA_PAGE_V2 && id == 5) h->definition_bytes = x;
      if (kind == DATA_PAGE_V2 && id == 6) h->repetition_bytes = x;
    }
  }
}

static void read_header(struct rmx__thrift *t, struct header *h) {
  int field, last = 0;
  *h = (struct header){.type = -1, .size = -1, .compressed = -1, .values = -1, .encoding = -1};
  h->definition_encoding = h->repetition_encoding = ENCODING_RLE;
  while ((field = rmx__thrift_field(t, &last))) switch (field) {
      case RMX__FIELD(1, I32):
        h->type = rmx__thrift_int(t);
        break;
      case RMX__FIELD(2, I32):
        h->size = rmx__thrift_int(t);
        break;
      case RMX__FIELD(3, I32):
        h->compressed = rmx__thrift_int(t);
        break;
      case RMX__FIELD(4, I32):
        h->crc = rmx__thrift_int(t);
        h->has_crc = true;
        break;
      case RMX__FIELD(5, STRUCT):
        read_kind(t, h, DATA_PAGE);
        break;
      case RMX__FIELD(7, STRUCT):
        read_kind(t, h, DICTIONARY_PAGE);
        break;
      case RMX__FIELD(8, STRUCT):
        read_kind(t, h, DATA_PAGE_V2);
        break;
      default:
        rmx__thrift_skip(t, field);
    }
}

// Reads the header at the start of the chunk, and moves the chunk's start after it. The size of a
// header is not known before: it may hold long values as statistics.
static rmx_status next_header(rmx__parquet_column *c, struct header *h, rmx_err *err) {
  for (size_t n = 512;; n *= 4) {
    const uint64_t left = c->chunk.end - c->chunk.at;
    const uint8_t *data;
    if (left == 0) return rmx__parquet_broken(c, "it has fewer values than stated", err);
    const size_t size = n < left ? n : (size_t)left;
    RMX_TRY(need(c, size, &data, err));
    struct rmx__thrift t = {data, data + size, false, false};
    read_header(&t, h);
    if (!t.broken) {
      c->chunk.at += (uint64_t)(t.at - data);
      break;
    }
    if (!t.cut || n >= left || n >= HEADER_MOST)
      return rmx__parquet_broken(c, "the header of a page cannot be read", err);
  }
  if (h->size < 0 || h->compressed < 0 || (uint64_t)h->compressed > c->chunk.end - c->chunk.at)
    return rmx__parquet_broken(c, "a page reaches out of its column", err);
  if (h->size > RMX__PAGE_MOST ||
      !rmx__codec_can_give(c->chunk.codec, (size_t)h->compressed, (uint64_t)h->size))
    return rmx__parquet_broken(c, "a page has an impossible size", err);
  return RMX_OK;
}

// ---- loading ----------------------------------------------------------------------------------

// Decompresses data (n) to exactly `size` bytes in `into`.
static rmx_status unpack(rmx__parquet_column *c, rmx__codec codec, const uint8_t *data, size_t n,
                         size_t size, rmx__block *into, rmx_err *err) {
  char what[200];
  RMX_TRY(rmx__block_reserve(into, size, c->file->path, err));
  const char *wrong = rmx__codec_decompress(&c->codec, codec, data, n, into->data, size);
  into->size = size;
  if (!wrong) return RMX_OK;
  snprintf(what, sizeof what, "a page cannot be decompressed: %s", wrong);
  return rmx__parquet_broken(c, what, err);
}

static rmx_status load_dictionary(rmx__parquet_column *c, const struct header *h,
                                  const uint8_t *data, rmx_err *err) {
  if (h->values < 0 || (h->encoding != ENCODING_PLAIN && h->encoding != ENCODING_PLAIN_DICTIONARY))
    return rmx__parquet_broken(c, "a dictionary has an unknown encoding", err);
  if (c->leaf->type == RMX__PARQUET_BOOLEAN)
    return rmx__parquet_broken(c, "a dictionary of true and false", err);
  RMX_TRY(
      unpack(c, c->chunk.codec, data, (size_t)h->compressed, (size_t)h->size, &c->dictionary, err));
  return rmx__parquet_dictionary(c, (uint64_t)h->values, err);
}

static unsigned bits_of(unsigned max) {
  unsigned n = 0;
  while (max >> n) n++;
  return n;
}

// Takes the levels of a page of version 1 from *data (*size): their size, then runs.
static bool take_levels(const uint8_t **data, size_t *size, unsigned max, struct rmx__runs *out) {
  if (max == 0) return true;
  if (*size < 4) return false;
  const uint32_t n = rmx__u32_at(*data);
  if (n > *size - 4) return false;
  *out = rmx__runs_make(*data + 4, n, bits_of(max));
  *data += 4 + (size_t)n;
  *size -= 4 + (size_t)n;
  return true;
}

static rmx_status begin_values(rmx__parquet_column *c, const struct header *h, const uint8_t *data,
                               size_t size, rmx_err *err) {
  char what[100];
  if (h->values < 0 || (uint64_t)h->values > c->chunk.values)
    return rmx__parquet_broken(c, "a page has more values than its column", err);
  if (!rmx__parquet_values_begin(c, (int)h->encoding, data, size)) {
    snprintf(what, sizeof what, "a page has broken values, or values of an unknown encoding (%d)",
             (int)h->encoding);
    return rmx__parquet_broken(c, what, err);
  }
  c->left = (uint64_t)h->values;
  c->chunk.values -= (uint64_t)h->values;
  return RMX_OK;
}

static rmx_status load_version_1(rmx__parquet_column *c, const struct header *h,
                                 const uint8_t *data, rmx_err *err) {
  const rmx__parquet_leaf *leaf = c->leaf;
  size_t size = (size_t)h->compressed;
  if ((leaf->max_rep && h->repetition_encoding != ENCODING_RLE) ||
      (leaf->max_def && h->definition_encoding != ENCODING_RLE))
    return rmx__parquet_broken(c, "levels in the encoding BIT_PACKED are not read", err);
  if (c->chunk.codec != RMX__CODEC_NONE) {
    RMX_TRY(unpack(c, c->chunk.codec, data, size, (size_t)h->size, &c->page, err));
    data = c->page.data;
    size = c->page.size;
  }
  if (!take_levels(&data, &size, leaf->max_rep, &c->repetitions) ||
      !take_levels(&data, &size, leaf->max_def, &c->definitions))
    return rmx__parquet_broken(c, "the levels of a page are cut off", err);
  return begin_values(c, h, data, size, err);
}

// In a page of version 2 the levels are never compressed.
static rmx_status load_version_2(rmx__parquet_column *c, const struct header *h,
                                 const uint8_t *data, rmx_err *err) {
  const rmx__parquet_leaf *leaf = c->leaf;
  size_t size = (size_t)h->compressed, rep = (size_t)h->repetition_bytes,
         def = (size_t)h->definition_bytes;
  if (h->repetition_bytes < 0 || h->definition_bytes < 0 || rep > size || def > size - rep ||
      rep + def > (size_t)h->size)
    return rmx__parquet_broken(c, "the levels of a page are cut off", err);
  c->repetitions = rmx__runs_make(data, rep, bits_of(leaf->max_rep));
  c->definitions = rmx__runs_make(data + rep, def, bits_of(leaf->max_def));
  data += rep + def;
  size -= rep + def;
  if (c->chunk.codec != RMX__CODEC_NONE && !h->plain && size > 0) {
    RMX_TRY(unpack(c, c->chunk.codec, data, size, (size_t)h->size - rep - def, &c->page, err));
    data = c->page.data;
    size = c->page.size;
  }
  return begin_values(c, h, data, size, err);
}

rmx_status rmx__parquet_page_next(rmx__parquet_column *c, bool *more, rmx_err *err) {
  struct header h;
  const uint8_t *data;
  while (c->left == 0 && c->chunk.values > 0) {
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while %s was read", c->file->path);
    RMX_TRY(next_header(c, &h, err));
    RMX_TRY(need(c, (size_t)h.compressed, &data, err));
    c->chunk.at += (uint64_t)h.compressed;
    if (h.has_crc && (uint32_t)h.crc != (uint32_t)crc32(0, data, (uInt)h.compressed))
      return rmx__parquet_broken(c, "a page does not have its checksum; fetch the file again", err);
    if (h.type == DICTIONARY_PAGE) RMX_TRY(load_dictionary(c, &h, data, err));
    if (h.type == DATA_PAGE) RMX_TRY(load_version_1(c, &h, data, err));
    if (h.type == DATA_PAGE_V2) RMX_TRY(load_version_2(c, &h, data, err));
  }
  *more = c->left > 0;
  return RMX_OK;
}
