// SPDX-License-Identifier: Apache-2.0
// scanners.h: the patterns that most tokenizers use, without regular expressions.
#ifndef RMX_CORPUS_TOKENIZER_SCANNERS_H
#define RMX_CORPUS_TOKENIZER_SCANNERS_H

#include <regmix/base.h>

// Finds the first match of a pattern at or after `from` (< size) in valid UTF-8. Returns where it
// ends, and sets *start. 0: there is none.
typedef size_t rmx__scanner(const char *text, size_t size, size_t from, size_t *start);

typedef struct rmx__known_pattern {
  const char *regex;
  rmx__scanner *scan;
  bool all;  // all text is matched: each match starts where the last one ended
} rmx__known_pattern;
extern const rmx__known_pattern rmx__known_patterns[];
extern const size_t rmx__known_patterns_n;

extern const char rmx__gpt2_pattern[];

// Exactly this pattern, or NULL.
const rmx__known_pattern *rmx__known_pattern_of(const char *regex);

#endif
