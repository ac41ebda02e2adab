// SPDX-License-Identifier: Apache-2.0
// regmix optimize: finds the mixture at which the fitted functions are best.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

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

static rmx_status may_write(const char *out, const char *fit, rmx_err *err) {
  RMX_OWNED char *input = rmx_path_in(fit, "fit.json");
  RMX_TRY(input ? rmx_keep_input(out, input, err) : rmx_fail_memory(err, 0, "a path"));
  return rmx_optimum_may_replace(out, true, err);
}

// Where print_answer does not say it.
static void warn_of_assumed(const rmx_pipeline *p, const rmx_answer *s) {
  const rmx_few assumed = rmx_assumed_directions(s->fit, &s->problem);
  if (assumed.n) rmx_warn(&p->listener, RMX_ASSUMED_DIRECTIONS, assumed.text);
}

static rmx_status run_optimize(cli *c, rmx_err *err) {
  rmx_answer_request *args = c->own;
  rmx_pipeline *p = &c->pipeline;
  rmx_experiment *e = &p->experiment;
  RMX_TRY(cli_open(c, NULL, false, err));
  if (!args->fit) rmx_pipeline_warn_outdated(p, RMX_STEP_OPTIMIZE);
  args->search = c->how;
  args->print_only = c->common.json;
  rmx_answer s = {0};
  char *folder = args->fit ? rmx_strdup(args->fit) : rmx_experiment_path(e, "fit"), *place = NULL;
  rmx_status status = folder ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  // Checked before the search, which may take minutes.
  if (status == RMX_OK && (args->fit || !e->config_path) && !args->out && !c->common.json)
    status = rmx_optimum_place(p, c->common.folder ? e->folder : NULL, folder, &place, err);
  const bool to_stdout = cli_is_stdout(args->out);
  if (status == RMX_OK && args->out && !to_stdout) status = may_write(args->out, folder, err);
  if (status == RMX_OK) status = rmx_pipeline_optimize(p, args, &s, err);
  if (status == RMX_OK && (c->common.json || to_stdout)) warn_of_assumed(p, &s);
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

const rmx_command cli_optimize = {
    .name = "optimize",
    .words = "",
    .run = run_optimize,
    CLI_OPTIONS(rmx_optimize_option_table, rmx_answer_request),
    .problem_at = offsetof(rmx_answer_request, problem.keep),
    .how_at = offsetof(rmx_answer_request, how),
    .summary = "find the mixture with the best predicted target",
};
