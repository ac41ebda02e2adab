// SPDX-License-Identifier: Apache-2.0
// characters.h: classes of characters, as Hugging Face's library defines them.
#ifndef RMX_CORPUS_TOKENIZER_CHARACTERS_H
#define RMX_CORPUS_TOKENIZER_CHARACTERS_H

#include <regmix/base.h>
#include <utf8proc.h>

// The character at p (p < end), in valid UTF-8, and its size.
static inline size_t rmx__character(const char *p, const char *end, int32_t *code) {
  *code = (uint8_t)*p;
  if (*code < 128) return 1;
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)p, end - p, code);
  return n > 0 ? (size_t)n : 1;
}

bool rmx__is_numeric(int32_t code);      // of the categories N*
bool rmx__is_punctuation(int32_t code);  // of the categories P*, or a symbol of ASCII
bool rmx__is_whitespace(int32_t code);   // Unicode's White_Space
bool rmx__is_word(int32_t code);         // Unicode's \w: letters, marks, digits, connectors

#endif
