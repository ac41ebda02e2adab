// SPDX-License-Identifier: Apache-2.0
// added_tokens.h: tokens that are recognised in the text before anything else.
#ifndef RMX_CORPUS_TOKENIZER_ADDED_TOKENS_H
#define RMX_CORPUS_TOKENIZER_ADDED_TOKENS_H

#include "normalizer.h"
#include "vocabulary.h"

typedef struct rmx__added_token {
  char *text;  // as the file has it
  size_t size;
  char *normal;  // of a normalized one, what the normalizer makes of it, if that is another text
  uint32_t id;
  bool special;
  bool single_word;     // it has no letter or digit beside it
  bool lstrip, rstrip;  // white space beside it becomes part of it
  bool normalized;      // it is looked for after the normalizer, which changes it, too
} rmx__added_token;

// A tree of the bytes of tokens. Children are a list.
typedef struct rmx__trie_node {
  uint32_t child, sibling;  // 0: none
  uint32_t token;           // index + 1 of the token that ends here; 0: none
  uint8_t byte;
} rmx__trie_node;
typedef struct rmx__trie {
  rmx__trie_node *nodes;  // (n)
  size_t n, capacity;
  uint32_t first[256];  // the nodes of first bytes
  uint8_t pairs[8192];  // a bit for each first byte * 256 + second byte that can be of a token
  bool any_plain;       // not all tokens are special
} rmx__trie;

typedef struct rmx__added_tokens {
  rmx__added_token *tokens;  // (n)
  size_t n;
  bool any_normal;        // a token has a normal form
  rmx__trie raw, normal;  // those that are looked for before the normalizer, and after it
} rmx__added_tokens;
// Takes a copy of a token.
rmx_status rmx__added_tokens_add(rmx__added_tokens *a, rmx__added_token token, rmx_err *err);
// To be called when all are added. kind: of the vocabulary.
rmx_status rmx__added_tokens_index(rmx__added_tokens *a, const rmx__normalizer *n,
                                   const uint8_t *kind, rmx_err *err);
void rmx__added_tokens_release(rmx__added_tokens *a);
// The normal form of the token with this id, or NULL.
const char *rmx__added_normal(const rmx__added_tokens *a, uint32_t id);

// Which added tokens are looked for.
typedef struct rmx__added_search {
  const rmx__added_tokens *tokens;
  const rmx__trie *trie;
  const uint8_t *kind;  // of the vocabulary: RMX__TOKEN_SPECIAL is a token only if
  bool specials;        // this is set
  const char *text;
  size_t size, at, from;          // at: where to look; from: the end of what was given
  const rmx__added_token *found;  // a token that was found, to be given next
  size_t found_end;
} rmx__added_search;
// The next piece of the text: a token, or what lies between tokens (*id = RMX__NO_TOKEN). Tokens
// can overlap by white space, as in Hugging Face's library. False at the end.
bool rmx__added_next(rmx__added_search *s, size_t *start, size_t *end, uint32_t *id);

#endif
