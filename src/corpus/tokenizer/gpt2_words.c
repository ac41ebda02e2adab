// SPDX-License-Identifier: Apache-2.0
// GPT-2's pattern cuts text into words in nearly every byte-level tokenizer:
//
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// It matches runs of one class of characters, each with the one space before it, so it needs no
// regular expressions. This scanner reads each byte once and cannot run out of stack.
#include "gpt2_words.h"

#include <string.h>

#include "corpus/utf8.h"

// Length of the contraction that starts at the apostrophe p, or 0.
static size_t contraction(const char *p, const char *end) {
  if (end - p >= 2 && memchr("stmd", p[1], 4)) return 2;
  if (end - p >= 3 &&
      (memcmp(p, "'re", 3) == 0 || memcmp(p, "'ve", 3) == 0 || memcmp(p, "'ll", 3) == 0))
    return 3;
  return 0;
}

size_t rmx__gpt2_word_end(const char *text, size_t size, size_t at) {
  const char *p = text + at, *end = text + size;
  if (*p == '\'') {
    size_t n = contraction(p, end);
    if (n) return at + n;
  }
  const char *q = p + (*p == ' ' && p + 1 < end);
  rmx__class class, next;
  size_t n = rmx__class_next(q, end, &class);
  if (class != RMX__SPACE) {
    do q += n;
    while (q < end && (n = rmx__class_next(q, end, &next), next == class));
    return (size_t)(q - text);
  }
  // White space at the end of the text is one word. Before other text its last character is left
  // over, because it may belong to the next word. A single character is a word.
  const char *last = p;
  for (q = p; q < end; q += n) {
    n = rmx__class_next(q, end, &next);
    if (next != RMX__SPACE) return (size_t)((last > p ? last : q) - text);
    last = q;
  }
  return size;
}
