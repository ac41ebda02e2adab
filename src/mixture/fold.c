// SPDX-License-Identifier: Apache-2.0
// A mixture by the nodes of its domains' tree.

#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "domain_tree.h"

// The node of domain d at this level, if it has several domains; t->n: there is none. A node above
// it would be named for less than its total: the other nodes below that are not part of it.
static size_t node_of(const rmx__domain_tree *t, size_t d, size_t level) {
  for (size_t k = 0; k < t->n; k++) {
    const rmx__domain_node *v = &t->node[k];
    for (size_t i = 0; i < v->n && v->n > 1 && v->level == level; i++)
      if (v->member[i] == d) return k;
  }
  return t->n;
}

// "web:" where a domain has the name of the node.
static char *name_of(const char *node, const char *const *names, size_t D) {
  for (size_t d = 0; d < D; d++)
    if (strcmp(names[d], node) == 0) return rmx_format("%s:", node);
  return rmx_strdup(node);
}

static size_t index_of(const rmx_strings *names, const char *name) {
  size_t i = 0;
  while (i < names->n && strcmp(names->items[i], name) != 0) i++;
  return i;
}

rmx_status rmx_fold(const char *const *names, size_t D, size_t levels, rmx_strings *folded,
                    size_t *into, rmx_err *err) {
  RMX_OWNED_BY(rmx__domain_tree_release) rmx__domain_tree t = {0};
  RMX_TRY(rmx__domain_tree_make(names, D, &t, err));
  for (size_t d = 0; d < D; d++) {
    const size_t k = node_of(&t, d, levels - 1);
    RMX_OWNED char *name = k < t.n ? name_of(t.node[k].name, names, D) : rmx_strdup(names[d]);
    if (!name) return rmx_fail_memory(err, 0, "a name");
    into[d] = index_of(folded, name);
    if (into[d] == folded->n && !rmx_strings_add(folded, name))
      return rmx_fail_memory(err, 0, "a name");
  }
  return RMX_OK;
}

void rmx_fold_sum(const size_t *into, size_t D, size_t n, const double *w, double *out) {
  for (size_t k = 0; k < n; k++) out[k] = 0;
  for (size_t d = 0; d < D; d++) out[into[d]] += w[d];
}
