// SPDX-License-Identifier: Apache-2.0
// run --dry-run: what each step would do. The steps themselves say it, at the place where else they
// would begin.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct cli_dry_run {
  json_t *steps;  // [{"step", "would", "what"}]
  // a step would do something, so that what the later ones find is not what they would find
  bool pending;
};

cli_dry_run *dry_run_begin(void) {
  cli_dry_run *d = rmx_calloc(1, sizeof *d);
  if (d) d->steps = json_array();
  return d;
}

bool dry_run_pending(const cli *c) {
  return c->dry && c->dry->pending;
}

bool step_tells(const cli *c, const char *step, bool to_do, const char *fmt, ...) {
  char text[400];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  if (!c->dry) {
    if (!to_do) rmx_note(&c->listener, "%s: %s", step, text);
    return false;
  }
  json_array_append_new(c->dry->steps,
                        json_pack("{s:s, s:b, s:s}", "step", step, "to_do", to_do, "what", text));
  c->dry->pending = c->dry->pending || to_do;
  return true;
}

void dry_run_end(cli_dry_run *d, bool json) {
  if (!d) return;
  size_t i;
  json_t *step;
  if (json) {
    cli_print_json(json_pack("{s:O, s:b}", "steps", d->steps, "to_do", d->pending));
  } else {
    json_array_foreach(d->steps, i, step)
      printf("%-9s %s\n", json_string_value(json_object_get(step, "step")),
             json_string_value(json_object_get(step, "what")));
    puts(d->pending ? "Nothing was done: this was a dry run." : "Nothing is to do.");
  }
  json_decref(d->steps);
  free(d);
}

bool step_tells_runs(const cli *c, const rmx_experiment *e, const char *step, const rmx_run *runs,
                     size_t n) {
  if (!c->dry) return false;
  size_t todo = 0, done = 0, aside = 0;
  double wall_s = 0;
  for (size_t i = 0; i < n; i++) {
    json_t *result = NULL;
    const rmx_run_state state = rmx_run_look(&runs[i], &result);
    const bool ended = state >= RMX_RUN_DIVERGED || rmx_run_is_aside(&runs[i]);
    aside += state == RMX_RUN_OUTDATED;
    const double took = json_number_value(json_object_get(result, "wall_s"));
    if (!ended) todo++;
    if (took > 0) {  // of another question it is a guess as good as any
      wall_s += took;
      done++;
    }
    json_decref(result);
  }
  if (todo == 0) return step_tells(c, step, false, "all %zu runs are done", n);
  char time[32], guess[80] = "; `regmix plan` measures how long that takes";
  const int jobs = worker_jobs(e);
  if (done)
    snprintf(guess, sizeof guess, ", about %s by what the others took",
             cli_duration(
                 wall_s / (double)done * (double)((todo + (size_t)jobs - 1) / (size_t)jobs), time));
  char old[80] = "";
  if (aside) snprintf(old, sizeof old, ", %zu of other settings would be set aside", aside);
  return step_tells(c, step, true, "would train %zu of %zu runs, %zu are done%s%s", todo, n,
                    n - todo, old, guess);
}
