// SPDX-License-Identifier: Apache-2.0
// permutation.h: a random permutation of 0 .. n-1, computed element by element, without a list.
#ifndef RMX_CORPUS_PERMUTATION_H
#define RMX_CORPUS_PERMUTATION_H

#include <regmix/base.h>

// The permutation of 0 .. n-1 chosen by a key; n > 0.
typedef struct rmx__permutation {
  uint64_t n;
  int half;  // bits of half a block
  uint32_t key[2];
} rmx__permutation;
rmx__permutation rmx__permutation_make(uint64_t n, const uint32_t key[2]);
// Element `place` (< n) of the permutation. Cost: below 2 us.
uint64_t rmx__permutation_at(const rmx__permutation *o, uint64_t place);

#endif
