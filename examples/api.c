// SPDX-License-Identifier: Apache-2.0
// api MIXTURES.csv METRICS.csv METRIC: fits every metric of the runs in two tables, predicts the
// runs, and searches the mixture at which METRIC is lowest. The fit is left in the folder api-fit.
//
//   cc api.c $(pkg-config --cflags --libs regmix) -o api
#include <regmix/pipeline.h>
#include <stdio.h>
#include <stdlib.h>

static rmx_status work(rmx_pipeline *p, char **args, rmx_err *err) {
  const rmx_fit_request tables = {.mixtures = args[1], .metrics = args[2], .out = "api-fit"};
  const rmx_answer_request request = {
      .fit = "api-fit", .problem.target = {.items = &args[3], .n = 1}, .print_only = true};
  rmx_fit *fit = NULL;
  rmx_table runs = {0}, predicted = {0};
  rmx_answer answer = {0};
  // Fit.
  rmx_status status = rmx_pipeline_fit(p, &tables, &fit, err);
  // Predict.
  if (status == RMX_OK) status = rmx_csv_read(args[1], &runs, err);
  if (status == RMX_OK) status = rmx_fit_predict_table(fit, &runs, &predicted, err);
  for (size_t m = 0; status == RMX_OK && m < predicted.D; m++)
    printf("run %s, %s: %.6f\n", predicted.ids[0], predicted.names[m], predicted.x[m]);
  // Optimise.
  if (status == RMX_OK) status = rmx_pipeline_optimize(p, &request, &answer, err);
  for (size_t d = 0; status == RMX_OK && d < runs.D; d++)
    printf("weight of %s: %.6f\n", rmx_fit_domains(answer.fit)[d],
           rmx_optimum_mixture(answer.optimum)[d]);
  rmx_answer_release(&answer);
  rmx_table_release(&predicted);
  rmx_table_release(&runs);
  rmx_fit_free(fit);
  return status;
}

int main(int argc, char **argv) {
  rmx_err err = {0};
  rmx_pipeline p = {0};
  if (argc != 4) return fprintf(stderr, "usage: api MIXTURES.csv METRICS.csv METRIC\n"), 2;
  rmx_status status = rmx_pipeline_open(&p, NULL, NULL, NULL, 0, &err);
  if (status == RMX_OK) status = work(&p, argv, &err);
  rmx_pipeline_release(&p);
  if (status != RMX_OK) fprintf(stderr, "api: %s\n", err.message);
  return status == RMX_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
