// SPDX-License-Identifier: Apache-2.0
// Growing one tree: what its files share.
//   grow.c              which leaf is split, and the tree that follows
//   grow_histograms.c   the best split of a leaf from sums over bins: any data
//   grow_lists.c        the same from sorted lists of rows: faster where runs are few and count
//                       alike
//   grow_lanes.c        its inner loops
#ifndef RMX_REGRESS_GROW_H
#define RMX_REGRESS_GROW_H

#include <math.h>

#include "trees.h"

typedef struct rmx__split {
  double gain;  // over no split; -INFINITY: none
  int feature, bin;
  double left_g, left_h, left_value;  // sums of gradients and hessians; *_h without epsilon
  double right_g, right_h, right_value;
} rmx__split;

static inline double rmx__soften(double s, double l1) {
  return l1 > 0 ? copysign(fmax(0, fabs(s) - l1), s) : s;
}

static inline double rmx__leaf_gain(const rmx_trees_options *o, double g, double h) {
  double s = rmx__soften(g, o->lambda_l1);
  return s * s / (h + o->lambda_l2);
}

static inline double rmx__leaf_value(const rmx_trees_options *o, double g, double h) {
  return -rmx__soften(g, o->lambda_l1) / (h + o->lambda_l2);
}

// The leaves a tree may get: no more than the rows allow.
static inline size_t rmx__max_leaves(const rmx__bins *b, const rmx_trees_options *o) {
  size_t n = (size_t)o->leaves, max = b->N / (size_t)o->min_data_in_leaf;
  return n < max ? n : max > 1 ? max : 1;
}

// Replaces `best` by a split if that gains more. gain: G_l^2/H_l + G_r^2/H_r. shift: the leaf's own
// G^2/H plus the min gain. left_h includes epsilon.
static inline void rmx__take_split(const rmx_trees_options *o, size_t feature, int bin, double gain,
                                   double shift, double sum_g, double sum_h, double left_g,
                                   double left_h, rmx__split *best) {
  // Of equal gains on two domains the lower domain stays, which comes first.
  if (gain - shift <= best->gain) return;
  *best = (rmx__split){.gain = gain - shift,
                       .feature = (int)feature,
                       .bin = bin,
                       .left_g = left_g,
                       .left_h = left_h - RMX__EPSILON,
                       .left_value = rmx__leaf_value(o, left_g, left_h),
                       .right_g = sum_g - left_g,
                       .right_h = sum_h - left_h - RMX__EPSILON,
                       .right_value = rmx__leaf_value(o, sum_g - left_g, sum_h - left_h)};
}

// Histograms and lists have the same functions. `start` makes leaf 0 of all rows, whose gradients
// sum to sum_g and hessians to sum_h, and finds its best split. `split` divides leaf a by its best
// split into a (left) and b (right), finds the best splits of both, and returns how many rows go
// left. best: (leaves).

typedef struct rmx__histograms rmx__histograms;
rmx__histograms *rmx__histograms_make(rmx_arena *arena, const rmx__bins *bins,
                                      const rmx_trees_options *o, bool weighted);
void rmx__histograms_start(rmx__histograms *h, const float *gradient, const float *hessian,
                           double sum_g, double sum_h, rmx__split *best);
size_t rmx__histograms_split(rmx__histograms *h, int a, int b, rmx__split *best);
void rmx__histograms_leaves(const rmx__histograms *h, int leaves, int *leaf_of);

typedef struct rmx__lists rmx__lists;
// Whether lists can be used with these data and options.
bool rmx__lists_suit(const rmx__bins *bins, const rmx_trees_options *o, bool weighted);
rmx__lists *rmx__lists_make(rmx_arena *arena, const rmx__bins *bins, const rmx_trees_options *o);
// False if these gradients need histograms. Updates leaf_of (N) until the next start.
bool rmx__lists_start(rmx__lists *l, const float *gradient, double sum_g, int *leaf_of,
                      rmx__split *best);
size_t rmx__lists_split(rmx__lists *l, int a, int b, rmx__split *best);

// A list has rows in the order of one domain's bins, highest first. One word holds the gradient,
// the bin and the number of a row: a gradient is a float, which leaves 29 bits of a double free.
enum { RMX__ROW_BITS = 13, RMX__BIN_BITS = 16 };
#define RMX__ROW_MASK ((UINT64_C(1) << RMX__ROW_BITS) - 1)
#define RMX__BIN_MASK (((UINT64_C(1) << RMX__BIN_BITS) - 1) << RMX__ROW_BITS)
#define RMX__GRADIENT_MASK (~(RMX__BIN_MASK | RMX__ROW_MASK))

static inline double rmx__gradient_of(uint64_t row) {
  union {
    uint64_t bits;
    double value;
  } g = {.bits = row & RMX__GRADIENT_MASK};
  return g.value;
}
enum { RMX__LIST_PAD = 16 };  // words that may be read after a list and written after a scratch

// For each p from `low` to `high` where row p + 1 of the list (n) has another bin than row p, or
// there is none: r^2 * inverse[p] + (sum - r)^2 * rest[p], with r the sum of the first p gradients.
// Returns the max; -1 if there is no such p.
double rmx__list_scan(rmx__level level, const uint64_t *list, size_t n, size_t low, size_t high,
                      double sum, const double *inverse, const double *rest);

typedef struct rmx__marks {  // the rows of one leaf
  const int *leaf_of;
  int leaf;
  bool wide;          // eight at a time
  uint64_t bits[16];  // then one for each row
} rmx__marks;

void rmx__list_mark(rmx__level level, const int *leaf_of, size_t N, int leaf, rmx__marks *m);
// Moves the rows that are not marked to the front and copies the marked ones to `marked`; both keep
// their order. Returns how many are not marked.
size_t rmx__list_part(const rmx__marks *m, uint64_t *list, size_t n, uint64_t *marked);

#endif
