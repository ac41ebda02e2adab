// SPDX-License-Identifier: Apache-2.0
// regmix fit: fits functions from mixture to metric and cross-validates them.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

static const char *better_of(const rmx_fit *f, size_t m) {
  if (rmx_fit_higher_is_better(f, m)) return "high";
  return rmx_fit_direction_from(f, m) == RMX_DIRECTION_ASSUMED ? "low?" : "low";
}

static void print_notes(const rmx_fit *f, size_t runs, const char *noise, bool assumed) {
  const int64_t folds = rmx_fit_folds(f);
  const size_t phases = rmx_fit_n_phases(f), domains = rmx_fit_n_domains(f) / (phases ? phases : 1);
  char in_phases[40] = "", of[64] = "no cross-validation:";
  if (phases) snprintf(in_phases, sizeof in_phases, " in %zu phases", phases);
  if (folds > 1) snprintf(of, sizeof of, "out of fold: %lld folds of", (long long)folds);
  cli_print("(%s %zu run%s, %zu domain%s%s\n", of, runs, rmx_s(runs), domains, rmx_s(domains),
            in_phases);
  cli_print(" regret@1: how much worse the run with the best prediction is than the best run\n");
  cli_print(" optimism: how much too good the best predictions are\n");
  cli_print(
      " signal: what the mixtures change, over the noise (of equal runs, else the rmse)%s%s)\n",
      noise,
      assumed ? "\n low?: assumed that lower is better; --higher-is-better METRIC changes it" : "");
}

// What the noise is, by the fewest degrees of freedom that a metric has for it. With ten its
// standard error is about a fifth of it. SIZE_MAX: no metric has any.
static const char *noise_text(size_t freedom, bool above_rmse) {
  enum { ENOUGH = 10 };
  if (freedom == SIZE_MAX) return "";
  if (freedom < ENOUGH)
    return "\n noise: standard deviation between equal runs, which are too few to measure it well";
  return above_rmse ? "\n noise: standard deviation between equal runs; an rmse below it is chance"
                    : "\n noise: standard deviation between equal runs; no rmse can be lower";
}

// Spearman and R2 out of fold; then the errors, in the unit of the metric.
static rmx_status print_scores(const rmx_fit *f, size_t runs, rmx_err *err) {
  static const char *const heads[] = {"metric", "regressor", "spearman", "r2",       "rmse",
                                      "noise",  "signal",    "regret@1", "optimism", "better"};
  cli_table t = {.align = "lLrrrRrrrR"};
  bool above = false, assumed = false;
  size_t freedom = SIZE_MAX;
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cli_cell(&t, "%s", heads[i]);
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    rmx_diagnostics d;
    char text[CLI_NUMBER];
    RMX_TRY(rmx_fit_diagnose(f, m, &d, err));
    if (isfinite(d.noise) && d.noise_freedom < freedom) freedom = d.noise_freedom;
    above |= d.noise > d.rmse;
    cli_cell(&t, "%s", rmx_fit_metrics(f)[m]);
    cli_cell(&t, "%s", rmx_regressor_name(rmx_fit_regressor(f, m)));
    cli_cell(&t, "%s", cli_number(rmx_fit_cv(f, m)->spearman, 4, 'f', text));
    cli_cell(&t, "%s", cli_number(rmx_fit_cv(f, m)->r2, 3, 'f', text));
    cli_cell(&t, "%s", cli_number(d.rmse, 3, 'g', text));
    cli_cell(&t, "%s", cli_number(d.noise, 3, 'g', text));
    cli_cell(&t, "%s", cli_number(d.signal_to_noise, 1, 'f', text));
    cli_cell(&t, "%s", cli_number(d.regret_at_1, 2, 'g', text));
    cli_cell(&t, "%s", cli_number(d.optimism, 2, 'g', text));
    cli_cell(&t, "%s", better_of(f, m));
    assumed |= rmx_fit_direction_from(f, m) == RMX_DIRECTION_ASSUMED;
  }
  cli_table_print(&t);
  print_notes(f, runs, noise_text(freedom, above), assumed);
  return RMX_OK;
}

// With two tables of the user, a regmix.yaml in the current folder is not read.
static rmx_status open_tables(cli *c, rmx_err *err) {
  rmx_experiment *e = &c->pipeline.experiment;
  c->pipeline.listener = c->listener;
  c->pipeline.typed = (const char *const *)c->common.settings.items;
  c->pipeline.n_typed = c->common.settings.n;
  RMX_TRY(rmx_config_read(NULL, (const char *const *)c->common.settings.items, c->common.settings.n,
                          &e->config, err));
  e->folder = rmx_strdup(".");
  return e->folder ? RMX_OK : rmx_fail_memory(err, 0, "a path");
}

static rmx_status run_fit(cli *c, rmx_err *err) {
  const rmx_fit_request *request = c->own;
  RMX_TRY(request->mixtures && !c->common.folder ? open_tables(c, err)
                                                 : cli_open(c, NULL, false, err));
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  if (!request->mixtures) rmx_pipeline_warn_outdated(&c->pipeline, RMX_STEP_FIT);
  RMX_TRY(rmx_pipeline_fit(&c->pipeline, request, &fit, err));
  RMX_OWNED char *out =
      request->out ? rmx_strdup(request->out) : rmx_experiment_path(&c->pipeline.experiment, "fit");
  if (c->common.json)
    cli_print_json(rmx_fit_json(fit, out ? out : ""));
  else
    RMX_TRY(print_scores(fit, rmx_fit_n_runs(fit), err));
  return RMX_OK;
}

const rmx_command cli_fit = {
    .name = "fit",
    .words = "",
    .run = run_fit,
    CLI_OPTIONS(rmx_fit_option_table, rmx_fit_request),
    .summary = "fit each metric as a function of the mixture, and cross-validate it",
};
