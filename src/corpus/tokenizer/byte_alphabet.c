// SPDX-License-Identifier: Apache-2.0
// GPT-2's alphabet, which writes any bytes as JSON strings. A byte that is a printable character of
// Latin-1, except spaces, is that character. The other 68 bytes are U+0100, U+0101, ... in order.
// So a space is "\u0120".
#include "tokenizer.h"

static bool printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

int32_t rmx__byte_to_char(uint8_t byte) {
  if (printable(byte)) return byte;
  int32_t code = 0x100;
  for (int b = 0; b < byte; b++) code += !printable(b);
  return code;
}

int rmx__char_to_byte(int32_t code) {
  if (code >= 0 && code < 0x100) return printable((int)code) ? (int)code : -1;
  int32_t at = 0x100;
  for (int b = 0; b < 256; b++)
    if (!printable(b) && at++ == code) return b;
  return -1;
}

void rmx__byte_order(uint8_t order[256]) {
  int n = 0;
  for (int b = 0; b < 256; b++)
    if (printable(b)) order[n++] = (uint8_t)b;
  for (int b = 0; b < 256; b++)
    if (!printable(b)) order[n++] = (uint8_t)b;
}
