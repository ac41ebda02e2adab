// SPDX-License-Identifier: Apache-2.0
// See sample_tree.h.

#include "sample_tree.h"

#include <regmix/mixture.h>
#include <stdlib.h>

bool rmx__tree_is_flat(const rmx__domain_tree *t, size_t D) {
  for (size_t k = 0; k < t->n; k++)
    if (t->node[k].n > 1 && t->node[k].n < D) return false;
  return true;
}

bool rmx_names_form_a_tree(const char *const *names, size_t D) {
  rmx__domain_tree t;
  rmx_err ignored;
  if (rmx__domain_tree_make(names, D, &t, &ignored) != RMX_OK) return false;
  const bool flat = rmx__tree_is_flat(&t, D);
  rmx__domain_tree_release(&t);
  return !flat;
}

// What each child lies in: 0 the root, 1 + k node k. The innermost node of a domain comes last.
static void find_parents(const rmx__nested *s, size_t *parent) {
  for (size_t k = 0; k < s->tree.n; k++) {
    const rmx__domain_node *v = &s->tree.node[k];
    for (size_t i = 0; i < v->n; i++) parent[v->member[i]] = 1 + k;
    parent[s->D + k] = v->parent == SIZE_MAX ? 0 : 1 + v->parent;
  }
}

// Children grouped by what they lie in.
static void group(rmx__nested *s, const size_t *parent) {
  const size_t n = s->D + s->tree.n;
  size_t at = 0;
  for (size_t v = 0; v <= s->tree.n; v++) {
    s->first[v] = at;
    for (size_t c = 0; c < n; c++)
      if (parent[c] == v) s->child[at++] = c;
  }
  s->first[s->tree.n + 1] = at;
}

static double prior_of(const rmx__nested *s, const double *weight, size_t child) {
  if (child < s->D) return weight[child];
  const rmx__domain_node *v = &s->tree.node[child - s->D];
  double sum = 0;
  for (size_t i = 0; i < v->n; i++) sum += weight[v->member[i]];
  return sum;
}

// The share of each child of vertex v, and its weight on average.
static void set_shares(rmx__nested *s, const double *weight, double temper, size_t v,
                       double *mean) {
  const size_t at = s->first[v], n = s->first[v + 1] - at;
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += s->alpha[i] = prior_of(s, weight, s->child[at + i]);
  for (size_t i = 0; i < n; i++) s->share[at + i] = 0;
  if (sum > 0) rmx_mixture_temper(s->alpha, n, temper, s->share + at);
  for (size_t i = 0; i < n; i++) {
    const size_t c = s->child[at + i];
    const double w = s->weight[v] * s->share[at + i];
    if (c < s->D)
      mean[c] = w;
    else
      s->weight[1 + c - s->D] = w;
  }
}

rmx_status rmx__nested_make(rmx__nested *s, const char *const *names, const double *weight,
                            size_t D, double temper, double *mean, rmx_err *err) {
  *s = (rmx__nested){.D = D};
  RMX_TRY(rmx__domain_tree_make(names, D, &s->tree, err));
  const size_t nodes = s->tree.n, n = D + nodes;
  RMX_OWNED size_t *parent = rmx_calloc(n, sizeof *parent);
  s->first = rmx_calloc(nodes + 2, sizeof *s->first);
  s->child = rmx_calloc(n, sizeof *s->child);
  s->share = rmx_calloc(n, sizeof *s->share);
  s->alpha = rmx_calloc(n, sizeof *s->alpha);
  s->drawn = rmx_calloc(n, sizeof *s->drawn);
  s->weight = rmx_calloc(nodes + 1, sizeof *s->weight);
  if (!parent || !s->first || !s->child || !s->share || !s->alpha || !s->drawn || !s->weight)
    return rmx_fail_memory(err, n * sizeof *s->alpha, "the tree of the domains");
  find_parents(s, parent);
  group(s, parent);
  s->weight[0] = 1;
  for (size_t v = 0; v <= nodes; v++) set_shares(s, weight, temper, v, mean);
  return RMX_OK;
}

void rmx__nested_release(rmx__nested *s) {
  rmx__domain_tree_release(&s->tree);
  free(s->first);
  free(s->child);
  free(s->share);
  free(s->alpha);
  free(s->drawn);
  free(s->weight);
  *s = (rmx__nested){0};
}

void rmx__nested_draw(rmx__nested *s, rmx_rng *rng, double strength, double *w) {
  s->weight[0] = 1;
  for (size_t v = 0; v <= s->tree.n; v++) {
    const size_t at = s->first[v], n = s->first[v + 1] - at;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += s->alpha[i] = strength * s->share[at + i];
    for (size_t i = 0; i < n; i++) s->drawn[i] = 0;
    if (sum > 0) rmx_dirichlet(rng, s->alpha, n, s->drawn);
    for (size_t i = 0; i < n; i++) {
      const size_t c = s->child[at + i];
      *(c < s->D ? &w[c] : &s->weight[1 + c - s->D]) = s->weight[v] * s->drawn[i];
    }
  }
}
