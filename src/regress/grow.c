// SPDX-License-Identifier: Apache-2.0
// One tree, leaf by leaf: always the leaf is split whose best split gains most (LightGBM's "leaf-wise"
// growth).
//
// For a leaf with sums G of gradients and H of hessians (row weights), its value is -G/(H + lambda2) and a
// split gains
//   G_l^2/(H_l + lambda2) + G_r^2/(H_r + lambda2) - G^2/(H + lambda2).
// The sums on either side of each bin bound come from histograms. Of two siblings only the smaller's is
// summed, the other's is what it leaves of the parent's; in each domain the fullest bin is never summed
// (bins.c).
//
// LightGBM's rounding is kept as well: gradients are floats, sums doubles, the small epsilons stand where it
// has them, ties go to the higher bound and then to the lower domain. Cost of a tree: O(N * mean non-zero
// domains * log leaves) for sums, O(leaves * bins) for the search.

#include <math.h>
#include <string.h>

#include "trees.h"

typedef struct sums {
  double g, h;
} sums;

typedef struct split {
  double gain;  // over no split; -INFINITY: none
  int feature, bin;
  double left_g, left_h, left_value;  // *_h without epsilon
  double right_g, right_h, right_value;
} split;

typedef struct leaf {
  size_t first, n;  // its rows in g->rows
  double sum_g, sum_h;
  int depth;
  sums *histogram;   // (bins)
  uint64_t *used;    // (bins / 64) a bit for each bin that may have rows
  bool *splittable;  // (D) some split of it gained: else its children need not look
  split best;
} leaf;

struct rmx__grower {
  const rmx__bins *bins;
  const rmx_trees_options *o;
  bool weighted;
  leaf *leaves;
  uint32_t *rows, *right;  // (N): rows by leaf; scratch
  int *parent;             // (leaves) the node above each leaf
  double *inverse;         // (N+1) 1/n: a first look at gains without division, where hessians are all 1
};

rmx__grower *rmx__grower_make(rmx_arena *arena, const rmx__bins *b, const rmx_trees_options *o,
                              bool weighted) {
  rmx__grower *g = rmx_arena_alloc(arena, 1, sizeof(*g));
  size_t n = (size_t)o->leaves, most = b->N / (size_t)o->min_data_in_leaf;
  if (n > most) n = most > 1 ? most : 1;  // no more leaves than the rows allow
  if (g == NULL) return NULL;
  *g = (rmx__grower){.bins = b, .o = o, .weighted = weighted};
  g->leaves = rmx_arena_alloc(arena, n + 1, sizeof(leaf));
  g->rows = rmx_arena_alloc(arena, b->N, sizeof(uint32_t));
  g->right = rmx_arena_alloc(arena, b->N, sizeof(uint32_t));
  g->parent = rmx_arena_alloc(arena, n + 1, sizeof(int));
  g->inverse = rmx_arena_alloc(arena, b->N + 1, sizeof(double));
  if (!g->leaves || !g->rows || !g->right || !g->parent || !g->inverse) return NULL;
  for (size_t i = 1; i <= b->N; i++) g->inverse[i] = 1 / (double)i;
  for (size_t i = 0; i <= n; i++) {
    g->leaves[i].histogram = rmx_arena_alloc(arena, b->first[b->D], sizeof(sums));
    g->leaves[i].splittable = rmx_arena_alloc(arena, b->D, sizeof(bool));
    g->leaves[i].used = rmx_arena_alloc(arena, b->first[b->D] / 64, sizeof(uint64_t));
    if (!g->leaves[i].histogram || !g->leaves[i].splittable || !g->leaves[i].used) return NULL;
  }
  return g;
}

static double soften(double s, double l1) {
  return l1 > 0 ? copysign(fmax(0, fabs(s) - l1), s) : s;
}

static double leaf_gain(const rmx_trees_options *o, double g, double h) {
  double s = soften(g, o->lambda_l1);
  return s * s / (h + o->lambda_l2);
}

static double leaf_value(const rmx_trees_options *o, double g, double h) {
  return -soften(g, o->lambda_l1) / (h + o->lambda_l2);
}

static void sum_rows(const rmx__grower *g, const leaf *l, const float *gradient, const float *hessian) {
  const rmx__bins *b = g->bins;
  const uint32_t *entry = b->entry;
  sums *histogram = l->histogram;
  uint64_t *used = l->used;
  memset(histogram, 0, b->first[b->D] * sizeof(sums));
  memset(used, 0, b->first[b->D] / 64 * sizeof(uint64_t));
  for (size_t i = l->first; i < l->first + l->n; i++) {
    uint32_t row = g->rows[i];
    double gi = gradient[row], hi = hessian[row];
    for (size_t e = b->row[row]; e < b->row[row + 1]; e++) {
      histogram[entry[e]].g += gi;
      histogram[entry[e]].h += hi;
      used[entry[e] / 64] |= UINT64_C(1) << entry[e] % 64;
    }
  }
  for (size_t d = 0; d < b->D; d++) {
    if (b->skipped[d] == 0 || b->n[d] < 2) continue;  // the search never reads bin 0
    sums *first = histogram + b->first[d], rest = {l->sum_g, l->sum_h};
    for (int k = 0; k < b->n[d]; k++)
      if (k != b->skipped[d]) {
        rest.g -= first[k].g;
        rest.h -= first[k].h;
      }
    first[b->skipped[d]] = rest;
    size_t bin = b->first[d] + (size_t)b->skipped[d];
    used[bin / 64] |= UINT64_C(1) << bin % 64;
  }
}

static inline int count_of(double h, double factor) {
  return (int)(h * factor + 0.5);
}

// The best split of a leaf on domain d, if it beats `best`. From the right, so that of equal gains the
// highest bound wins.
static void search_domain(const rmx__grower *g, leaf *l, size_t d) {
  const rmx_trees_options *o = g->o;
  const sums *histogram = l->histogram + g->bins->first[d];
  const double sum_g = l->sum_g, sum_h = l->sum_h + 2 * RMX__EPSILON, factor = (double)l->n / sum_h;
  const double shift = leaf_gain(o, sum_g, sum_h) + o->min_gain;
  const bool quick = !g->weighted && o->lambda_l1 == 0 && o->lambda_l2 == 0;
  const int n = (int)l->n, min_data = (int)o->min_data_in_leaf;
  // Splits whose gain is below the hurdle, to rounding, can neither win nor show that the domain can be split
  // at all.
  double right_g = 0, right_h = RMX__EPSILON, gain = -INFINITY, left_g = 0, left_h = 0,
         hurdle = shift * (1 - 1e-9);
  int right_n = 0, bin = -1;
  l->splittable[d] = false;
  const uint64_t *used = l->used + g->bins->first[d] / 64;
  // Only bins with rows: past an empty one it is the same split again, not a better one.
  for (int word = (g->bins->n[d] - 1) / 64; word >= 0; word--) {
    for (uint64_t bits = word ? used[word] : used[0] & ~UINT64_C(1); bits;) {
      const int bit = 63 - __builtin_clzll(bits), k = 64 * word + bit;
      const double h = histogram[k].h;
      bits ^= UINT64_C(1) << bit;
      right_g += histogram[k].g;
      right_h += h;
      right_n += count_of(h, factor);
      if (right_n < min_data || right_h < o->min_hessian) continue;
      const double rest_h = sum_h - right_h, rest_g = sum_g - right_g;
      if (n - right_n < min_data || rest_h < o->min_hessian) {
        word = 0;  // and no further left
        break;
      }
      if (quick &&
          rest_g * rest_g * g->inverse[n - right_n] + right_g * right_g * g->inverse[right_n] < hurdle)
        continue;
      const double here = leaf_gain(o, rest_g, rest_h) + leaf_gain(o, right_g, right_h);
      if (here <= shift) continue;
      l->splittable[d] = true;
      if (here > gain) {
        gain = here;
        left_g = rest_g;
        left_h = rest_h;
        bin = k - 1;
        hurdle = fmax(here, l->best.gain + shift) * (1 - 1e-9);
      }
    }
  }
  // Equal gains on two domains: the lower one, which comes first, stays.
  if (!l->splittable[d] || gain - shift <= l->best.gain) return;
  l->best = (split){.gain = gain - shift,
                    .feature = (int)d,
                    .bin = bin,
                    .left_g = left_g,
                    .left_h = left_h - RMX__EPSILON,
                    .left_value = leaf_value(o, left_g, left_h),
                    .right_g = sum_g - left_g,
                    .right_h = sum_h - left_h - RMX__EPSILON,
                    .right_value = leaf_value(o, sum_g - left_g, sum_h - left_h)};
}

static void search(const rmx__grower *g, leaf *l, const bool *splittable) {
  l->best.gain = -INFINITY;
  for (size_t d = 0; d < g->bins->D; d++) {
    if (g->bins->n[d] < 2 || (splittable && !splittable[d])) {
      l->splittable[d] = false;
      continue;
    }
    search_domain(g, l, d);
  }
}

// Moves the rows of `l` that go right behind those that go left, both in their order; returns how many go
// left.
static size_t partition(rmx__grower *g, const leaf *l) {
  const uint16_t *bin = g->bins->bin + (size_t)l->best.feature * g->bins->N;
  uint32_t *rows = g->rows + l->first;
  size_t n_left = 0, n_right = 0;
  for (size_t i = 0; i < l->n; i++) {
    uint32_t row = rows[i];
    bool goes_right = bin[row] > l->best.bin;
    rows[n_left] = row;
    g->right[n_right] = row;
    n_left += !goes_right;
    n_right += goes_right;
  }
  memcpy(rows + n_left, g->right, n_right * sizeof(uint32_t));
  return n_left;
}

// Splits leaf `a`: it becomes the left child, leaf number t->leaves the right one. Histograms of both are
// made unless neither can be split again.
static void split_leaf(rmx__grower *g, rmx__tree *t, int a, const float *gradient, const float *hessian) {
  leaf *left = &g->leaves[a], *right = &g->leaves[t->leaves];
  const split s = left->best;
  int node = t->leaves - 1, above = g->parent[a];
  size_t n_left = partition(g, left);
  if (above >= 0) {
    if (t->left[above] == ~a)
      t->left[above] = node;
    else
      t->right[above] = node;
  }
  t->feature[node] = s.feature;
  t->threshold[node] = g->bins->upper[g->bins->first[s.feature] + (size_t)s.bin];
  t->gain[node] = (float)s.gain;
  t->type[node] = 2;  // numerical, missing goes left, nothing is missing
  t->left[node] = ~a;
  t->right[node] = ~t->leaves;
  t->inner_value[node] = t->value[a];
  t->inner_weight[node] = s.left_h + s.right_h;
  t->inner_count[node] = (int)left->n;
  t->value[a] = s.left_value;
  t->value[t->leaves] = s.right_value;
  t->weight[a] = s.left_h;
  t->weight[t->leaves] = s.right_h;
  t->count[a] = (int)n_left;
  t->count[t->leaves] = (int)(left->n - n_left);
  g->parent[a] = g->parent[t->leaves] = node;
  t->leaves++;

  right->first = left->first + n_left;
  right->n = left->n - n_left;
  left->n = n_left;
  left->depth = right->depth = left->depth + 1;
  left->sum_g = s.left_g;
  left->sum_h = s.left_h;
  right->sum_g = s.right_g;
  right->sum_h = s.right_h;
  left->best.gain = right->best.gain = -INFINITY;
  size_t needed = 2 * (size_t)g->o->min_data_in_leaf;
  if ((left->n < needed && right->n < needed) || (g->o->max_depth > 0 && left->depth >= g->o->max_depth))
    return;
  // The parent's histogram lies in `left`; it becomes the larger child's.
  leaf *small = left->n < right->n ? left : right, *large = small == left ? right : left;
  if (small == left) {
    sums *h = left->histogram;
    left->histogram = right->histogram;
    right->histogram = h;
    bool *b = left->splittable;
    left->splittable = right->splittable;
    right->splittable = b;
    uint64_t *u = left->used;
    left->used = right->used;
    right->used = u;
  }
  sum_rows(g, small, gradient, hessian);
  search(g, small, large->splittable);
  size_t words = g->bins->first[g->bins->D] / 64;
  for (size_t word = 0; word < words; word++)
    for (uint64_t bits = small->used[word]; bits; bits &= bits - 1) {
      size_t k = 64 * word + (size_t)__builtin_ctzll(bits);
      large->histogram[k].g -= small->histogram[k].g;
      large->histogram[k].h -= small->histogram[k].h;
    }
  bool *before = large->splittable;
  search(g, large, before);
}

void rmx__grow(rmx__grower *g, const float *gradient, const float *hessian, rmx__tree *t, int *leaf_of) {
  const size_t N = g->bins->N;
  leaf *root = &g->leaves[0];
  root->first = 0;
  root->n = N;
  root->depth = 0;
  root->sum_g = root->sum_h = 0;
  root->best.gain = -INFINITY;
  for (size_t i = 0; i < N; i++) {
    g->rows[i] = (uint32_t)i;
    root->sum_g += gradient[i];
    root->sum_h += hessian[i];
  }
  g->parent[0] = -1;
  t->leaves = 1;
  t->shrinkage = 1;
  t->value[0] = leaf_value(g->o, root->sum_g, root->sum_h);
  t->weight[0] = root->sum_h;
  t->count[0] = (int)N;
  if (N >= 2 * (size_t)g->o->min_data_in_leaf) {
    sum_rows(g, root, gradient, hessian);
    search(g, root, NULL);
  }
  while (t->leaves < g->o->leaves) {
    int best = 0;
    for (int i = 1; i < t->leaves; i++) {
      const split *a = &g->leaves[i].best, *b = &g->leaves[best].best;
      if (a->gain > b->gain || (a->gain == b->gain && a->feature < b->feature)) best = i;
    }
    if (!(g->leaves[best].best.gain > 0)) break;
    split_leaf(g, t, best, gradient, hessian);
  }
  for (int i = 0; i < t->leaves; i++)
    for (size_t k = 0; k < g->leaves[i].n; k++) leaf_of[g->rows[g->leaves[i].first + k]] = i;
}
