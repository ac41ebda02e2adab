// SPDX-License-Identifier: Apache-2.0
// Olmix (Chen et al. 2026; its code, fit/law.py and fit/utils.py): a log-linear law for each metric
// over the swarm,
//   y_m = e^{c_m} + exp(a_m . x),
// and the mixture that minimises
//   sum_m w_m exp(a_m . x) + beta KL(x || prior)   under  x_d <= rep n_d / target tokens,
// which is convex, so the search finds the exact minimum. beta 0.05, rep 4. The paper recommends 3
// (K + 1) runs or more. The law is fitted differently: with `exp` of include/regmix/regress.h, not
// with Huber's loss from 300 starts.
//
// Cost: the swarm.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "regress/fit.h"

static rmx_status olmix_check(const rmx_comparison *c, rmx_err *err) {
  RMX_TRY(rmx__needs_swarm(c, err));
  const size_t min = c->corpus->D_train + 2;
  if (c->swarm_n >= min) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "olmix: a law with %zu parameters per metric cannot be fitted to %zu runs; "
                  "wanted %zu or more",
                  c->corpus->D_train + 1, c->swarm_n, 3 * (c->corpus->D_train + 1));
}

static rmx_status keep_to(const rmx_comparison *c, rmx_problem *q, rmx_err *err) {
  const size_t D = c->corpus->D_train;
  const rmx_olmix_options *o = &c->options->olmix;
  rmx_constraints *k = &q->constraints;
  rmx_constraints_release(k);
  RMX_TRY(rmx_constraints_make(D, k, err));
  double *tokens = rmx_calloc(D, sizeof *tokens);
  if (!tokens || !(k->reference = rmx_calloc(D, sizeof *k->reference))) {
    free(tokens);
    return rmx_fail_memory(err, D * sizeof *tokens, "a constraint");
  }
  for (size_t d = 0; d < D; d++) tokens[d] = (double)c->corpus->domains[d].train_tokens;
  memcpy(k->reference, c->corpus->prior, D * sizeof *k->reference);
  k->kl_penalty = o->kl;
  rmx_status status = o->repeat > 0 ? rmx_constraints_epochs(k, tokens, (double)c->large->tokens,
                                                             o->repeat, c->corpus->names, err)
                                    : RMX_OK;
  free(tokens);
  return status == RMX_OK ? rmx_constraints_check(k, c->corpus->names, err) : status;
}

static rmx_status olmix_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  rmx_regress_options regress;
  rmx_optimize_options optimize = *c->optimize;
  optimize.method = "search";
  optimize.guard = false;
  rmx_fit *fit = NULL;
  rmx_problem q = {0};
  rmx_optimum *o = NULL;
  const double began = rmx_now();
  rmx_status status = rmx__regressor_defaults("exp", &regress, err);
  if (status == RMX_OK) status = rmx__swarm_fit(c, &regress, out, &fit, err);
  if (status == RMX_OK) status = rmx__swarm_problem(c, fit, &q, err);
  if (status == RMX_OK) status = keep_to(c, &q, err);
  if (status == RMX_OK)
    status = rmx_optimize(
        &(rmx_optimize_request){fit, &q, &optimize, c->seed, c->threads, c->listener}, &o, err);
  if (status == RMX_OK) {
    memcpy(out->mixture, rmx_optimum_mixture(o), c->corpus->D_train * sizeof *out->mixture);
    json_object_set_new(out->notes, "predicted", json_real(rmx_optimum_score(o)));
    json_object_set_new(out->notes, "kl", json_real(c->options->olmix.kl));
    if (isfinite(rmx_optimum_gap(o)))
      json_object_set_new(out->notes, "gap", json_real(rmx_optimum_gap(o)));
    json_object_set_new(out->notes, "spearman_out_of_fold", json_real(fit->cv[0].spearman));
  }
  out->wall_s += rmx_now() - began;
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(fit);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &regress);
  return status;
}

const rmx_baseline rmx__olmix = {
    .sees_target = true,
    .name = "olmix",
    .help =
        "fits a log-linear law to the swarm, and minimises it exactly with a penalty on the "
        "divergence from the prior",
    .source = "Chen et al. 2026 (Olmix)",
    .suits = "Suits many domains and few runs, if the mixture should stay near the prior",
    .needs_swarm = true,
    .check = olmix_check,
    .find = olmix_find,
};
