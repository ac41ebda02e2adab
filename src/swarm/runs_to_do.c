// SPDX-License-Identifier: Apache-2.0
// Which runs are to do: those without a result of this question, and those that another process
// let go of.
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/temporary.h"
#include "claim.h"
#include "result.h"
#include "supervisor.h"

// A holder of a run without a sign of life for so long is not waited for.
enum { GIVE_UP_S = 300 };

void rmx__queue_push(rmx__supervisor *s, size_t run) {
  s->queue[s->queued++ % s->n] = run;
}

void rmx__leave_to_other(rmx__supervisor *s, size_t run) {
  s->elsewhere[run] = true;
  s->others++;
}

double rmx__run_tokens(const rmx_run *r) {
  return (double)(rmx_training_steps(&r->training) * rmx_training_batch(&r->training) *
                  r->training.context);
}

// A process on another machine holds the run, but has no heartbeat: there is one warning, and in
// the end no waiting.
static bool given_up(rmx__supervisor *s, size_t run) {
  const char *name = s->runs[run].name;
  rmx__holder by;
  rmx_err ignored;
  if (rmx__claim_look(s->runs[run].folder, &by, &ignored) != RMX_OK || !by.held) return false;
  char holder[RMX__HOLDER_NAME];
  rmx__holder_name(&by, holder);
  const double silent = fabs(by.age_s);
  const char *how = by.age_s < 0 ? "the time of its claim is in the future by"
                                 : "its claim has had no heartbeat for";
  if (silent > RMX__SILENT_S && !s->warned_silent[run]) {
    s->warned_silent[run] = true;
    rmx_warn(s->listener,
             "run %s is claimed by %s, but %s %.0f s; the process may be stopped (`kill -CONT %ld` "
             "there continues it)",
             name, holder, how, silent, by.pid);
  }
  if (silent <= GIVE_UP_S) return false;
  rmx_warn(s->listener,
           "run %s is no longer waited for; end %s, then the same command trains the run", name,
           holder);
  return true;
}

// The state of a run, after its result was taken back if it had been set aside.
static rmx_status look_also_aside(const rmx_run *r, rmx_run_state *state, bool *back,
                                  rmx_err *err) {
  *back = false;
  *state = rmx_run_look(r, NULL);
  if (*state < RMX_RUN_DIVERGED && *state != RMX_RUN_RUNNING)
    RMX_TRY(rmx_run_take_back(r, back, err));
  if (*back) *state = rmx_run_look(r, NULL);
  return RMX_OK;
}

rmx_status rmx__look_elsewhere(rmx__supervisor *s, rmx_err *err) {
  if (s->others == 0 || rmx_now() - s->looked < 0.5) return RMX_OK;
  s->looked = rmx_now();
  for (size_t i = 0; i < s->n; i++) {
    if (!s->elsewhere[i]) continue;
    rmx_run_state state;
    bool back;
    RMX_TRY(look_also_aside(&s->runs[i], &state, &back, err));
    if (state == RMX_RUN_RUNNING && !given_up(s, i)) continue;
    s->elsewhere[i] = false;
    s->others--;
    if (state >= RMX_RUN_DIVERGED) {
      s->outcome->skipped++;
      s->tokens_done += rmx__run_tokens(&s->runs[i]);
    } else if (state == RMX_RUN_RUNNING) {
      s->outcome->failed++;
      s->tokens_done += rmx__run_tokens(&s->runs[i]);
    } else {
      rmx__queue_push(s, i);
    }
  }
  return RMX_OK;
}

// What a process leaves that is killed between its result and its end.
static void sweep_finished(const rmx_run *r) {
  rmx__claim_sweep(r->folder);
  static const char *const names[] = {"checkpoint.safetensors", "checkpoint.bin", RMX__KEPT_RESULT};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    RMX_OWNED char *checkpoint = rmx_path_in(r->folder, names[i]);
    if (checkpoint && rmx_exists(checkpoint) && !rmx__claim_held(r->folder)) unlink(checkpoint);
  }
  rmx__sweep(r->folder);
}

static void tell_others(const rmx__supervisor *s) {
  rmx__holder by = {0};
  rmx_err ignored;
  char name[RMX__HOLDER_NAME];
  size_t first = 0;
  while (!s->elsewhere[first]) first++;
  rmx__claim_look(s->runs[first].folder, &by, &ignored);
  rmx__holder_name(&by, name);
  rmx_note(s->listener,
           "%zu %s being trained by other processes (the first, %s, by %s); waiting for them at "
           "the end",
           s->others, s->others == 1 ? "run is" : "runs are", s->runs[first].name, name);
}

// What was found among the runs, and is trained again.
struct found {
  size_t damaged, outdated, without_model;
  rmx_buf why;  // what changed for the first of those that are outdated
};

static void release_found(struct found *f) {
  rmx_buf_release(&f->why);
}

// The run is complete, but was not asked to keep its model.
static bool kept_no_model(const rmx_run *r) {
  json_auto_t *result = NULL;
  rmx_run_look(r, &result);
  return result && !json_object_get(result, "model_hash");
}

static void count_outdated(const rmx__supervisor *s, const rmx_run *r, struct found *f) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf why = {0};
  rmx_run_difference(r, &why);
  if (s->options->mixtures_move && why.data && rmx_run_is_of_mixture(why.data)) return;
  if (f->outdated++ == 0 && why.data) rmx_buf_puts(&f->why, why.data);
}

static void count(const rmx__supervisor *s, const rmx_run *r, rmx_run_state state,
                  struct found *f) {
  if (state == RMX_RUN_OUTDATED) count_outdated(s, r, f);
  if (state != RMX_RUN_DAMAGED) return;
  if (kept_no_model(r))
    f->without_model++;
  else if (f->damaged++ == 0)
    rmx_warn(s->listener,
             "run %s is trained again, since result.json or its model in %s is damaged or missing",
             r->name, r->folder);
}

static void tell_found(const rmx__supervisor *s, const struct found *f) {
  const size_t back = s->outcome->taken_back, outdated = f->outdated;
  if (back)
    rmx_note(s->listener,
             "%s: %zu finished run%s with these settings had been set aside and %s used again",
             s->options->what, back, rmx_s(back), rmx_is(back));
  if (f->damaged > 1)
    rmx_warn(s->listener, "%zu runs in all have damaged or missing files and are trained again",
             f->damaged);
  if (f->without_model)
    rmx_note(s->listener, "%s: %zu run%s did not keep %s, and %s trained again", s->options->what,
             f->without_model, rmx_s(f->without_model),
             f->without_model == 1 ? "its model" : "their models", rmx_is(f->without_model));
  if (s->others) tell_others(s);
  if (outdated)
    rmx_warn(s->listener,
             "%zu of %zu run%s %s made with other settings (changed: %s); %s set aside and trained "
             "again",
             outdated, s->n, rmx_s(s->n), outdated == 1 ? "was" : "were",
             f->why.data ? f->why.data : "the settings", outdated == 1 ? "it is" : "they are");
}

rmx_status rmx__look_at_runs(rmx__supervisor *s, rmx_err *err) {
  RMX_OWNED_BY(release_found) struct found found = {0};
  for (size_t i = 0; i < s->n; i++) {
    rmx_run_state state;
    bool back;
    RMX_TRY(look_also_aside(&s->runs[i], &state, &back, err));
    if (state >= RMX_RUN_DIVERGED) {
      sweep_finished(&s->runs[i]);
      s->outcome->skipped++;
      s->outcome->taken_back += back;
      continue;
    }
    s->tokens_all += rmx__run_tokens(&s->runs[i]);
    if (state == RMX_RUN_RUNNING) {
      rmx__leave_to_other(s, i);
      continue;
    }
    count(s, &s->runs[i], state, &found);
    rmx__queue_push(s, i);
  }
  tell_found(s, &found);
  return RMX_OK;
}
