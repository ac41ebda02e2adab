// SPDX-License-Identifier: Apache-2.0
// Files of ids of other programs: what kind a file is, and the kinds that hold only ids.
#include "token_source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

uint64_t rmx__token_number(const uint8_t *p, unsigned bytes) {
  uint64_t x = 0;
  memcpy(&x, p, bytes);  // little endian, as everywhere
  return x;
}

rmx_status rmx__token_broken(const rmx__token_source *s, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: broken token file: %s", s->path, what);
}

unsigned rmx__token_width_of(const char *type, size_t size) {
  static const struct {
    const char *name;
    unsigned bytes;
  } types[] = {{"uint8", 1},  {"uint16", 2}, {"int16", 2}, {"uint32", 4}, {"int32", 4},
               {"uint64", 8}, {"int64", 8},  {"|u1", 1},   {"<u2", 2},    {"<i2", 2},
               {"<u4", 4},    {"<i4", 4},    {"<u8", 8},   {"<i8", 8}};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strlen(types[i].name) == size && memcmp(types[i].name, type, size) == 0)
      return types[i].bytes;
  return 0;
}

rmx_status rmx__token_index(rmx__token_source *s, rmx_err *err) {
  const char *slash = strrchr(s->path, '/');
  char *path = slash ? rmx_format("%.*s/index.json", (int)(slash - s->path), s->path)
                     : rmx_strdup("index.json");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_status status = rmx_exists(path) ? rmx__json_read(path, &s->json, err) : RMX_OK;
  free(path);
  return status;
}

// ---- ids alone --------------------------------------------------------------------------------

static rmx_status flat_piece(const rmx__token_source *s, size_t i, size_t *from, size_t *bytes,
                             rmx_err *err) {
  (void)i, (void)err;
  *from = s->first;
  *bytes = s->bytes;
  return RMX_OK;
}

static void set_flat(rmx__token_source *s, size_t first, size_t bytes) {
  s->first = first;
  s->bytes = bytes;
  s->n = 1;
  s->piece = flat_piece;
}

// Whether ids of a small vocabulary have 4 bytes all the same: then their upper halves are zero.
static bool is_wide(const rmx__token_source *s) {
  enum { SOME = 1 << 16 };
  const uint8_t *p = s->file.data;
  const size_t n = s->file.size / 4 < SOME ? s->file.size / 4 : SOME;
  bool low = false;
  if (s->file.size % 4) return false;
  for (size_t i = 0; i < n; i++) {
    if (p[4 * i + 2] || p[4 * i + 3]) return false;
    low = low || p[4 * i] || p[4 * i + 1];
  }
  return low;
}

rmx_status rmx__token_flat(rmx__token_source *s, int vocab, rmx_err *err) {
  s->width = vocab > 65536 || is_wide(s) ? 4 : 2;
  if (s->file.size % s->width)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %zu bytes are not a whole number of ids, which have %u bytes each: the "
                    "file is cut off, or is not a token file",
                    s->path, s->file.size, s->width);
  set_flat(s, 0, s->file.size);
  return RMX_OK;
}

// The value of a key in the header of a NumPy file.
static const char *npy_value(const char *header, const char *key) {
  const char *at = strstr(header, key);
  if (!at) return NULL;
  at += strlen(key);
  return at + strspn(at, "': ");
}

// Format: numpy/lib/format.py. The header is a dict of Python.
rmx_status rmx__token_npy(rmx__token_source *s, bool *is, rmx_err *err) {
  enum { PREFIX = 12, HEADER_MOST = 4096 };
  const uint8_t *p = s->file.data;
  char header[HEADER_MOST];
  *is = s->file.size >= PREFIX && memcmp(p, "\x93NUMPY", 6) == 0;
  if (!*is) return RMX_OK;
  const unsigned bytes = p[6] == 1 ? 2 : 4;
  const uint64_t size = rmx__token_number(p + 8, bytes), first = 8 + bytes + size;
  if (first > s->file.size || size >= HEADER_MOST)
    return rmx__token_broken(s, "the header of NumPy is cut off", err);
  memcpy(header, p + 8 + bytes, (size_t)size);
  header[size] = '\0';
  const char *type = npy_value(header, "'descr'"), *shape = npy_value(header, "'shape'");
  s->width = type ? rmx__token_width_of(type, strcspn(type, "'")) : 0;
  if (!s->width || !shape || *shape != '(')
    return rmx_fail(err, RMX_EINPUT, "%s: an array that does not hold ids: %.100s", s->path,
                    header);
  uint64_t count = 1;
  for (const char *at = shape + 1; *at >= '0' && *at <= '9'; at += strspn(at, ", ")) {
    char *end;
    const unsigned long long n = strtoull(at, &end, 10);
    if (n && count > UINT64_MAX / 16 / n) return rmx__token_broken(s, "its shape", err);
    count *= n;
    at = end;
  }
  if (count * s->width != s->file.size - first)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: its header states %llu ids of %u bytes, but %llu bytes follow: the file "
                    "is cut off",
                    s->path, (unsigned long long)count, s->width,
                    (unsigned long long)(s->file.size - first));
  set_flat(s, (size_t)first, s->file.size - (size_t)first);
  return RMX_OK;
}

// ---- which format ------------------------------------------------------------------------------

static bool ends_in(const char *path, const char *ending) {
  const size_t n = strlen(path), k = strlen(ending);
  return n > k && strcasecmp(path + n - k, ending) == 0;
}

static rmx_status open_any(rmx__token_source *s, int vocab, const char *text_field, rmx_err *err) {
  bool is = false;
  if (ends_in(s->path, ".mds")) return rmx__token_mds(s, text_field, err);
  if (ends_in(s->path, ".npy")) RMX_TRY(rmx__token_npy(s, &is, err));
  if (!is && ends_in(s->path, ".bin")) RMX_TRY(rmx__token_megatron(s, &is, err));
  if (!is && ends_in(s->path, ".bin")) RMX_TRY(rmx__token_litdata(s, &is, err));
  return is ? RMX_OK : rmx__token_flat(s, vocab, err);
}

rmx_status rmx__token_source_open(rmx__token_source *s, const char *path, int vocab,
                                  const char *text_field, rmx_err *err) {
  *s = (rmx__token_source){.path = path};
  rmx_status status = rmx_map_open(&s->file, path, err);
  if (status == RMX_OK && s->file.size == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: the file is empty", path);
  if (status == RMX_OK) status = open_any(s, vocab, text_field, err);
  if (status != RMX_OK) rmx__token_source_close(s);
  return status;
}

void rmx__token_source_close(rmx__token_source *s) {
  rmx_map_release(&s->file);
  rmx_map_release(&s->index);
  json_decref(s->json);
  *s = (rmx__token_source){0};
}
