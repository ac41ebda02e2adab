// SPDX-License-Identifier: Apache-2.0
// The footer of a Parquet file: the schema, and the place of each column in each row group.
#include "footer.h"

#include <stdlib.h>
#include <string.h>

#include "corpus/readers/file_type.h"
#include "thrift.h"

enum { TAIL = 8, HEAD = 4 };  // size of the footer and magic number; magic number

static rmx_status broken(const rmx__random_access *file, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: broken Parquet file: %s", file->path, what);
}

static rmx_status encrypted(const rmx__random_access *file, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT,
                  "%s: the Parquet file is encrypted; write it again without encryption",
                  file->path);
}

// ---- row groups ------------------------------------------------------------------------------

struct chunk_read {
  rmx__parquet_chunk chunk;
  int64_t type, codec, values, size, data_at, dictionary_at;
  bool seen, encrypted, elsewhere;
};

static void read_column_metadata(struct rmx__thrift *t, struct chunk_read *c) {
  int field, last = 0;
  c->seen = true;
  while ((field = rmx__thrift_field(t, &last))) switch (field) {
      case RMX__FIELD(1, I32):
        c->type = rmx__thrift_int(t);
        break;
      case RMX__FIELD(4, I32):
        c->codec = rmx__thrift_int(t);
        break;
      case RMX__FIELD(5, I64):
        c->values = rmx__thrift_int(t);
        break;
      case RMX__FIELD(7, I64):
        c->size = rmx__thrift_int(t);
        break;
      case RMX__FIELD(9, I64):
        c->data_at = rmx__thrift_int(t);
        break;
      case RMX__FIELD(11, I64):
        c->dictionary_at = rmx__thrift_int(t);
        break;
      default:
        rmx__thrift_skip(t, field);
    }
}

static void read_column_chunk(struct rmx__thrift *t, struct chunk_read *c) {
  int field, last = 0;
  size_t n;
  *c = (struct chunk_read){.type = -1, .codec = -1};
  while ((field = rmx__thrift_field(t, &last))) switch (field) {
      case RMX__FIELD(1, BINARY):
        rmx__thrift_bytes(t, &n);
        c->elsewhere = n > 0;
        break;
      case RMX__FIELD(3, STRUCT):
        read_column_metadata(t, c);
        break;
      case RMX__FIELD(8, STRUCT):
      case RMX__FIELD(9, BINARY):
        c->encrypted = true;
        rmx__thrift_skip(t, field);
        break;
      default:
        rmx__thrift_skip(t, field);
    }
}

static rmx_status set_codec(const rmx__random_access *file, const char *name, int64_t codec,
                            rmx__codec *out, rmx_err *err) {
  static const struct {
    const char *name;
    int codec;  // -1: not read
  } codecs[] = {{"none", RMX__CODEC_NONE},
                {"Snappy", RMX__CODEC_SNAPPY},
                {"gzip", RMX__CODEC_GZIP},
                {"LZO", -1},
                {"Brotli", -1},
                {"LZ4", RMX__CODEC_LZ4_HADOOP},
                {"Zstandard", RMX__CODEC_ZSTD},
                {"LZ4_RAW", RMX__CODEC_LZ4}};
  if (codec < 0 || codec >= (int64_t)(sizeof codecs / sizeof *codecs))
    return broken(file, "its compression is unknown", err);
  if (codecs[codec].codec < 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: column \"%.200s\" is compressed with %s, which is not read; write it with "
                    "zstd or snappy",
                    file->path, name, codecs[codec].name);
  *out = (rmx__codec)codecs[codec].codec;
  return RMX_OK;
}

static rmx_status set_chunk(const rmx__random_access *file, const rmx__parquet_leaf *leaf,
                            const struct chunk_read *c, rmx__parquet_chunk *out, rmx_err *err) {
  if (c->encrypted) return encrypted(file, err);
  if (c->elsewhere) return broken(file, "its columns are in other files", err);
  if (!c->seen) return broken(file, "a row group does not say where its columns are", err);
  if (c->type != (int64_t)leaf->type)
    return broken(file, "a column has another type in a row group than in the schema", err);
  int64_t at = c->data_at;
  if (c->dictionary_at > 0 && c->dictionary_at < at) at = c->dictionary_at;
  if (at < HEAD || c->size < 0 || c->values < 0 || (uint64_t)at > file->size ||
      (uint64_t)c->size > file->size - (uint64_t)at)
    return broken(file, "a column lies outside of the file", err);
  *out = (rmx__parquet_chunk){
      .at = (uint64_t)at, .end = (uint64_t)at + (uint64_t)c->size, .values = (uint64_t)c->values};
  return set_codec(file, leaf->name, c->codec, &out->codec, err);
}

static rmx_status more_groups(rmx__parquet_footer *f, const char *path, rmx_err *err) {
  if (f->groups < f->capacity) return RMX_OK;
  const size_t capacity = f->capacity ? 2 * f->capacity : 16, size = f->n * sizeof *f->chunks;
  uint64_t *rows = rmx_realloc(f->rows, capacity, sizeof *rows);
  if (rows) f->rows = rows;
  rmx__parquet_chunk *chunks = rows ? rmx_realloc(f->chunks, capacity, size) : NULL;
  if (!chunks) return rmx_fail_memory(err, capacity * size, path);
  f->chunks = chunks;
  f->capacity = capacity;
  return RMX_OK;
}

static rmx_status read_columns(struct rmx__thrift *t, const rmx__random_access *file,
                               rmx__parquet_footer *f, size_t leaves, rmx_err *err) {
  struct chunk_read c;
  int type;
  const size_t n = rmx__thrift_list(t, &type);
  if (n != leaves || type != RMX__THRIFT_STRUCT)
    return broken(file, "a row group has another number of columns than the schema", err);
  for (size_t i = 0; i < n; i++) {
    read_column_chunk(t, &c);
    if (t->broken) return broken(file, "its footer cannot be read", err);
    for (size_t k = 0; k < f->n; k++)
      if (f->leaves[k].ordinal == i)
        RMX_TRY(set_chunk(file, &f->leaves[k], &c, &f->chunks[f->groups * f->n + k], err));
  }
  return RMX_OK;
}

static rmx_status read_group(struct rmx__thrift *t, const rmx__random_access *file,
                             rmx__parquet_footer *f, size_t leaves, rmx_err *err) {
  int field, last = 0;
  int64_t rows = -1;
  bool columns = false;
  RMX_TRY(more_groups(f, file->path, err));
  while ((field = rmx__thrift_field(t, &last))) {
    if (field == RMX__FIELD(1, LIST)) {
      RMX_TRY(read_columns(t, file, f, leaves, err));
      columns = true;
    } else if (field == RMX__FIELD(3, I64)) {
      rows = rmx__thrift_int(t);
    } else {
      rmx__thrift_skip(t, field);
    }
  }
  if (t->broken || !columns || rows < 0) return broken(file, "a row group cannot be read", err);
  f->rows[f->groups++] = (uint64_t)rows;
  return RMX_OK;
}

static rmx_status read_groups(const uint8_t *data, size_t size, const rmx__random_access *file,
                              rmx__parquet_footer *f, size_t leaves, rmx_err *err) {
  struct rmx__thrift t = {data, data + size, false, false};
  int field, last = 0, type;
  while ((field = rmx__thrift_field(&t, &last))) {
    if (field == RMX__FIELD(8, STRUCT)) return encrypted(file, err);
    if (field != RMX__FIELD(4, LIST)) {
      rmx__thrift_skip(&t, field);
      continue;
    }
    const size_t n = rmx__thrift_list(&t, &type);
    for (size_t i = 0; i < n; i++) RMX_TRY(read_group(&t, file, f, leaves, err));
  }
  return t.broken ? broken(file, "its footer cannot be read", err) : RMX_OK;
}

// ---- the file -----------------------------------------------------------------------------------

// Reads the bytes of the footer; free(*data).
static rmx_status read_bytes(rmx__random_access *file, uint8_t **data, size_t *size, rmx_err *err) {
  uint8_t head[HEAD] = {0}, tail[TAIL] = {0};
  const bool whole = file->size >= HEAD + TAIL;
  if (file->size >= HEAD) RMX_TRY(rmx__random_access_read(file, 0, head, HEAD, err));
  if (whole) RMX_TRY(rmx__random_access_read(file, file->size - TAIL, tail, TAIL, err));
  if (memcmp(head, "PARE", 4) == 0 || (whole && memcmp(tail + 4, "PARE", 4) == 0))
    return encrypted(file, err);
  if (memcmp(head, "PAR1", 4) != 0) return rmx__not_of_type(file, "Parquet", err);
  if (!whole || memcmp(tail + 4, "PAR1", 4) != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the Parquet file is cut off: its end, the footer, is missing; fetch it "
                    "again",
                    file->path);
  *size = rmx__u32_at(tail);
  if (*size > file->size - HEAD - TAIL)
    return broken(file, "its footer is larger than the file", err);
  *data = rmx_calloc(*size, 1);
  if (!*data) return rmx_fail_memory(err, *size, file->path);
  return rmx__random_access_read(file, file->size - TAIL - *size, *data, *size, err);
}

rmx_status rmx__parquet_footer_read(rmx__parquet_footer *out, rmx__random_access *file,
                                    const struct rmx__wanted *w, rmx_err *err) {
  uint8_t *data = NULL;
  size_t size = 0, leaves = 0;
  rmx_status status;
  *out = (rmx__parquet_footer){.n = w->n};
  RMX_TRY_GOTO(read_bytes(file, &data, &size, err), done);
  out->leaves = rmx_calloc(w->n, sizeof *out->leaves);
  if (!out->leaves) {
    status = rmx_fail_memory(err, w->n * sizeof *out->leaves, file->path);
    goto done;
  }
  RMX_TRY_GOTO(rmx__parquet_schema_find(data, size, file->path, w, out->leaves, &leaves, err),
               done);
  status = read_groups(data, size, file, out, leaves, err);
done:
  free(data);
  if (status != RMX_OK) rmx__parquet_footer_release(out);
  return status;
}

void rmx__parquet_footer_release(rmx__parquet_footer *f) {
  free(f->leaves);
  free(f->rows);
  free(f->chunks);
  *f = (rmx__parquet_footer){0};
}
