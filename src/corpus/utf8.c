// SPDX-License-Identifier: Apache-2.0
// Characters and their classes. ASCII has a table of its own.
#include "utf8.h"

#include <string.h>
#include <utf8proc.h>

#include "category.h"
#include "sixteen.h"

#define O RMX__OTHER
#define L RMX__LETTER
#define N RMX__NUMBER
#define S RMX__SPACE
const uint8_t rmx__ascii_class[128] = {
    // tab, line feed, vertical tab, form feed, return
    O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,  //
    S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,  // space ! " # ...
    N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O,  // 0 1 2 ...
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,  // @ A B C ...
    L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,  //
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,  // ` a b c ...
    L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,  //
};
#undef O
#undef L
#undef N
#undef S

static rmx__class class_of(int32_t code) {
  const uint8_t category = rmx__category(code);
  if (category & RMX__LETTERS) return RMX__LETTER;
  if (category & RMX__DIGIT) return RMX__NUMBER;
  return category & RMX__SPACES ? RMX__SPACE : RMX__OTHER;
}

size_t rmx__utf8_next(const char *p, const char *end, int32_t *code, rmx__class *class) {
  if ((uint8_t)*p < 128) {
    *code = *p;
    *class = (rmx__class)rmx__ascii_class[(uint8_t)*p];
    return 1;
  }
  utf8proc_int32_t c;
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, end - p < 4 ? end - p : 4, &c);
  if (n <= 0 || c < 0) {
    *code = -1;
    *class = RMX__OTHER;
    return 1;
  }
  *code = c;
  *class = class_of(c);
  return (size_t)n;
}

size_t rmx__ascii_prefix(const char *text, size_t size) {
  size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    const unsigned first = rmx__first16(rmx__load16(text + i));
    if (first < 16) return i + first;
  }
  while (i < size && (uint8_t)text[i] < 128) i++;
  return i;
}

// An automaton that checks UTF-8 without branches. Its states are places in a row; a row has for
// each state the next one: next = rows[byte] >> state & 63. MORE_n: n more bytes follow.
enum {
  WRONG = 0,
  BETWEEN = 6,  // characters
  MORE_1 = 12,
  MORE_2 = 18,
  AFTER_E0 = 24,
  AFTER_ED = 30,
  AFTER_F0 = 36,
  MORE_3 = 42,
  AFTER_F4 = 48,
};
#define GOES(from, to) ((uint64_t)(to) << (from))
#define FOLLOWS (GOES(MORE_1, BETWEEN) | GOES(MORE_2, MORE_1) | GOES(MORE_3, MORE_2))
static const uint64_t rows[256] = {
    [0x00 ... 0x7F] = GOES(BETWEEN, BETWEEN),
    [0x80 ... 0x8F] = FOLLOWS | GOES(AFTER_ED, MORE_1) | GOES(AFTER_F4, MORE_2),
    [0x90 ... 0x9F] = FOLLOWS | GOES(AFTER_ED, MORE_1) | GOES(AFTER_F0, MORE_2),
    [0xA0 ... 0xBF] = FOLLOWS | GOES(AFTER_E0, MORE_1) | GOES(AFTER_F0, MORE_2),
    [0xC2 ... 0xDF] = GOES(BETWEEN, MORE_1),
    [0xE0] = GOES(BETWEEN, AFTER_E0),
    [0xE1 ... 0xEC] = GOES(BETWEEN, MORE_2),
    [0xED] = GOES(BETWEEN, AFTER_ED),
    [0xEE ... 0xEF] = GOES(BETWEEN, MORE_2),
    [0xF0] = GOES(BETWEEN, AFTER_F0),
    [0xF1 ... 0xF3] = GOES(BETWEEN, MORE_3),
    [0xF4] = GOES(BETWEEN, AFTER_F4),
};
#undef GOES
#undef FOLLOWS

size_t rmx__utf8_valid_prefix(const char *text, size_t size) {
  enum { SHORT = 32, LONG = 512 };
  size_t chunk = SHORT;                      // longer, as long as there is little ASCII between two
  for (size_t i = 0, n; i < size; i += n) {  // i: between two characters
    const size_t ascii = rmx__ascii_prefix(text + i, size - i);
    i += ascii;
    chunk = ascii >= 16 ? SHORT : chunk < LONG ? 2 * chunk : LONG;
    n = size - i < chunk ? size - i : chunk;
    uint64_t state = BETWEEN;
    for (size_t k = 0; k < n; k++) state = rows[(uint8_t)text[i + k]] >> (state & 63);
    state &= 63;
    if (state == WRONG || (state != BETWEEN && i + n == size)) {  // the next character, or a later
      for (n = 0, state = BETWEEN; state != WRONG && i + n < size; n++) {
        if (state == BETWEEN) i += n, n = 0;
        state = rows[(uint8_t)text[i + n]] >> state & 63;
      }
      return i;
    }
    if (state != BETWEEN)  // the chunk ends within a character
      while (((uint8_t)text[i + --n] & 0xC0) == 0x80) {
      }
  }
  return size;
}

bool rmx__utf8_check_on(rmx__utf8_check *c, const char *text, size_t size) {
  uint64_t state = c->open ? c->state : BETWEEN;
  for (size_t i = 0; i < size && state != WRONG; i++) {
    if (state == BETWEEN) i += rmx__ascii_prefix(text + i, size - i);
    if (i == size) break;
    c->characters += ((uint8_t)text[i] & 0xC0) == 0xC0;
    state = rows[(uint8_t)text[i]] >> state & 63;
  }
  c->state = (unsigned)state;
  c->open = state != BETWEEN;
  return state != WRONG;
}

size_t rmx__utf8_repair(rmx_buf *text, rmx_buf *scratch) {
  size_t good = rmx__utf8_valid_prefix(text->data, text->size);
  if (good == text->size) return 0;
  size_t bad = 0, at = 0;
  scratch->size = 0;
  for (;;) {
    rmx_buf_add(scratch, text->data + at, good);
    at += good;
    if (at == text->size) break;
    rmx_buf_puts(scratch, "\xEF\xBF\xBD");
    bad++;
    at++;
    good = rmx__utf8_valid_prefix(text->data + at, text->size - at);
  }
  rmx_buf kept = *text;
  *text = *scratch;
  *scratch = kept;
  return bad;
}
