// SPDX-License-Identifier: Apache-2.0
// Megatron-LM: ids in NAME.bin, and in NAME.idx the lengths and places of the sequences, and which
// of them each document begins with.
// Format: NVIDIA/Megatron-LM, megatron/core/datasets/indexed_dataset.py.
#include <stdlib.h>
#include <string.h>

#include "token_source.h"

enum { HEADER = 34, LENGTH = 4, PLACE = 8 };  // bytes

static uint64_t number(const rmx__token_source *s, size_t at, unsigned bytes) {
  return rmx__token_number((const uint8_t *)s->index.data + at, bytes);
}
static uint64_t sequences(const rmx__token_source *s) {
  return number(s, 18, 8);
}

static rmx_status disagrees(const rmx__token_source *s, const char *what, rmx_err *err) {
  const size_t stem = strlen(s->path) - strlen(".bin");
  return rmx_fail(err, RMX_EINPUT, "%.*s.idx disagrees with %s: %s; fetch both again", (int)stem,
                  s->path, s->path, what);
}

// The first byte of a sequence in the .bin file; that of the one after the last is its size.
static size_t place(const rmx__token_source *s, uint64_t i) {
  const uint64_t n = sequences(s);
  return i == n ? s->file.size : (size_t)number(s, HEADER + n * LENGTH + i * PLACE, 8);
}

static uint64_t document(const rmx__token_source *s, uint64_t i) {
  return number(s, HEADER + sequences(s) * (LENGTH + PLACE) + i * PLACE, 8);
}

static rmx_status piece(const rmx__token_source *s, size_t i, size_t *from, size_t *bytes,
                        rmx_err *err) {
  const uint64_t a = document(s, i), b = document(s, i + 1);
  (void)err;  // all were checked
  *from = place(s, a);
  *bytes = place(s, b) - *from;
  return RMX_OK;
}

// Sequences follow each other without gaps, and fill the .bin file. So do documents.
static rmx_status check(const rmx__token_source *s, rmx_err *err) {
  const uint64_t n = sequences(s), documents = number(s, 26, 8);
  uint64_t at = 0, before = 0;
  for (uint64_t i = 0; i < n; i++) {
    if (place(s, i) != at) return disagrees(s, "a sequence has another place", err);
    at += number(s, HEADER + i * LENGTH, LENGTH) * s->width;
    if (at > s->file.size) break;
  }
  if (at != s->file.size) {
    char what[100];
    snprintf(what, sizeof what, "the index has %s%llu bytes of ids, the file has %zu",
             at > s->file.size ? "more than " : "",
             (unsigned long long)(at > s->file.size ? s->file.size : at), s->file.size);
    return disagrees(s, what, err);
  }
  for (uint64_t i = 0; i < documents; i++) {
    const uint64_t first = document(s, i);
    if (first < before || first > n || (i == 0 && first != 0) || (i + 1 == documents && first != n))
      return disagrees(s, "its documents are not in order", err);
    before = first;
  }
  return RMX_OK;
}

rmx_status rmx__token_megatron(rmx__token_source *s, bool *is, rmx_err *err) {
  static const unsigned widths[] = {0, 1, 1, 2, 4, 8, 0, 0, 2};  // by the code of the type
  char *path = rmx_strdup(s->path);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  memcpy(path + strlen(path) - 3, "idx", 3);
  rmx_status status = RMX_OK;
  *is = rmx_exists(path);
  if (*is) status = rmx_map_open(&s->index, path, err);
  free(path);
  if (!*is || status != RMX_OK) return status;
  if (s->index.size < HEADER || memcmp(s->index.data, "MMIDIDX\0", 9) != 0)
    return disagrees(s, "it is not an index of Megatron-LM", err);
  const uint64_t code = number(s, 17, 1), n = sequences(s), documents = number(s, 26, 8);
  const uint64_t room = s->index.size - HEADER;
  if (number(s, 9, 8) != 1) return disagrees(s, "it has an unknown version", err);
  s->width = code < sizeof widths / sizeof *widths ? widths[code] : 0;
  if (!s->width) return disagrees(s, "its type cannot hold ids", err);
  if (n > room / (LENGTH + PLACE) || documents > (room - n * (LENGTH + PLACE)) / PLACE)
    return disagrees(s, "it is cut off", err);
  RMX_TRY(check(s, err));
  s->n = documents ? (size_t)documents - 1 : 0;
  s->documents = true;
  s->piece = piece;
  return RMX_OK;
}
