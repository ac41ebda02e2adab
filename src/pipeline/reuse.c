// SPDX-License-Identifier: Apache-2.0
// `regmix domains --reuse`: the small space of a corpus of which only some domains changed, and
// what belongs to it.
#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

static void tell(const rmx_listener *to, const rmx_reuse *r, const rmx_strings *names,
                 const double *w) {
  rmx_note(to,
           "domains: \"%s\" stands for %zu domains that keep their ratios; with it the small space "
           "has %zu domains",
           r->name, r->members.n, names->n);
  for (size_t d = 0; d < names->n; d++)
    rmx_note(to, "  %-30s %8.4f%s", names->items[d], w[d], d ? "" : "  (kept)");
  rmx_note(to,
           "next: `regmix sample --prior FILE` draws mixtures of the small space, and `regmix "
           "domains --reuse FILE --mixtures TABLE` gives those to train on");
}

// The names of --changed, which were typed.
static rmx_status check_changed(const rmx_reuse_request *q, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_TRY(rmx_mixture_names(q->prior, &names, err));
  RMX_OWNED bool *member = rmx_calloc(names.n, sizeof *member);
  if (!member) return rmx_fail_memory(err, names.n, "domains");
  for (size_t i = 0; i < q->changed->n; i++)
    if (rmx_find_domains(q->changed->items[i], (const char *const *)names.items, names.n, member,
                         NULL, err) != RMX_OK)
      return rmx_refused(true, err);
  return RMX_OK;
}

rmx_status rmx_domains_reuse(const rmx_listener *to, const rmx_reuse_request *q, const char *out,
                             json_t **root, rmx_err *err) {
  RMX_OWNED_BY(rmx_reuse_release) rmx_reuse r = {0};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED double *w = NULL;
  RMX_TRY(check_changed(q, err));
  RMX_TRY(rmx_reuse_make(q, &r, &names, &w, err));
  *root = json_object();
  json_object_set_new(*root, "mixture",
                      rmx_mixture_json(w, (const char *const *)names.items, names.n));
  json_object_set_new(*root, "reuse", rmx_reuse_json(&r));
  tell(to, &r, &names, w);
  return out ? rmx__yaml_write(out, *root,
                               "The prior of a small space: a virtual domain stands for those that "
                               "keep their ratios.",
                               err)
             : RMX_OK;
}

rmx_status rmx__reuse_tokens(const rmx_listener *to, const char *prior, const char *path,
                             const char *const *domains, size_t D, double *tokens, rmx_err *err) {
  RMX_OWNED_BY(rmx_reuse_release) rmx_reuse r = {0};
  if (prior) RMX_TRY(rmx_reuse_read(prior, &r, err));
  size_t at = 0, n = 0;
  while (at < D && (!r.name || strcmp(domains[at], r.name) != 0)) at++;
  if (at == D) return rmx_tokens_by_domain(to, path, domains, D, tokens, err);
  RMX_OWNED const char **names = rmx_calloc(D + r.members.n, sizeof *names);
  RMX_OWNED double *x = rmx_calloc(D + r.members.n, sizeof *x);
  if (!names || !x) return rmx_fail_memory(err, D * sizeof *x, "token counts");
  for (size_t d = 0; d < D; d++)
    if (d != at) names[n++] = domains[d];
  for (size_t i = 0; i < r.members.n; i++)
    if (r.ratio[i] > 0) names[n++] = r.members.items[i];
  RMX_TRY(rmx_tokens_by_domain(to, path, names, n, x, err));
  for (size_t d = 0, k = 0; d < D; d++) tokens[d] = d == at ? INFINITY : x[k++];
  // The virtual domain is read through once when its scarcest member is.
  for (size_t i = 0, k = D - 1; i < r.members.n; i++)
    if (r.ratio[i] > 0) tokens[at] = fmin(tokens[at], x[k++] / r.ratio[i]);
  return RMX_OK;
}

rmx_status rmx__reuse_explain(const char *prior, rmx_err *err) {
  RMX_OWNED_BY(rmx_reuse_release) rmx_reuse r = {0};
  const rmx_err first = *err;
  rmx_err ignored;
  if (!prior || rmx_reuse_read(prior, &r, &ignored) != RMX_OK || !r.name) return err->status;
  for (size_t i = 0; i < r.members.n; i++) {
    RMX_OWNED char *unknown = rmx_format("unknown domain \"%s\"", r.members.items[i]);
    if (unknown && strstr(first.message, unknown))
      return rmx_fail(err, first.status,
                      "%s. \"%s\" is part of \"%s\" (%s): only --cap, --floor, --fix, --share and "
                      "--ordered take it; mixtures and --max-epochs have to name \"%s\"",
                      first.message, r.members.items[i], r.name, prior, r.name);
  }
  return err->status;
}

void rmx__reuse_expand_answer(const rmx_reuse *r, json_t *root) {
  static const char *const keys[] = {"mixture", "spread", "prior", "interval"};
  if (!r->name) return;
  json_t *searched = json_object();
  for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
    json_t *small = json_object_get(root, keys[k]);
    if (!small) continue;
    json_object_set(searched, keys[k], small);
    json_object_set_new(root, keys[k], rmx_reuse_expand(r, small));
  }
  json_object_set_new(root, "reuse", rmx_reuse_json(r));
  json_object_set_new(root, "searched", searched);
}
