// SPDX-License-Identifier: Apache-2.0
// The characters of a JSON string: what is between two backslashes is copied as it is.
#include "base/memory.h"
#include "corpus/sixteen.h"
#include "json_scan.h"

// One more than the value of a hexadecimal digit; 0: it is none.
static const uint8_t digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

// The value of the four hexadecimal digits at p; -1 if they are not digits.
static int32_t hex_four(const char *p, const char *end) {
  if (end - p < 4) return -1;
  const int a = digits[(uint8_t)p[0]], b = digits[(uint8_t)p[1]], c = digits[(uint8_t)p[2]],
            d = digits[(uint8_t)p[3]];
  if (!a || !b || !c || !d) return -1;
  return (a - 1) << 12 | (b - 1) << 8 | (c - 1) << 4 | (d - 1);
}

// Writes a character as UTF-8; returns the end of it.
static char *put_code(char *to, int32_t code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xC0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3F));
  } else {
    if (code < 0x10000) {
      *to++ = (char)(0xE0 | code >> 12);
    } else {
      *to++ = (char)(0xF0 | code >> 18);
      *to++ = (char)(0x80 | (code >> 12 & 0x3F));
    }
    *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    *to++ = (char)(0x80 | (code & 0x3F));
  }
  return to;
}

// Writes the character whose digits follow "\u" at *p, and moves *p after it. Half of a surrogate
// pair becomes U+FFFD. NULL: there are no four digits.
static char *put_escape(char *to, const char **p, const char *end, rmx__json_look *look) {
  int32_t code = hex_four(*p, end);
  if (code < 0) return NULL;
  *p += 4;
  if (code >= 0xD800 && code < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
    const int32_t low = hex_four(*p + 2, end);
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      *p += 6;
    }
  }
  if (code >= 0xD800 && code < 0xE000) {
    look->surrogates++;
    code = 0xFFFD;
  }
  return put_code(to, code);
}

// Copies up to the next backslash; returns it, or end. Up to 16 bytes more may be written.
static const char *copy_run(char **into, const char *p, const char *end, bool *not_ascii) {
  rmx__sixteen seen = {0};
  char *to = *into;
  unsigned first = 16;
  while (end - p >= 16) {
    const rmx__sixteen v = rmx__load16(p);
    memcpy(to, &v, sizeof v);
    seen |= v;
    first = rmx__first16((rmx__sixteen)(v == '\\'));
    if (first < 16) break;  // a branch, so that the processor need not wait to read on
    p += 16, to += 16;
  }
  *not_ascii = *not_ascii || rmx__first16(seen) < 16;
  if (first < 16) {
    p += first, to += first;
  } else {
    for (; p < end && *p != '\\'; p++) {
      *not_ascii = *not_ascii || (*p & 0x80);
      *to++ = *p;
    }
  }
  *into = to;
  return p;
}

bool rmx__json_decode(const char *line, rmx__json_value string, rmx_buf *out,
                      rmx__json_look *look) {
  static const char values[256] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                   ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
  const char *p = string.from, *const end = string.to;
  // No escape is shorter than its character.
  if (!rmx__buf_reserve(out, (size_t)(end - p) + 16)) return true;
  char *to = out->data + out->size;
  bool not_ascii = false;
  for (;;) {
    if (p < end && *p != '\\') p = copy_run(&to, p, end, &not_ascii);
    if (p == end) break;
    const char *escape = p;  // a string never ends with half an escape
    p += 2;
    if (values[(uint8_t)escape[1]]) {
      *to++ = values[(uint8_t)escape[1]];
      continue;
    }
    if (escape[1] != 'u' || !(to = put_escape(to, &p, end, look))) {
      look->what = escape[1] == 'u' ? "\\u without four hexadecimal digits"
                                    : "an unknown escape in the text";
      look->column = (size_t)(escape - line) + 1;
      return false;
    }
  }
  look->not_ascii = look->not_ascii || not_ascii;
  *to = '\0';
  out->size = (size_t)(to - out->data);
  return true;
}
