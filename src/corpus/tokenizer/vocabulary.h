// SPDX-License-Identifier: Apache-2.0
// vocabulary.h: the tokens of a tokenizer, by id and by text.
#ifndef RMX_CORPUS_TOKENIZER_VOCABULARY_H
#define RMX_CORPUS_TOKENIZER_VOCABULARY_H

#include <regmix/base.h>

typedef enum rmx__token_kind {
  RMX__TOKEN_NONE,     // an unused id
  RMX__TOKEN_BYTES,    // of the model's vocabulary
  RMX__TOKEN_ADDED,    // recognised in the text before anything else
  RMX__TOKEN_SPECIAL,  // not recognised, unless it is asked for: text cannot forge its end
} rmx__token_kind;

#define RMX__NO_TOKEN UINT32_MAX
enum {
  RMX__MAX_TOKENS = 1 << 24,
  RMX__IN_MODEL = 0x80,  // added to a kind: the model's vocabulary has the token, too
};

typedef struct rmx__token_text {
  const char *data;
  size_t size;
} rmx__token_text;

typedef struct rmx__vocabulary {
  int n;              // ids are 0 .. n-1
  char *bytes;        // the texts of all tokens, one after the other
  uint32_t *start;    // (n + 1) token i is bytes[start[i] .. start[i+1]]
  uint8_t *kind;      // (n) rmx__token_kind
  bool *in_model;     // (n) the model's vocabulary has it
  uint32_t *by_text;  // (by_text_mask + 1) ids of the model's tokens by the hash of their texts
  size_t by_text_mask;
} rmx__vocabulary;

// Copies the texts (n) and kinds (n) of tokens. Kinds with RMX__IN_MODEL are found by their texts.
rmx_status rmx__vocabulary_make(rmx__vocabulary *v, const rmx__token_text *tokens,
                                const uint8_t *kinds, int n, rmx_err *err);
void rmx__vocabulary_release(rmx__vocabulary *v);
// The id of a token of the model, whatever its kind, or RMX__NO_TOKEN.
uint32_t rmx__vocabulary_find(const rmx__vocabulary *v, const char *data, size_t size);

static inline rmx__token_text rmx__vocabulary_text(const rmx__vocabulary *v, uint32_t id) {
  return (rmx__token_text){v->bytes + v->start[id], v->start[id + 1] - v->start[id]};
}

#endif
