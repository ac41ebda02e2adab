// SPDX-License-Identifier: Apache-2.0
// regmix report: writes the page.
#include <regmix/report.h>
#include <stdlib.h>

#include "steps.h"

struct report_args {
  char *fit, *optimum, *next, *tokens, *out;
  double budget;
};

// An empty page would look like a finished one.
static rmx_status has_something(const rmx_report_files *files, rmx_err *err) {
  static const char *const any[] = {"regmix.yaml", "resolved.yaml", "corpus",
                                    "fit",         "optimum.yaml",  "mixtures.csv"};
  bool there = files->fit || files->optimum;
  for (size_t i = 0; i < sizeof any / sizeof *any && !there; i++) {
    char *path = rmx_path_in(files->folder, any[i]);
    if (!path) return rmx_fail_memory(err, 0, "a path");
    there = rmx_exists(path);
    free(path);
  }
  if (there) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: nothing to report: found no regmix.yaml, no fit and no optimum.yaml; "
                  "`regmix fit` makes a fit, -C DIR chooses another folder",
                  files->folder);
}

static rmx_status run_report(cli *c, rmx_err *err) {
  const struct report_args *args = c->own;
  rmx_experiment *e = &c->pipeline.experiment;
  RMX_TRY(cli_open(c, NULL, false, err));
  RMX_OWNED_BY(rmx_strings_release) rmx_strings domains = {0};
  RMX_OWNED double *tokens = NULL;
  RMX_OWNED char *path = args->out ? rmx_strdup(args->out) : rmx_experiment_path(e, "report.html");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (args->tokens) RMX_TRY(rmx_tokens_read(args->tokens, &domains, &tokens, err));
  const rmx_report_files files = {.folder = e->folder,
                                  .fit = args->fit,
                                  .optimum = args->optimum,
                                  .next = args->next,
                                  .budget = args->budget,
                                  .domains = (const char *const *)domains.items,
                                  .tokens = tokens,
                                  .n_domains = domains.n};
  RMX_TRY(has_something(&files, err));
  RMX_TRY(rmx_report_write(&files, path, err));
  if (c->common.json)
    cli_print_json(json_pack("{s:s}", "report", path));
  else if (!cli_is_stdout(path))
    puts(rmx_shown(path));
  return RMX_OK;
}

#define AT(member) offsetof(struct report_args, member)
static const rmx_option options[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "folder of the fit to report (default: `fit` in the folder); with this option the optimum "
     "next to the fit is used, and no runs of an experiment"},
    {"optimum", RMX_TEXT, AT(optimum), NULL, 0, 0, "FILE",
     "optimum to report (default: optimum.yaml in the folder, or next to the fit)"},
    {"next", RMX_TEXT, AT(next), NULL, 0, 0, "FILE",
     "mixtures to train next, written by `regmix suggest --out FILE` (default: next.csv in the "
     "folder)"},
    {"budget", RMX_REAL, AT(budget), NULL, 1, 1e18, "TOKENS",
     "tokens of the real training run, for the table of tokens and epochs (default: large.tokens)"},
    {"tokens", RMX_TEXT, AT(tokens), NULL, 0, 0, "FILE",
     "number of available tokens of each domain, as YAML, JSON or CSV (default: as in the corpus)"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "write the page to this file (default: report.html in the folder)"},
};
const rmx_command cli_report = {
    .name = "report",
    .words = "",
    .run = run_report,
    CLI_OPTIONS(options, struct report_args),
    .summary = "write report.html: the mixture, the reasons for it, and how certain it is",
};
