// SPDX-License-Identifier: Apache-2.0
// Formats with samples: litdata (chunks named in index.json) and MDS (shards named in index.json).
// Both begin with the number of samples and their places.
// Formats: Lightning-AI/litData, streaming/writer.py; mosaicml/streaming, format/mds/writer.py.
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "corpus/readers/format.h"
#include "token_source.h"

static const uint8_t *bytes_of(const rmx__token_source *s) {
  return s->file.data;
}

// The bytes of sample i: places i and i + 1, which follow the number of samples.
static rmx_status sample(const rmx__token_source *s, size_t i, size_t *from, size_t *bytes,
                         rmx_err *err) {
  const uint64_t a = rmx__token_number(bytes_of(s) + 4 + 4 * i, 4);
  const uint64_t b = rmx__token_number(bytes_of(s) + 8 + 4 * i, 4);
  if (a > b || b > s->file.size) return rmx__token_broken(s, "a sample lies outside of it", err);
  *from = (size_t)a;
  *bytes = (size_t)(b - a);
  return RMX_OK;
}

static rmx_status take_samples(rmx__token_source *s, int64_t stated, rmx_err *err) {
  if (s->file.size < 8) return rmx__token_broken(s, "it is cut off", err);
  s->n = (size_t)rmx__token_number(bytes_of(s), 4);
  if (s->n > s->file.size / 4 - 2) return rmx__token_broken(s, "it is cut off", err);
  if (stated != (int64_t)s->n)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: it has %zu samples, but index.json states %lld: fetch both again", s->path,
                    s->n, (long long)stated);
  return RMX_OK;
}

// ---- litdata ----------------------------------------------------------------------------------

static unsigned litdata_width(const char *format) {
  // Numbers of types, as in litdata's constants.py.
  static const uint8_t torch[] = {
      [11] = 1, [12] = 1, [13] = 2, [14] = 2, [15] = 4, [16] = 4, [17] = 8, [18] = 8, [20] = 2};
  static const uint8_t numpy[] = {1, 2, 4, 8, 1, 2, 4, 8};
  static const struct {
    const char *prefix;
    const uint8_t *widths;
    size_t n;
  } kinds[] = {{"no_header_tensor:", torch, sizeof torch},
               {"no_header_numpy:", numpy, sizeof numpy}};
  for (size_t k = 0; k < 2; k++) {
    const size_t size = strlen(kinds[k].prefix);
    if (strncmp(format, kinds[k].prefix, size) != 0) continue;
    const unsigned long type = strtoul(format + size, NULL, 10);
    return type < kinds[k].n ? kinds[k].widths[type] : 0;
  }
  return 0;
}

rmx_status rmx__token_litdata(rmx__token_source *s, bool *is, rmx_err *err) {
  size_t i;
  json_t *chunk;
  *is = false;
  RMX_TRY(rmx__token_index(s, err));
  json_array_foreach(json_object_get(s->json, "chunks"), i, chunk) {
    const char *name = json_string_value(json_object_get(chunk, "filename"));
    if (name && strcmp(name, rmx__file_name(s->path)) == 0) s->shard = chunk;
  }
  if (!s->shard) return RMX_OK;
  *is = true;
  const json_t *config = json_object_get(s->json, "config");
  const json_t *formats = json_object_get(config, "data_format");
  const char *format = json_string_value(json_array_get(formats, 0));
  if (json_string_value(json_object_get(config, "compression")))
    return rmx__token_broken(s, "compressed chunks of litdata are not read", err);
  s->width = format && json_array_size(formats) == 1 ? litdata_width(format) : 0;
  if (!s->width)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a chunk of litdata that does not hold ids (data_format is %s; wanted "
                    "no_header_tensor or no_header_numpy)",
                    s->path, format ? format : "missing");
  s->piece = sample;
  return take_samples(s, json_integer_value(json_object_get(s->shard, "chunk_size")), err);
}

// ---- MDS --------------------------------------------------------------------------------------

static const char *mds_text(const rmx__token_source *s, const char *list, size_t i) {
  const char *text = json_string_value(json_array_get(json_object_get(s->shard, list), i));
  return text ? text : "";
}

// The bytes of a column in a sample: sizes of the columns that have none of their own, then values.
static rmx_status mds_value(const rmx__token_source *s, size_t sample_i, size_t *from,
                            size_t *bytes, rmx_err *err) {
  static const char cut[] = "a sample is cut off";
  size_t start = 0, size = 0, at = 0, value = 0;
  RMX_TRY(sample(s, sample_i, &start, &size, err));
  const json_t *sizes = json_object_get(s->shard, "column_sizes");
  const size_t n = json_array_size(json_object_get(s->shard, "column_names"));
  for (size_t i = 0; i < n; i++) value += json_integer_value(json_array_get(sizes, i)) > 0 ? 0 : 4;
  if (value > size) return rmx__token_broken(s, cut, err);
  for (size_t i = 0; i < n; i++) {
    int64_t width = json_integer_value(json_array_get(sizes, i));
    if (width <= 0) {
      width = (int64_t)rmx__token_number(bytes_of(s) + start + at, 4);
      at += 4;
    }
    if ((uint64_t)width > size - value) return rmx__token_broken(s, cut, err);
    *from = start + value;
    *bytes = (size_t)width;
    if (i == s->column) return RMX_OK;
    value += (size_t)width;
  }
  return rmx__token_broken(s, "a column is missing", err);
}

// An array without a fixed shape has its shape before the values.
static rmx_status mds_array(const rmx__token_source *s, size_t i, size_t *from, size_t *bytes,
                            rmx_err *err) {
  RMX_TRY(mds_value(s, i, from, bytes, err));
  if (*bytes == 0) return RMX_OK;
  const uint8_t head = bytes_of(s)[*from];
  const size_t shape = 1 + (size_t)(head >> 2) * (1u << (head & 3));
  if (shape > *bytes) return rmx__token_broken(s, "an array is cut off", err);
  *from += shape;
  *bytes -= shape;
  return RMX_OK;
}

static rmx_status mds_ids(rmx__token_source *s, rmx_err *err) {
  const char *encoding = mds_text(s, "column_encodings", s->column);
  if (strcmp(encoding, "bytes") == 0) {
    s->width = 8;  // as LLM Foundry writes them: int64
    s->piece = mds_value;
    return RMX_OK;
  }
  if (strncmp(encoding, "ndarray:", 8) == 0) {
    const char *type = encoding + 8;
    s->width = rmx__token_width_of(type, strcspn(type, ":"));
    s->piece = strchr(type, ':') ? mds_value : mds_array;
  }
  return s->width ? RMX_OK
                  : rmx_fail(err, RMX_EINPUT,
                             "%s: column \"tokens\" is of the kind \"%.100s\", which is not read",
                             s->path, encoding);
}

// Finds the columns of text that are alternatives of text_field.
static void find_texts(rmx__token_source *s, size_t n, const char *text_field) {
  const char *name;
  size_t size;
  while (rmx__next_alternative(&text_field, &name, &size))
    for (size_t k = 0; k < n && s->n_columns < RMX__TEXT_COLUMNS; k++) {
      const char *column = mds_text(s, "column_names", k);
      if (strlen(column) == size && memcmp(column, name, size) == 0 &&
          strcmp(mds_text(s, "column_encodings", k), "str") == 0)
        s->columns[s->n_columns++] = k;
    }
}

rmx_status rmx__token_mds(rmx__token_source *s, const char *text_field, rmx_err *err) {
  size_t i;
  json_t *shard;
  RMX_TRY(rmx__token_index(s, err));
  json_array_foreach(json_object_get(s->json, "shards"), i, shard) {
    const char *name =
        json_string_value(json_object_get(json_object_get(shard, "raw_data"), "basename"));
    if (name && strcmp(name, rmx__file_name(s->path)) == 0) s->shard = shard;
  }
  if (!s->shard)
    return rmx_fail(err, RMX_EINPUT, "%s: index.json in its folder is missing, or lacks this shard",
                    s->path);
  RMX_TRY(take_samples(s, json_integer_value(json_object_get(s->shard, "samples")), err));
  const size_t n = json_array_size(json_object_get(s->shard, "column_names"));
  size_t ids = n;
  find_texts(s, n, text_field);
  for (size_t k = n; k-- > 0;)
    if (strcmp(mds_text(s, "column_names", k), "tokens") == 0) ids = k;
  s->documents = true;
  s->piece = mds_value;
  s->text = s->n_columns > 0;
  s->column = s->columns[0];
  if (s->text) return RMX_OK;
  if (ids == n)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a shard without a column \"%.100s\" of text (corpus.text_field) and "
                    "without a column \"tokens\"",
                    s->path, text_field);
  s->column = ids;
  s->documents = false;
  return mds_ids(s, err);
}
