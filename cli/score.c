// SPDX-License-Identifier: Apache-2.0
// regmix score: prints how well a fit predicts runs that it has not seen.
#include <stdlib.h>

#include "steps.h"

static void print_scores(const rmx_fit *f, const rmx_scores *scores, const rmx_diagnostics *errors,
                         const rmx_scores *mean) {
  static const char *const heads[] = {"metric", "runs",  "spearman", "mse",     "r2",
                                      "rmse",   "noise", "regret@1", "optimism"};
  cli_table t = {.align = "lrrrrrrrr"};
  char text[CLI_NUMBER];
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cli_cell(&t, "%s", heads[i]);
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    const rmx_diagnostics *d = &errors[m];
    if (!scores[m].n) continue;
    cli_cell(&t, "%s", rmx_fit_metrics(f)[m]);
    cli_cell(&t, "%zu", scores[m].n);
    cli_cell(&t, "%s", cli_number(scores[m].spearman, 4, 'f', text));
    cli_cell(&t, "%.4g", scores[m].mse);
    cli_cell(&t, "%s", cli_number(scores[m].r2, 4, 'f', text));
    cli_cell(&t, "%s", cli_number(d->rmse, 3, 'g', text));
    cli_cell(&t, "%s", cli_number(d->noise, 3, 'g', text));
    cli_cell(&t, "%s", cli_number(d->regret_at_1, 2, 'g', text));
    cli_cell(&t, "%s", cli_number(d->optimism, 2, 'g', text));
  }
  cli_cell(&t, "mean");
  cli_cell(&t, "%s", "");
  cli_cell(&t, "%s", cli_number(mean->spearman, 4, 'f', text));
  cli_cell(&t, "%.4g", mean->mse);
  for (int i = 0; i < 5; i++) cli_cell(&t, "%s", "");
  cli_table_print(&t);
}

// Prints which runs were scored, and the scores of each size.
static void print_sizes(const rmx_fit_scores *s) {
  cli_table t = {.align = "lrrrr"};
  char text[CLI_NUMBER];
  for (size_t k = 0; k < s->n_parts; k++) {
    const rmx_part_scores *part = &s->parts[k];
    RMX_OWNED char *at = rmx_scale_text(part->at);
    if (!part->judged) continue;
    if (k)
      cli_print("(of the %zu run%s of %s: the largest size, at its last length)\n", part->runs,
                rmx_s(part->runs), at ? at : "");
    else
      cli_print(
          "(of all %zu runs together, since no size has five of them: such scores measure the size "
          "more than the mixture)\n",
          part->runs);
  }
  if (s->n_parts < 3) return;  // all runs, and one size
  static const char *const heads[] = {"each size, last length", "runs", "spearman", "mse", "r2"};
  for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) cli_cell(&t, "%s", heads[i]);
  for (size_t k = 1; k < s->n_parts; k++) {
    const rmx_part_scores *part = &s->parts[k];
    RMX_OWNED char *at = rmx_scale_text(part->at);
    cli_cell(&t, "%s", at ? at : "");
    cli_cell(&t, "%zu", part->runs);
    cli_cell(&t, "%s", cli_number(part->mean.spearman, 4, 'f', text));
    cli_cell(&t, "%.4g", part->mean.mse);
    cli_cell(&t, "%s", cli_number(part->mean.r2, 4, 'f', text));
  }
  cli_print("\n");
  cli_table_print(&t);
}

static rmx_status run_score(cli *c, rmx_err *err) {
  const rmx_score_request *args = c->own;
  if (!args->mixtures || !args->metrics)
    return rmx_fail(err, RMX_EUSAGE, "--mixtures M.csv or --metrics L.csv is missing; give both");
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *f = NULL;
  RMX_OWNED_BY(rmx_fit_scores_release) rmx_fit_scores s = {0};
  RMX_OWNED char *folder = args->fit ? rmx_strdup(args->fit) : rmx_path_in(c->common.folder, "fit");
  RMX_TRY(folder ? rmx_fit_read(folder, &f, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(rmx_score_tables(f, args, &c->listener, &s, err));
  if (c->common.json)
    cli_print_json(rmx_fit_scores_json(f, &s));
  else {
    print_scores(f, s.scores, s.errors, &s.mean);
    print_sizes(&s);
  }
  return RMX_OK;
}

const rmx_command cli_score = {
    .name = "score",
    .words = "",
    .run = run_score,
    CLI_OPTIONS(rmx_score_option_table, rmx_score_request),
    .summary = "score a fit on other runs: Spearman, MSE, R2, RMSE",
};
