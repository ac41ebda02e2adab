// SPDX-License-Identifier: Apache-2.0
// codec.h: decompresses the blocks of files of columns. Their sizes are known beforehand.
#ifndef RMX_CORPUS_READERS_CODEC_H
#define RMX_CORPUS_READERS_CODEC_H

#include <regmix/base.h>

typedef enum rmx__codec {
  RMX__CODEC_NONE,
  RMX__CODEC_SNAPPY,
  RMX__CODEC_GZIP,
  RMX__CODEC_ZSTD,
  RMX__CODEC_LZ4,         // one block of LZ4
  RMX__CODEC_LZ4_HADOOP,  // blocks of LZ4, each after its two sizes
  RMX__CODEC_LZ4_FRAME,
} rmx__codec;

// Whether `compressed` bytes can become `size` bytes at all. It is asked before memory is allocated
// for a size that a file states.
bool rmx__codec_can_give(rmx__codec codec, size_t compressed, uint64_t size);

// What is used again from block to block. {0} is ready.
typedef struct rmx__codec_state {
  struct ZSTD_DCtx_s *zstd;
} rmx__codec_state;
void rmx__codec_release(rmx__codec_state *s);

// Decompresses `from` (n) into `to` (size). Returns NULL, or what is wrong. It is an error if the
// block has fewer or more bytes than `size`.
const char *rmx__codec_decompress(rmx__codec_state *s, rmx__codec codec, const void *from, size_t n,
                                  void *to, size_t size);

// The same for Snappy (snappy.c).
const char *rmx__snappy(const uint8_t *from, size_t n, uint8_t *to, size_t size);

#endif
