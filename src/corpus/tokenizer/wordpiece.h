// SPDX-License-Identifier: Apache-2.0
// wordpiece.h: the model of BERT. A word is cut into the longest token that it begins with, then
// the longest of the rest, and so on. A word that cannot be cut like this is unknown as a whole.
#ifndef RMX_CORPUS_TOKENIZER_WORDPIECE_H
#define RMX_CORPUS_TOKENIZER_WORDPIECE_H

#include "double_array.h"
#include "model.h"

typedef struct rmx__wordpiece {
  rmx__double_array trie;
  uint32_t inside;   // the trie's node of the prefix of tokens inside a word, or RMX__NO_TOKEN
  uint32_t unknown;  // the id of a word that cannot be cut
  size_t longest;    // characters; a longer word is unknown
} rmx__wordpiece;

// Makes a model of tokens (n). `prefix` ("##") begins the tokens that stand inside a word; those
// with include[i] false are never found in a text.
rmx_status rmx__wordpiece_make(rmx__wordpiece *w, const rmx__token_text *tokens,
                               const bool *include, size_t n, const char *prefix, uint32_t unknown,
                               size_t longest, rmx_err *err);
void rmx__wordpiece_release(rmx__wordpiece *w);
// Adds the tokens of a word (size bytes, valid UTF-8). False: memory is short.
bool rmx__wordpiece_encode(const rmx__wordpiece *w, const char *text, size_t size, rmx_tokens *out);

extern const rmx__model_type rmx__wordpiece_type;

#endif
