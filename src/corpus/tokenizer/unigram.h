// SPDX-License-Identifier: Apache-2.0
// unigram.h: the model of T5 and XLM-R. Each token has a score, the logarithm of its probability,
// and a word is cut so that the sum is largest (Kudo, 2018).
#ifndef RMX_CORPUS_TOKENIZER_UNIGRAM_H
#define RMX_CORPUS_TOKENIZER_UNIGRAM_H

#include "double_array.h"
#include "model.h"

typedef struct rmx__unigram {
  rmx__double_array trie;
  const double *scores;   // (n), borrowed
  double unknown_score;   // of a character that is no token
  uint32_t unknown;       // the id of such characters
  bool bytes;             // a character is one byte, whatever UTF-8 says
  bool byte_fallback;     // write unknown characters as the tokens <0x00> .. <0xFF>
  uint32_t byte_id[256];  // those tokens, or RMX__NO_TOKEN
} rmx__unigram;

// Makes a model of tokens (n) with scores (n) and the id of the unknown token. Tokens with
// include[i] false are never found in a text.
rmx_status rmx__unigram_make(rmx__unigram *u, const rmx__token_text *tokens, const double *scores,
                             const bool *include, size_t n, uint32_t unknown, bool byte_fallback,
                             rmx_err *err);
void rmx__unigram_release(rmx__unigram *u);

// Scratch memory of one encoding. {0} is ready for use.
typedef struct rmx__lattice {
  struct rmx__lattice_node *nodes;  // (capacity)
  struct rmx__lattice_token *path;  // (capacity) the tokens of the best path
  size_t capacity;
} rmx__lattice;
void rmx__lattice_release(rmx__lattice *l);

// Adds the tokens of a word (size bytes, any bytes). As in Hugging Face's library, scores are added
// from left to right as doubles; of two equal sums the one whose last token begins first wins; a
// run of unknown characters is one token. False: memory is short. Cost: O(size * longest token).
bool rmx__unigram_encode(const rmx__unigram *u, rmx__lattice *l, const char *text, size_t size,
                         rmx_tokens *out);

// The model "Unigram" of a tokenizer.json with scores (n) from elsewhere: see rmx__model_type.make.
rmx_status rmx__unigram_model(const rmx_tokenizer *t, const json_t *json, const double *scores,
                              size_t n, const char *where, void **model, rmx_err *err);
extern const rmx__model_type rmx__unigram_type;

#endif
