// SPDX-License-Identifier: Apache-2.0
// regmix predict: prints the metrics that a fit predicts for mixtures.
#include <stdlib.h>

#include "steps.h"

struct predict_args {
  char *fit, *mixtures, *scale;
  double budget;
  rmx_table_form tables;
};

static void release_warnings(rmx_kept_warnings *kept) {
  rmx_strings_release(&kept->texts);
}

static json_t *warnings_json(const rmx_kept_warnings *kept) {
  json_t *list = json_array();
  for (size_t i = 0; i < kept->texts.n; i++)
    json_array_append_new(list, json_string(kept->texts.items[i]));
  return list;
}

static rmx_status run_predict(cli *c, rmx_err *err) {
  const struct predict_args *args = c->own;
  if (!args->mixtures) return rmx_fail(err, RMX_EUSAGE, "--mixtures M.csv is missing");
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *f = NULL;
  RMX_OWNED_BY(rmx_table_release) rmx_table out = {0}, sd = {0};
  RMX_OWNED_BY(release_warnings) rmx_kept_warnings kept = {0};
  const rmx_listener listener = rmx_keep_warnings(&kept, &c->listener);
  RMX_OWNED char *folder = args->fit ? rmx_strdup(args->fit) : rmx_path_in(c->common.folder, "fit");
  RMX_TRY(folder ? rmx_fit_read(folder, &f, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(rmx_predict_tables(f, args->mixtures, &args->tables, args->scale, args->budget, &listener,
                             &out, c->common.json ? &sd : NULL, err));
  RMX_OWNED char *why = args->scale ? rmx_fit_no_intervals(f) : NULL;
  if (c->common.json)
    cli_print_json(json_pack("{s:o, s:o*, s:s*, s:o}", "predicted", rmx__table_json(&out), "sd",
                             sd.N  ? rmx__table_json(&sd)
                             : why ? json_null()
                                   : NULL,
                             "no_intervals", why, "warnings", warnings_json(&kept)));
  else
    RMX_TRY(cli_print_table(&out, err));
  return RMX_OK;
}

#define AT(member) offsetof(struct predict_args, member)
static const rmx_option options[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR", "folder of the fit (default: fit)"},
    {"mixtures", RMX_TEXT, AT(mixtures), NULL, 0, 0, "FILE",
     "table of the mixtures: CSV with one mixture per row, its name in the first column, or "
     "another format named above"},
    RMX_FOR_OPTION(struct predict_args, scale),
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "tokens of the predicted run, if the fit depends on epochs (exposure); default: as in the "
     "fit"},
    RMX_MIXTURE_COLUMNS_OPTION(struct predict_args, tables),
    RMX_ID_OPTION(struct predict_args, tables),
};
const rmx_command cli_predict = {
    .name = "predict",
    .words = "",
    .run = run_predict,
    CLI_OPTIONS(options, struct predict_args),
    .summary = "predict the metrics of mixtures, and print them as CSV",
};
