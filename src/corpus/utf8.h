// SPDX-License-Identifier: Apache-2.0
// utf8.h: characters in bytes that are mostly, but not always, UTF-8.
#ifndef RMX_CORPUS_UTF8_H
#define RMX_CORPUS_UTF8_H

#include <regmix/base.h>

// The classes of GPT-2's pattern: \s, \p{L}, \p{N} and the rest.
typedef enum rmx__class { RMX__OTHER, RMX__LETTER, RMX__NUMBER, RMX__SPACE } rmx__class;

extern const uint8_t rmx__ascii_class[128];

// Reads the character at p (p < end): its length in bytes and its class. A byte that is not part of
// valid UTF-8 is a character of one byte and class RMX__OTHER; *code is then -1.
size_t rmx__utf8_next(const char *p, const char *end, int32_t *code, rmx__class *class);

static inline size_t rmx__class_next(const char *p, const char *end, rmx__class *class) {
  uint8_t byte = (uint8_t)*p;
  if (byte < 128) {
    *class = (rmx__class)rmx__ascii_class[byte];
    return 1;
  }
  int32_t code;
  return rmx__utf8_next(p, end, &code, class);
}

// Length of the longest prefix that is ASCII, and that is valid UTF-8.
size_t rmx__ascii_prefix(const char *text, size_t size);
size_t rmx__utf8_valid_prefix(const char *text, size_t size);

// A check of text that comes in pieces. {0} is the start.
typedef struct rmx__utf8_check {
  unsigned state;       // 0: between two characters
  uint64_t characters;  // beyond ASCII
  bool open;            // the text ends within a character
} rmx__utf8_check;
// False: the text with this piece is not UTF-8.
bool rmx__utf8_check_on(rmx__utf8_check *c, const char *text, size_t size);

// Replaces each byte that is not part of valid UTF-8 by U+FFFD; returns how many there were.
// If there are any, `scratch` is swapped with `text`. Check text->failed.
size_t rmx__utf8_repair(rmx_buf *text, rmx_buf *scratch);

#endif
