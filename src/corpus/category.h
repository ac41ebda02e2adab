// SPDX-License-Identifier: Apache-2.0
// category.h: what kind of character a character is.
#ifndef RMX_CORPUS_CATEGORY_H
#define RMX_CORPUS_CATEGORY_H

#include <regmix/base.h>

// Unicode's general categories, as far as tokenizers tell them apart. A character has one of these,
// or none (control characters, unassigned ones, ...).
enum {
  RMX__UPPER = 1,     // Lu, Lt
  RMX__LOWER = 2,     // Ll
  RMX__CASELESS = 4,  // Lm, Lo
  RMX__MARK = 8,      // M*
  RMX__DIGIT = 16,    // N*
  RMX__SIGN = 32,     // P*, S*
  RMX__BLANK = 64,    // white space, without the next
  RMX__NEWLINE = 128  // line feed, carriage return
};
enum {
  RMX__LETTERS = RMX__UPPER | RMX__LOWER | RMX__CASELESS,
  RMX__SPACES = RMX__BLANK | RMX__NEWLINE
};

extern const uint8_t rmx__ascii_category[128];
// Of any character. The tables are those of Unicode 16, or newer ones if utf8proc has them.
uint8_t rmx__category(int32_t code);

#endif
