// SPDX-License-Identifier: Apache-2.0
// Writes safetensors files, with a hash of themselves.
#include <stdlib.h>
#include <string.h>

#include "base/hasher.h"
#include "base/json.h"
#include "base/stamp.h"
#include "safetensors.h"

enum { LENGTH = 8, DIGITS = 16, ALIGN = 64, HEADER_MAX = 100 << 20 };

// What is before the digits of the hash.
static const char before[] = "{\"__metadata__\":{\"xxh3\":\"";
enum { BEFORE = sizeof before - 1, FIRST = LENGTH + BEFORE + DIGITS };

static size_t numbers_of(const rmx__safetensor *t) {
  size_t n = 1;
  for (size_t d = 0; d < t->ndim; d++) n *= t->shape[d];
  return n;
}

// ---- the hash of a file ----------------------------------------------------------

// Of `front` bytes that start a file, with zeros for the digits of the hash.
static bool hash_front(const char *bytes, size_t front, uint64_t *hash) {
  static const char zeros[DIGITS + 1] = "0000000000000000";
  rmx__hasher *h = rmx__hasher_new(0);
  if (!h) return false;
  rmx__hasher_add(h, bytes, LENGTH + BEFORE);
  rmx__hasher_add(h, zeros, DIGITS);
  rmx__hasher_add(h, bytes + FIRST, front - FIRST);
  *hash = rmx__hasher_value(h);
  rmx__hasher_free(h);
  return true;
}

// The hash that the start of a file says.
static bool kept_hash(const char *bytes, size_t size, uint64_t *hash) {
  char digits[DIGITS + 1] = "", again[DIGITS + 1];
  if (size < FIRST || memcmp(bytes + LENGTH, before, BEFORE) != 0) return false;
  memcpy(digits, bytes + LENGTH + BEFORE, DIGITS);
  *hash = strtoull(digits, NULL, 16);
  rmx__hex(*hash, again);
  return strcmp(digits, again) == 0;
}

rmx_status rmx__safetensors_check(const rmx__safetensors *s, const char *path, rmx_err *err) {
  const char *bytes = s->map.data;
  uint64_t kept, hash;
  if (!kept_hash(bytes, s->front, &kept))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: has no hash of itself, so this program did not write it, or it is corrupt",
                    path);
  if (!hash_front(bytes, s->front, &hash)) return rmx_fail_memory(err, 0, "a hash");
  hash = rmx_hash(bytes + s->front, s->map.size - s->front, hash);
  if (hash == kept) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: corrupt (hash %016llx, wanted %016llx); take an older copy",
                  path, (unsigned long long)hash, (unsigned long long)kept);
}

rmx_status rmx__safetensors_hash(const char *path, uint64_t *hash, rmx_err *err) {
  char bytes[FIRST];
  FILE *file = rmx_fopen(path, "rb");
  if (!file) return rmx_fail_errno(err, "cannot read %s", path);
  const bool good = fread(bytes, FIRST, 1, file) == 1 && kept_hash(bytes, FIRST, hash);
  fclose(file);
  return good ? RMX_OK : rmx_fail(err, RMX_EINPUT, "%s: truncated or corrupt", path);
}

// ---- writing ---------------------------------------------------------------------

static json_t *header_of(const rmx__safetensor *tensors, size_t n, const json_t *metadata) {
  json_t *header = json_object(), *own = json_pack("{s:s}", "xxh3", "0000000000000000");
  size_t at = 0;
  json_object_update(own, (json_t *)(uintptr_t)metadata);
  json_object_set_new(header, "__metadata__", own);
  for (size_t i = 0; i < n; i++) {
    const size_t end = at + numbers_of(&tensors[i]) * sizeof(float);
    json_t *shape = json_array();
    for (size_t d = 0; d < tensors[i].ndim; d++)
      json_array_append_new(shape, json_integer((json_int_t)tensors[i].shape[d]));
    json_object_set_new(header, tensors[i].name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                                  "data_offsets", (json_int_t)at, (json_int_t)end));
    at = end;
  }
  return header;
}

// The start of a file. Blanks fill it up, so that the arrays are aligned.
static rmx_status make_front(const rmx__safetensor *tensors, size_t n, const json_t *metadata,
                             rmx_buf *front, rmx_err *err) {
  json_t *header = header_of(tensors, n, metadata);
  RMX_OWNED char *text = header ? json_dumps(header, JSON_COMPACT) : NULL;
  json_decref(header);
  if (!text) return rmx_fail_memory(err, n * 128, "the header of a safetensors file");
  const uint64_t size = (LENGTH + strlen(text) + ALIGN - 1) / ALIGN * ALIGN - LENGTH;
  if (size > HEADER_MAX)
    return rmx_fail(err, RMX_EINPUT, "the header of a safetensors file would have %llu bytes",
                    (unsigned long long)size);
  rmx_buf_add(front, &size, sizeof size);
  rmx_buf_printf(front, "%-*s", (int)size, text);
  return front->failed ? rmx_fail_memory(err, size, "the header of a safetensors file") : RMX_OK;
}

// Puts the hash of all into the start of the file.
static rmx_status seal(const rmx__safetensor *tensors, size_t n, rmx_buf *front, rmx_err *err) {
  uint64_t hash;
  char digits[DIGITS + 1];
  rmx__hasher *h = NULL;
  if (hash_front(front->data, front->size, &hash)) h = rmx__hasher_new(hash);
  if (!h) return rmx_fail_memory(err, 0, "a hash");
  for (size_t i = 0; i < n; i++)
    rmx__hasher_add(h, tensors[i].data, numbers_of(&tensors[i]) * sizeof(float));
  rmx__hex(rmx__hasher_value(h), digits);
  rmx__hasher_free(h);
  memcpy(front->data + LENGTH + BEFORE, digits, DIGITS);
  return RMX_OK;
}

rmx_status rmx__safetensors_write(const char *path, const rmx__safetensor *tensors, size_t n,
                                  const json_t *metadata, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf front = {0};
  rmx_outfile out = {0};
  RMX_TRY(make_front(tensors, n, metadata, &front, err));
  RMX_TRY(seal(tensors, n, &front, err));
  RMX_TRY(rmx_outfile_open(&out, path, err));
  fwrite(front.data, 1, front.size, out.file);
  for (size_t i = 0; i < n; i++)
    fwrite(tensors[i].data, sizeof(float), numbers_of(&tensors[i]), out.file);
  return rmx_outfile_commit(&out, err);
}
