// SPDX-License-Identifier: Apache-2.0
// bpe.h: byte-pair encoding. A word starts as its bytes (byte-level) or its characters; then pairs
// of neighbours are merged.
#ifndef RMX_CORPUS_TOKENIZER_BPE_H
#define RMX_CORPUS_TOKENIZER_BPE_H

#include "model.h"

// Longer words (bytes) are cut here, so that memory is bounded: encoding one takes up to 32 bytes
// for each of its bytes.
enum { RMX__LONGEST_WORD = 1 << 26 };

// The pair (a, b) becomes `made`. Merges with a smaller index are done first.
typedef struct rmx__merge {
  uint32_t a, b, made;
} rmx__merge;

// Pairs of ids -> merge: open addressing, never more than half full.
typedef struct rmx__pair_slot {
  uint64_t pair;  // a << 32 | b; UINT64_MAX: free
  uint32_t rank, made;
} rmx__pair_slot;

typedef struct rmx__first_merge {
  int32_t rank;  // or RMX__NO_RANK
  uint32_t made;
} rmx__first_merge;

typedef struct rmx__bpe {
  rmx__merge *merges;  // (nmerges)
  size_t nmerges;
  rmx__pair_slot *pairs;  // (pairs_mask + 1)
  size_t pairs_mask;
  uint32_t byte_id[256];    // the token of each byte: "<0x0A>" unless the vocabulary is byte-level
  uint32_t ascii_id[128];   // the token of each ASCII character
  uint32_t unknown;         // "unk_token", or RMX__NO_TOKEN
  rmx__first_merge *first;  // (256, 256) the merges of two bytes, if the model is plain
  bool byte_level;
  bool plain;             // all bytes have tokens and there are no affixes
  bool whole_words;       // a word that is a token is encoded as it, without merges
  bool byte_fallback;     // a character that has no token becomes the tokens of its bytes
  bool fuse_unknown;      // a row of unknown characters becomes one unknown token
  char *prefix, *suffix;  // of all characters but the first; of the last character: or NULL
  uint64_t *joins;        // (RMX__JOINS / 64) pairs of characters that merges can join; or NULL
} rmx__bpe;

// Copies the merges (n). The options come from `json`, the "model" of tokenizer.json.
rmx_status rmx__bpe_make(const rmx_tokenizer *t, const json_t *json, const rmx__merge *merges,
                         size_t n, const char *where, rmx__bpe **out, rmx_err *err);

static inline uint64_t rmx__pair(uint32_t a, uint32_t b) {
  return (uint64_t)a << 32 | b;
}
static inline size_t rmx__pair_hash(uint64_t pair) {
  uint64_t h = pair * 0x9E3779B97F4A7C15u;
  return (size_t)(h ^ h >> 32);
}
static inline const rmx__pair_slot *rmx__bpe_merge(const rmx__bpe *m, uint32_t a, uint32_t b) {
  uint64_t pair = rmx__pair(a, b);
  for (size_t i = rmx__pair_hash(pair) & m->pairs_mask;; i = (i + 1) & m->pairs_mask) {
    if (m->pairs[i].pair == pair) return &m->pairs[i];
    if (m->pairs[i].pair == UINT64_MAX) return NULL;
  }
}

// The rank of the merge of a and b, and what it makes; RMX__NO_RANK if there is none.
#define RMX__NO_RANK INT32_MAX
static inline int32_t rmx__bpe_rank(const rmx__bpe *m, uint32_t a, uint32_t b, uint32_t *made) {
  const rmx__pair_slot *slot = rmx__bpe_merge(m, a, b);
  *made = slot ? slot->made : RMX__NO_TOKEN;
  return slot ? (int32_t)slot->rank : RMX__NO_RANK;
}

// A hash of two characters that meet, into m->joins.
enum { RMX__JOINS = 1 << 20 };
static inline size_t rmx__join(uint32_t left, uint32_t right) {
  return (left * 0x9E3779B1u ^ right * 0x85EBCA77u) >> 12;
}

// From words to ids (bpe_encode.c).
void *rmx__bpe_scratch_new(const rmx_tokenizer *t);
void rmx__bpe_scratch_free(void *scratch);
bool rmx__bpe_encode(const rmx_tokenizer *t, void *scratch, const char *word, size_t size,
                     rmx_tokens *out);

// Learns `wanted` merges or fewer from texts (bpe_train.c). Ids 0..255 are the bytes in the order
// of rmx__byte_order(); new tokens follow. Two merges may make the same token.
rmx_status rmx__bpe_learn(const char *const *texts, const size_t *sizes, size_t n, size_t wanted,
                          rmx__merge **merges, size_t *nmerges, rmx_err *err);

#endif
