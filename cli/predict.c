// SPDX-License-Identifier: Apache-2.0
// regmix predict: the metrics a fit expects of mixtures.
#include <stdlib.h>

#include "steps.h"

struct predict_args {
  char *fit, *mixtures;
};

static rmx_status run_predict(cli *c, rmx_err *err) {
  struct predict_args *args = c->own;
  if (!args->mixtures) return rmx_fail(err, RMX_EUSAGE, "predict: wanted --mixtures M.csv");
  rmx_fit *f = NULL;
  rmx_table mixtures = {0}, out = {0};
  char *folder = args->fit ? rmx_strdup(args->fit) : rmx_path_in(c->common.folder, "fit");
  rmx_status status = folder ? rmx_fit_read(folder, &f, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx_csv_read(args->mixtures, &mixtures, err);
  if (status == RMX_OK) status = rmx_fit_predict_table(f, &mixtures, &out, err);
  if (status == RMX_OK) rmx_csv_print(stdout, &out);
  free(folder);
  rmx_table_release(&out);
  rmx_table_release(&mixtures);
  rmx_fit_free(f);
  return status;
}

#define AT(member) offsetof(struct predict_args, member)
static const rmx_option options[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR", "the fit (default fit)"},
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE", "CSV: a mixture a row, the first column names it"},
};
const cli_command cli_predict = {
    .name = "predict", .words = "", .run = run_predict,
    .options = options, .n_options = sizeof options / sizeof *options, .own_size = sizeof(struct predict_args),
    .summary = "predict the metrics of mixtures, as CSV on stdout",
    .examples = "  regmix predict --fit fit --mixtures candidates.csv > predicted.csv\n",
};
