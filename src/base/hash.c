// SPDX-License-Identifier: Apache-2.0
// One hash for all uses: XXH3, 64 bits (documents, token files, what a run depends on).
#define XXH_INLINE_ALL
#include <regmix/base.h>
#include <string.h>
#include <xxhash.h>

uint64_t rmx_hash(const void *data, size_t size, uint64_t seed) {
  return XXH3_64bits_withSeed(data ? data : "", size, seed);
}

uint64_t rmx_hash_string(const char *s, uint64_t seed) {
  return rmx_hash(s, strlen(s), seed);
}
