// SPDX-License-Identifier: Apache-2.0
// regmix fit: fits functions from mixture to metric and cross-validates them.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct fit_args {
  char *mixtures, *metrics, *regressor, *out, *tokens;
  double budget, run_tokens;
  rmx_strings only, higher, lower, phases;
  rmx_table_form tables;
  bool normalize, raw, skip_missing;
};

static const char *better_of(const rmx_fit *f, size_t m) {
  if (rmx_fit_higher_is_better(f, m)) return "high";
  return rmx_fit_direction_from(f, m) == RMX_DIRECTION_ASSUMED ? "low?" : "low";
}

// Spearman and R2 out of fold; then the errors, in the unit of the metric.
static rmx_status print_scores(const rmx_fit *f, size_t runs, rmx_err *err) {
  int width = rmx_width(rmx_fit_metrics(f), rmx_fit_n_metrics(f), 24);
  bool noise = false, assumed = false;
  printf("%-*s %-9s %8s %7s %9s %9s %9s %9s %7s\n", width, "metric", "regressor", "spearman", "r2",
         "rmse", "noise", "regret@1", "optimism", "better");
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    rmx_diagnostics d;
    char text[6][CLI_NUMBER];
    RMX_TRY(rmx_fit_diagnose(f, m, &d, err));
    noise |= isfinite(d.noise);
    printf("%-*s %-9s %8s %7s %9s %9s %9s %9s %7s\n",
           rmx_pad(rmx_shown(rmx_fit_metrics(f)[m]), width), rmx_shown(rmx_fit_metrics(f)[m]),
           rmx_regressor_name(rmx_fit_regressor(f, m)),
           cli_number(rmx_fit_cv(f, m)->spearman, 4, 'f', text[0]),
           cli_number(rmx_fit_cv(f, m)->r2, 4, 'f', text[1]), cli_number(d.rmse, 3, 'g', text[2]),
           cli_number(d.noise, 3, 'g', text[3]), cli_number(d.regret_at_1, 2, 'g', text[4]),
           cli_number(d.optimism, 2, 'g', text[5]), better_of(f, m));
    assumed |= rmx_fit_direction_from(f, m) == RMX_DIRECTION_ASSUMED;
  }
  int64_t folds = rmx_fit_folds(f);
  printf(
      "(out of fold: %lld fold%s of %zu run%s, %zu domains\n regret@1: how much worse the run with "
      "the best prediction is than the best run\n optimism: how much too good the best predictions "
      "are%s%s)\n",
      (long long)folds, rmx_s(folds), runs, rmx_s(runs), rmx_fit_n_domains(f),
      noise ? "\n noise: standard deviation between equal runs; no rmse can be lower" : "",
      assumed ? "\n low?: assumed that lower is better; --higher-is-better METRIC changes it" : "");
  return RMX_OK;
}

static json_t *scores_tree(const rmx_fit *f, const char *out) {
  rmx_err ignored;
  json_t *root = json_object(), *metrics = json_object();
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    rmx_diagnostics errors;
    bool known = rmx_fit_diagnose(f, m, &errors, &ignored) == RMX_OK;
    json_t *one = rmx_scores_json(rmx_fit_cv(f, m), known ? &errors : NULL);
    json_object_set_new(one, "higher_is_better", json_boolean(rmx_fit_higher_is_better(f, m)));
    json_object_set_new(one, "direction_from",
                        json_string(rmx_direction_from_text(rmx_fit_direction_from(f, m))));
    json_object_set_new(one, "regressor", json_string(rmx_regressor_name(rmx_fit_regressor(f, m))));
    json_object_set_new(metrics, rmx_fit_metrics(f)[m], one);
  }
  json_object_set_new(root, "fit", json_string(out));
  json_object_set_new(root, "runs", json_integer((json_int_t)rmx_fit_n_runs(f)));
  json_object_set_new(root, "cross_validation", metrics);
  return root;
}

// The regressor and the directions of the command line replace those of the config.
static rmx_status take_options(const struct fit_args *args, rmx_config *config, rmx_err *err) {
  if (args->regressor) {
    char *setting = rmx_format("fit.regressor=%s", args->regressor);
    rmx_status status =
        setting ? rmx_config_set(config, setting, err) : rmx_fail_memory(err, 0, "a setting");
    free(setting);
    RMX_TRY(status);
  }
  bool good = true;
  for (size_t i = 0; i < args->higher.n && good; i++)
    good = rmx_strings_add(&config->regress.higher_is_better, args->higher.items[i]);
  for (size_t i = 0; i < args->lower.n && good; i++)
    good = rmx_strings_add(&config->regress.lower_is_better, args->lower.items[i]);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "a pattern");
}

static rmx_status check_options(const struct fit_args *args, rmx_err *err) {
  if (!args->mixtures != !args->metrics)
    return rmx_fail(err, RMX_EUSAGE,
                    "--mixtures and --metrics need each other: give both, or neither to use the "
                    "tables of the experiment");
  if (args->tokens && !(args->budget > 0))
    return rmx_fail(err, RMX_EUSAGE, "--tokens needs --budget TOKENS, the tokens of the large run");
  if (args->raw && args->normalize)
    return rmx_fail(err, RMX_EUSAGE,
                    "--normalize divides mixtures by their sum, and --raw keeps them as they are; "
                    "give only one of them");
  return RMX_OK;
}

// With two tables of the user, a regmix.yaml in the current folder is not read.
static rmx_status open_tables(cli *c, rmx_err *err) {
  rmx_experiment *e = &c->pipeline.experiment;
  c->pipeline.listener = c->listener;
  RMX_TRY(rmx_config_read(NULL, (const char *const *)c->common.settings.items, c->common.settings.n,
                          &e->config, err));
  e->folder = rmx_strdup(".");
  return e->folder ? RMX_OK : rmx_fail_memory(err, 0, "a path");
}

static rmx_status run_fit(cli *c, rmx_err *err) {
  struct fit_args *args = c->own;
  RMX_TRY(check_options(args, err));
  RMX_TRY(args->mixtures && !c->common.folder ? open_tables(c, err)
                                              : cli_open(c, NULL, false, err));
  RMX_TRY(take_options(args, &c->pipeline.experiment.config, err));
  const rmx_fit_request request = {.mixtures = args->mixtures,
                                   .metrics = args->metrics,
                                   .tables = args->tables,
                                   .only = args->only,
                                   .tokens = args->tokens,
                                   .phases = args->phases,
                                   .budget = args->budget,
                                   .run_tokens = args->run_tokens,
                                   .out = args->out,
                                   .normalize = args->normalize,
                                   .raw = args->raw,
                                   .skip_missing = args->skip_missing};
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *fit = NULL;
  RMX_TRY(rmx_pipeline_fit(&c->pipeline, &request, &fit, err));
  RMX_OWNED char *out =
      args->out ? rmx_strdup(args->out) : rmx_experiment_path(&c->pipeline.experiment, "fit");
  if (c->common.json)
    cli_print_json(scores_tree(fit, out ? out : ""));
  else
    RMX_TRY(print_scores(fit, rmx_fit_n_runs(fit), err));
  return RMX_OK;
}

#define AT(member) offsetof(struct fit_args, member)
static const rmx_option options[] = {
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE",
     "table of the mixtures: CSV with one run per row and one column per domain, or another format "
     "named above; default: mixtures.csv of the experiment"},
    {"metrics", RMX_TEXT, AT(metrics), NULL, 0, 0, "FILE",
     "table of the metrics: CSV with one run per row, joined on the first column, or another "
     "format named above"},
    MIXTURE_COLUMNS_OPTION(struct fit_args, tables),
    METRIC_COLUMNS_OPTION(struct fit_args, tables),
    ID_OPTION(struct fit_args, tables),
    {"size-column", RMX_TEXT, AT(tables.size_column), NULL, 0, 0, "COLUMN",
     "column with the parameters of each run's model (122M, 1.2B), for runs of several sizes"},
    {"tokens-column", RMX_TEXT, AT(tables.tokens_column), NULL, 0, 0, "COLUMN",
     "column with the tokens that each run was trained on (20G), for runs of several lengths"},
    {"regressor", RMX_TEXT, AT(regressor), NULL, 0, 0, "NAME",
     "kind of function to fit: ridge, trees, ... (the same as --set fit.regressor)"},
    {"metric", RMX_LIST, AT(only), NULL, 0, 0, "NAME",
     "metric to fit; may be given several times; default: all metrics"},
    {"higher-is-better", RMX_LIST, AT(higher), NULL, 0, 0, "PATTERN",
     "metrics that are scores, for example '*_acc'; optimize raises them; may be given several "
     "times; default: derived from the name of the metric"},
    {"lower-is-better", RMX_LIST, AT(lower), NULL, 0, 0, "PATTERN",
     "metrics that are losses; optimize lowers them; may be given several times"},
    {"tokens", RMX_TEXT, AT(tokens), NULL, 0, 0, "FILE",
     "number of available tokens of each domain, as YAML (domain: tokens) or CSV (domain,tokens); "
     "default: as in the corpus of the experiment"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "number of tokens of the large run, for regressor exposure"},
    {"run-tokens", RMX_REAL, AT(run_tokens), NULL, 1, 1e18, "TOKENS",
     "number of tokens of each run in --metrics; default: the runs saw each domain as often as the "
     "large run will"},
    {"phases", RMX_LIST, AT(phases), NULL, 0, 0, "SHARE,SHARE",
     "shares of the tokens of the phases, if the columns are phase_0_DOMAIN, phase_1_DOMAIN"},
    {"skip-missing", RMX_BOOL, AT(skip_missing), "false", 0, 0, NULL,
     "leave runs without a value of a metric out of its fit; otherwise a missing value is an "
     "error"},
    {"normalize", RMX_BOOL, AT(normalize), "false", 0, 0, NULL,
     "divide every mixture by its sum, also if the sum differs from 1 by more than 1 % "
     "(percentages, rounded shares); predict and score with this fit do the same"},
    {"raw", RMX_BOOL, AT(raw), "false", 0, 0, NULL,
     "do not divide rows that sum to 1 within 1 % by their sum; predict and score with this fit do "
     "the same"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "DIR",
     "folder that the fit is written to (default: fit)"},
};
const rmx_command cli_fit = {
    .name = "fit",
    .words = "",
    .run = run_fit,
    CLI_OPTIONS(options, struct fit_args),
    .summary = "fit each metric as a function of the mixture, and cross-validate it",
};
