// SPDX-License-Identifier: Apache-2.0
// Writes protobuf messages, of which the files of SentencePiece are one.
#ifndef RMX_TESTS_UNIT_PROTOBUF_BYTES_H
#define RMX_TESTS_UNIT_PROTOBUF_BYTES_H

#include <regmix/base.h>
#include <string.h>

static inline void put_varint(rmx_buf *b, uint64_t x) {
  for (; x >= 0x80; x >>= 7) rmx_buf_add(b, &(uint8_t){(uint8_t)(x | 0x80)}, 1);
  rmx_buf_add(b, &(uint8_t){(uint8_t)x}, 1);
}
static inline void put_number(rmx_buf *b, uint32_t field, uint64_t x) {
  put_varint(b, field << 3);
  put_varint(b, x);
}
static inline void put_bytes(rmx_buf *b, uint32_t field, const void *data, size_t size) {
  put_varint(b, field << 3 | 2);
  put_varint(b, size);
  rmx_buf_add(b, data, size);
}
static inline void put_float(rmx_buf *b, uint32_t field, float x) {
  put_varint(b, field << 3 | 5);
  rmx_buf_add(b, &x, sizeof x);
}
// A piece of a SentencePiece model; type 1 is a normal one.
static inline void put_piece(rmx_buf *b, const char *text, float score, int type) {
  rmx_buf piece = {0};
  put_bytes(&piece, 1, text, strlen(text));
  put_float(&piece, 2, score);
  if (type != 1) put_number(&piece, 3, (uint64_t)type);
  put_bytes(b, 1, piece.data, piece.size);
  rmx_buf_release(&piece);
}

#endif
