// SPDX-License-Identifier: Apache-2.0
// Open addressing. The hashes are random already, so their low bits are the index.
#include "hash_set.h"

#include <stdlib.h>

static uint64_t *place(uint64_t *slots, size_t mask, uint64_t hash) {
  size_t at = hash & mask;
  while (slots[at] && slots[at] != hash) at = (at + 1) & mask;
  return &slots[at];
}

bool rmx__hash_set_add(rmx__hash_set *s, uint64_t hash, bool *new) {
  if (hash == 0) hash = 1;  // 0 marks a free slot
  if (2 * (s->n + 1) > s->mask) {
    size_t mask = s->mask ? 2 * s->mask + 1 : 1023;
    uint64_t *slots = rmx_calloc(mask + 1, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; s->slots && i <= s->mask; i++)
      if (s->slots[i]) *place(slots, mask, s->slots[i]) = s->slots[i];
    free(s->slots);
    s->slots = slots;
    s->mask = mask;
  }
  uint64_t *slot = place(s->slots, s->mask, hash);
  *new = *slot == 0;
  *slot = hash;
  s->n += *new;
  return true;
}

size_t rmx__hash_set_find(const rmx__hash_set *s, uint64_t hash) {
  if (!s->slots) return SIZE_MAX;
  const uint64_t *slot = place(s->slots, s->mask, hash ? hash : 1);
  return *slot ? (size_t)(slot - s->slots) : SIZE_MAX;
}

void rmx__hash_set_release(rmx__hash_set *s) {
  free(s->slots);
  *s = (rmx__hash_set){0};
}
