// SPDX-License-Identifier: Apache-2.0
// fasttext_model.h: what is in a classifier's file.
#ifndef RMX_CORPUS_DOMAINS_FASTTEXT_MODEL_H
#define RMX_CORPUS_DOMAINS_FASTTEXT_MODEL_H

#include "fasttext.h"

enum { RMX__CENTROIDS = 256 };  // of a part of a quantised vector

// Vectors are cut into parts of dsub numbers, and each part is one of 256 centroids.
struct rmx__quantiser {
  int32_t dim, nsubq, dsub, lastdsub;
  const char *centroids;  // (256, dim) floats, not aligned
};

struct rmx__fasttext_matrix {
  int64_t rows, columns;
  const char *dense;     // (rows, columns) floats, not aligned; NULL: it is quantised
  const uint8_t *codes;  // (rows, nsubq)
  const uint8_t *norms;  // (rows) codes of the lengths of the rows; NULL: they are in the vectors
  struct rmx__quantiser quantiser, norm_quantiser;
};

struct rmx__fasttext_word {
  const char *text;
  uint32_t size, hash;
};

// A node of the binary tree of the labels, for the hierarchical softmax.
struct rmx__fasttext_node {
  int32_t left, right;  // -1: a label
  int64_t count;
};

struct rmx__fasttext {
  char *path;
  rmx_map map;
  int32_t dim, word_ngrams, loss, bucket, minn, maxn;
  int32_t words, labels;  // in `entries`: first the words, then the labels
  struct rmx__fasttext_word *entries;
  uint32_t *table;  // (slots) index of an entry plus 1, by hash; 0: free
  uint32_t slots;   // a power of two
  // The n-grams that are left in a pruned model: kept[i] is (hash, row), sorted by hash. n_kept -1:
  // all are there.
  int64_t n_kept;
  struct rmx__fasttext_kept {
    int32_t hash, row;
  } * kept;
  struct rmx__fasttext_matrix input, output;
  struct rmx__fasttext_node *tree;  // (2 * labels - 1); NULL: another loss
};

// The index of a word or label, or -1.
int32_t rmx__fasttext_find(const rmx__fasttext *m, const char *word, size_t size, uint32_t hash);
// The order of `kept`, for qsort and bsearch.
int rmx__fasttext_by_hash(const void *a, const void *b);

#endif
