// SPDX-License-Identifier: Apache-2.0
// The domains that a name stands for: one domain, or the members of a node of their tree.

#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "domain_tree.h"

// The index among domains, then nodes: candidates (D + t->n).
static rmx_status find(const rmx__domain_tree *t, const char *name, const char *const *names,
                       size_t D, const char **candidates, size_t *index, rmx_err *err) {
  size_t stem = strlen(name);
  rmx_err ignored;
  while (stem > 1 && strchr(":/", name[stem - 1])) stem--;
  for (*index = 0; *index < D; ++*index)
    if (strcmp(name, names[*index]) == 0) return RMX_OK;
  RMX_OWNED char *node = rmx_format("%.*s", (int)stem, name);
  if (!node) return rmx_fail_memory(err, stem, "a name");
  const size_t k = rmx__domain_tree_find(t, node);
  *index = D + k;
  if (k != SIZE_MAX) return RMX_OK;
  if (rmx_find_name("domain", name, names, D, index, &ignored) == RMX_OK) return RMX_OK;
  // Nodes first, so that a list that is cut off has them.
  for (size_t i = 0; i < t->n; i++) candidates[i] = t->node[i].name;
  memcpy(candidates + t->n, names, D * sizeof *candidates);
  RMX_TRY(
      rmx_find_name(t->n ? "domain or node" : "domain", name, candidates, D + t->n, index, err));
  *index = *index < t->n ? D + *index : *index - t->n;
  return RMX_OK;
}

// "web", or "web:" if a domain has the name of the node.
static char *name_of(const rmx__domain_tree *t, const char *const *names, size_t D, size_t index) {
  if (index < D) return rmx_strdup(names[index]);
  const char *node = t->node[index - D].name;
  for (size_t d = 0; d < D; d++)
    if (strcmp(names[d], node) == 0) return rmx_format("%s:", node);
  return rmx_strdup(node);
}

rmx_status rmx_find_domains(const char *name, const char *const *names, size_t D, bool *member,
                            char **whole, rmx_err *err) {
  RMX_OWNED_BY(rmx__domain_tree_release) rmx__domain_tree t = {0};
  size_t index = 0;
  RMX_TRY(rmx__domain_tree_make(names, D, &t, err));
  RMX_OWNED const char **candidates = rmx_calloc(D + t.n, sizeof *candidates);
  if (!candidates) return rmx_fail_memory(err, (D + t.n) * sizeof *candidates, "names");
  RMX_TRY(find(&t, name, names, D, candidates, &index, err));
  for (size_t d = 0; d < D; d++) member[d] = d == index;
  for (size_t i = 0; index >= D && i < t.node[index - D].n; i++)
    member[t.node[index - D].member[i]] = true;
  if (!whole) return RMX_OK;
  *whole = name_of(&t, names, D, index);
  return *whole ? RMX_OK : rmx_fail_memory(err, 0, "a name");
}
