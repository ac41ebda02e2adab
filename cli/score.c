// SPDX-License-Identifier: Apache-2.0
// regmix score: how well a fit predicts runs it was not given.
#include <stdlib.h>

#include "steps.h"

struct score_args {
  char *fit, *mixtures, *metrics;
};

static void print_scores(const rmx_fit *f, const rmx_scores *scores, const rmx_scores *mean) {
  int width = cli_width(f->metrics, f->M, 24);
  printf("%-*s %6s %9s %11s %11s %8s\n", width, "metric", "runs", "spearman", "mse", "mae", "r2");
  for (size_t m = 0; m < f->M; m++)
    if (scores[m].n)
      printf("%-*s %6zu %9.4f %11.4g %11.4g %8.4f\n", width, f->metrics[m], scores[m].n, scores[m].spearman, scores[m].mse,
             scores[m].mae, scores[m].r2);
  printf("%-*s %6s %9.4f %11.4g\n", width, "mean", "", mean->spearman, mean->mse);
}

static json_t *scores_tree(const rmx_fit *f, const rmx_scores *scores, const rmx_scores *mean) {
  json_t *root = json_object(), *metrics = json_object(), *means = rmx_scores_json(mean), *two = json_object();
  for (size_t m = 0; m < f->M; m++)
    if (scores[m].n) json_object_set_new(metrics, f->metrics[m], rmx_scores_json(&scores[m]));
  json_object_set(two, "spearman", json_object_get(means, "spearman"));
  json_object_set(two, "mse", json_object_get(means, "mse"));
  json_decref(means);
  json_object_set_new(root, "metrics", metrics);
  json_object_set_new(root, "mean", two);
  return root;
}

static rmx_status run_score(cli *c, rmx_err *err) {
  struct score_args *args = c->own;
  if (!args->mixtures || !args->metrics) return rmx_fail(err, RMX_EUSAGE, "score: wanted --mixtures M.csv and --metrics L.csv");
  rmx_fit *f = NULL;
  rmx_table mixtures = {0}, metrics = {0};
  rmx_scores *scores = NULL, mean;
  char *folder = args->fit ? rmx_strdup(args->fit) : rmx_path_in(c->common.folder, "fit");
  rmx_status status = folder ? rmx_fit_read(folder, &f, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_csv_read(args->mixtures, &mixtures, err);
  if (status == RMX_OK) status = rmx_csv_read(args->metrics, &metrics, err);
  if (status == RMX_OK && !(scores = rmx_calloc(f->M, sizeof *scores))) status = rmx_fail_memory(err, 0, "scores");
  if (status == RMX_OK) status = rmx_fit_score_tables(f, &mixtures, &metrics, &c->listener, scores, &mean, err);
  if (status == RMX_OK && c->common.json) cli_print_json(scores_tree(f, scores, &mean));
  else if (status == RMX_OK) print_scores(f, scores, &mean);
  free(scores);
  free(folder);
  rmx_table_release(&mixtures);
  rmx_table_release(&metrics);
  rmx_fit_free(f);
  return status;
}

#define AT(member) offsetof(struct score_args, member)
static const rmx_option options[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR", "the fit (default fit)"},
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE", "CSV of mixtures"},
    {"metrics", RMX_TEXT, AT(metrics), NULL, 0, 0, "FILE", "CSV of what was measured for them"},
};
const cli_command cli_score = {
    .name = "score", .words = "", .run = run_score,
    .options = options, .n_options = sizeof options / sizeof *options, .own_size = sizeof(struct score_args),
    .summary = "score a fit on other runs: Spearman, MSE, MAE, R2",
    .about = "Predicts the metrics of measured runs and compares. Give runs the fit has not seen; on its own it flatters itself.",
    .examples = "  regmix score --fit fit --mixtures test_mixtures.csv --metrics test_losses.csv --json\n",
};
