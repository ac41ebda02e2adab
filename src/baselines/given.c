// SPDX-License-Identifier: Apache-2.0
// Mixtures that need no search: one that people chose, the shares of the tokens, equal shares, one
// domain, and UniMax.
//
// UniMax (Chung et al., "UniMax: Fairer and More Effective Language Sampling for Large-Scale
// Multilingual Pretraining", 2023, arXiv 2304.09151): as near to uniform as a cap on the epochs
// allows. With the domains sorted by size, smallest first, and R the rest of the budget B:
//   U_i = min(R / (domains left), E n_i),  R -= U_i;  p_i = U_i / sum U.
// Sizes are in characters there; here in tokens. If the sum of E n is below B there is no such
// mixture: the cap would be broken silently.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "regress/fit.h"

// ---- human

static rmx_status human_check(const rmx_comparison *c, rmx_err *err) {
  if (!c->options->human)
    return rmx_fail(
        err, RMX_EINPUT,
        "human: no mixture file is set; add one, for example `--set compare.human=mine.yaml`");
  RMX_OWNED double *w = rmx_calloc(c->corpus->D_train, sizeof *w);
  return w ? rmx_mixture_read(c->options->human, c->corpus->names, c->corpus->D_train, w, err)
           : rmx_fail_memory(err, 0, "a mixture");
}

static rmx_status human_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  return rmx_mixture_read(c->options->human, c->corpus->names, c->corpus->D_train, out->mixture,
                          err);
}

const rmx_baseline rmx__human = {
    .name = "human",
    .help = "uses the mixture in the file compare.human",
    .source = "",
    .suits = "Shows whether a method beats the mixture in use today",
    .check = human_check,
    .find = human_find,
};

// ---- prior, uniform

static rmx_status prior_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  memcpy(out->mixture, c->corpus->prior, c->corpus->D_train * sizeof *out->mixture);
  return RMX_OK;
}

const rmx_baseline rmx__prior = {
    .name = "prior",
    .help = "uses the share of each domain in the available tokens",
    .source = "",
    .suits = "Suits training in which every document counts once; costs nothing",
    .find = prior_find,
};

static rmx_status uniform_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  rmx_mixture_uniform(out->mixture, c->corpus->D_train);
  return RMX_OK;
}

const rmx_baseline rmx__uniform = {
    .name = "uniform",
    .help = "gives each domain the same weight",
    .source = "",
    .suits = "Suits domains of equal importance; costs nothing",
    .find = uniform_find,
};

// ---- single: all tokens from the domain that a fit of the swarm expects most of

static rmx_status single_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  RMX_OWNED_BY(rmx_problem_release) rmx_problem problem = {0};
  size_t which = 0;
  RMX_TRY(rmx__swarm_fit(c, c->regress, out, &fit, err));
  RMX_TRY(rmx__swarm_problem(c, fit, &problem, err));
  RMX_TRY(rmx_target_best_domain(fit, &problem.target, &which, err));
  out->mixture[which] = 1;
  json_object_set_new(out->notes, "domain", json_string(c->corpus->names[which]));
  return RMX_OK;
}

const rmx_baseline rmx__single = {
    .sees_target = true,
    .name = "single",
    .help = "uses one domain only: the one from which the fit of the swarm expects the best result",
    .source = "",
    .suits = "Shows whether mixing matters at all",
    .needs_swarm = true,
    .check = rmx__needs_swarm,
    .find = single_find,
};

// ---- UniMax

static int by_size(const void *a, const void *b) {
  const size_t *x = *(const size_t *const *)a, *y = *(const size_t *const *)b;
  return *x < *y ? -1 : *x > *y ? 1 : x < y ? -1 : x > y;
}

static rmx_status unimax_check(const rmx_comparison *c, rmx_err *err) {
  double sum = 0;
  for (size_t d = 0; d < c->corpus->D_train; d++) sum += (double)c->corpus->domains[d].train_tokens;
  const double epochs = c->options->unimax.epochs, needed = (double)c->large->tokens / sum;
  if (epochs < needed)
    return rmx_fail(err, RMX_EINPUT,
                    "unimax: %g epochs of all %.3g tokens are too few for the %.3g tokens of the "
                    "large run; use `--set unimax.epochs=%.3g` or more",
                    epochs, sum, (double)c->large->tokens, ceil(needed * 100) / 100);
  return RMX_OK;
}

static rmx_status unimax_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  const size_t D = c->corpus->D_train;
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  RMX_OWNED size_t *tokens = rmx_calloc(D, sizeof *tokens), **order = rmx_calloc(D, sizeof *order);
  if (!tokens || !order) return rmx_fail_memory(err, D * sizeof *tokens, "a mixture");
  for (size_t d = 0; d < D; d++) {
    tokens[d] = c->corpus->domains[d].train_tokens;
    order[d] = &tokens[d];
  }
  qsort(order, D, sizeof *order, by_size);
  double left = (double)c->large->tokens;
  for (size_t i = 0; i < D; i++) {
    const double share = left / (double)(D - i),
                 max = c->options->unimax.epochs * (double)*order[i];
    out->mixture[order[i] - tokens] = fmin(share, max);
    left -= fmin(share, max);
  }
  return rmx_mixture_normalise(out->mixture, D, err);
}

const rmx_baseline rmx__unimax = {
    .name = "unimax",
    .help = "gives each domain the same weight as far as a cap on the epochs allows",
    .source = "Chung et al. 2023, arXiv 2304.09151",
    .suits =
        "Suits many domains of very different sizes that should not be repeated often; costs "
        "nothing",
    .check = unimax_check,
    .find = unimax_find,
};
