// SPDX-License-Identifier: Apache-2.0
// One hash for all uses: XXH3, 64 bits (documents, token files, what a run depends on).
#define XXH_INLINE_ALL
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/hasher.h"
#include "base/memory.h"

uint64_t rmx_hash(const void *data, size_t size, uint64_t seed) {
  return XXH3_64bits_withSeed(data ? data : "", size, seed);
}

uint64_t rmx_hash_string(const char *s, uint64_t seed) {
  return rmx_hash(s, strlen(s), seed);
}

struct rmx__hasher {
  XXH3_state_t state;
};

rmx__hasher *rmx__hasher_new(uint64_t seed) {
  rmx__hasher *h = aligned_alloc(64, (sizeof *h + 63) / 64 * 64);
  if (h)
    XXH3_64bits_reset_withSeed(&h->state, seed);
  else
    rmx__short_of(sizeof *h);
  return h;
}

void rmx__hasher_add(rmx__hasher *h, const void *data, size_t size) {
  if (size) XXH3_64bits_update(&h->state, data, size);
}

uint64_t rmx__hasher_value(const rmx__hasher *h) {
  return XXH3_64bits_digest(&h->state);
}

void rmx__hasher_free(rmx__hasher *h) {
  free(h);
}
