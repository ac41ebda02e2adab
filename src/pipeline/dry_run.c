// SPDX-License-Identifier: Apache-2.0
// A dry run: what each step would do. A step reports it at the place where it would begin.
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"
#include "swarm/look.h"
#include "swarm/pytorch.h"

bool rmx__is_pending(const rmx_pipeline *p) {
  return p->would && p->pending;
}

bool rmx__would(rmx_pipeline *p, const char *step, bool to_do, const char *fmt, ...) {
  char text[400];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (!p->would) {
    if (!to_do) rmx_note(&p->listener, "%s: %s", step, text);
    return false;
  }
  p->would(p->context, step, to_do, text);
  p->pending = p->pending || to_do;
  return true;
}

bool rmx__would_train(rmx_pipeline *p, const char *step, const rmx_run *runs, size_t n) {
  if (!p->would) return false;
  size_t todo = 0, done = 0, aside = 0;
  double wall_s = 0;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings renamed = {0}, folders = {0};
  rmx_err ignored;
  if (n) rmx__runs_elsewhere(runs, n, false, &renamed, &folders, &ignored);
  for (size_t i = 0; i < n; i++) {
    json_auto_t *result = NULL;
    const rmx_run_state state = rmx_run_look(&runs[i], &result);
    const bool ended = state >= RMX_RUN_DIVERGED || rmx_run_is_aside(&runs[i]) ||
                       rmx_strings_have(&renamed, runs[i].name);
    aside += state == RMX_RUN_OUTDATED;
    const double took = json_number_value(json_object_get(result, "wall_s"));
    if (!ended) todo++;
    if (took > 0) {  // if it was measured under other settings, it is still a usable estimate
      wall_s += took;
      done++;
    }
  }
  if (todo == 0 && n == 1) return rmx__would(p, step, false, "its run is done");
  if (todo == 0) return rmx__would(p, step, false, "all %zu runs are done", n);
  rmx_err missing;
  if (rmx_training_is_pytorch(&runs[0].training) && rmx__pytorch_check(&missing) != RMX_OK)
    rmx_warn(&p->listener, "%s: %s", step, missing.message);
  char time[32], guess[80] = "; `regmix plan` estimates how long that takes";
  const int jobs = rmx_worker_jobs(&p->experiment);
  if (done)
    snprintf(guess, sizeof guess, ", in about %s (estimated from the finished runs)",
             rmx_duration(
                 wall_s / (double)done * (double)((todo + (size_t)jobs - 1) / (size_t)jobs), time));
  char old[80] = "";
  if (aside) snprintf(old, sizeof old, "; %zu of other settings would be set aside", aside);
  return rmx__would(p, step, true, "would train %zu of %zu run%s (%zu %s done)%s%s", todo, n,
                    rmx_s(n), n - todo, rmx_is(n - todo), old, guess);
}