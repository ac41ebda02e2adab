// SPDX-License-Identifier: Apache-2.0
// The totals of nodes that an answer has (--fold). A virtual domain, which stands for domains that
// keep their ratios, gives each of them its part: they may lie in different nodes.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "regress/fit.h"
#include "steps.h"

// The domains of an answer, each a part of a domain of the fit.
typedef struct parts {
  size_t n;
  const char **name;  // (n)
  size_t *of;         // (n) the domain of the fit
  double *ratio;      // (n) its share of that domain
} parts;

static void parts_release(parts *p) {
  free(p->name);
  free(p->of);
  free(p->ratio);
}

static void add(parts *p, const char *name, size_t of, double ratio) {
  p->name[p->n] = name;
  p->of[p->n] = of;
  p->ratio[p->n++] = ratio;
}

static rmx_status parts_make(const rmx_fit *f, const rmx_reuse *r, parts *p, rmx_err *err) {
  const size_t most = f->D + r->members.n;
  p->name = rmx_calloc(most, sizeof *p->name);
  p->of = rmx_calloc(most, sizeof *p->of);
  p->ratio = rmx_calloc(most, sizeof *p->ratio);
  if (!p->name || !p->of || !p->ratio) return rmx_fail_memory(err, most, "the parts of domains");
  for (size_t d = 0; d < f->D; d++) {
    const bool is_virtual = r->name && strcmp(f->domains[d], r->name) == 0;
    if (!is_virtual) add(p, f->domains[d], d, 1);
    for (size_t i = 0; is_virtual && i < r->members.n; i++)
      add(p, r->members.items[i], d, r->ratio[i]);
  }
  return RMX_OK;
}

void rmx_folded_release(rmx_folded *f) {
  rmx_strings_release(&f->nodes);
  free(f->weight);
  free(f->prior);
  free(f->low);
  free(f->high);
  *f = (rmx_folded){0};
}

static rmx_status fill(const rmx_answer *s, const double *share, rmx_folded *out, rmx_err *err) {
  const size_t n = out->nodes.n, D = s->fit->D;
  const double *w = rmx_optimum_mixture(s->optimum);
  out->weight = rmx_calloc(n, sizeof *out->weight);
  out->prior = rmx_calloc(n, sizeof *out->prior);
  if (!out->weight || !out->prior) return rmx_fail_memory(err, n * sizeof(double), "totals");
  for (size_t k = 0; k < n; k++) {
    out->weight[k] = rmx__dot(share + k * D, w, D);
    out->prior[k] = rmx__dot(share + k * D, s->problem.prior, D);
  }
  if (!s->uncertainty.low) return RMX_OK;
  out->low = rmx_calloc(n, sizeof *out->low);
  out->high = rmx_calloc(n, sizeof *out->high);
  if (!out->low || !out->high) return rmx_fail_memory(err, n * sizeof(double), "intervals");
  return rmx_uncertainty_totals(&s->uncertainty, w, share, n, out->low, out->high, err);
}

rmx_status rmx_answer_fold(const rmx_answer *s, rmx_folded *out, rmx_err *err) {
  const size_t D = s->fit->D;
  RMX_OWNED_BY(parts_release) parts p = {0};
  *out = (rmx_folded){0};
  RMX_TRY(parts_make(s->fit, &s->reuse, &p, err));
  RMX_OWNED size_t *into = rmx_calloc(p.n, sizeof *into);
  RMX_OWNED double *share = rmx_calloc(p.n * D, sizeof *share);
  if (!into || !share) return rmx_fail_memory(err, p.n * D * sizeof *share, "totals");
  RMX_TRY(rmx_fold(p.name, p.n, s->fold, &out->nodes, into, err));
  for (size_t i = 0; i < p.n; i++) share[into[i] * D + p.of[i]] += p.ratio[i];
  return fill(s, share, out, err);
}

json_t *rmx__folded_json(const rmx_answer *s) {
  RMX_OWNED_BY(rmx_folded_release) rmx_folded f = {0};
  rmx_err ignored;
  if (rmx_answer_fold(s, &f, &ignored) != RMX_OK) return NULL;
  const char *const *names = (const char *const *)f.nodes.items;
  json_t *root = json_pack("{s:I, s:o, s:o}", "levels", (json_int_t)s->fold, "mixture",
                           rmx_mixture_json(f.weight, names, f.nodes.n), "prior",
                           rmx_mixture_json(f.prior, names, f.nodes.n));
  if (!f.low) return root;
  json_t *interval = json_object();
  for (size_t i = 0; i < f.nodes.n; i++)
    json_object_set_new(interval, names[i], json_pack("[f, f]", f.low[i], f.high[i]));
  json_object_set_new(root, "interval", interval);
  return root;
}
