// SPDX-License-Identifier: Apache-2.0
// word_cache.h: the ids of words seen before, which are nearly all in real text.
#ifndef RMX_CORPUS_TOKENIZER_WORD_CACHE_H
#define RMX_CORPUS_TOKENIZER_WORD_CACHE_H

#include <string.h>

#include "model.h"

enum {
  RMX__CACHE_SLOTS = 1 << 14,
  RMX__CACHED_BYTES = 26,  // longest word in the cache; a slot is then 64 bytes
  RMX__CACHED_IDS = 9,
};

typedef struct rmx__cached {
  uint8_t size, n;  // size 0: free
  char text[RMX__CACHED_BYTES];
  uint32_t ids[RMX__CACHED_IDS];
} rmx__cached;
_Static_assert(sizeof(rmx__cached) == 64, "a cache slot is one cache line");

// The slot of a word (size bytes) in a cache of RMX__CACHE_SLOTS, or NULL if the word is too long.
static inline rmx__cached *rmx__cache_slot(rmx__cached *cache, const char *word, size_t size) {
  if (size > RMX__CACHED_BYTES) return NULL;
  return &cache[rmx_hash(word, size, 0) & (RMX__CACHE_SLOTS - 1)];
}
static inline bool rmx__cache_has(const rmx__cached *slot, const char *word, size_t size) {
  return slot && slot->size == size && memcmp(slot->text, word, size) == 0;
}
// Remembers a word and its ids (n).
static inline void rmx__cache_put(rmx__cached *slot, const char *word, size_t size,
                                  const uint32_t *ids, size_t n) {
  if (!slot || n > RMX__CACHED_IDS) return;
  slot->size = (uint8_t)size;
  slot->n = (uint8_t)n;
  memcpy(slot->text, word, size);
  memcpy(slot->ids, ids, n * sizeof *ids);
}

#endif
