// SPDX-License-Identifier: Apache-2.0
// Runs all steps of the pipeline in order, and continues where it stopped.
#include <string.h>

#include "steps.h"

// The user is asked about finished runs that go out of use before anything is written.
static rmx_status agree_and_train(rmx_pipeline *p, rmx_err *err) {
  if (p->trained) RMX_TRY(rmx__are_trained(p, err));
  RMX_TRY(rmx__agree_to_train(p, err));
  return rmx__step_train(p, err);
}

static const struct {
  const char *name;
  rmx_status (*run)(rmx_pipeline *, rmx_err *);
} steps[RMX_STEPS] = {
    [RMX_STEP_PREPARE] = {"prepare", rmx__step_prepare},
    [RMX_STEP_SAMPLE] = {"sample", rmx__step_sample},
    [RMX_STEP_TRAIN] = {"train", agree_and_train},
    [RMX_STEP_FIT] = {"fit", rmx__step_fit},
    [RMX_STEP_OPTIMIZE] = {"optimize", rmx__step_optimize},
    [RMX_STEP_COMPARE] = {"compare", rmx__step_compare},
    [RMX_STEP_METHODS] = {"methods", rmx__step_methods},
    [RMX_STEP_REPORT] = {"report", rmx__step_report},
};

rmx_status rmx_pipeline_step(rmx_pipeline *p, rmx_step step, rmx_err *err) {
  if (step != RMX_STEP_REPORT) rmx_pipeline_warn_outdated(p, step);  // it ends a command
  RMX_TRY(step == RMX_STEP_TRAIN ? rmx__step_train(p, err) : steps[step].run(p, err));
  return rmx__left_by(p, step, err);
}

static rmx_status do_all(rmx_pipeline *p, rmx_err *err) {
  const bool methods = p->experiment.config.compare.methods.n > 0;
  const size_t n = RMX_STEPS - !methods;
  for (size_t k = 0, i = 0; k < RMX_STEPS; k++) {
    if (k == RMX_STEP_METHODS && !methods) continue;
    const double began = rmx_now();
    char time[32];
    rmx_part(&p->listener, "step", ++i, n);
    RMX_TRY(steps[k].run(p, err));
    RMX_TRY(rmx__left_by(p, (rmx_step)k, err));
    rmx_detail(&p->listener, "step %zu of %zu, %s, took %s", i, n, steps[k].name,
               rmx_duration(rmx_now() - began, time));
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "stopped; `regmix run` continues from here");
  }
  rmx_part(&p->listener, "step", 0, 0);
  return RMX_OK;
}

// A step can't know what it will find if an earlier step would do something.
static void report_later(rmx_pipeline *p, size_t k) {
  const rmx_config *o = &p->experiment.config;
  long long runs = (long long)o->sample.runs;
  const long long large = (long long)(o->compare.against.n + 1) * o->compare.seeds;
  for (size_t i = 0; i < o->n_swarms; i++) {
    const int64_t most = o->swarms[i].runs;
    runs += most > 0 && most < o->sample.runs ? most : o->sample.runs;
  }
  if (k == RMX_STEP_TRAIN)
    rmx__would(
        p, "train", true,
        "would then train up to %lld run%s; runs that the changes do not affect are used again",
        runs, rmx_s(runs));
  else if (k == RMX_STEP_COMPARE)
    rmx__would(p, "compare", true, "would then train up to %lld large model%s", large,
               rmx_s(large));
  else
    rmx__would(p, steps[k].name, true, "would then be done again if its inputs change");
}

static rmx_status report_all(rmx_pipeline *p, rmx_err *err) {
  const size_t methods = p->experiment.config.compare.methods.n;
  for (size_t k = 0; k < RMX_STEPS; k++) {
    if (k == RMX_STEP_METHODS && methods == 0) continue;
    if (rmx__is_pending(p))
      report_later(p, k);
    else if (k == RMX_STEP_METHODS)
      rmx__would(p, "methods", false, "would train what the %zu method%s still %s", methods,
                 rmx_s(methods), methods == 1 ? "needs" : "need");
    else if (k == RMX_STEP_REPORT)
      rmx__would(p, "report", false, "would be written again, as always");
    else
      RMX_TRY(rmx_pipeline_step(p, (rmx_step)k, err));
  }
  return RMX_OK;
}

rmx_status rmx_pipeline_run(rmx_pipeline *p, rmx_err *err) {
  if (p->experiment.config.n_target == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: no target is set; add one, for example `target: wikipedia` (a domain, or "
                    "a map `domain: weight`)",
                    p->experiment.config_path ? p->experiment.config_path : p->experiment.folder);
  RMX_TRY(rmx_methods_check(p, false, false, err));
  bool there = true;
  for (size_t i = 0; there; i++) RMX_TRY(rmx__refused_later(p, i, &there, err));
  if (p->would) return report_all(p, err);
  const double began = rmx_now();
  char time[32];
  RMX_TRY(do_all(p, err));
  rmx_note(&p->listener, "all done in %s", rmx_duration(rmx_now() - began, time));
  return RMX_OK;
}
