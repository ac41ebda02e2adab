// SPDX-License-Identifier: Apache-2.0
// regmix optimize: the mixture at which the fitted functions are best.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct optimize_args {
  char *fit, *out, *method, *pareto;
  rmx_problem_request problem;
  rmx_strings against;
  double strength, level;
  int64_t samples, top, starts, points, replicates;
  bool no_guard, quick;
};

static rmx_status take_options(const struct optimize_args *args, rmx_optimize_options *o,
                               rmx_err *err) {
  if (args->samples) o->samples = args->samples;
  if (args->top) o->top = args->top;
  if (args->starts) o->starts = args->starts;
  if (args->strength > 0) o->strength = args->strength;
  if (args->no_guard) o->guard = false;
  if (args->level > 0) o->level = args->level;
  if (args->replicates >= 0) o->replicates = args->replicates;
  if (args->against.n && (args->quick || o->replicates == 0))
    return rmx_fail(err, RMX_EUSAGE,
                    "--against asks for intervals, which --quick and --replicates 0 leave out");
  // Who says how to simulate wants to.
  const char *wanted = args->method                                       ? args->method
                       : args->samples || args->top || args->strength > 0 ? "simulate"
                                                                          : NULL;
  if (!wanted) return RMX_OK;
  char *method = rmx_strdup(wanted);
  if (!method) return rmx_fail_memory(err, 0, "a name");
  free(o->method);
  o->method = method;
  return RMX_OK;
}

// The answer is on the terminal already: a folder that cannot be written to is no reason to fail.
static void leave_beside(const cli *c, const char *place, const rmx_answer *s, const char *fit) {
  rmx_err failed;
  if (rmx_optimum_write(&c->pipeline.experiment, place, s, fit, &failed) == RMX_OK)
    rmx_note(&c->listener,
             "optimize: wrote %s; `regmix report` makes the page, `regmix export` the config of a "
             "trainer",
             place);
  else
    rmx_warn(&c->listener, "optimize: the answer is not kept: %s", failed.message);
}

static rmx_status run_optimize(cli *c, rmx_err *err) {
  const struct optimize_args *args = c->own;
  rmx_pipeline *p = &c->pipeline;
  rmx_experiment *e = &p->experiment;
  RMX_TRY(cli_open(c, NULL, false, err));
  RMX_TRY(take_options(args, &e->config.optimize, err));
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
  // Known before the search, which may take minutes.
  if (status == RMX_OK && (args->fit || !e->config_path) && !args->out && !c->common.json)
    status = rmx_optimum_place(p, c->common.folder ? e->folder : NULL, folder, &place, err);
  const bool to_stdout = cli_is_stdout(args->out);
  if (status == RMX_OK && args->out && !to_stdout) status = rmx_optimum_may_replace(args->out, err);
  if (status == RMX_OK) status = rmx_pipeline_optimize(p, &request, &s, err);
  if (status == RMX_OK && args->out) status = rmx_optimum_write(e, args->out, &s, folder, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(rmx_answer_json(&s));
  else if (status == RMX_OK && !to_stdout)
    print_answer(&s);
  if (status == RMX_OK && place) leave_beside(c, place, &s, folder);
  free(folder);
  free(place);
  rmx_answer_release(&s);
  return status;
}

#define AT(member) offsetof(struct optimize_args, member)
static const rmx_option options_table[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR", "the fit (default: the experiment's)"},
    PROBLEM_OPTIONS(struct optimize_args),
    {"method", RMX_CHOICE, AT(method), NULL, 0, 0, "auto|simulate|search",
     "search: downhill by gradient from many starts; simulate: predict many mixtures drawn around "
     "the prior, average the best; "
     "auto (default): search where the functions have a gradient (trees have none), unless told "
     "how to simulate"},
    {"strength", RMX_REAL, AT(strength), NULL, 1e-6, 1e6, "S",
     "of the Dirichlet around the prior (default 1)"},
    {"samples", RMX_INT, AT(samples), NULL, 1, 1e10, "N", "mixtures simulated (default 100k)"},
    {"top", RMX_INT, AT(top), NULL, 1, 1e6, "K",
     "the mean of so many best ones is the optimum (default 128)"},
    {"starts", RMX_INT, AT(starts), NULL, 1, 1e5, "N", "starts of a search (default 16)"},
    {"no-guard", RMX_BOOL, AT(no_guard), "false", 0, 0, NULL,
     "propose mixtures far from all runs too, and weights they did not cover"},
    {"against", RMX_LIST, AT(against), NULL, 0, 0, "FILE",
     "a mixture to set the optimum against, beside the prior; may be given several times"},
    {"replicates", RMX_INT, AT(replicates), "-1", -1, 1e5, "N",
     "of the bootstrap behind the intervals (default 200); 0: none"},
    {"level", RMX_REAL, AT(level), NULL, 0.5, 0.999, "SHARE",
     "coverage of the intervals (default 0.9)"},
    {"quick", RMX_BOOL, AT(quick), "false", 0, 0, NULL,
     "the mixture alone: no intervals, no learning curve, no attribution"},
    {"pareto", RMX_TEXT, AT(pareto), NULL, 0, 0, "METRIC,METRIC",
     "the front of two metrics: mixtures of which none is better in both"},
    {"points", RMX_INT, AT(points), "11", 2, 1000, "N", "on it"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "the YAML file to write; default: optimum.yaml beside the fit (--json alone writes none)"},
};
const rmx_command cli_optimize = {
    .name = "optimize",
    .words = "",
    .run = run_optimize,
    .options = options_table,
    .n_options = sizeof options_table / sizeof *options_table,
    .own_size = sizeof(struct optimize_args),
    .summary = "search the fitted functions for the best mixture",
};
