// SPDX-License-Identifier: Apache-2.0
// grams.h: the words of a text, and the hashes of n words in a row.
#ifndef RMX_CORPUS_PREPARE_GRAMS_H
#define RMX_CORPUS_PREPARE_GRAMS_H

#include <regmix/base.h>

// A filter of hashes: if a hash is in the set, its bit is set. NULL bits: all pass.
typedef struct rmx__gram_filter {
  uint8_t *bits;  // (2^log2 / 8)
  int log2;
} rmx__gram_filter;
static inline uint64_t rmx__gram_bit(const rmx__gram_filter *f, uint64_t gram) {
  return gram >> (64 - f->log2);
}

typedef struct rmx__grams {
  size_t n;             // words in a gram
  uint64_t power;       // P^n
  uint64_t *ring;       // (n) hashes of the last words
  const char **starts;  // (n) where they are in the text
} rmx__grams;
// False: no memory. rmx__grams_release() is needed in any case.
bool rmx__grams_init(rmx__grams *g, size_t n);
void rmx__grams_release(rmx__grams *g);

// Calls `each` with the hash and the place of every gram of a text that passes the filter, until it
// returns false. A word is a run of letters and digits, in lower case; in a script without spaces
// between words, such as Chinese, Japanese and Thai, it is one letter.
typedef bool rmx__gram_visit(void *context, uint64_t gram, const char *from, const char *to);
void rmx__grams_walk(rmx__grams *g, const char *text, size_t size, const rmx__gram_filter *filter,
                     rmx__gram_visit *each, void *context);

#endif
