// SPDX-License-Identifier: Apache-2.0
// What a name in a constraint means: a domain, a node of the tree, or either within a phase.
#include <regmix/mixture.h>

#include "optimize/problem.h"

rmx_status rmx__names_find(const rmx__names *names, size_t D, const char *text, bool *member,
                           char **name, int *part, rmx_err *err) {
  *part = RMX__ALL_TOKENS;
  return names->find ? names->find(names->context, text, member, name, part, err)
                     : rmx_find_domains(text, names->domains, D, member, name, err);
}

double rmx__names_share(const rmx__names *names, int part) {
  return part == RMX__ALL_TOKENS ? 1 : names->share[part];
}
