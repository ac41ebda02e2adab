// SPDX-License-Identifier: Apache-2.0
// Boosted trees as LightGBM makes them (Ke et al., NeurIPS 2017): what the files of the algorithm
// share.
//   bins.c         values -> bins
//   grow.c         one tree, leaf by leaf (grow.h)
//   boost.c        many trees: gradients, shrinkage, rounds
//   forest.c       trees -> predictions
//   forest_bits.c  the same, 512 mixtures at a time
//   write.c, read.c        LightGBM's text model
#ifndef RMX_REGRESS_TREES_H
#define RMX_REGRESS_TREES_H

#include <regmix/regress.h>

#define RMX__EPSILON ((double)1e-15f)  // LightGBM's kEpsilon, a float: added to sums of hessians
#define RMX__ZERO ((double)1e-35f)     // |value| up to this is zero, and zero has a bin of its own

// ---- level.c

typedef enum rmx__level { RMX__PLAIN, RMX__AVX2, RMX__AVX512 } rmx__level;
rmx__level rmx__trees_level(void);

// ---- bins.c

typedef struct rmx__bins {
  size_t N, D;
  int *n;        // (D) bins; 1: the domain cannot be split on
  int *skipped;  // (D) the fullest bin: never summed, it is what the others leave of the whole
  // (D+1) where each domain's bins begin in the flat arrays: multiples of 64, for sets of bins as
  // bits
  size_t *first;
  double *upper;      // (first[D]) upper bound of each bin, the last of a domain infinite
  double *min, *max;  // (D) of the values
  uint16_t *bin;      // (D, N)
  size_t *row;        // (N+1) where each row's entries begin
  uint32_t *entry;    // flat bin of each value that is not in its domain's skipped bin
} rmx__bins;

rmx_status rmx__bins_make(rmx_arena *arena, const double *X, size_t N, size_t D,
                          const rmx_trees_options *o, rmx__bins *out, rmx_err *err);

// ---- a tree: inner nodes in the order they were split, leaves numbered as LightGBM does

typedef struct rmx__tree {
  int leaves;         // inner nodes: leaves - 1
  int *feature;       // (leaves-1)
  double *threshold;  // w <= threshold goes left
  float *gain;
  int *type;          // LightGBM's decision_type bits
  int *left, *right;  // a node, or ~leaf
  double *inner_value, *inner_weight;
  int *inner_count;
  double *value, *weight;  // (leaves)
  int *count;
  double shrinkage;
} rmx__tree;

// A tree with room for `leaves` leaves; false if memory is short.
bool rmx__tree_make(rmx_arena *arena, int leaves, rmx__tree *out);
double rmx__tree_predict(const rmx__tree *t, const double *x);

// ---- grow.c

typedef struct rmx__grower rmx__grower;
// Scratch for growing trees on these bins, in the arena. NULL if memory is short.
rmx__grower *rmx__grower_make(rmx_arena *arena, const rmx__bins *bins, const rmx_trees_options *o,
                              bool weighted);
// Grows one tree, which has room for o->leaves leaves. leaf_of (N): the leaf of each row.
void rmx__grow(rmx__grower *g, const float *gradient, const float *hessian, rmx__tree *tree,
               int *leaf_of);

// ---- forest.c: a model

typedef struct rmx__forest {
  rmx_arena arena;  // holds everything below
  size_t D;
  size_t n;               // trees
  rmx__tree *trees;       // (n)
  char **names, **infos;  // (D) feature_names, feature_infos
  char *parameters;       // the text model from its parameters block on
  struct rmx__fast *fast;
} rmx__forest;

rmx__forest *rmx__forest_make(size_t D);
void rmx__forest_free(rmx__forest *f);
void rmx__forest_free_at(rmx__forest **f);  // for RMX_OWNED_BY
// Prepares predictions, once all trees are there.
rmx_status rmx__forest_compile(rmx__forest *f, rmx_err *err);
void rmx__forest_predict(const rmx__forest *f, const double *X, size_t n, double *mean);

// ---- forest_bits.c: the fast method, for trees of up to 256 leaves

enum { RMX__BITS_ROWS = 512 };
bool rmx__bits_suit(const rmx__forest *f, size_t thresholds);
// threshold: for each node of all trees, the number of its threshold in the model. The result
// is in the forest's arena; NULL if memory is short.
struct rmx__bits *rmx__bits_make(rmx__forest *f, const uint32_t *threshold, size_t thresholds);
// For a block of up to 512 mixtures: rmx__bits_scratch() bytes of scratch, aligned to 64; then
// rmx__bits_set() for each domain in order, which has n thresholds from number `from` on, with the
// rank of each weight among them; then rmx__bits_predict() adds the predictions to sum (512).
size_t rmx__bits_scratch(const struct rmx__bits *b);
void rmx__bits_set(void *scratch, size_t from, size_t n, const uint16_t *rank, size_t rows);
void rmx__bits_predict(const struct rmx__bits *b, const void *scratch, size_t rows, double *sum);

// ---- boost.c

// Fits `rounds` trees. With `valid`, squared_error (rounds) is increased by the sum over its rows
// after each round.
rmx_status rmx__boost(const rmx_trees_options *o, size_t rounds, const rmx_dataset *data,
                      const rmx_dataset *valid, double *squared_error, rmx__forest **out,
                      rmx_err *err);

// ---- write.c, read.c

rmx_status rmx__forest_text(const rmx__forest *f, rmx_buf *out, rmx_err *err);
rmx_status rmx__forest_parse(const char *text, size_t size, const char *path, rmx__forest **out,
                             rmx_err *err);

#endif
