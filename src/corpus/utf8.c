// SPDX-License-Identifier: Apache-2.0
// Characters and their classes, from the tables of utf8proc. ASCII has a table of its own.
#include "utf8.h"

#include <string.h>
#include <utf8proc.h>

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
  if (code == 0x85) return RMX__SPACE;  // next line: a control character, yet white space
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return RMX__LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return RMX__NUMBER;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return RMX__SPACE;
    default:
      return RMX__OTHER;
  }
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
  for (; i + 8 <= size; i += 8) {
    uint64_t eight;
    memcpy(&eight, text + i, 8);
    if (eight & 0x8080808080808080u) break;
  }
  while (i < size && (uint8_t)text[i] < 128) i++;
  return i;
}

size_t rmx__utf8_valid_prefix(const char *text, size_t size) {
  size_t i = 0;
  while ((i += rmx__ascii_prefix(text + i, size - i)) < size) {
    utf8proc_int32_t code;
    utf8proc_ssize_t left = size - i < 4 ? (utf8proc_ssize_t)(size - i) : 4;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + i, left, &code);
    if (n <= 0 || code < 0) return i;
    i += (size_t)n;
  }
  return size;
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
