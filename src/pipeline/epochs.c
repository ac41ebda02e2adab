// SPDX-License-Identifier: Apache-2.0
// How often the large run may repeat each domain: one number for all, and others for some domains.
// And what the caps that follow from it cost.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "regress/fit.h"
#include "steps.h"

rmx_status rmx__epochs_of(const char *text, const char *what, double *epochs, rmx_err *err) {
  const char *equals = strrchr(text, '=');
  RMX_OWNED char *where = rmx_format("%s %s", what, text);
  if (!where) return rmx_fail_memory(err, 0, "a cap by epochs");
  RMX_TRY(rmx_parse_real(equals ? equals + 1 : text, where, epochs, err));
  if (*epochs > 0 && isfinite(*epochs)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s is out of bounds: wanted a number of epochs above 0", where);
}

// The number of domain d, or of all n if no name is given: d = n.
static rmx_status parse_epochs(const char *text, const char *what, const char *const *names,
                               size_t n, size_t *d, double *x, rmx_err *err) {
  const char *equals = strrchr(text, '=');
  RMX_OWNED char *where = rmx_format("%s %s", what, text),
                 *name = equals ? rmx_format("%.*s", (int)(equals - text), text) : NULL;
  if (!where || (equals && !name)) return rmx_fail_memory(err, 0, "a cap by epochs");
  RMX_TRY(rmx__epochs_of(text, what, x, err));
  *d = n;
  return !name || rmx_find_name("domain", name, names, n, d, err) == RMX_OK
             ? RMX_OK
             : rmx_fail_in(err, "%s", where);
}

rmx_status rmx__take_epochs(const rmx_strings *list, const char *what, const char *const *names,
                            size_t n, double *most, rmx_err *err) {
  for (int named = 0; named < 2; named++)
    for (size_t i = 0; i < list->n; i++) {
      double x;
      size_t d;
      RMX_TRY(parse_epochs(list->items[i], what, names, n, &d, &x, err));
      if ((d < n) != named) continue;
      for (size_t k = named ? d : 0; k < (named ? d + 1 : n); k++) most[k] = x;
    }
  return RMX_OK;
}

rmx_status rmx_weight_caps(const rmx_experiment *e, const rmx_corpus *corpus, double *cap,
                           rmx_err *err) {
  return rmx__weight_caps(e, corpus, (double)e->config.large.tokens, cap, err);
}

rmx_status rmx__weight_caps(const rmx_experiment *e, const rmx_corpus *corpus, double budget,
                            double *cap, rmx_err *err) {
  const rmx_sample_options *o = &e->config.sample;
  const size_t D = corpus->D_train;
  RMX_OWNED double *tokens = rmx_calloc(D, sizeof *tokens), *most = rmx_calloc(D, sizeof *most);
  if (!tokens || !most) return rmx_fail_memory(err, 2 * D * sizeof *tokens, "caps");
  for (size_t d = 0; d < D; d++) tokens[d] = (double)corpus->domains[d].train_tokens;
  rmx_sample_caps(o, corpus->prior, tokens, o->max_epochs > 0 ? budget : 0, D, cap);
  RMX_TRY(rmx__take_epochs(&o->domain_epochs, "sample.domain_epochs", corpus->names, D, most, err));
  for (size_t d = 0; d < D; d++)
    if (most[d] > 0) cap[d] = fmin(1, most[d] * tokens[d] / budget);
  return RMX_OK;
}

// ---- what lifting the caps would gain

#define PUBLISHED                                                                             \
  "Published runs repeated small domains beside other data 15 to 20 times with gain (Sedova " \
  "et al. 2026), not four times for every domain"

void rmx_lifted_caps_release(rmx_lifted_caps *l) {
  free(l->name);
  free(l->cap);
  free(l->weight);
  *l = (rmx_lifted_caps){0};
}

// A cap by epochs: of one weight, or, with phases, of a domain's share of all tokens.
typedef struct epoch_cap {
  const char *name;
  double *high;          // in the constraints
  const double *factor;  // (D) of the share; NULL: it is weight d
  size_t d;
} epoch_cap;

static double weight_of(const epoch_cap *c, const double *w, size_t D) {
  double sum = 0;
  if (!c->factor) return w[c->d];
  for (size_t d = 0; d < D; d++) sum += c->factor[d] * w[d];
  return sum;
}

// The caps that the optimum is at: caps (n). The result is n.
static size_t find_binding(const rmx_answer *s, epoch_cap *caps) {
  const rmx_constraints *k = &s->problem.constraints;
  const double *w = rmx_optimum_mixture(s->optimum);
  size_t n = 0;
  for (size_t d = 0; d < k->D; d++)
    if (k->by_epochs[d] && k->high[d] > 0 && w[d] > k->high[d] - 1e-6)
      caps[n++] = (epoch_cap){s->fit->domains[d], &k->high[d], NULL, d};
  for (size_t i = 0; i < k->n_shares; i++) {
    rmx_share *share = &k->shares[i];
    const epoch_cap c = {share->name, &share->high, share->factor, 0};
    if (share->by_epochs && share->high > 0 && weight_of(&c, w, k->D) > share->high - 1e-6)
      caps[n++] = c;
  }
  return n;
}

// Searches again without these caps, which are put back.
static rmx_status search_without(const rmx_optimize_request *how, const epoch_cap *caps,
                                 rmx_answer *s, rmx_lifted_caps *l, rmx_err *err) {
  const size_t D = s->fit->D;
  for (size_t i = 0; i < l->n; i++) *caps[i].high = 1;
  rmx_optimize_options options = *how->options;
  options.guard = false;
  rmx_optimize_request request = *how;
  request.options = &options;
  request.listener = NULL;
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *o = NULL;
  const rmx_status status = rmx_optimize(&request, &o, err);
  for (size_t i = 0; i < l->n; i++) *caps[i].high = l->cap[i];
  RMX_TRY(status);
  l->gain = rmx_optimum_score(s->optimum) - rmx_optimum_score(o);
  for (size_t i = 0; i < l->n; i++) {
    double most = 0;
    for (size_t r = 0; r < s->fit->N; r++)
      most = fmax(most, weight_of(&caps[i], s->fit->runs + r * D, D));
    l->weight[i] = weight_of(&caps[i], rmx_optimum_mixture(o), D);
    l->extrapolates = l->extrapolates || l->weight[i] > most + 1e-6;
  }
  return RMX_OK;
}

// Whether the runs of the fit show what repetition costs, or its kind assumes it.
static bool knows_repetition(const rmx_fit *f) {
  return (f->budget > 0 && !(f->run_tokens > 0)) || strcmp(f->options.regressor, "exposure") == 0;
}

static void tell_lifted(const rmx_listener *to, const rmx_answer *s, const rmx_lifted_caps *l) {
  rmx_few now = {0}, then = {0};
  char gain[RMX_NUMBER];
  char text[160];
  for (size_t i = 0; i < l->n; i++) {
    snprintf(text, sizeof text, "%.60s (%.3g)", l->name[i], l->cap[i]);
    rmx_few_add(&now, text);
    snprintf(text, sizeof text, "%.60s %.3g, seen %.2g times as often", l->name[i], l->weight[i],
             l->weight[i] / l->cap[i]);
    rmx_few_add(&then, text);
  }
  rmx_note(to,
           "optimize: the cap by epochs holds down %s%s. Without it the fit predicts %s better, "
           "with %s%s.%s " PUBLISHED "; --max-epochs DOMAIN=16 allows that for one domain",
           now.text, l->phases ? ", in all phases together" : "",
           rmx_target_number(s->fit, &s->problem, l->gain, gain), then.text,
           l->extrapolates ? " (no run had that much of it, so the fit guesses)" : "",
           knows_repetition(s->fit) ? ""
                                    : " The runs did not repeat text as the large run will, so "
                                      "this counts repeated text as new.");
}

rmx_status rmx__lift_caps(const rmx_optimize_request *how, rmx_answer *s, rmx_err *err) {
  rmx_lifted_caps *l = &s->lifted;
  const size_t most = s->fit->D + s->problem.constraints.n_shares;
  RMX_OWNED epoch_cap *caps = rmx_calloc(most, sizeof *caps);
  l->name = rmx_calloc(most, sizeof *l->name);
  l->cap = rmx_calloc(most, sizeof *l->cap);
  l->weight = rmx_calloc(most, sizeof *l->weight);
  if (!caps || !l->name || !l->cap || !l->weight)
    return rmx_fail_memory(err, most * sizeof *caps, "caps");
  const size_t n = find_binding(s, caps);
  if (n == 0) return RMX_OK;
  for (size_t i = 0; i < n; i++) {
    l->name[i] = caps[i].name;
    l->cap[i] = *caps[i].high;
  }
  l->n = n;
  l->phases = s->fit->n_phases > 0;
  RMX_TRY(search_without(how, caps, s, l, err));
  tell_lifted(how->listener, s, l);
  return RMX_OK;
}

json_t *rmx__lifted_json(const rmx_lifted_caps *l) {
  json_t *weights = json_object(), *caps = json_object();
  for (size_t i = 0; i < l->n; i++) {
    json_object_set_new(weights, l->name[i], json_real(l->weight[i]));
    json_object_set_new(caps, l->name[i], json_real(l->cap[i]));
  }
  return json_pack("{s:f, s:o, s:o, s:b, s:b, s:s}", "gain", l->gain, "caps", caps, "weights",
                   weights, "extrapolates", l->extrapolates, "over_phases", l->phases, "published",
                   PUBLISHED);
}
