// SPDX-License-Identifier: Apache-2.0
// hash_set.h: a set of 64-bit hashes. {0} is an empty one.
#ifndef RMX_CORPUS_PREPARE_HASH_SET_H
#define RMX_CORPUS_PREPARE_HASH_SET_H

#include <regmix/base.h>

typedef struct rmx__hash_set {
  uint64_t *slots;  // (mask + 1) 0: free; half of them or fewer are used
  size_t n, mask;
} rmx__hash_set;

// Adds a hash; *new: it was not there. False: no memory.
bool rmx__hash_set_add(rmx__hash_set *s, uint64_t hash, bool *new);
// The index of the hash's slot, or SIZE_MAX if it is not in the set. Slots move only when something
// is added.
size_t rmx__hash_set_find(const rmx__hash_set *s, uint64_t hash);
void rmx__hash_set_release(rmx__hash_set *s);

#endif
