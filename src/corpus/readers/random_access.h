// SPDX-License-Identifier: Apache-2.0
// random_access.h: a file of which any part can be read, for formats with an index.
#ifndef RMX_CORPUS_READERS_RANDOM_ACCESS_H
#define RMX_CORPUS_READERS_RANDOM_ACCESS_H

#include "input.h"

typedef struct rmx__random_access {
  const char *path;
  rmx__input *input;  // borrowed; `compressed` counts the bytes that are read
  int fd;
  uint64_t size;  // of the file
} rmx__random_access;

// input: opened with `file_alone`.
rmx_status rmx__random_access_begin(rmx__random_access *f, rmx__input *input, rmx_err *err);
// Reads exactly `size` bytes from `at`. RMX_EINPUT: the file ends before.
rmx_status rmx__random_access_read(rmx__random_access *f, uint64_t at, void *into, size_t size,
                                   rmx_err *err);
// RMX_EINPUT: the file is no `type` ("Parquet"); the message says what it is, if that is known.
rmx_status rmx__not_of_type(rmx__random_access *f, const char *type, rmx_err *err);

// A block of memory that is used again for the next page or buffer. {0} is ready.
typedef struct rmx__block {
  uint8_t *data;
  size_t size, capacity;
} rmx__block;
// Makes room for `size` bytes; the content is not kept.
rmx_status rmx__block_reserve(rmx__block *b, size_t size, const char *path, rmx_err *err);
void rmx__block_release(rmx__block *b);

// Little-endian numbers at any address.
static inline uint32_t rmx__u32_at(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t rmx__u64_at(const uint8_t *p) {
  return rmx__u32_at(p) | (uint64_t)rmx__u32_at(p + 4) << 32;
}

#endif
