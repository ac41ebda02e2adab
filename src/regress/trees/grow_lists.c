// SPDX-License-Identifier: Apache-2.0
// The best split of a leaf from lists of its rows, sorted by each domain's bins (as in SLIQ: Mehta
// et al., EDBT 1996).
//
// The rows are sorted once in each domain, highest bin first, without those in the lowest bin,
// where the domain is usually absent. A split divides each list in two and keeps the order. All
// rows have weight 1. So the rows to the right of a bound are the first p of a list, the hessian is
// p, and running sums of gradients give the best split. Only p that leave min_data_in_leaf rows on
// both sides are tried; leaves that are too small for that need no lists.
//
// Gains are first computed with inverses instead of divisions (grow_lanes.c), with an error below
// 1e-9 of the gain. Gains that near to the best are computed again with LightGBM's rounding. Its
// histograms add the gradients in another order. That gives the same sums, since all sums are
// exact: gradients are floats, and almost always all are multiples of a unit and sum to less than
// 2^53 units (checked for each tree).
//
// Cost of a tree: O(rows of the leaves that are split * mean non-zero domains).

#include <string.h>

#include "grow.h"

enum {
  MAX_ROWS = 1 << RMX__ROW_BITS,
  MAX_BINS = 1 << RMX__BIN_BITS,
  MIN_DATA = 17,  // with 17 rows or more, the epsilons vanish in sums of hessians
};

typedef struct leaf {
  size_t n;
  double sum_g;
  int depth;
  uint32_t *first, *length;  // (D) where its lists lie in `rows`
  bool *splittable;          // (D) some split of it gained: else its children need not look
} leaf;

struct rmx__lists {
  const rmx__bins *bins;
  const rmx_trees_options *o;
  rmx__level level;
  size_t total;
  uint32_t *sorted;        // (total) bin and row, domain by domain, of all rows
  leaf all, *leaves;       // all rows; (leaves)
  uint64_t *rows, *right;  // (total), (N); and pad
  // (N + pad) 1/(p + lambda2); backwards: rest[N - p]; (D) greatest gains
  double *inverse, *rest, *max_gain;
  int *leaf_of;  // (N)
};

bool rmx__lists_suit(const rmx__bins *b, const rmx_trees_options *o, bool weighted) {
  return !weighted && b->N <= MAX_ROWS && o->max_bin <= MAX_BINS &&
         o->min_data_in_leaf >= MIN_DATA && o->min_hessian <= (double)o->min_data_in_leaf &&
         o->lambda_l1 == 0 && o->lambda_l2 >= 0 && o->min_gain >= 0;
}

static bool make_leaf(rmx_arena *arena, size_t D, leaf *l) {
  l->first = rmx_arena_alloc(arena, D, sizeof(uint32_t));
  l->length = rmx_arena_alloc(arena, D, sizeof(uint32_t));
  l->splittable = rmx_arena_alloc(arena, D, sizeof(bool));
  return l->first && l->length && l->splittable;
}

// Sorts the rows of domain d into l->sorted. count: scratch for its bins.
static void sort_rows(rmx__lists *l, size_t d, uint32_t *count) {
  const uint16_t *bin = l->bins->bin + d * l->bins->N;
  const size_t n = (size_t)l->bins->n[d];
  uint32_t at = (uint32_t)l->total;
  l->all.first[d] = at;
  l->all.splittable[d] = n > 1;
  if (n < 2) return;
  memset(count, 0, n * sizeof *count);
  for (size_t i = 0; i < l->bins->N; i++) count[bin[i]]++;
  for (size_t k = n; k-- > 1;) {
    uint32_t here = count[k];
    count[k] = at;
    at += here;
  }
  for (size_t i = 0; i < l->bins->N; i++)
    if (bin[i] > 0) l->sorted[count[bin[i]]++] = (uint32_t)bin[i] << RMX__ROW_BITS | (uint32_t)i;
  l->all.length[d] = at - l->all.first[d];
  l->total = at;
}

rmx__lists *rmx__lists_make(rmx_arena *arena, const rmx__bins *b, const rmx_trees_options *o) {
  const size_t leaves = rmx__max_leaves(b, o), N = b->N, D = b->D;
  rmx__lists *l = rmx_arena_alloc(arena, 1, sizeof *l);
  if (!l) return NULL;
  *l = (rmx__lists){.bins = b, .o = o, .level = rmx__trees_level()};
  l->sorted = rmx_arena_alloc(arena, N * D, sizeof(uint32_t));
  l->rows = rmx_arena_alloc(arena, N * D + RMX__LIST_PAD, sizeof(uint64_t));
  l->right = rmx_arena_alloc(arena, N + RMX__LIST_PAD, sizeof(uint64_t));
  l->inverse = rmx_arena_alloc(arena, N + 1 + RMX__LIST_PAD, sizeof(double));
  l->rest = rmx_arena_alloc(arena, N + 1 + RMX__LIST_PAD, sizeof(double));
  l->max_gain = rmx_arena_alloc(arena, D, sizeof(double));
  l->leaves = rmx_arena_alloc(arena, leaves + 1, sizeof(leaf));
  uint32_t *count = rmx_arena_alloc(arena, (size_t)o->max_bin, sizeof(uint32_t));
  if (!l->sorted || !l->rows || !l->right || !l->inverse || !l->rest || !l->max_gain ||
      !l->leaves || !count || !make_leaf(arena, D, &l->all))
    return NULL;
  for (size_t i = 0; i <= leaves; i++)
    if (!make_leaf(arena, D, &l->leaves[i])) return NULL;
  for (size_t p = 1; p <= N; p++) l->inverse[p] = l->rest[N - p] = 1 / ((double)p + o->lambda_l2);
  for (size_t d = 0; d < D; d++) sort_rows(l, d, count);
  return l;
}

// The max number of rows of a list that may go right.
static size_t highest(const rmx__lists *l, const leaf *at, size_t d) {
  const size_t length = at->length[d], min_data = (size_t)l->o->min_data_in_leaf;
  return length + min_data < at->n ? length : at->n - min_data;
}

// Replaces `best` by the best split on domain d if that gains more, of the splits whose gain is
// min_gain or more, allowing for rounding. Returns whether any split gains at all.
static bool search_domain(const rmx__lists *l, const leaf *at, size_t d, double shift,
                          double min_gain, rmx__split *best) {
  const uint64_t *list = l->rows + at->first[d];
  const double *rest = l->rest + l->bins->N - at->n, sum_g = at->sum_g, sum_h = (double)at->n;
  const size_t min_data = (size_t)l->o->min_data_in_leaf, length = at->length[d],
               high = highest(l, at, d);
  double gain = -INFINITY, left_g = 0, left_h = 0, right_g = 0;
  int bin = -1;
  for (size_t p = 1; p < min_data; p++) right_g += rmx__gradient_of(list[p - 1]);
  for (size_t p = min_data; p <= high; p++) {
    right_g += rmx__gradient_of(list[p - 1]);
    const double rest_g = sum_g - right_g, rest_h = sum_h - (double)p;
    if (right_g * right_g * l->inverse[p] + rest_g * rest_g * rest[p] < min_gain ||
        (p < length && ((list[p] ^ list[p - 1]) & RMX__BIN_MASK) == 0))
      continue;
    const double here =
        rmx__leaf_gain(l->o, rest_g, rest_h) + rmx__leaf_gain(l->o, right_g, (double)p);
    if (here <= shift || here <= gain) continue;
    gain = here;
    left_g = rest_g;
    left_h = rest_h;
    bin = (int)((list[p - 1] & RMX__BIN_MASK) >> RMX__ROW_BITS) - 1;
  }
  if (bin < 0) return false;
  rmx__take_split(l->o, d, bin, gain, shift, sum_g, sum_h, left_g, left_h, best);
  return true;
}

static void search(rmx__lists *l, leaf *at, rmx__split *best) {
  const size_t min_data = (size_t)l->o->min_data_in_leaf, D = l->bins->D;
  const double *rest = l->rest + l->bins->N - at->n;
  const double shift = rmx__leaf_gain(l->o, at->sum_g, (double)at->n) + l->o->min_gain;
  const double below = 1 - 1e-9, above = 1 + 1e-9;
  double max_gain = -1;
  for (size_t d = 0; d < D; d++) {
    const size_t high = highest(l, at, d);
    l->max_gain[d] = at->splittable[d] && high >= min_data
                         ? rmx__list_scan(l->level, l->rows + at->first[d], at->length[d], min_data,
                                          high, at->sum_g, l->inverse, rest)
                         : -1;
    max_gain = l->max_gain[d] > max_gain ? l->max_gain[d] : max_gain;
  }
  for (size_t d = 0; d < D; d++) {
    const bool sure = l->max_gain[d] > shift * above,
               unsure = !sure && l->max_gain[d] >= shift * below;
    at->splittable[d] = sure;
    if (l->max_gain[d] >= max_gain * below || unsure) {
      const bool any = search_domain(l, at, d, shift, (unsure ? shift : max_gain) * below, best);
      if (unsure) at->splittable[d] = any;
    }
  }
}

bool rmx__lists_start(rmx__lists *l, const float *gradient, double sum_g, int *leaf_of,
                      rmx__split *best) {
  const size_t N = l->bins->N, D = l->bins->D;
  // Adding and subtracting 3 * 2^51 units changes all numbers that are not multiples of the unit.
  double size = 0;
  int exponent;
  for (size_t i = 0; i < N; i++) size += fabs((double)gradient[i]);
  frexp(size, &exponent);
  const double round = ldexp(3, exponent);
  bool exact = true;
  for (size_t i = 0; i < N; i++) exact &= (gradient[i] + round) - round == gradient[i];
  if (!exact) return false;
  for (size_t i = 0; i < N; i++) {
    const double g = gradient[i];
    memcpy(&l->right[i], &g, sizeof(g));
  }
  for (size_t i = 0; i < l->total; i++)
    l->rows[i] = l->right[l->sorted[i] & RMX__ROW_MASK] | l->sorted[i];
  leaf *root = &l->leaves[0];
  root->n = N;
  root->sum_g = sum_g;
  root->depth = 0;
  memcpy(root->first, l->all.first, D * sizeof *root->first);
  memcpy(root->length, l->all.length, D * sizeof *root->length);
  memcpy(root->splittable, l->all.splittable, D * sizeof *root->splittable);
  l->leaf_of = leaf_of;
  memset(leaf_of, 0, N * sizeof *leaf_of);
  best->gain = -INFINITY;
  if (N >= 2 * (size_t)l->o->min_data_in_leaf) search(l, root, best);
  return true;
}

size_t rmx__lists_split(rmx__lists *l, int a, int b, rmx__split *best) {
  leaf *left = &l->leaves[a], *right = &l->leaves[b];
  const rmx__split s = best[a];
  const uint64_t *list = l->rows + left->first[s.feature];
  const size_t n_right = (size_t)s.right_h, n_left = left->n - n_right, D = l->bins->D;
  for (size_t i = 0; i < n_right; i++) l->leaf_of[list[i] & RMX__ROW_MASK] = b;
  left->n = n_left;
  right->n = n_right;
  left->depth = right->depth = left->depth + 1;
  left->sum_g = s.left_g;
  right->sum_g = s.right_g;
  best[a].gain = best[b].gain = -INFINITY;
  const size_t needed = 2 * (size_t)l->o->min_data_in_leaf;
  const bool go_left = n_left >= needed, go_right = n_right >= needed;
  if ((!go_left && !go_right) || (l->o->max_depth > 0 && left->depth >= l->o->max_depth))
    return n_left;
  rmx__marks marks;
  rmx__list_mark(l->level, l->leaf_of, l->bins->N, b, &marks);
  for (size_t d = 0; d < D; d++) {
    right->splittable[d] = left->splittable[d];
    if (!left->splittable[d]) continue;
    uint64_t *rows = l->rows + left->first[d];
    const size_t n = left->length[d], stay = rmx__list_part(&marks, rows, n, l->right);
    left->length[d] = (uint32_t)stay;
    right->length[d] = (uint32_t)(n - stay);
    right->first[d] = left->first[d] + (go_left ? left->length[d] : 0);
    if (go_right) memcpy(l->rows + right->first[d], l->right, (n - stay) * sizeof *rows);
  }
  if (go_left) search(l, left, &best[a]);
  if (go_right) search(l, right, &best[b]);
  return n_left;
}
