// SPDX-License-Identifier: Apache-2.0
// regmix score: prints how well a fit predicts runs that it has not seen.
#include <stdlib.h>

#include "steps.h"

static void print_scores(const rmx_fit *f, const rmx_scores *scores, const rmx_diagnostics *errors,
                         const rmx_scores *mean) {
  int width = rmx_width(rmx_fit_metrics(f), rmx_fit_n_metrics(f), 24);
  printf("%-*s %5s %8s %10s %7s %9s %9s %9s %9s\n", width, "metric", "runs", "spearman", "mse",
         "r2", "rmse", "noise", "regret@1", "optimism");
  for (size_t m = 0; m < rmx_fit_n_metrics(f); m++) {
    const rmx_diagnostics *d = &errors[m];
    char text[6][CLI_NUMBER];
    if (!scores[m].n) continue;
    printf("%-*s %5zu %8s %10.4g %7s %9s %9s %9s %9s\n",
           rmx_pad(rmx_shown(rmx_fit_metrics(f)[m]), width), rmx_shown(rmx_fit_metrics(f)[m]),
           scores[m].n, cli_number(scores[m].spearman, 4, 'f', text[0]), scores[m].mse,
           cli_number(scores[m].r2, 4, 'f', text[1]), cli_number(d->rmse, 3, 'g', text[2]),
           cli_number(d->noise, 3, 'g', text[3]), cli_number(d->regret_at_1, 2, 'g', text[4]),
           cli_number(d->optimism, 2, 'g', text[5]));
  }
  char spearman[CLI_NUMBER];
  printf("%-*s %5s %8s %10.4g\n", width, "mean", "", cli_number(mean->spearman, 4, 'f', spearman),
         mean->mse);
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
  else
    print_scores(f, s.scores, s.errors, &s.mean);
  return RMX_OK;
}

const rmx_command cli_score = {
    .name = "score",
    .words = "",
    .run = run_score,
    CLI_OPTIONS(rmx_score_option_table, rmx_score_request),
    .summary = "score a fit on other runs: Spearman, MSE, R2, RMSE",
};
