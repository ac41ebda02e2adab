// SPDX-License-Identifier: Apache-2.0
// A Feistel network (Luby and Rackoff, "How to construct pseudorandom permutations", 1988) with
// Philox as its round function permutes the blocks of 2 h bits. Applying it again until the block
// is below n makes it a permutation of 0 .. n-1 (Black and Rogaway, "Ciphers with arbitrary finite
// domains", 2002). With 2^(2h-2) < n <= 2^2h that takes 4 steps or fewer on average. So the state
// of a shuffled epoch is one number.
#include "permutation.h"

enum { ROUNDS = 6, MIN_HALF = 3 };

rmx__permutation rmx__permutation_make(uint64_t n, const uint32_t key[2]) {
  rmx__permutation o = {n, MIN_HALF, {key[0], key[1]}};
  while (o.half < 32 && n > (uint64_t)1 << (2 * o.half)) o.half++;
  return o;
}

static uint64_t permute(const rmx__permutation *o, uint64_t block) {
  uint64_t mask = ((uint64_t)1 << o->half) - 1, left = block >> o->half, right = block & mask;
  for (uint32_t round = 0; round < ROUNDS; round++) {
    uint32_t counter[4] = {(uint32_t)right, round, (uint32_t)o->n, (uint32_t)(o->n >> 32)},
             mixed[4];
    rmx_philox(counter, o->key, mixed);
    uint64_t next = left ^ (mixed[0] & mask);
    left = right;
    right = next;
  }
  return left << o->half | right;
}

uint64_t rmx__permutation_at(const rmx__permutation *o, uint64_t place) {
  do place = permute(o, place);
  while (place >= o->n);
  return place;
}
