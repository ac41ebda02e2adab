// SPDX-License-Identifier: Apache-2.0
// newer_characters.h: the characters that came with Unicode 15 and 16. The libraries of a system
// are often older; the tokenizers that others made know them.
#ifndef RMX_CORPUS_NEWER_CHARACTERS_H
#define RMX_CORPUS_NEWER_CHARACTERS_H

#include <stddef.h>
#include <stdint.h>

typedef struct rmx__newer_range {
  int32_t first, last;
  char category[3];  // "Lu" and so on
} rmx__newer_range;
extern const rmx__newer_range rmx__newer_ranges[];  // in ascending order
extern const size_t rmx__newer_ranges_n;

#endif
