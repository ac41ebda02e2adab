// SPDX-License-Identifier: Apache-2.0
// Random mixtures that follow the tree of the domains' names: the weights of the sources are drawn
// first, then those of the topics in each source. Each time
//   w ~ Dirichlet(strength * share),  share = prior^temper / sum over what lies in the node.
// A Dirichlet distribution over all domains would be the same with strength * (share of the node)
// in place of strength: with hundreds of domains hardly any source then has more than one topic.
#ifndef RMX_MIXTURE_SAMPLE_TREE_H
#define RMX_MIXTURE_SAMPLE_TREE_H

#include "domain_tree.h"

typedef struct rmx__nested {
  size_t D;
  rmx__domain_tree tree;
  size_t *first;   // (n + 2) of the root and each node: the first of its children
  size_t *child;   // (D + n) domains, then nodes as D + k; grouped by what they lie in
  double *share;   // (D + n) of each child
  double *alpha;   // (D + n) scratch
  double *drawn;   // (D + n) scratch
  double *weight;  // (n + 1) scratch: of the root and each node
} rmx__nested;

// weight (D): the prior, 0 for what is left out. mean (D): the weights that draws are around.
rmx_status rmx__nested_make(rmx__nested *s, const char *const *names, const double *weight,
                            size_t D, double temper, double *mean, rmx_err *err);
void rmx__nested_release(rmx__nested *s);
// w (D)
void rmx__nested_draw(rmx__nested *s, rmx_rng *rng, double strength, double *w);
// Nothing to follow: every node holds one domain or all of them.
bool rmx__tree_is_flat(const rmx__domain_tree *t, size_t D);

#endif
