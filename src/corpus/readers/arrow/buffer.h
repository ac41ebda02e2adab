// SPDX-License-Identifier: Apache-2.0
// buffer.h: one buffer of an Arrow file, such as the texts or the offsets of a column in a batch.
#ifndef RMX_CORPUS_READERS_ARROW_BUFFER_H
#define RMX_CORPUS_READERS_ARROW_BUFFER_H

#include "corpus/readers/codec.h"
#include "corpus/readers/random_access.h"

// A buffer that is not compressed is read in windows, so that a batch may be of any size. A
// compressed one is decompressed as a whole when it is first used.
typedef struct rmx__arrow_buffer {
  uint64_t at, size;  // in the file, of what is not compressed
  uint64_t packed;    // compressed bytes at `at`; 0: it is not compressed
  bool loaded;        // block has all of it
  rmx__block block;   // all of it, or a window
  uint64_t window;    // the first byte of the window
} rmx__arrow_buffer;

// What all buffers of a file share.
struct rmx__arrow_source {
  rmx__random_access file;
  rmx__codec_state state;
  rmx__codec codec;  // of the present batch
};

// Prepares to read the buffer of n bytes at `at` of the file.
rmx_status rmx__arrow_buffer_begin(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t at,
                                   uint64_t n, rmx_err *err);
// The n bytes from `from` of the buffer. They are valid until the next call for this buffer.
rmx_status rmx__arrow_buffer_get(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t from,
                                 uint64_t n, const uint8_t **out, rmx_err *err);
// A number of 1, 2, 4 or 8 bytes: the k-th of the buffer.
rmx_status rmx__arrow_buffer_number(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t k,
                                    unsigned bytes, bool is_unsigned, int64_t *out, rmx_err *err);
// Bit k of the buffer.
rmx_status rmx__arrow_buffer_bit(rmx__arrow_buffer *b, struct rmx__arrow_source *s, uint64_t k,
                                 bool *out, rmx_err *err);
rmx_status rmx__arrow_broken(const struct rmx__arrow_source *s, const char *what, rmx_err *err);

#endif
