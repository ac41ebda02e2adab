// SPDX-License-Identifier: Apache-2.0
// Regression over random mixtures, as published and as this program does it by default.
//
// Liu et al., "RegMix: Data Mixture as Regression for Language Model Pre-training", ICLR 2025:
// boosted trees of 1000 rounds on each metric, 100,000 mixtures from Dirichlet(prior), the mean of
// the 128 with the best prediction (code). The default: cross-validation chooses the regressor
// (`auto`), and the optimum is searched by gradient near the runs. Both fit the same swarm, whose
// FLOPs are the cost: runs * (tokens F + validation).
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "comparison.h"
#include "regress/fit.h"

static rmx_status fit_and_optimise(const rmx_comparison *c, const rmx_regress_options *regress,
                                   const rmx_optimize_options *optimize, bool capped,
                                   rmx_baseline_result *out, rmx_err *err) {
  RMX_TRY(rmx__baseline_result_make(c, out, err));
  rmx_fit *fit = NULL;
  rmx_problem q = {0};
  rmx_optimum *o = NULL;
  const double began = rmx_now();
  rmx_status status = rmx__swarm_fit(c, regress, out, &fit, err);
  if (status == RMX_OK) status = rmx__swarm_problem(c, fit, &q, err);
  if (status == RMX_OK && !capped) {
    rmx_constraints_release(&q.constraints);
    status = rmx_constraints_make(c->corpus->D_train, &q.constraints, err);
  }
  if (status == RMX_OK)
    status = rmx_optimize(
        &(rmx_optimize_request){fit, &q, optimize, c->seed, c->threads, c->listener}, &o, err);
  if (status == RMX_OK) {
    memcpy(out->mixture, rmx_optimum_mixture(o), c->corpus->D_train * sizeof *out->mixture);
    json_object_set_new(out->notes, "search", json_string(rmx_optimum_method(o)));
    json_object_set_new(out->notes, "regressor",
                        json_string(rmx_regressor_name(fit->regressors[0])));
    json_object_set_new(out->notes, "predicted", json_real(rmx_optimum_score(o)));
    json_object_set_new(out->notes, "spearman_out_of_fold", json_real(fit->cv[0].spearman));
  }
  out->wall_s += rmx_now() - began;
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(fit);
  return status;
}

static rmx_status ours_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  return fit_and_optimise(c, c->regress, c->optimize, true, out, err);
}

static rmx_status paper_find(const rmx_comparison *c, rmx_baseline_result *out, rmx_err *err) {
  rmx_regress_options regress;
  rmx_optimize_options optimize = *c->optimize;
  optimize.method = "simulate";
  optimize.samples = 100000;
  optimize.top = 128;
  optimize.strength = 1;
  optimize.guard = false;
  rmx_status status = rmx__regressor_defaults("trees", &regress, err);
  if (status == RMX_OK) status = fit_and_optimise(c, &regress, &optimize, false, out, err);
  if (status == RMX_OK) json_object_set_new(out->notes, "form", json_string("code"));
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &regress);
  return status;
}

// Trees of 20 runs a leaf need 40 to part them once.
static rmx_status paper_check(const rmx_comparison *c, rmx_err *err) {
  RMX_TRY(rmx__needs_swarm(c, err));
  if (c->swarm_n < 40)
    return rmx_fail(
        err, RMX_EINPUT,
        "regmix-paper: its trees have 20 or more runs in each leaf, so %zu runs cannot be split "
        "even once; wanted 40 or more (the paper has 512), for example `--set sample.runs=64`",
        c->swarm_n);
  return RMX_OK;
}

const rmx_baseline rmx__regmix = {
    .sees_target = true,
    .name = "regmix",
    .help =
        "fits regressors to runs on random mixtures, chooses one by cross-validation, and searches "
        "for its optimum",
    .source = "Liu et al., ICLR 2025, arXiv 2407.01492; see regmix(1)",
    .suits =
        "Suits a target that can be measured and a budget for proxies; the answer has an "
        "uncertainty",
    .needs_swarm = true,
    .check = rmx__needs_swarm,
    .find = ours_find,
};
const rmx_baseline rmx__regmix_paper = {
    .sees_target = true,
    .name = "regmix-paper",
    .help =
        "follows the published recipe: boosted trees predict 100,000 mixtures, and the mean of the "
        "best 128 is used",
    .source = "Liu et al., ICLR 2025, arXiv 2407.01492",
    .suits = "Suits a comparison with published figures; needs hundreds of proxies",
    .needs_swarm = true,
    .check = paper_check,
    .find = paper_find,
};
