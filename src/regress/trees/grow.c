// SPDX-License-Identifier: Apache-2.0
// Grows one tree, leaf by leaf. It always splits the leaf whose best split has the largest gain
// (LightGBM's "leaf-wise" growth).
//
// For a leaf with sums G of gradients and H of hessians (row weights), its value is
// -G/(H + lambda2) and a split gains
//   G_l^2/(H_l + lambda2) + G_r^2/(H_r + lambda2) - G^2/(H + lambda2).
// The sums on either side of each bin bound come from histograms (grow_histograms.c) or sorted
// lists (grow_lists.c); the tree is the same.
//
// The rounding is LightGBM's too: gradients are floats, sums are doubles, the small epsilons are in
// the same places, and ties go to the higher bound and then to the lower domain.

#include "grow.h"

struct rmx__grower {
  const rmx__bins *bins;
  const rmx_trees_options *o;
  rmx__histograms *histograms;
  rmx__lists *lists;  // NULL: histograms are used
  rmx__split *best;   // (leaves)
  int *parent;        // (leaves) the node above each leaf
};

rmx__grower *rmx__grower_make(rmx_arena *arena, const rmx__bins *b, const rmx_trees_options *o,
                              bool weighted) {
  rmx__grower *g = rmx_arena_alloc(arena, 1, sizeof *g);
  const size_t leaves = rmx__max_leaves(b, o);
  const bool lists = rmx__lists_suit(b, o, weighted);
  if (!g) return NULL;
  *g = (rmx__grower){.bins = b, .o = o};
  g->histograms = rmx__histograms_make(arena, b, o, weighted);
  g->lists = lists ? rmx__lists_make(arena, b, o) : NULL;
  g->best = rmx_arena_alloc(arena, leaves + 1, sizeof(rmx__split));
  g->parent = rmx_arena_alloc(arena, leaves + 1, sizeof(int));
  return g->histograms && (g->lists || !lists) && g->best && g->parent ? g : NULL;
}

// Records the split of leaf a, which becomes the left child; leaf number t->leaves becomes the
// right one.
static void record(const rmx__grower *g, rmx__tree *t, int a, const rmx__split *s, size_t n_left) {
  const int node = t->leaves - 1, b = t->leaves++, above = g->parent[a], n = t->count[a];
  if (above >= 0) {
    if (t->left[above] == ~a)
      t->left[above] = node;
    else
      t->right[above] = node;
  }
  t->feature[node] = s->feature;
  t->threshold[node] = g->bins->upper[g->bins->first[s->feature] + (size_t)s->bin];
  t->gain[node] = (float)s->gain;
  t->type[node] = 2;  // numerical, missing goes left, nothing is missing
  t->left[node] = ~a;
  t->right[node] = ~b;
  t->inner_value[node] = t->value[a];
  t->inner_weight[node] = s->left_h + s->right_h;
  t->inner_count[node] = n;
  t->value[a] = s->left_value;
  t->value[b] = s->right_value;
  t->weight[a] = s->left_h;
  t->weight[b] = s->right_h;
  t->count[a] = (int)n_left;
  t->count[b] = n - (int)n_left;
  g->parent[a] = g->parent[b] = node;
}

static int choose_leaf(const rmx__split *best, int leaves) {
  int chosen = 0;
  for (int i = 1; i < leaves; i++)
    if (best[i].gain > best[chosen].gain ||
        (best[i].gain == best[chosen].gain && best[i].feature < best[chosen].feature))
      chosen = i;
  return chosen;
}

void rmx__grow(rmx__grower *g, const float *gradient, const float *hessian, rmx__tree *t,
               int *leaf_of) {
  const size_t N = g->bins->N;
  double sum_g = 0, sum_h = 0;
  for (size_t i = 0; i < N; i++) {
    sum_g += gradient[i];
    sum_h += hessian[i];
  }
  g->parent[0] = -1;
  t->leaves = 1;
  t->shrinkage = 1;
  t->value[0] = rmx__leaf_value(g->o, sum_g, sum_h);
  t->weight[0] = sum_h;
  t->count[0] = (int)N;
  const bool lists = g->lists && rmx__lists_start(g->lists, gradient, sum_g, leaf_of, g->best);
  if (!lists) rmx__histograms_start(g->histograms, gradient, hessian, sum_g, sum_h, g->best);
  while (t->leaves < g->o->leaves) {
    const int a = choose_leaf(g->best, t->leaves), b = t->leaves;
    const rmx__split s = g->best[a];
    if (!(s.gain > 0)) break;
    const size_t n_left = lists ? rmx__lists_split(g->lists, a, b, g->best)
                                : rmx__histograms_split(g->histograms, a, b, g->best);
    record(g, t, a, &s, n_left);
  }
  if (!lists) rmx__histograms_leaves(g->histograms, t->leaves, leaf_of);
}
