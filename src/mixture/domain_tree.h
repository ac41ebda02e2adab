// SPDX-License-Identifier: Apache-2.0
// The tree that the names of domains make: "web:code" belongs to the node "web", and "web:code:q2"
// to "web" and to "web:code".
#ifndef RMX_MIXTURE_DOMAIN_TREE_H
#define RMX_MIXTURE_DOMAIN_TREE_H

#include <regmix/base.h>

enum { RMX__DOMAIN_LEVELS = 3 };  // the longest name: source:topic:quality

// A node: the part that some names begin with.
typedef struct rmx__domain_node {
  char *name;      // without the separator at its end: "web:code"
  size_t level;    // 0: its name has no separator
  size_t parent;   // an earlier node; SIZE_MAX: none
  size_t *member;  // (n) the domains below it, in their order
  size_t n;
} rmx__domain_node;

typedef struct rmx__domain_tree {
  rmx__domain_node *node;  // (n) a parent comes before its children
  size_t n;
} rmx__domain_tree;

// Where the first `level` + 1 parts of the name end: the index of the separator (":" or "/") after
// them, or the length of the name. A separator counts if there is text on both sides of it, and
// only RMX__DOMAIN_LEVELS - 1 of them do.
size_t rmx__domain_node_end(const char *name, size_t level);
// The last part of the name: "q2" of "web:code:q2"; the whole name where it has one part.
const char *rmx__domain_leaf(const char *name);
// The nodes above the domains `names` (D), those with one member too. A domain is no node: a domain
// "web" beside "web:code" is not below the node "web". *out: rmx__domain_tree_release() it.
rmx_status rmx__domain_tree_make(const char *const *names, size_t D, rmx__domain_tree *out,
                                 rmx_err *err);
// The index of the node with this name; SIZE_MAX: there is none.
size_t rmx__domain_tree_find(const rmx__domain_tree *t, const char *name);
void rmx__domain_tree_release(rmx__domain_tree *t);

#endif
