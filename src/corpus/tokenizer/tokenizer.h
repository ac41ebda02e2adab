// SPDX-License-Identifier: Apache-2.0
// tokenizer.h: the parts of a byte-level BPE tokenizer.
#ifndef RMX_CORPUS_TOKENIZER_TOKENIZER_H
#define RMX_CORPUS_TOKENIZER_TOKENIZER_H

#include <pthread.h>
#include <regmix/corpus.h>

#include "base/json.h"
#include "pre_tokenizer.h"

// The pair (a, b) becomes `made`. Merges with a smaller index are done first.
typedef struct rmx__merge {
  uint32_t a, b, made;
} rmx__merge;

typedef enum rmx__token_kind {
  RMX__TOKEN_NONE,     // an unused id
  RMX__TOKEN_BYTES,    // of the byte-pair vocabulary
  RMX__TOKEN_ADDED,    // recognised in the text before anything else
  RMX__TOKEN_SPECIAL,  // never recognised: text cannot forge the end of a document
} rmx__token_kind;

#define RMX__NO_TOKEN UINT32_MAX

// Pairs of ids -> merge: open addressing, never more than half full.
typedef struct rmx__pair_slot {
  uint64_t pair;  // a << 32 | b; UINT64_MAX: free
  uint32_t rank, made;
} rmx__pair_slot;

struct rmx__encoder;

struct rmx_tokenizer {
  int vocab;        // ids are 0 .. vocab-1
  char *bytes;      // the bytes of all tokens, one after the other
  uint32_t *start;  // (vocab + 1) token i is bytes[start[i] .. start[i+1]]
  uint8_t *kind;    // (vocab) rmx__token_kind
  uint32_t byte_id[256];
  rmx__merge *merges;  // (nmerges)
  size_t nmerges;
  rmx__pair_slot *pairs;  // (pairs_mask + 1)
  uint32_t *by_text;      // (by_text_mask + 1) ids of RMX__TOKEN_BYTES by the hash of their bytes
  size_t pairs_mask, by_text_mask;
  uint32_t *added;  // (nadded) ids of RMX__TOKEN_ADDED, longest first
  size_t nadded;
  bool added_first[256];   // first bytes of added tokens
  bool added_second[256];  // second bytes
  uint32_t end_of_text;
  bool nfc;              // the text is normalised to Unicode's form C first
  bool prefix_space;     // a space is added before a text that has none
  bool whole_words;      // a word that is a token is encoded as it, without merges
  rmx__pattern pattern;  // code NULL: GPT-2's
  json_t *frame;         // tokenizer.json without vocabulary and merges
  uint64_t hash;
  pthread_mutex_t lock;       // of idle
  struct rmx__encoder *idle;  // scratch memory and caches; a call borrows one
};

// Makes a tokenizer from the bytes of the tokens (vocab), their kinds (vocab) and the merges, which
// are all copied. It takes the reference of the frame, even on failure. Messages begin with
// `where`.
typedef struct rmx__token_text {
  const char *data;
  size_t size;
} rmx__token_text;
rmx_status rmx__tokenizer_make(const rmx__token_text *tokens, const uint8_t *kinds, int vocab,
                               const rmx__merge *merges, size_t nmerges, uint32_t end_of_text,
                               json_t *frame, const char *where, rmx_tokenizer **out, rmx_err *err);
// The id of a token of the byte-pair vocabulary, or RMX__NO_TOKEN.
uint32_t rmx__tokenizer_find(const rmx_tokenizer *t, const char *data, size_t size);

static inline uint64_t rmx__pair(uint32_t a, uint32_t b) {
  return (uint64_t)a << 32 | b;
}
static inline size_t rmx__pair_hash(uint64_t pair) {
  uint64_t h = pair * 0x9E3779B97F4A7C15u;
  return (size_t)(h ^ h >> 32);
}
static inline const rmx__pair_slot *rmx__tokenizer_merge(const rmx_tokenizer *t, uint32_t a,
                                                         uint32_t b) {
  uint64_t pair = rmx__pair(a, b);
  for (size_t i = rmx__pair_hash(pair) & t->pairs_mask;; i = (i + 1) & t->pairs_mask) {
    if (t->pairs[i].pair == pair) return &t->pairs[i];
    if (t->pairs[i].pair == UINT64_MAX) return NULL;
  }
}

// Learns `wanted` merges or fewer from texts (bpe_train.c). Ids 0..255 are the bytes in the order
// of rmx__byte_order(); new tokens follow. Two merges may make the same token.
rmx_status rmx__bpe_learn(const char *const *texts, const size_t *sizes, size_t n, size_t wanted,
                          rmx__merge **merges, size_t *nmerges, rmx_err *err);

// Scratch memory of one encoding (bpe_encode.c).
struct rmx__encoder *rmx__encoder_new(const rmx_tokenizer *t);
void rmx__encoder_free(struct rmx__encoder *e);
struct rmx__encoder **rmx__encoder_next(
    struct rmx__encoder *e);  // link of the list of idle encoders
rmx_status rmx__encoder_run(struct rmx__encoder *e, const char *text, size_t size, rmx_tokens *out,
                            rmx_err *err);

extern const char *const rmx__specials_that_end_text[];  // in order of preference, NULL last

// GPT-2's alphabet (byte_alphabet.c): each byte as one printable character.
// The bytes in the order of their characters.
void rmx__byte_order(uint8_t order[256]);
int32_t rmx__byte_to_char(uint8_t byte);
int rmx__char_to_byte(int32_t code);  // -1: not in the alphabet

// Makes a tokenizer from the text of a tokenizer.json (tokenizer_json.c).
rmx_status rmx__tokenizer_parse(const char *text, size_t size, const char *where,
                                rmx_tokenizer **out, rmx_err *err);
// The frame of a tokenizer that is trained here: a new reference.
json_t *rmx__tokenizer_frame(void);

#endif
