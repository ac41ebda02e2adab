// SPDX-License-Identifier: Apache-2.0
// Orders as people type them: A<B<C. Each pair of neighbours is a linear constraint,
// 0 <= weight(B) - weight(A); weights within parts of the tokens are compared within them. Orders
// that lead back to their start would make weights equal, which nobody means, so they are refused.

#include <ctype.h>
#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/problem.h"

typedef struct side {
  bool *member;  // (D)
  char *name;
  int part;
} side;

static void release_side(side *s) {
  free(s->member);
  free(s->name);
  *s = (side){0};
}

// One name of the order, with spaces around it.
static rmx_status read_side(const rmx_constraints *c, char *text, const rmx__names *names,
                            side *out, rmx_err *err) {
  text += strspn(text, " \t=");  // so A<=B is A<B
  size_t n = strlen(text);
  while (n > 0 && isspace((unsigned char)text[n - 1])) n--;
  text[n] = '\0';
  if (n == 0) return rmx_fail(err, RMX_EINPUT, "a name is missing; wanted A<B<C");
  if (!(out->member = rmx_calloc(c->D, sizeof *out->member)))
    return rmx_fail_memory(err, c->D, "an order");
  return rmx__names_find(names, c->D, text, out->member, &out->name, &out->part, err);
}

static rmx_status add_pair(rmx_constraints *c, const side *below, const side *above,
                           const rmx__names *names, rmx_err *err) {
  if (strcmp(below->name, above->name) == 0)
    return rmx_fail(err, RMX_EINPUT, "\"%s\" is ordered before itself", below->name);
  for (size_t d = 0; d < c->D; d++)
    if (below->member[d] && above->member[d])
      return rmx_fail(err, RMX_EINPUT, "\"%s\" and \"%s\" both contain the domain \"%s\"",
                      below->name, above->name, names->domains[d]);
  RMX_OWNED char *name = rmx_format("%s<%s", below->name, above->name),
                 *text = name ? rmx_format("--ordered %s", name) : NULL;
  if (!text) return rmx_fail_memory(err, 0, "an order");
  RMX_TRY(rmx__add_share(c, name, text, above->member, 0, INFINITY, err));
  double *factor = c->shares[c->n_shares - 1].factor;
  const double scale = rmx__names_share(names, below->part) / rmx__names_share(names, above->part);
  for (size_t d = 0; d < c->D; d++) factor[d] = below->member[d] ? -1 : factor[d] * scale;
  return RMX_OK;
}

// Whether what `a` puts above is what `b` puts below: b follows a.
static bool follows(const rmx_share *a, const rmx_share *b, size_t D) {
  for (size_t d = 0; d < D; d++)
    if ((a->factor[d] > 0) != (b->factor[d] < 0)) return false;
  return true;
}

// Takes away orders that none precedes, or none follows, until all have both: those are in cycles.
static void strip_ends(const rmx_constraints *c, bool *in_cycle) {
  for (size_t i = 0; i < c->n_shares; i++) in_cycle[i] = isinf(c->shares[i].high);
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < c->n_shares; i++) {
      bool before = false, after = false;
      for (size_t k = 0; in_cycle[i] && k < c->n_shares; k++) {
        before |= in_cycle[k] && follows(&c->shares[k], &c->shares[i], c->D);
        after |= in_cycle[k] && follows(&c->shares[i], &c->shares[k], c->D);
      }
      if (!in_cycle[i] || (before && after)) continue;
      in_cycle[i] = false;
      changed = true;
    }
  }
}

static rmx_status check_cycles(const rmx_constraints *c, rmx_err *err) {
  RMX_OWNED bool *in_cycle = rmx_calloc(c->n_shares, sizeof *in_cycle);
  if (!in_cycle) return rmx_fail_memory(err, c->n_shares, "an order");
  strip_ends(c, in_cycle);
  rmx_few few = {0};
  for (size_t i = 0; i < c->n_shares; i++)
    if (in_cycle[i]) rmx_few_add(&few, c->shares[i].name);
  if (few.n == 0) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "the orders %s form a cycle, so no weight could be larger than another; leave "
                  "one of them out",
                  few.text);
}

rmx_status rmx_constraints_order(rmx_constraints *c, const char *text, const char *const *domains,
                                 rmx_err *err) {
  return rmx__order(c, text, &(rmx__names){.domains = domains}, err);
}

rmx_status rmx__order(rmx_constraints *c, const char *text, const rmx__names *names, rmx_err *err) {
  RMX_OWNED char *list = rmx_strdup(text);
  if (!list) return rmx_fail_memory(err, strlen(text), "an order");
  side last = {0}, next = {0};
  rmx_status status = RMX_OK;
  size_t n = 0;
  char *rest = list;
  for (char *part; status == RMX_OK && (part = strsep(&rest, "<")) != NULL; n++) {
    status = read_side(c, part, names, &next, err);
    if (status == RMX_OK && n > 0) status = add_pair(c, &last, &next, names, err);
    release_side(&last);
    last = next;
    next = (side){0};
  }
  release_side(&last);
  if (status == RMX_OK && n < 2)
    status = rmx_fail(err, RMX_EINPUT, "wanted two names or more, as A<B<C");
  if (status == RMX_OK) status = check_cycles(c, err);
  if (status != RMX_OK) rmx_fail_in(err, "--ordered %s", text);
  return status;
}
