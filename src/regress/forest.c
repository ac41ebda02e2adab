// SPDX-License-Identifier: Apache-2.0
// Predictions: the sum over trees of the value of the leaf a mixture falls into.
//
// Comparing w <= threshold is comparing ranks: each domain's weight is once turned into how many of the
// model's thresholds lie below it, and small whole numbers are compared from there on. Rows are taken in
// blocks of 64. Trees of usual size go the fast way (forest_masks.c); others are walked from the root. Either
// way trees are added in their order, so that sums have LightGBM's rounding.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trees.h"

enum { BLOCK = RMX__MASK_ROWS };

typedef struct node {
  uint16_t feature, rank;  // rank(w) <= rank goes to child[0], else child[1]
  int32_t child[2];        // nodes and then leaves are numbered on through all trees: leaves negative, ~leaf
} node;

struct rmx__fast {
  size_t *first;       // (D+1)
  double *thresholds;  // (first[D]) ascending in each domain, distinct
  node *nodes;
  double *values;
  int32_t *roots;            // (n)
  struct rmx__masks *masks;  // NULL: walk
};

rmx__forest *rmx__forest_make(size_t D) {
  rmx__forest *f = rmx_calloc(1, sizeof(*f));
  if (f == NULL) return NULL;
  f->D = D;
  f->names = rmx_arena_alloc(&f->arena, D, sizeof(char *));
  f->infos = rmx_arena_alloc(&f->arena, D, sizeof(char *));
  if (f->names && f->infos) return f;
  rmx__forest_free(f);
  return NULL;
}

void rmx__forest_free(rmx__forest *f) {
  if (f == NULL) return;
  rmx_arena_release(&f->arena);
  free(f);
}

double rmx__tree_predict(const rmx__tree *t, const double *x) {
  if (t->leaves < 2) return t->value[0];
  int i = 0;
  while (i >= 0) i = x[t->feature[i]] <= t->threshold[i] ? t->left[i] : t->right[i];
  return t->value[~i];
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// How many of the n ascending thresholds are below x; a NaN counts as 0, as in LightGBM.
static uint16_t rank_of(const double *threshold, size_t n, double x) {
  size_t low = 0;
  if (isnan(x)) x = 0;
  while (n > 0) {
    size_t half = n / 2;
    bool below = threshold[low + half] < x;
    low += below ? half + 1 : 0;
    n = below ? n - half - 1 : half;
  }
  return (uint16_t)low;
}

rmx_status rmx__forest_compile(rmx__forest *f, rmx_err *err) {
  size_t inner = 0, leaves = 0;
  for (size_t i = 0; i < f->n; i++) {
    inner += (size_t)f->trees[i].leaves - 1;
    leaves += (size_t)f->trees[i].leaves;
  }
  struct rmx__fast *fast = rmx_arena_alloc(&f->arena, 1, sizeof(*fast));
  if (fast == NULL || leaves > INT32_MAX) return rmx_fail_memory(err, leaves, "a model of trees");
  fast->first = rmx_arena_alloc(&f->arena, f->D + 1, sizeof(size_t));
  fast->thresholds = rmx_arena_alloc(&f->arena, inner, sizeof(double));
  fast->nodes = rmx_arena_alloc(&f->arena, inner, sizeof(node));
  fast->values = rmx_arena_alloc(&f->arena, leaves, sizeof(double));
  fast->roots = rmx_arena_alloc(&f->arena, f->n, sizeof(int32_t));
  size_t *fill = rmx_calloc(f->D + 1, sizeof(size_t));
  double *all = rmx_calloc(inner, sizeof(double));
  uint16_t *ranks = rmx_calloc(inner, sizeof(uint16_t));
  rmx_status status = RMX_OK;
  if (!ranks || !fast->first || !fast->thresholds || !fast->nodes || !fast->values || !fast->roots || !fill ||
      !all) {
    status = rmx_fail_memory(err, inner * sizeof(node), "a model of trees");
    goto done;
  }
  for (size_t i = 0; i < f->n; i++)
    for (int k = 0; k < f->trees[i].leaves - 1; k++) fill[f->trees[i].feature[k] + 1]++;
  for (size_t d = 0; d < f->D; d++) fill[d + 1] += fill[d];
  for (size_t i = 0; i < f->n; i++)
    for (int k = 0; k < f->trees[i].leaves - 1; k++)
      all[fill[f->trees[i].feature[k]]++] = f->trees[i].threshold[k];
  size_t from = 0, n = 0;
  for (size_t d = 0; d < f->D; d++) {  // fill[d] is now where domain d ends
    qsort(all + from, fill[d] - from, sizeof(double), by_size);
    fast->first[d] = n;
    for (size_t i = from; i < fill[d]; i++)
      if (n == fast->first[d] || all[i] != fast->thresholds[n - 1]) fast->thresholds[n++] = all[i];
    from = fill[d];
    if (n - fast->first[d] > UINT16_MAX) {
      status =
          rmx_fail(err, RMX_EINPUT, "the model has over %d different thresholds for one domain", UINT16_MAX);
      goto done;
    }
  }
  fast->first[f->D] = n;
  int32_t node_at = 0, leaf_at = 0;
  for (size_t i = 0; i < f->n; i++) {
    const rmx__tree *t = &f->trees[i];
    fast->roots[i] = t->leaves > 1 ? node_at : ~leaf_at;
    for (int k = 0; k < t->leaves - 1; k++) {
      size_t d = (size_t)t->feature[k];
      node *x = &fast->nodes[node_at + k];
      x->feature = (uint16_t)d;
      x->rank =
          rank_of(fast->thresholds + fast->first[d], fast->first[d + 1] - fast->first[d], t->threshold[k]);
      x->child[0] = t->left[k] >= 0 ? node_at + t->left[k] : ~(leaf_at + ~t->left[k]);
      x->child[1] = t->right[k] >= 0 ? node_at + t->right[k] : ~(leaf_at + ~t->right[k]);
    }
    memcpy(fast->values + leaf_at, t->value, (size_t)t->leaves * sizeof(double));
    node_at += t->leaves - 1;
    leaf_at += t->leaves;
  }
  if (rmx__masks_suit(f, fast->first)) {
    for (size_t i = 0; i < inner; i++) ranks[i] = fast->nodes[i].rank;
    if ((fast->masks = rmx__masks_make(f, ranks)) == NULL)
      status = rmx_fail_memory(err, leaves * 32, "a model of trees");
  }
  f->fast = fast;
done:
  free(ranks);
  free(fill);
  free(all);
  return status;
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
    while (at >= 0) at = fast->nodes[at].child[rank[fast->nodes[at].feature] > fast->nodes[at].rank];
    sum += fast->values[~at];
  }
  return sum;
}

void rmx__forest_predict(const rmx__forest *f, const double *X, size_t n, double *mean) {
  rmx_arena arena = {0};
  int8_t *rank = rmx_arena_alloc(&arena, f->D, BLOCK * sizeof(*rank));
  uint16_t *one = rmx_arena_alloc(&arena, f->D, sizeof(*one));
  if (!rank || !one) {  // memory is short: the slow way needs none
    for (size_t i = 0; i < n; i++) {
      mean[i] = 0;
      for (size_t t = 0; t < f->n; t++) mean[i] += rmx__tree_predict(&f->trees[t], X + i * f->D);
    }
    rmx_arena_release(&arena);
    return;
  }
  for (size_t i = 0; i < n; i += BLOCK) {
    size_t rows = n - i < BLOCK ? n - i : BLOCK;
    if (f->fast->masks == NULL || rows < 4) {  // a few rows are walked sooner than a block is filled
      for (size_t r = i; r < i + rows; r++) mean[r] = walk(f, X + r * f->D, one);
      continue;
    }
    double sum[BLOCK] = {0};
    for (size_t r = 0; r < rows; r++)
      for (size_t d = 0; d < f->D; d++)
        rank[d * BLOCK + r] = (int8_t)(rank_in(f->fast, d, X[(i + r) * f->D + d]) - 128);
    rmx__masks_predict(f->fast->masks, rank, sum);
    memcpy(mean + i, sum, rows * sizeof(double));
  }
  rmx_arena_release(&arena);
}
