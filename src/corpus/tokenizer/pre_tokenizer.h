// SPDX-License-Identifier: Apache-2.0
// pre_tokenizer.h: cuts text into the words that byte-pair merges never cross.
#ifndef RMX_CORPUS_TOKENIZER_PRE_TOKENIZER_H
#define RMX_CORPUS_TOKENIZER_PRE_TOKENIZER_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <regmix/base.h>

// Longer words (bytes) are cut here, so that offsets fit into 32 bits.
enum { RMX__LONGEST_WORD = 1 << 22 };

// A compiled pattern other than GPT-2's.
typedef struct rmx__pattern {
  pcre2_code *code;
  pcre2_match_context *limits;
  bool jit;  // compiled to machine code
} rmx__pattern;
rmx_status rmx__pattern_compile(const char *regex, const char *where, rmx__pattern *out,
                                rmx_err *err);
void rmx__pattern_release(rmx__pattern *p);

// An iterator over the words of a text.
typedef struct rmx__pre_tokenizer {
  const char *text;
  size_t size, at;              // at: start of the next word
  const rmx__pattern *pattern;  // NULL: GPT-2's
  pcre2_match_data *match;      // with a pattern
  size_t match_start, match_end, valid_end;
} rmx__pre_tokenizer;
// `match` may be NULL without a pattern.
rmx__pre_tokenizer rmx__pre_tokenizer_make(const char *text, size_t size,
                                           const rmx__pattern *pattern, pcre2_match_data *match);
// The next word is text[start .. w->at]. False at the end, or on failure, which sets err->status.
// All words together are the text, whatever its bytes.
bool rmx__pre_tokenizer_next(rmx__pre_tokenizer *w, size_t *start, rmx_err *err);

// The end of the word of GPT-2's pattern that starts at `at` (< size).
size_t rmx__gpt2_word_end(const char *text, size_t size, size_t at);

#endif
