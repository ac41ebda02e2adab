// SPDX-License-Identifier: Apache-2.0
// model_lists.h: the vocabulary and the merges of a BPE tokenizer.json, read without a tree. They
// are nearly all of the file.
#ifndef RMX_CORPUS_TOKENIZER_MODEL_LISTS_H
#define RMX_CORPUS_TOKENIZER_MODEL_LISTS_H

#include "bpe.h"

typedef struct rmx__list_entry {
  size_t start;  // of the key, in keys
  uint32_t size, id;
} rmx__list_entry;

typedef struct rmx__model_lists {
  rmx_buf keys;
  rmx__list_entry *entries;  // (n) of "vocab", in the order of the file
  // (mask + 1) by the hashes of keys: half of the hash, and below it the index + 1; 0: free
  uint64_t *slots;
  size_t n, capacity, mask;
  rmx__merge *merges;  // (nmerges)
  size_t nmerges, merges_capacity;
} rmx__model_lists;

// Reads both lists, and writes the file with empty ones in their place to `rest`. False: they are
// not in the plain form that programs write, or memory is short. Then the file must be read as a
// tree, which finds what is wrong. Release the lists in any case.
bool rmx__model_lists_take(const char *text, size_t size, rmx__model_lists *out, rmx_buf *rest);
void rmx__model_lists_release(rmx__model_lists *l);
// The entry of a key, or NULL.
const rmx__list_entry *rmx__model_lists_find(const rmx__model_lists *l, const char *key,
                                             size_t size);

#endif
