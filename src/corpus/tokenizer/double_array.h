// SPDX-License-Identifier: Apache-2.0
// double_array.h: finds all keys that a text begins with (Aoe, 1989). The child of node s for the
// byte c is node base(s) + c, if that node names s as its parent.
#ifndef RMX_CORPUS_TOKENIZER_DOUBLE_ARRAY_H
#define RMX_CORPUS_TOKENIZER_DOUBLE_ARRAY_H

#include "tokenizer.h"

typedef struct rmx__double_array_node {
  uint32_t base, parent, value;  // value: of the key that ends here, or RMX__NO_TOKEN
} rmx__double_array_node;

typedef struct rmx__double_array {
  rmx__double_array_node *nodes;  // node 0 is the root; base + 255 of every node is inside
} rmx__double_array;

// Keys (n) that are not empty. The value of key i is i; of equal keys the last one counts. A key
// with include[i] false is left out; include NULL: none is.
rmx_status rmx__double_array_make(rmx__double_array *t, const rmx__token_text *keys,
                                  const bool *include, size_t n, rmx_err *err);
void rmx__double_array_release(rmx__double_array *t);

// One step: from node *at by one byte. False: no key goes on like this.
static inline bool rmx__double_array_step(const rmx__double_array *t, uint32_t *at, char byte) {
  const uint32_t to = t->nodes[*at].base + (uint8_t)byte;
  if (t->nodes[to].parent != *at) return false;
  *at = to;
  return true;
}
// The value of the key that is exactly text, or RMX__NO_TOKEN.
uint32_t rmx__double_array_find(const rmx__double_array *t, const char *text, size_t size);

// The order of keys (n) by their bytes, then by index; free() it. NULL: memory is short.
uint32_t *rmx__sorted_keys(const rmx__token_text *keys, size_t n);

#endif
