// SPDX-License-Identifier: Apache-2.0
// regmix optimize: finds the mixture at which the fitted functions are best.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct optimize_args {
  char *fit, *out, *pareto;
  rmx_problem_request problem;
  rmx_strings against;
  rmx_optimize_options how;  // checked; the given options are in cli.how
  int64_t points, fold;
  bool no_guard, quick;
};

// Options of the command line override those of the config.
static rmx_status take_options(const cli *c, rmx_search_options *o, rmx_err *err) {
  const struct optimize_args *args = c->own;
  bool method = false, simulates = false;
  for (size_t i = 0; i < c->how.n; i++) {
    const char *text = c->how.items[i], *equals = strchr(text, '=');
    const size_t n = (size_t)(equals - text);
    char key[32];
    snprintf(key, sizeof key, "%.*s", (int)n, text);
    method |= strcmp(key, "method") == 0;
    simulates |=
        strcmp(key, "samples") == 0 || strcmp(key, "top") == 0 || strcmp(key, "strength") == 0;
    RMX_TRY(rmx_option_set(rmx_search_option_table, rmx_search_option_table_n, o, key, equals + 1,
                           err));
  }
  if (args->no_guard) o->how.guard = false;
  if (args->against.n && (args->quick || o->how.replicates == 0))
    return rmx_fail(err, RMX_EUSAGE,
                    "--against needs intervals, but --quick and --replicates 0 switch them off");
  // Options of a simulation select it.
  if (method || !simulates) return RMX_OK;
  return rmx_option_set(rmx_search_option_table, rmx_search_option_table_n, o, "method", "simulate",
                        err);
}

// The answer was already printed, so a folder that can't be written to is not a failure.
static void leave_beside(const cli *c, const char *place, const rmx_answer *s, const char *fit) {
  rmx_err failed;
  if (rmx_optimum_write(&c->pipeline.experiment, place, s, fit, &failed) == RMX_OK)
    rmx_note(&c->listener,
             "optimize: wrote %s; `regmix report` makes the page, `regmix export` makes the config "
             "of a trainer",
             place);
  else
    rmx_warn(&c->listener, "optimize: the answer was not saved: %s", failed.message);
}

static rmx_status run_optimize(cli *c, rmx_err *err) {
  const struct optimize_args *args = c->own;
  rmx_pipeline *p = &c->pipeline;
  rmx_experiment *e = &p->experiment;
  RMX_TRY(cli_open(c, NULL, false, err));
  RMX_TRY(take_options(c, &e->config.search, err));
  const rmx_answer_request request = {.fit = args->fit,
                                      .out = args->out,
                                      .problem = args->problem,
                                      .against = args->against,
                                      .pareto = args->pareto,
                                      .points = (size_t)args->points,
                                      .quick = args->quick,
                                      .print_only = c->common.json};
  rmx_answer s = {0};
  char *folder = args->fit ? rmx_strdup(args->fit) : rmx_experiment_path(e, "fit"), *place = NULL;
  rmx_status status = folder ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  // Checked before the search, which may take minutes.
  if (status == RMX_OK && (args->fit || !e->config_path) && !args->out && !c->common.json)
    status = rmx_optimum_place(p, c->common.folder ? e->folder : NULL, folder, &place, err);
  const bool to_stdout = cli_is_stdout(args->out);
  if (status == RMX_OK && args->out && !to_stdout) status = rmx_optimum_may_replace(args->out, err);
  if (status == RMX_OK) status = rmx_pipeline_optimize(p, &request, &s, err);
  if (status == RMX_OK && args->out) status = rmx_optimum_write(e, args->out, &s, folder, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(rmx_answer_json(&s));
  else if (status == RMX_OK && !to_stdout)
    print_answer(&s, args->fold);
  if (status == RMX_OK && place) leave_beside(c, place, &s, folder);
  free(folder);
  free(place);
  rmx_answer_release(&s);
  return status;
}

#define AT(member) offsetof(struct optimize_args, member)
static const rmx_option options_table[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "folder of the fit (default: the fit of the experiment)"},
    PROBLEM_OPTIONS(struct optimize_args),
    {"no-guard", RMX_BOOL, AT(no_guard), "false", 0, 0, NULL,
     "allow mixtures far from all runs, and weights outside the range they covered"},
    {"against", RMX_LIST, AT(against), NULL, 0, 0, "FILE",
     "mixture to compare the optimum with, in addition to the prior; may be given several times"},
    {"quick", RMX_BOOL, AT(quick), "false", 0, 0, NULL,
     "find the mixture only: no intervals, no learning curve, no attribution"},
    {"pareto", RMX_TEXT, AT(pareto), NULL, 0, 0, "METRIC,METRIC",
     "also find the Pareto front of two metrics: no mixture on it is better than another in both"},
    {"points", RMX_INT, AT(points), "11", 2, 1000, "N", "number of points on the Pareto front"},
    {"fold", RMX_INT, AT(fold), "0", 0, 2, "LEVELS",
     "print the totals of nodes instead of all domains: 1: sources; 2: source:topic; 0: all "
     "domains"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "YAML file to write; default: optimum.yaml next to the fit (--json without --out writes no "
     "file)"},
};
const rmx_command cli_optimize = {
    .name = "optimize",
    .words = "",
    .run = run_optimize,
    CLI_OPTIONS(options_table, struct optimize_args),
    .problem_at = AT(problem.keep),
    .how_at = AT(how),
    .summary = "find the mixture with the best predicted target",
};
