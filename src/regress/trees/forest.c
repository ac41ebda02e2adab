// SPDX-License-Identifier: Apache-2.0
// Predictions: the sum over the trees of the value of the leaf that a mixture falls into.
//
// A comparison w <= threshold needs only ranks. Each weight is converted once to its rank, the
// number of the model's thresholds below it; then small integers are compared. Rows are taken in
// blocks of 512. Trees of normal size use forest_bits.c; for others each row is walked from the
// root. Both add the trees in their order, so that sums have LightGBM's rounding.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "trees.h"

enum { BLOCK = RMX__BITS_ROWS, FEW = 4 };  // fewer rows than FEW are walked: a block costs more

typedef struct node {
  uint16_t feature, rank;  // rank(w) <= rank goes to child[0], else child[1]
  // A node or ~leaf; both are numbered through all trees.
  int32_t child[2];
} node;

struct rmx__fast {
  size_t *first;       // (D+1)
  double *thresholds;  // (first[D]) ascending in each domain, distinct
  node *nodes;
  double *values;
  int32_t *roots;          // (n)
  struct rmx__bits *bits;  // NULL: walk
};

rmx__forest *rmx__forest_make(size_t D) {
  rmx__forest *f = rmx_calloc(1, sizeof *f);
  if (!f) return NULL;
  f->D = D;
  f->names = rmx_arena_alloc(&f->arena, D, sizeof(char *));
  f->infos = rmx_arena_alloc(&f->arena, D, sizeof(char *));
  if (f->names && f->infos) return f;
  rmx__forest_free(f);
  return NULL;
}

void rmx__forest_free_at(rmx__forest **f) {
  rmx__forest_free(*f);
}

void rmx__forest_free(rmx__forest *f) {
  if (!f) return;
  rmx_arena_release(&f->arena);
  free(f);
}

double rmx__tree_predict(const rmx__tree *t, const double *x) {
  if (t->leaves < 2) return t->value[0];
  int i = 0;
  while (i >= 0) i = x[t->feature[i]] <= t->threshold[i] ? t->left[i] : t->right[i];
  return t->value[~i];
}

// The number of the n ascending thresholds below x; a NaN counts as 0, as in LightGBM. The number
// of steps depends on n alone, so no branch is mispredicted.
static inline uint16_t rank_of(const double *threshold, size_t n, double x) {
  const double *low = threshold;
  if (isnan(x)) x = 0;
  if (n == 0) return 0;
  while (n > 1) {
    const size_t half = n / 2;
    low += half & -(size_t)(low[half - 1] < x);
    n -= half;
  }
  return (uint16_t)((size_t)(low - threshold) + (*low < x));
}

// The distinct thresholds of each domain, ascending, into fast->thresholds and fast->first. fill
// (D+1) and all (inner) are scratch.
static rmx_status sort_thresholds(const rmx__forest *f, struct rmx__fast *fast, size_t *fill,
                                  double *all, rmx_err *err) {
  for (size_t i = 0; i < f->n; i++)
    for (int k = 0; k < f->trees[i].leaves - 1; k++) fill[f->trees[i].feature[k] + 1]++;
  for (size_t d = 0; d < f->D; d++) fill[d + 1] += fill[d];
  for (size_t i = 0; i < f->n; i++)
    for (int k = 0; k < f->trees[i].leaves - 1; k++)
      all[fill[f->trees[i].feature[k]]++] = f->trees[i].threshold[k];
  size_t from = 0, n = 0;
  for (size_t d = 0; d < f->D; d++) {  // fill[d] is now where domain d ends
    qsort(all + from, fill[d] - from, sizeof(double), rmx__ascending);
    fast->first[d] = n;
    for (size_t i = from; i < fill[d]; i++)
      if (n == fast->first[d] || all[i] != fast->thresholds[n - 1]) fast->thresholds[n++] = all[i];
    from = fill[d];
    if (n - fast->first[d] > UINT16_MAX)
      return rmx_fail(err, RMX_EINPUT, "the model has over %d different thresholds for one domain",
                      UINT16_MAX);
  }
  fast->first[f->D] = n;
  return RMX_OK;
}

static void number_nodes(const rmx__forest *f, struct rmx__fast *fast) {
  int32_t node_at = 0, leaf_at = 0;
  for (size_t i = 0; i < f->n; i++) {
    const rmx__tree *t = &f->trees[i];
    fast->roots[i] = t->leaves > 1 ? node_at : ~leaf_at;
    for (int k = 0; k < t->leaves - 1; k++) {
      size_t d = (size_t)t->feature[k];
      node *x = &fast->nodes[node_at + k];
      x->feature = (uint16_t)d;
      x->rank = rank_of(fast->thresholds + fast->first[d], fast->first[d + 1] - fast->first[d],
                        t->threshold[k]);
      x->child[0] = t->left[k] >= 0 ? node_at + t->left[k] : ~(leaf_at + ~t->left[k]);
      x->child[1] = t->right[k] >= 0 ? node_at + t->right[k] : ~(leaf_at + ~t->right[k]);
    }
    memcpy(fast->values + leaf_at, t->value, (size_t)t->leaves * sizeof(double));
    node_at += t->leaves - 1;
    leaf_at += t->leaves;
  }
}

rmx_status rmx__forest_compile(rmx__forest *f, rmx_err *err) {
  size_t inner = 0, leaves = 0;
  for (size_t i = 0; i < f->n; i++) {
    inner += (size_t)f->trees[i].leaves - 1;
    leaves += (size_t)f->trees[i].leaves;
  }
  struct rmx__fast *fast = rmx_arena_alloc(&f->arena, 1, sizeof *fast);
  if (!fast || leaves > INT32_MAX) return rmx_fail_memory(err, leaves, "a model of trees");
  fast->first = rmx_arena_alloc(&f->arena, f->D + 1, sizeof(size_t));
  fast->thresholds = rmx_arena_alloc(&f->arena, inner, sizeof(double));
  fast->nodes = rmx_arena_alloc(&f->arena, inner, sizeof(node));
  fast->values = rmx_arena_alloc(&f->arena, leaves, sizeof(double));
  fast->roots = rmx_arena_alloc(&f->arena, f->n, sizeof(int32_t));
  RMX_OWNED size_t *fill = rmx_calloc(f->D + 1, sizeof(size_t));
  RMX_OWNED double *all = rmx_calloc(inner, sizeof(double));
  RMX_OWNED uint32_t *number = rmx_calloc(inner, sizeof(uint32_t));
  if (!number || !fast->first || !fast->thresholds || !fast->nodes || !fast->values ||
      !fast->roots || !fill || !all)
    return rmx_fail_memory(err, inner * sizeof(node), "a model of trees");
  RMX_TRY(sort_thresholds(f, fast, fill, all, err));
  number_nodes(f, fast);
  size_t n = fast->first[f->D];
  if (rmx__bits_suit(f, n)) {
    for (size_t i = 0; i < inner; i++)
      number[i] = (uint32_t)(fast->first[fast->nodes[i].feature] + fast->nodes[i].rank);
    if (!(fast->bits = rmx__bits_make(f, number, n)))
      return rmx_fail_memory(err, leaves * sizeof(double), "a model of trees");
  }
  f->fast = fast;
  return RMX_OK;
}

static uint16_t rank_in(const struct rmx__fast *fast, size_t d, double x) {
  return rank_of(fast->thresholds + fast->first[d], fast->first[d + 1] - fast->first[d], x);
}

static double walk(const rmx__forest *f, const double *x, uint16_t *rank) {
  const struct rmx__fast *fast = f->fast;
  double sum = 0;
  for (size_t d = 0; d < f->D; d++) rank[d] = rank_in(fast, d, x[d]);
  for (size_t i = 0; i < f->n; i++) {
    int32_t at = fast->roots[i];
    while (at >= 0)
      at = fast->nodes[at].child[rank[fast->nodes[at].feature] > fast->nodes[at].rank];
    sum += fast->values[~at];
  }
  return sum;
}

// rank_of for one domain of the rows. Four searches run side by side, so that none waits for its
// own last step.
static void rank_rows(const double *threshold, size_t n, const double *X, size_t D, size_t rows,
                      uint16_t *rank) {
  size_t r = 0;
  for (; r + 4 <= rows && n > 0; r += 4) {
    double x[4];
    size_t low[4] = {0};
    for (int k = 0; k < 4; k++) x[k] = X[(r + (size_t)k) * D];
    for (int k = 0; k < 4; k++) x[k] = isnan(x[k]) ? 0 : x[k];
    for (size_t left = n, half; left > 1; left -= half) {
      half = left / 2;
      for (int k = 0; k < 4; k++) low[k] += half & -(size_t)(threshold[low[k] + half - 1] < x[k]);
    }
    for (int k = 0; k < 4; k++)
      rank[r + (size_t)k] = (uint16_t)(low[k] + (threshold[low[k]] < x[k]));
  }
  for (; r < rows; r++) rank[r] = rank_of(threshold, n, X[r * D]);
}

static void predict_block(const rmx__forest *f, const double *X, size_t rows, void *scratch,
                          double *mean) {
  const struct rmx__fast *fast = f->fast;
  double sum[BLOCK] = {0};
  uint16_t rank[BLOCK];
  for (size_t d = 0; d < f->D; d++) {
    const size_t from = fast->first[d], n = fast->first[d + 1] - from;
    rank_rows(fast->thresholds + from, n, X + d, f->D, rows, rank);
    rmx__bits_set(scratch, from, n, rank, rows);
  }
  rmx__bits_predict(fast->bits, scratch, rows, sum);
  memcpy(mean, sum, rows * sizeof *mean);
}

void rmx__forest_predict(const rmx__forest *f, const double *X, size_t n, double *mean) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  const bool block = f->fast->bits && n >= FEW;
  void *scratch = block ? rmx_arena_alloc(&arena, rmx__bits_scratch(f->fast->bits), 1) : NULL;
  uint16_t *rank = rmx_arena_alloc(&arena, f->D, sizeof *rank);
  for (size_t i = 0; i < n; i += BLOCK) {
    const size_t rows = n - i < BLOCK ? n - i : BLOCK;
    if (scratch && rows >= FEW) {
      predict_block(f, X + i * f->D, rows, scratch, mean + i);
      continue;
    }
    for (size_t r = i; r < i + rows; r++) {
      if (rank) {
        mean[r] = walk(f, X + r * f->D, rank);
        continue;
      }
      mean[r] = 0;  // memory is short; this slow method needs none
      for (size_t t = 0; t < f->n; t++) mean[r] += rmx__tree_predict(&f->trees[t], X + r * f->D);
    }
  }
}
