// SPDX-License-Identifier: Apache-2.0
// What a later step would refuse, though the config alone shows it. `check` reports all of it, and
// `run` ends with the first before any work.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

// ---- the trainings: that of the proxies, of the large models and of each swarm

typedef rmx_status training_check(const rmx_config *c, const char *section, const rmx_training *t,
                                  rmx_err *err);

static rmx_status each_training(const rmx_config *c, training_check *check, rmx_err *err) {
  RMX_TRY(check(c, "proxy", &c->proxy, err));
  RMX_TRY(check(c, "large", &c->large, err));
  for (size_t i = 0; i < c->n_swarms; i++) {
    RMX_OWNED char *section = rmx_format("swarms.%s", c->swarms[i].name);
    RMX_TRY(section ? check(c, section, &c->swarms[i].training, err)
                    : rmx_fail_memory(err, 0, "a message"));
  }
  return RMX_OK;
}

static rmx_status has_a_sequence(const rmx_config *c, const char *section, const rmx_training *t,
                                 rmx_err *err) {
  (void)c;
  if (t->command || t->context <= 0 || t->tokens >= t->context) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s.tokens: %lld tokens are fewer than one sequence of %lld (%s.context); raise "
                  "it",
                  section, (long long)t->tokens, (long long)t->context, section);
}

static rmx_status sequences(const rmx_pipeline *p, rmx_err *err) {
  return each_training(&p->experiment.config, has_a_sequence, err);
}

// Each phase must have a step.
static rmx_status has_all_phases(const rmx_config *c, const char *section, const rmx_training *t,
                                 rmx_err *err) {
  RMX_OWNED double *share = NULL;
  size_t n = 0, seen = 0;
  RMX_TRY(rmx_phase_shares(&c->sample.phases, "sample.phases", &share, &n, err));
  const rmx_phases phases = {.n = n, .share = share};
  const int64_t steps = rmx_training_steps(t);
  if (t->command || n == 0) return RMX_OK;
  for (int64_t s = 0; s < steps && seen < n; s++)
    if (rmx_phase_at(&phases, s, steps) == seen) seen++;
  if (seen == n) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "sample.phases: %lld steps of %s are too few for %zu phases; phase %zu (%g of the "
      "tokens) gets none. Raise %s.tokens, or lower %s.batch_tokens",
      (long long)steps, section, n, seen, share[seen], section, section);
}

static rmx_status phases(const rmx_pipeline *p, rmx_err *err) {
  return each_training(&p->experiment.config, has_all_phases, err);
}

// ---- the fit and the comparison

static rmx_status regressor(const rmx_pipeline *p, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  const char *name = c->regress.regressor;
  if (!name || strcmp(name, "scaling") != 0 || c->n_swarms) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "fit.regressor: \"scaling\" is fitted to runs of several sizes or lengths, and "
                  "these have one; add a swarm of another (`swarms`), or use \"auto\"");
}

static rmx_status human(const rmx_pipeline *p, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  const rmx_strings *methods = &c->compare.methods;
  for (size_t i = 0; i < methods->n; i++)
    for (const char *at = methods->items[i]; *at; at += strcspn(at, ",")) {
      at += *at == ',';
      const size_t n = strcspn(at, ",");
      if (n == 5 && strncmp(at, "human", n) == 0 && !c->baselines.human)
        return rmx_fail(err, RMX_EINPUT,
                        "compare.methods: human is the mixture in the file compare.human, which is "
                        "not set; set it, or remove the method");
    }
  return RMX_OK;
}

static rmx_status validation(const rmx_pipeline *p, rmx_err *err) {
  const rmx_config *c = &p->experiment.config;
  if (c->proxy.command || c->corpus.max_valid_tokens != 1) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "corpus.max_valid_tokens: 1 token has no loss, since a model predicts a token "
                  "from those before it; raise it");
}

rmx_status rmx__refused_later(const rmx_pipeline *p, size_t i, bool *there, rmx_err *err) {
  static rmx_status (*const all[])(const rmx_pipeline *, rmx_err *) = {sequences, phases, regressor,
                                                                       human, validation};
  *there = i < sizeof all / sizeof *all;
  return *there ? all[i](p, err) : RMX_OK;
}
