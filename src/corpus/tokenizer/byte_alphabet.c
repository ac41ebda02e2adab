// SPDX-License-Identifier: Apache-2.0
// GPT-2's alphabet, which writes any bytes as JSON strings. A byte that is a printable character of
// Latin-1, except spaces, is that character. The other 68 bytes are U+0100, U+0101, ... in order.
// So a space is "\u0120".
#include "byte_alphabet.h"

#include <pthread.h>

#include "characters.h"

enum { LAST = 0x143 };  // the last character of the alphabet

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

// ---- texts -----------------------------------------------------------------------------

static struct {
  uint8_t utf8[256][2];
  uint8_t size[256];
  int16_t byte[LAST + 1];
} alphabet;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fill(void) {
  for (int32_t c = 0; c <= LAST; c++) alphabet.byte[c] = (int16_t)rmx__char_to_byte(c);
  for (int b = 0; b < 256; b++)
    alphabet.size[b] =
        (uint8_t)utf8proc_encode_char(rmx__byte_to_char((uint8_t)b), alphabet.utf8[b]);
}

void rmx__spell_bytes(const char *bytes, size_t size, rmx_buf *out) {
  pthread_once(&once, fill);
  for (size_t i = 0; i < size; i++) {
    uint8_t byte = (uint8_t)bytes[i];
    rmx_buf_add(out, alphabet.utf8[byte], alphabet.size[byte]);
  }
}

bool rmx__unspell_bytes(const char *text, size_t size, rmx_buf *out) {
  pthread_once(&once, fill);
  const char *end = text + size;
  const size_t had = out->size;
  int32_t code;
  for (const char *p = text; p < end;) {
    p += rmx__character(p, end, &code);
    if (code < 0 || code > LAST || alphabet.byte[code] < 0) {
      out->size = had;
      return false;
    }
    char byte = (char)alphabet.byte[code];
    rmx_buf_add(out, &byte, 1);
  }
  return true;
}
