// SPDX-License-Identifier: Apache-2.0
// trie.h: finds all keys that a text begins with. A double array (Aoe, 1989): the child of node s
// for the byte c is node base(s) + c, if that node names s as its parent.
#ifndef RMX_CORPUS_TOKENIZER_TRIE_H
#define RMX_CORPUS_TOKENIZER_TRIE_H

#include "tokenizer.h"

typedef struct rmx__trie_node {
  uint32_t base, parent, value;  // value: of the key that ends here, or RMX__NO_TOKEN
} rmx__trie_node;

typedef struct rmx__trie {
  rmx__trie_node *nodes;  // node 0 is the root; base + 255 of every node is inside
} rmx__trie;

// Keys (n) that are not empty. The value of key i is i; of equal keys the last one counts. A key
// with include[i] false is left out; include NULL: none is.
rmx_status rmx__trie_make(rmx__trie *t, const rmx__token_text *keys, const bool *include, size_t n,
                          rmx_err *err);
void rmx__trie_release(rmx__trie *t);

// One step: from node *at by one byte. False: no key goes on like this.
static inline bool rmx__trie_step(const rmx__trie *t, uint32_t *at, char byte) {
  const uint32_t to = t->nodes[*at].base + (uint8_t)byte;
  if (t->nodes[to].parent != *at) return false;
  *at = to;
  return true;
}
// The value of the key that is exactly text, or RMX__NO_TOKEN.
uint32_t rmx__trie_find(const rmx__trie *t, const char *text, size_t size);

// The order of keys (n) by their bytes, then by index; free() it. NULL: memory is short.
uint32_t *rmx__trie_sorted(const rmx__token_text *keys, size_t n);

#endif
