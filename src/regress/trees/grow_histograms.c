// SPDX-License-Identifier: Apache-2.0
// The best split of a leaf from histograms: the sums of gradients and hessians of each bin.
//
// Only the histogram of the smaller sibling is summed; the other is the parent's less that. In each
// domain one bin is never summed (bins.c). Cost of a tree: O(N * mean non-zero domains * log
// leaves) for sums, O(leaves * bins) for the search.

#include <string.h>

#include "grow.h"

typedef struct sums {
  double g, h;
} sums;

typedef struct leaf {
  size_t first, n;  // its rows in g->rows
  double sum_g, sum_h;
  int depth;
  sums *histogram;   // (bins)
  uint64_t *used;    // (bins / 64) a bit for each bin that may have rows
  bool *splittable;  // (D) some split of it gained: else its children need not look
} leaf;

struct rmx__histograms {
  const rmx__bins *bins;
  const rmx_trees_options *o;
  bool weighted;
  const float *gradient, *hessian;  // (N) of this tree
  leaf *leaves;
  uint32_t *rows, *right;  // (N): rows by leaf; scratch
  // (N+1) 1/n: a first look at gains without division, where hessians are all 1
  double *inverse;
};

rmx__histograms *rmx__histograms_make(rmx_arena *arena, const rmx__bins *b,
                                      const rmx_trees_options *o, bool weighted) {
  rmx__histograms *g = rmx_arena_alloc(arena, 1, sizeof *g);
  const size_t n = rmx__max_leaves(b, o);
  if (!g) return NULL;
  *g = (rmx__histograms){.bins = b, .o = o, .weighted = weighted};
  g->leaves = rmx_arena_alloc(arena, n + 1, sizeof(leaf));
  g->rows = rmx_arena_alloc(arena, b->N, sizeof(uint32_t));
  g->right = rmx_arena_alloc(arena, b->N, sizeof(uint32_t));
  g->inverse = rmx_arena_alloc(arena, b->N + 1, sizeof(double));
  if (!g->leaves || !g->rows || !g->right || !g->inverse) return NULL;
  for (size_t i = 1; i <= b->N; i++) g->inverse[i] = 1 / (double)i;
  for (size_t i = 0; i <= n; i++) {
    g->leaves[i].histogram = rmx_arena_alloc(arena, b->first[b->D], sizeof(sums));
    g->leaves[i].splittable = rmx_arena_alloc(arena, b->D, sizeof(bool));
    g->leaves[i].used = rmx_arena_alloc(arena, b->first[b->D] / 64, sizeof(uint64_t));
    if (!g->leaves[i].histogram || !g->leaves[i].splittable || !g->leaves[i].used) return NULL;
  }
  return g;
}

static void sum_rows(const rmx__histograms *g, const leaf *l) {
  const rmx__bins *b = g->bins;
  const uint32_t *entry = b->entry;
  sums *histogram = l->histogram;
  uint64_t *used = l->used;
  memset(histogram, 0, b->first[b->D] * sizeof(sums));
  memset(used, 0, b->first[b->D] / 64 * sizeof(uint64_t));
  for (size_t i = l->first; i < l->first + l->n; i++) {
    uint32_t row = g->rows[i];
    double gi = g->gradient[row], hi = g->hessian[row];
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

// Replaces `best` by the best split of a leaf on domain d if that gains more. It searches from the
// right, so that the highest bound wins among equal gains.
static void search_domain(const rmx__histograms *g, leaf *l, size_t d, rmx__split *best) {
  const rmx_trees_options *o = g->o;
  const sums *histogram = l->histogram + g->bins->first[d];
  const double sum_g = l->sum_g, sum_h = l->sum_h + 2 * RMX__EPSILON, factor = (double)l->n / sum_h;
  const double shift = rmx__leaf_gain(o, sum_g, sum_h) + o->min_gain;
  const bool quick = !g->weighted && o->lambda_l1 == 0 && o->lambda_l2 == 0;
  const int n = (int)l->n, min_data = (int)o->min_data_in_leaf;
  // A split whose gain is below the hurdle, allowing for rounding, cannot win, and cannot show that
  // the domain can be split at all.
  double right_g = 0, right_h = RMX__EPSILON, gain = -INFINITY, left_g = 0, left_h = 0,
         hurdle = shift * (1 - 1e-9);
  int right_n = 0, bin = -1;
  l->splittable[d] = false;
  const uint64_t *used = l->used + g->bins->first[d] / 64;
  // Only bins with rows: a bound after an empty bin makes the same split again.
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
          rest_g * rest_g * g->inverse[n - right_n] + right_g * right_g * g->inverse[right_n] <
              hurdle)
        continue;
      const double here = rmx__leaf_gain(o, rest_g, rest_h) + rmx__leaf_gain(o, right_g, right_h);
      if (here <= shift) continue;
      l->splittable[d] = true;
      if (here > gain) {
        gain = here;
        left_g = rest_g;
        left_h = rest_h;
        bin = k - 1;
        hurdle = fmax(here, best->gain + shift) * (1 - 1e-9);
      }
    }
  }
  if (l->splittable[d]) rmx__take_split(o, d, bin, gain, shift, sum_g, sum_h, left_g, left_h, best);
}

static void search(const rmx__histograms *g, leaf *l, const bool *splittable, rmx__split *best) {
  for (size_t d = 0; d < g->bins->D; d++) {
    if (g->bins->n[d] < 2 || (splittable && !splittable[d])) {
      l->splittable[d] = false;
      continue;
    }
    search_domain(g, l, d, best);
  }
}

// Moves the rows of `l` that go right after those that go left, keeping both in order. Returns how
// many go left.
static size_t partition(rmx__histograms *g, const leaf *l, const rmx__split *s) {
  const uint16_t *bin = g->bins->bin + (size_t)s->feature * g->bins->N;
  uint32_t *rows = g->rows + l->first;
  size_t n_left = 0, n_right = 0;
  for (size_t i = 0; i < l->n; i++) {
    uint32_t row = rows[i];
    bool goes_right = bin[row] > s->bin;
    rows[n_left] = row;
    g->right[n_right] = row;
    n_left += !goes_right;
    n_right += goes_right;
  }
  memcpy(rows + n_left, g->right, n_right * sizeof(uint32_t));
  return n_left;
}

void rmx__histograms_start(rmx__histograms *g, const float *gradient, const float *hessian,
                           double sum_g, double sum_h, rmx__split *best) {
  const size_t N = g->bins->N;
  leaf *root = &g->leaves[0];
  g->gradient = gradient;
  g->hessian = hessian;
  for (size_t i = 0; i < N; i++) g->rows[i] = (uint32_t)i;
  root->first = 0;
  root->n = N;
  root->depth = 0;
  root->sum_g = sum_g;
  root->sum_h = sum_h;
  best->gain = -INFINITY;
  if (N < 2 * (size_t)g->o->min_data_in_leaf) return;
  sum_rows(g, root);
  search(g, root, NULL, best);
}

// Makes the histograms of both children, unless neither can be split again.
size_t rmx__histograms_split(rmx__histograms *g, int a, int b, rmx__split *best) {
  leaf *left = &g->leaves[a], *right = &g->leaves[b];
  const rmx__split s = best[a];
  const size_t n_left = partition(g, left, &s), needed = 2 * (size_t)g->o->min_data_in_leaf;
  right->first = left->first + n_left;
  right->n = left->n - n_left;
  left->n = n_left;
  left->depth = right->depth = left->depth + 1;
  left->sum_g = s.left_g;
  left->sum_h = s.left_h;
  right->sum_g = s.right_g;
  right->sum_h = s.right_h;
  best[a].gain = best[b].gain = -INFINITY;
  if ((left->n < needed && right->n < needed) ||
      (g->o->max_depth > 0 && left->depth >= g->o->max_depth))
    return n_left;
  // `left` has the parent's histogram; it becomes that of the larger child.
  const bool left_is_small = left->n < right->n;
  leaf *small = left_is_small ? left : right, *large = left_is_small ? right : left;
  if (left_is_small) {
    sums *histogram = left->histogram;
    left->histogram = right->histogram;
    right->histogram = histogram;
    bool *splittable = left->splittable;
    left->splittable = right->splittable;
    right->splittable = splittable;
    uint64_t *used = left->used;
    left->used = right->used;
    right->used = used;
  }
  sum_rows(g, small);
  search(g, small, large->splittable, &best[left_is_small ? a : b]);
  size_t words = g->bins->first[g->bins->D] / 64;
  for (size_t word = 0; word < words; word++)
    for (uint64_t bits = small->used[word]; bits; bits &= bits - 1) {
      size_t k = 64 * word + (size_t)__builtin_ctzll(bits);
      large->histogram[k].g -= small->histogram[k].g;
      large->histogram[k].h -= small->histogram[k].h;
    }
  search(g, large, large->splittable, &best[left_is_small ? b : a]);
  return n_left;
}

void rmx__histograms_leaves(const rmx__histograms *g, int leaves, int *leaf_of) {
  for (int i = 0; i < leaves; i++)
    for (size_t k = 0; k < g->leaves[i].n; k++) leaf_of[g->rows[g->leaves[i].first + k]] = i;
}
