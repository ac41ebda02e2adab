// SPDX-License-Identifier: Apache-2.0
// Constraints as people type them: floors, caps, fixed weights, shares of groups.

#include "optimize/problem.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

rmx_status rmx_constraints_make(size_t D, rmx_constraints *out, rmx_err *err) {
  rmx_constraints c = {.D = D, .max_kl = INFINITY};
  c.low = rmx_calloc(D, sizeof(double));
  c.high = rmx_calloc(D, sizeof(double));
  c.low_text = rmx_calloc(D, sizeof(char *));
  c.high_text = rmx_calloc(D, sizeof(char *));
  if (!c.low || !c.high || !c.low_text || !c.high_text) {
    rmx_constraints_release(&c);
    return rmx_fail_memory(err, 4 * D * sizeof(double), "constraints");
  }
  for (size_t d = 0; d < D; d++) c.high[d] = 1;
  *out = c;
  return RMX_OK;
}

void rmx_constraints_release(rmx_constraints *c) {
  for (size_t d = 0; d < c->D; d++) {
    if (c->low_text) free(c->low_text[d]);
    if (c->high_text) free(c->high_text[d]);
  }
  for (size_t i = 0; i < c->n_shares; i++) {
    free(c->shares[i].name);
    free(c->shares[i].member);
    free(c->shares[i].text);
  }
  free(c->low);
  free(c->high);
  free(c->low_text);
  free(c->high_text);
  free(c->shares);
  free(c->reference);
  *c = (rmx_constraints){0};
}

static rmx_status replace(char **text, const char *with, rmx_err *err) {
  char *copy = rmx_strdup(with);
  if (copy == NULL) return rmx_fail_memory(err, strlen(with), "a constraint");
  free(*text);
  *text = copy;
  return RMX_OK;
}

static rmx_status set_low(rmx_constraints *c, size_t d, double x, const char *text, rmx_err *err) {
  if (x <= c->low[d] && c->low_text[d]) return RMX_OK;
  c->low[d] = fmax(x, c->low[d]);
  return replace(&c->low_text[d], text, err);
}

static rmx_status set_high(rmx_constraints *c, size_t d, double x, const char *text, rmx_err *err) {
  if (x >= c->high[d] && (c->high_text[d] || x >= 1)) return RMX_OK;
  c->high[d] = fmin(x, c->high[d]);
  return replace(&c->high_text[d], text, err);
}

rmx_status rmx_constraints_bound(rmx_constraints *c, rmx_bound kind, const char *text,
                                 const char *const *domains, rmx_err *err) {
  static const char *const flags[] = {"--floor", "--cap", "--fix"};
  const char *equals = strrchr(text, '=');
  if (equals == NULL || equals == text)
    return rmx_fail(err, RMX_EINPUT, "%s %s: wanted DOMAIN=WEIGHT", flags[kind], text);
  double x = 0;
  size_t d = 0;
  char *name = rmx_format("%.*s", (int)(equals - text), text),
       *typed = rmx_format("%s %s", flags[kind], text);
  rmx_status status = name && typed ? RMX_OK : rmx_fail_memory(err, strlen(text), "a constraint");
  if (status == RMX_OK) status = rmx_parse_real(equals + 1, typed, &x, err);
  if (status == RMX_OK &&
      (status = rmx_find_name("domain", name, domains, c->D, &d, err)) != RMX_OK)
    rmx_fail_in(err, "%s", typed);
  if (status == RMX_OK && !(x >= 0 && x <= 1))
    status = rmx_fail(err, RMX_EINPUT, "%s: a weight is a share of the tokens, 0 to 1", typed);
  if (status == RMX_OK && kind != RMX_CAP) status = set_low(c, d, x, typed, err);
  if (status == RMX_OK && kind != RMX_FLOOR) status = set_high(c, d, x, typed, err);
  free(name);
  free(typed);
  return status;
}

rmx_status rmx_constraints_caps(rmx_constraints *c, const double *cap, const char *text,
                                const char *const *domains, rmx_err *err) {
  for (size_t d = 0; d < c->D; d++) {
    if (isnan(cap[d]) || cap[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the cap of domain \"%s\" is %g: wanted 0 to 1", domains[d],
                      cap[d]);
    if (cap[d] >= 1) continue;
    const char *at = strstr(text, "%s");
    char *typed =
        at ? rmx_format("%.*s%s%s", (int)(at - text), text, domains[d], at + 2) : rmx_strdup(text);
    rmx_status status = typed ? set_high(c, d, cap[d], typed, err)
                              : rmx_fail_memory(err, strlen(text), "a constraint");
    free(typed);
    RMX_TRY(status);
  }
  return RMX_OK;
}

rmx_status rmx_constraints_epochs(rmx_constraints *c, const double *tokens, double budget,
                                  double max_epochs, const char *const *domains, rmx_err *err) {
  if (!(budget > 0) || !isfinite(budget) || !(max_epochs > 0))
    return rmx_fail(err, RMX_EINPUT,
                    "a cap by epochs needs a budget and epochs above 0; got %g and %g", budget,
                    max_epochs);
  char x[32];
  rmx_double_text(max_epochs, x);
  rmx_status status = RMX_OK;
  for (size_t d = 0; d < c->D && status == RMX_OK; d++) {
    if (!isfinite(tokens[d]) || tokens[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the tokens of domain \"%s\" are %g: wanted a count",
                      domains[d], tokens[d]);
    double cap = max_epochs * tokens[d] / budget;
    if (cap >= 1) continue;
    RMX_OWNED char *typed = rmx_format("--max-epochs %s of %s (%.4g)", x, domains[d], cap);
    status = typed ? set_high(c, d, cap, typed, err) : rmx_fail_memory(err, 0, "a constraint");
  }
  return status;
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

rmx_status rmx_constraints_share(rmx_constraints *c, const char *text, const char *const *domains,
                                 rmx_err *err) {
  const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
  if (!equals || equals == text || !colon || !colon[1])
    return rmx_fail(err, RMX_EINPUT, "--share %s: wanted NAME=LOW..HIGH:DOMAIN,DOMAIN,...", text);
  rmx_share *shares = rmx_realloc(c->shares, c->n_shares + 1, sizeof(*shares));
  if (shares == NULL) return rmx_fail_memory(err, sizeof(*shares), "a share");
  c->shares = shares;
  rmx_share *s = &shares[c->n_shares];
  *s = (rmx_share){.name = rmx_format("%.*s", (int)(equals - text), text),
                   .member = rmx_calloc(c->D, sizeof(bool)),
                   .text = rmx_format("--share %.*s", (int)(colon - text), text)};
  c->n_shares++;  // released with the others from here on
  char *range = rmx_format("%.*s", (int)(colon - equals - 1), equals + 1),
       *list = rmx_strdup(colon + 1);
  rmx_status status = s->name && s->member && s->text && range && list
                          ? RMX_OK
                          : rmx_fail_memory(err, strlen(text), "a share");
  if (status == RMX_OK) status = parse_range(range, s->text, &s->low, &s->high, err);
  char *rest = list;
  for (char *part; status == RMX_OK && (part = strsep(&rest, ",")) != NULL;) {
    size_t d = 0;
    status = rmx_find_name("domain", part, domains, c->D, &d, err);
    if (status != RMX_OK)
      rmx_fail_in(err, "%s", s->text);
    else
      s->member[d] = true;
  }
  free(range);
  free(list);
  return status;
}

double rmx_constraints_excess(const rmx_constraints *c, const double *w) {
  double sum = 0, max = 0;
  for (size_t d = 0; d < c->D; d++) {
    sum += w[d];
    max = fmax(max, fmax(c->low[d] - w[d], w[d] - c->high[d]));
    if (w[d] > 0 && w[d] < c->drop_below) max = fmax(max, fmin(w[d], c->drop_below - w[d]));
  }
  max = fmax(max, fabs(sum - 1));
  if (c->reference) max = fmax(max, rmx__kl(c, w) - c->max_kl);
  for (size_t i = 0; i < c->n_shares; i++) {
    double share = 0;
    for (size_t d = 0; d < c->D; d++) share += c->shares[i].member[d] ? w[d] : 0;
    max = fmax(max, fmax(c->shares[i].low - share, share - c->shares[i].high));
  }
  return max;
}

static void set_some(json_t *root, const char *key, json_t *map) {
  if (json_object_size(map))
    json_object_set_new(root, key, map);
  else
    json_decref(map);
}

json_t *rmx_constraints_json(const rmx_constraints *c, const char *const *domains) {
  json_t *root = json_object(), *low = json_object(), *high = json_object(),
         *shares = json_object();
  for (size_t d = 0; d < c->D; d++) {
    if (c->low[d] > 0) json_object_set_new(low, domains[d], json_real(c->low[d]));
    if (c->high[d] < 1) json_object_set_new(high, domains[d], json_real(c->high[d]));
  }
  for (size_t i = 0; i < c->n_shares; i++) {
    json_t *members = json_array();
    for (size_t d = 0; d < c->D; d++)
      if (c->shares[i].member[d]) json_array_append_new(members, json_string(domains[d]));
    json_object_set_new(shares, c->shares[i].name,
                        json_pack("{s:f, s:f, s:o}", "low", c->shares[i].low, "high",
                                  c->shares[i].high, "domains", members));
  }
  set_some(root, "floor", low);
  set_some(root, "cap", high);
  set_some(root, "share", shares);
  if (c->drop_below > 0) json_object_set_new(root, "drop_below", json_real(c->drop_below));
  if (c->reference && isfinite(c->max_kl))
    json_object_set_new(root, "max_kl", json_real(c->max_kl));
  if (c->reference && c->kl_penalty > 0)
    json_object_set_new(root, "kl_penalty", json_real(c->kl_penalty));
  if (c->reference)
    json_object_set_new(root, "reference", rmx_mixture_json(c->reference, domains, c->D));
  return root;
}
