// SPDX-License-Identifier: Apache-2.0
// An optimum as JSON.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regress/fit.h"
#include "steps.h"

static json_t *limits_json(const rmx_answer *s) {
  json_t *limits = json_object();
  const rmx_target *t = &s->problem.target;
  for (size_t m = 0; m < s->fit->M; m++)
    if (t->limit[m] < INFINITY)
      json_object_set_new(limits, s->fit->metrics[m], json_real(t->sign[m] * t->limit[m]));
  return limits;
}

static json_t *worse_json(const rmx_answer *s) {
  RMX_OWNED_BY(rmx_worse_release) rmx_worse w = {0};
  rmx_err no_memory;
  if (rmx_optimum_worse(s->optimum, s->fit, &s->problem.target, &w, &no_memory) != RMX_OK)
    return NULL;
  json_t *metrics = json_object();
  for (size_t k = 0; k < w.n; k++)
    json_object_set_new(metrics, s->fit->metrics[w.metric[k]], json_real(w.by[k]));
  json_t *root =
      json_pack("{s:I, s:I, s:o}", "n", (json_int_t)w.n, "of", (json_int_t)w.of, "by", metrics);
  return root;
}

// How the metrics of the target were weighed, where they are not as given.
static void add_weighing(const rmx_answer *s, json_t *root) {
  const rmx_target *t = &s->problem.target;
  if (t->by_signal) json_object_set_new(root, "weigh", json_string("signal"));
  if (!t->by_signal && !(t->min_signal > 0)) return;
  json_t *names = json_array();
  for (size_t m = 0; m < s->fit->M; m++)
    if (t->left_out[m]) json_array_append_new(names, json_string(s->fit->metrics[m]));
  if (t->min_signal > 0) json_object_set_new(root, "min_signal", json_real(t->min_signal));
  json_object_set_new(root, "left_out", names);
}

// Where no interval can be given, or the answer stays at the prior: the keys of one, empty, and
// why.
static void add_no_intervals(const rmx_answer *s, json_t *root) {
  RMX_OWNED char *why = rmx_fit_no_intervals(s->fit);
  if (s->unmeasured) {
    json_object_set_new(root, "level", json_real(s->options->level));
    json_object_set_new(root, "versus", json_object());
  }
  if (!why && !s->unmeasured) return;
  const double gain = rmx_optimum_score_prior(s->optimum) - rmx_optimum_score(s->optimum);
  json_object_set_new(root, "interval", json_null());
  json_object_set_new(root, "gain",
                      json_pack("{s:f, s:n, s:n}", "predicted", gain, "estimate", "interval"));
  if (why) json_object_set_new(root, "no_intervals", json_string(why));
}

// The large run: its tokens, and those of each domain, where caps by epochs were asked for.
static void add_budget(const rmx_problem *q, json_t *root) {
  if (!(q->budget > 0)) return;
  json_t *tokens = json_object();
  for (size_t d = 0; d < q->counted.n; d++)
    json_object_set_new(tokens, q->counted.items[d], json_real(q->tokens[d]));
  json_object_set_new(root, "budget", json_real(q->budget));
  json_object_set_new(root, "tokens", tokens);
}

json_t *rmx_answer_json(const rmx_answer *s) {
  const rmx_fit *f = s->fit;
  const char *const *domains = (const char *const *)f->domains;
  json_t *root = rmx_optimum_json(s->optimum, f), *target = json_object();
  for (size_t m = 0; m < f->M; m++)
    if (s->problem.target.weight[m] != 0)
      json_object_set_new(target, f->metrics[m], json_real(s->problem.target.weight[m]));
  json_t *constraints = rmx_constraints_json(&s->problem.constraints, domains),
         *limits = limits_json(s);
  if (json_object_size(limits)) json_object_set(constraints, "limits", limits);
  json_decref(limits);
  json_object_set_new(root, "prior", rmx_mixture_json(s->problem.prior, domains, f->D));
  json_object_set_new(root, "prior_from", json_string(rmx_prior_kind_name(s->problem.prior_kind)));
  json_object_set_new(root, "prior_text", json_string(s->problem.prior_text));
  json_object_set_new(root, "target", target);
  json_object_set_new(root, "directions", rmx__directions_json(f, &s->problem.target));
  if (s->problem.target.worst) json_object_set_new(root, "worst", json_true());
  if (f->at.size > 0 || f->at.tokens > 0)
    json_object_set_new(root, "for",
                        json_pack("{s:f, s:f}", "size", f->at.size, "tokens", f->at.tokens));
  add_budget(&s->problem, root);
  add_weighing(s, root);
  json_object_set_new(root, "strength", json_real(s->options->strength));
  json_object_set_new(root, "constraints", constraints);
  if (s->front.n) json_object_set_new(root, "pareto", rmx_front_json(&s->front, f));
  json_object_set_new(root, "worse", worse_json(s));
  if (s->phase_share)
    json_object_set_new(root, "phases",
                        rmx__phases_json(f, rmx_optimum_mixture(s->optimum), s->phase_share));
  if (s->lifted.n) json_object_set_new(root, "lifted_caps", rmx__lifted_json(&s->lifted));
  rmx_err no_memory;
  if (s->uncertainty.n_versus) rmx_uncertainty_json(&s->uncertainty, f, root, &no_memory);
  add_no_intervals(s, root);
  if (s->curve.sentence[0])
    json_object_set_new(root, "learning_curve", rmx_learning_curve_json(&s->curve));
  if (s->drift.n) json_object_set_new(root, "drift", rmx__drift_json(s));
  if (s->attribution.D)
    json_object_set_new(root, "attribution", rmx_attribution_json(&s->attribution, f));
  if (s->fold) json_object_set_new(root, "folded", rmx__folded_json(s));
  json_object_set_new(root, "warnings", rmx__strings_json(&s->warnings.texts));
  rmx__reuse_expand_answer(&s->reuse, root);
  return root;
}
