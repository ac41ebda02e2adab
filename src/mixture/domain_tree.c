// SPDX-License-Identifier: Apache-2.0
// See domain_tree.h. Nodes come in the order in which the names of the domains first need them.
//
// Cost: O(D n) comparisons of names.

#include "domain_tree.h"

#include <stdlib.h>
#include <string.h>

size_t rmx__domain_node_end(const char *name, size_t level) {
  size_t found = 0, last = RMX__DOMAIN_LEVELS - 1;
  for (size_t i = 1; name[0] && name[i]; i++) {
    bool parts = strchr(":/", name[i]) && name[i + 1] && !strchr(":/", name[i - 1]);
    if (!parts || strchr(":/", name[i + 1])) continue;
    if (found == last) break;
    if (found++ == level) return i;
  }
  return strlen(name);
}

const char *rmx__domain_leaf(const char *name) {
  size_t end = 0;
  for (size_t level = 0; level + 1 < RMX__DOMAIN_LEVELS; level++) {
    size_t next = rmx__domain_node_end(name, level);
    if (!name[next]) break;
    end = next + 1;
  }
  return name + end;
}

static bool is_named(const rmx__domain_node *v, const char *name, size_t length) {
  return strncmp(v->name, name, length) == 0 && !v->name[length];
}

static size_t find(const rmx__domain_tree *t, const char *name, size_t length) {
  for (size_t k = 0; k < t->n; k++)
    if (is_named(&t->node[k], name, length)) return k;
  return SIZE_MAX;
}

size_t rmx__domain_tree_find(const rmx__domain_tree *t, const char *name) {
  return find(t, name, strlen(name));
}

// The node of that name, which is made if it is new.
static rmx__domain_node *node_of(rmx__domain_tree *t, const char *name, size_t length, size_t D) {
  size_t k = find(t, name, length);
  if (k != SIZE_MAX) return &t->node[k];
  rmx__domain_node v = {.name = rmx_format("%.*s", (int)length, name),
                        .member = rmx_calloc(D, sizeof(size_t))};
  if (!v.name || !v.member) {
    free(v.name);
    free(v.member);
    return NULL;
  }
  t->node[t->n] = v;
  return &t->node[t->n++];
}

rmx_status rmx__domain_tree_make(const char *const *names, size_t D, rmx__domain_tree *out,
                                 rmx_err *err) {
  rmx__domain_tree t = {.node = rmx_calloc(D, (RMX__DOMAIN_LEVELS - 1) * sizeof(rmx__domain_node))};
  bool failed = !t.node;
  for (size_t d = 0; d < D && !failed; d++) {
    size_t parent = SIZE_MAX;
    for (size_t level = 0; level + 1 < RMX__DOMAIN_LEVELS && !failed; level++) {
      size_t end = rmx__domain_node_end(names[d], level);
      if (!names[d][end]) break;
      rmx__domain_node *v = node_of(&t, names[d], end, D);
      failed = !v;
      if (failed) break;
      v->level = level;
      v->parent = parent;
      v->member[v->n++] = d;
      parent = (size_t)(v - t.node);
    }
  }
  if (failed) {
    rmx__domain_tree_release(&t);
    return rmx_fail_memory(err, D * sizeof(rmx__domain_node), "the tree of the domains");
  }
  *out = t;
  return RMX_OK;
}

void rmx__domain_tree_release(rmx__domain_tree *t) {
  for (size_t k = 0; k < t->n; k++) {
    free(t->node[k].name);
    free(t->node[k].member);
  }
  free(t->node);
  *t = (rmx__domain_tree){0};
}
