// SPDX-License-Identifier: Apache-2.0
// Bounds on the total weight of groups of domains, as people type them: a list of domains and
// nodes, or a node alone.

#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/problem.h"

rmx_status rmx__add_share(rmx_constraints *c, const char *name, const char *text,
                          const bool *member, double low, double high, rmx_err *err) {
  rmx_share *shares = rmx_realloc(c->shares, c->n_shares + 1, sizeof(*shares));
  if (shares == NULL) return rmx_fail_memory(err, sizeof(*shares), "a share");
  c->shares = shares;
  rmx_share *s = &shares[c->n_shares++];  // released with the others from here on
  *s = (rmx_share){.name = rmx_strdup(name),
                   .factor = rmx_calloc(c->D, sizeof(double)),
                   .low = low,
                   .high = high,
                   .text = rmx_strdup(text)};
  if (!s->name || !s->factor || !s->text) return rmx_fail_memory(err, strlen(text), "a share");
  for (size_t d = 0; d < c->D; d++) s->factor[d] = member[d];
  return RMX_OK;
}

static rmx_status parse_range(char *range, const char *typed, double *low, double *high,
                              rmx_err *err) {
  char *dots = strstr(range, "..");
  *low = 0;
  *high = 1;
  if (dots) *dots = '\0';
  if (*range || !dots) RMX_TRY(rmx_parse_real(range, typed, low, err));
  if (!dots)
    *high = *low;
  else if (dots[2])
    RMX_TRY(rmx_parse_real(dots + 2, typed, high, err));
  if (*low >= 0 && *low <= *high && *high <= 1) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: wanted 0 <= LOW <= HIGH <= 1", typed);
}

// member (D) of a list of domains and nodes with commas between; one (D) is scratch. part: that of
// all of them, if they have the same.
static rmx_status find_members(const rmx_constraints *c, char *list, const rmx__names *names,
                               bool *one, bool *member, int *part, rmx_err *err) {
  bool first = true;
  for (char *name; (name = strsep(&list, ",")) != NULL; first = false) {
    int own;
    RMX_TRY(rmx__names_find(names, c->D, name, one, NULL, &own, err));
    *part = first || own == *part ? own : RMX__ALL_TOKENS;
    for (size_t d = 0; d < c->D; d++) member[d] |= one[d];
  }
  return RMX_OK;
}

rmx_status rmx_constraints_share(rmx_constraints *c, const char *text, const char *const *domains,
                                 rmx_err *err) {
  return rmx__share(c, text, &(rmx__names){.domains = domains}, err);
}

rmx_status rmx__share(rmx_constraints *c, const char *text, const rmx__names *names, rmx_err *err) {
  static const char wanted[] = "wanted NAME=LOW..HIGH:DOMAIN,DOMAIN,... or NODE=LOW..HIGH";
  const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
  if (!equals || equals == text || !equals[1] || (colon && !colon[1]))
    return rmx_fail(err, RMX_EINPUT, "--share %s: %s", text, wanted);
  const char *end = colon ? colon : text + strlen(text);
  double low, high;
  int part = RMX__ALL_TOKENS;
  RMX_OWNED char *name = rmx_format("%.*s", (int)(equals - text), text),
                 *typed = rmx_format("--share %.*s", (int)(end - text), text),
                 *range = rmx_format("%.*s", (int)(end - equals - 1), equals + 1),
                 *list = rmx_strdup(colon ? colon + 1 : "");
  RMX_OWNED bool *member = rmx_calloc(c->D, sizeof *member), *one = rmx_calloc(c->D, sizeof *one);
  if (!name || !typed || !range || !list || !member || !one)
    return rmx_fail_memory(err, strlen(text), "a share");
  RMX_TRY(parse_range(range, typed, &low, &high, err));
  rmx_status status = colon ? find_members(c, list, names, one, member, &part, err)
                            : rmx__names_find(names, c->D, name, member, NULL, &part, err);
  const double of = rmx__names_share(names, part);
  if (status == RMX_OK) return rmx__add_share(c, name, typed, member, low * of, high * of, err);
  if (!colon && strstr(err->message, "unknown"))
    return rmx_fail(err, status, "%s: there is no domain or node \"%s\"; %s", typed, name, wanted);
  rmx_fail_in(err, "%s", typed);
  return status;
}
