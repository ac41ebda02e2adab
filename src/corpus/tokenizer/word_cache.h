// SPDX-License-Identifier: Apache-2.0
// word_cache.h: the ids of words seen before, which are nearly all in real text.
#ifndef RMX_CORPUS_TOKENIZER_WORD_CACHE_H
#define RMX_CORPUS_TOKENIZER_WORD_CACHE_H

#include <string.h>

#include "model.h"

enum {
  RMX__CACHE_BITS = 16,    // 4 MB: with a quarter of it, twice as many words of English are missing
  RMX__CACHED_BYTES = 32,  // longest word in the cache; a slot is then 64 bytes
  RMX__CACHED_IDS = 7,
};

typedef struct rmx__cached {
  uint64_t key[4];  // the word; see rmx__cache_key()
  uint32_t ids[RMX__CACHED_IDS];
  uint8_t size, n;  // size 0: free
} rmx__cached;
_Static_assert(sizeof(rmx__cached) == 64, "a cache slot is one cache line");

static inline rmx__cached *rmx__cache_new(void) {
  return rmx_calloc((size_t)1 << RMX__CACHE_BITS, sizeof(rmx__cached));
}

static inline uint64_t rmx__eight(const char *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
  return x;
}
static inline uint32_t rmx__four(const char *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
  return x;
}

// The bytes of a word of up to RMX__CACHED_BYTES as numbers. With its size they are the word,
// though some bytes are there twice, because nothing is read before the word or after it.
static inline void rmx__cache_key(const char *text, size_t size, uint64_t key[4]) {
  const char *end = text + size;
  key[0] = key[1] = key[2] = key[3] = 0;
  if (size > 16) {
    key[0] = rmx__eight(text), key[1] = rmx__eight(text + 8);
    key[2] = rmx__eight(end - 16), key[3] = rmx__eight(end - 8);
  } else if (size >= 8) {
    key[0] = rmx__eight(text), key[1] = rmx__eight(end - 8);
  } else if (size >= 4) {
    key[0] = rmx__four(text) | (uint64_t)rmx__four(end - 4) << 32;
  } else {
    key[0] = (uint8_t)text[0] | (uint64_t)(uint8_t)text[size / 2] << 8 |
             (uint64_t)(uint8_t)end[-1] << 16;
  }
}

static inline rmx__cached *rmx__cache_slot(rmx__cached *cache, const uint64_t key[4], size_t size) {
  const uint64_t odd = 0x9E3779B97F4A7C15u;
  uint64_t h = (key[0] + size) * odd;
  h = (h ^ h >> 32 ^ key[1]) * odd;
  if (size > 16) {
    h = (h ^ h >> 32 ^ key[2]) * odd;
    h = (h ^ h >> 32 ^ key[3]) * odd;
  }
  return &cache[h >> (64 - RMX__CACHE_BITS)];
}

static inline bool rmx__cache_has(const rmx__cached *c, const uint64_t key[4], size_t size) {
  return c->size == size && c->key[0] == key[0] && c->key[1] == key[1] && c->key[2] == key[2] &&
         c->key[3] == key[3];
}

// Remembers a word and its ids (n), if they are few enough.
static inline void rmx__cache_put(rmx__cached *c, const uint64_t key[4], size_t size,
                                  const uint32_t *ids, size_t n) {
  if (n > RMX__CACHED_IDS) return;
  c->size = (uint8_t)size;
  c->n = (uint8_t)n;
  memcpy(c->key, key, sizeof c->key);
  memcpy(c->ids, ids, n * sizeof *ids);
}

// The ids of a word, remembered or made by `encode`. False: memory is short.
static inline bool rmx__cache_encode(rmx__cached *cache, const char *word, size_t size,
                                     bool (*encode)(void *context, const char *word, size_t size,
                                                    rmx_tokens *out),
                                     void *context, rmx_tokens *out) {
  if (size > RMX__CACHED_BYTES) return encode(context, word, size, out);
  uint64_t key[4];
  rmx__cache_key(word, size, key);
  rmx__cached *c = rmx__cache_slot(cache, key, size);
  if (rmx__cache_has(c, key, size)) {
    if (!rmx__tokens_reserve(out, RMX__CACHED_IDS)) return false;
    memcpy(out->ids + out->n, c->ids, sizeof c->ids);
    out->n += c->n;
    return true;
  }
  const size_t before = out->n;
  if (!encode(context, word, size, out)) return false;
  rmx__cache_put(c, key, size, out->ids + before, out->n - before);
  return true;
}

#endif
