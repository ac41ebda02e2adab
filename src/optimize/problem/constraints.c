// SPDX-License-Identifier: Apache-2.0
// Constraints as people type them: floors, caps and fixed weights.

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
  c.by_epochs = rmx_calloc(D, sizeof *c.by_epochs);
  if (!c.low || !c.high || !c.low_text || !c.high_text || !c.by_epochs) {
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
    free(c->shares[i].factor);
    free(c->shares[i].text);
  }
  free(c->low);
  free(c->high);
  free(c->low_text);
  free(c->high_text);
  free(c->by_epochs);
  free(c->shares);
  free(c->reference);
  free(c->least);
  *c = (rmx_constraints){0};
}

static rmx_status replace(char **text, const char *with, rmx_err *err) {
  char *copy = rmx_strdup(with);
  if (copy == NULL) return rmx_fail_memory(err, strlen(with), "a constraint");
  free(*text);
  *text = copy;
  return RMX_OK;
}

rmx_status rmx__set_low(rmx_constraints *c, size_t d, double x, const char *text, rmx_err *err) {
  if (x <= c->low[d] && c->low_text[d]) return RMX_OK;
  c->low[d] = fmax(x, c->low[d]);
  return replace(&c->low_text[d], text, err);
}

rmx_status rmx__set_high(rmx_constraints *c, size_t d, double x, const char *text, bool by_epochs,
                         rmx_err *err) {
  if (x >= c->high[d] && (c->high_text[d] || x >= 1)) return RMX_OK;
  c->high[d] = fmin(x, c->high[d]);
  c->by_epochs[d] = by_epochs;
  return replace(&c->high_text[d], text, err);
}

rmx_status rmx_constraints_bound(rmx_constraints *c, rmx_bound kind, const char *text,
                                 const char *const *domains, rmx_err *err) {
  return rmx__bound(c, kind, text, &(rmx__names){.domains = domains}, err);
}

rmx_status rmx__bound(rmx_constraints *c, rmx_bound kind, const char *text, const rmx__names *names,
                      rmx_err *err) {
  static const char *const flags[] = {"--floor", "--cap", "--fix"};
  const char *equals = strrchr(text, '=');
  if (equals == NULL || equals == text)
    return rmx_fail(err, RMX_EINPUT, "%s %s: wanted DOMAIN=WEIGHT", flags[kind], text);
  double x = 0;
  int part = RMX__ALL_TOKENS;
  RMX_OWNED char *name = rmx_format("%.*s", (int)(equals - text), text), *whole = NULL,
                 *typed = rmx_format("%s %s", flags[kind], text);
  RMX_OWNED bool *member = rmx_calloc(c->D, sizeof *member);
  if (!name || !typed || !member) return rmx_fail_memory(err, strlen(text), "a constraint");
  RMX_TRY(rmx_parse_real(equals + 1, typed, &x, err));
  if (rmx__names_find(names, c->D, name, member, &whole, &part, err) != RMX_OK) {
    rmx_fail_in(err, "%s", typed);
    return err->status;
  }
  if (!(x >= 0 && x <= 1))
    return rmx_fail(err, RMX_EINPUT, "%s: a weight is a share of the tokens, 0 to 1", typed);
  const double of = rmx__names_share(names, part);
  size_t d = 0, n = 0;
  for (size_t k = 0; k < c->D; k++) {
    n += member[k];
    if (member[k]) d = k;
  }
  if (n > 1)
    return rmx__add_share(c, whole, typed, member, kind == RMX_CAP ? 0 : x * of,
                          kind == RMX_FLOOR ? 1 : x * of, err);
  if (kind != RMX_CAP) RMX_TRY(rmx__set_low(c, d, x * of, typed, err));
  return kind != RMX_FLOOR ? rmx__set_high(c, d, x * of, typed, false, err) : RMX_OK;
}

static rmx_status set_caps(rmx_constraints *c, const double *cap, const char *text, bool by_epochs,
                           const char *const *domains, rmx_err *err) {
  for (size_t d = 0; d < c->D; d++) {
    if (isnan(cap[d]) || cap[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the cap of domain \"%s\" is %g: wanted 0 to 1", domains[d],
                      cap[d]);
    if (cap[d] >= 1) continue;
    const char *at = strstr(text, "%s");
    char *typed =
        at ? rmx_format("%.*s%s%s", (int)(at - text), text, domains[d], at + 2) : rmx_strdup(text);
    rmx_status status = typed ? rmx__set_high(c, d, cap[d], typed, by_epochs, err)
                              : rmx_fail_memory(err, strlen(text), "a constraint");
    free(typed);
    RMX_TRY(status);
  }
  return RMX_OK;
}

rmx_status rmx_constraints_caps(rmx_constraints *c, const double *cap, const char *text,
                                const char *const *domains, rmx_err *err) {
  return set_caps(c, cap, text, false, domains, err);
}

rmx_status rmx_constraints_epoch_caps(rmx_constraints *c, const double *cap, const char *text,
                                      const char *const *domains, rmx_err *err) {
  return set_caps(c, cap, text, true, domains, err);
}

rmx_status rmx_constraints_domain_epochs(rmx_constraints *c, size_t d, double tokens, double budget,
                                         double max_epochs, const char *const *domains,
                                         rmx_err *err) {
  if (!(budget > 0) || !isfinite(budget) || !(max_epochs > 0))
    return rmx_fail(err, RMX_EINPUT,
                    "a cap by epochs needs a budget and epochs above 0; got %g and %g", budget,
                    max_epochs);
  if (!isfinite(tokens) || tokens < 0)
    return rmx_fail(err, RMX_EINPUT, "the tokens of domain \"%s\" are %g: wanted a count",
                    domains[d], tokens);
  const double cap = max_epochs * tokens / budget;
  if (cap >= 1) return RMX_OK;
  char x[32];
  rmx_double_text(max_epochs, x);
  RMX_OWNED char *typed = rmx_format("the maximum of %s epochs of %s (%.4g)", x, domains[d], cap);
  return typed ? rmx__set_high(c, d, cap, typed, true, err)
               : rmx_fail_memory(err, 0, "a constraint");
}

rmx_status rmx_constraints_epochs(rmx_constraints *c, const double *tokens, double budget,
                                  double max_epochs, const char *const *domains, rmx_err *err) {
  for (size_t d = 0; d < c->D; d++)
    RMX_TRY(rmx_constraints_domain_epochs(c, d, tokens[d], budget, max_epochs, domains, err));
  return RMX_OK;
}

double rmx__least_weight(const rmx_constraints *c, size_t d) {
  return c->least ? c->least[d] : c->drop_below;
}

double rmx_constraints_excess(const rmx_constraints *c, const double *w) {
  double sum = 0, max = 0;
  for (size_t d = 0; d < c->D; d++) {
    sum += w[d];
    max = fmax(max, fmax(c->low[d] - w[d], w[d] - c->high[d]));
    const double least = rmx__least_weight(c, d);
    if (w[d] > 0 && w[d] < least) max = fmax(max, fmin(w[d], least - w[d]));
  }
  max = fmax(max, fabs(sum - 1));
  if (c->reference) max = fmax(max, rmx__kl(c, w) - c->max_kl);
  for (size_t i = 0; i < c->n_shares; i++) {
    double share = 0;
    for (size_t d = 0; d < c->D; d++) share += c->shares[i].factor[d] * w[d];
    max = fmax(max, fmax(c->shares[i].low - share, share - c->shares[i].high));
  }
  return max;
}

static void set_some(json_t *root, const char *key, json_t *some) {
  if (json_object_size(some) || json_array_size(some))
    json_object_set_new(root, key, some);
  else
    json_decref(some);
}

// Several bounds on the same domains, as of --floor and --cap of a node, are one. Of others with
// this name the second is "x (2)".
static void add_share(json_t *shares, const rmx_share *s, const char *const *domains, size_t D) {
  json_t *members = json_array();
  double low = s->low, high = s->high;
  for (size_t d = 0; d < D; d++)
    if (s->factor[d] != 0) json_array_append_new(members, json_string(domains[d]));
  RMX_OWNED char *name = rmx_strdup(s->name);
  const json_t *had = NULL;
  for (int n = 2; name && (had = json_object_get(shares, name)); n++) {
    if (json_equal(json_object_get(had, "domains"), members)) break;
    free(name);
    name = rmx_format("%s (%d)", s->name, n);
  }
  if (had) {
    low = fmax(low, json_real_value(json_object_get(had, "low")));
    high = fmin(high, json_real_value(json_object_get(had, "high")));
  }
  json_object_set_new(shares, name ? name : s->name,
                      json_pack("{s:f, s:f, s:o}", "low", low, "high", high, "domains", members));
}

json_t *rmx_constraints_json(const rmx_constraints *c, const char *const *domains) {
  json_t *root = json_object(), *low = json_object(), *high = json_object(),
         *shares = json_object(), *ordered = json_array();
  for (size_t d = 0; d < c->D; d++) {
    if (c->low[d] > 0) json_object_set_new(low, domains[d], json_real(c->low[d]));
    if (c->high[d] < 1) json_object_set_new(high, domains[d], json_real(c->high[d]));
  }
  for (size_t i = 0; i < c->n_shares; i++)
    if (isfinite(c->shares[i].high))
      add_share(shares, &c->shares[i], domains, c->D);
    else
      json_array_append_new(ordered, json_string(c->shares[i].name));
  set_some(root, "floor", low);
  set_some(root, "cap", high);
  set_some(root, "share", shares);
  set_some(root, "ordered", ordered);
  if (c->drop_below > 0) json_object_set_new(root, "drop_below", json_real(c->drop_below));
  if (c->reference && isfinite(c->max_kl))
    json_object_set_new(root, "max_kl", json_real(c->max_kl));
  if (c->reference && c->kl_penalty > 0)
    json_object_set_new(root, "kl_penalty", json_real(c->kl_penalty));
  if (c->reference)
    json_object_set_new(root, "reference", rmx_mixture_json(c->reference, domains, c->D));
  return root;
}
