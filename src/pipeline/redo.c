// SPDX-License-Identifier: Apache-2.0
// Before finished runs go out of use, the program prints how many there are and how long they took.
// It asks a person; a script must give --redo. It never deletes anything.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"
#include "swarm/look.h"

void rmx__count_finished(rmx__finished *f, const json_t *result) {
  const double wall_s = json_number_value(json_object_get(result, "wall_s"));
  f->runs++;
  f->timed += wall_s > 0;
  f->wall_s += wall_s > 0 ? wall_s : 0;
}

const char *rmx__took(const rmx__finished *f, char out[RMX__TOOK]) {
  char time[32];
  *out = '\0';
  if (f->timed == f->runs && f->runs)
    snprintf(out, RMX__TOOK, ", which took %s,", rmx_duration(f->wall_s, time));
  else if (f->timed)
    snprintf(out, RMX__TOOK, ", of which %zu took %s,", f->timed, rmx_duration(f->wall_s, time));
  return out;
}

// "8 finished runs, which took 2 s, and 3 rows of yours in metrics.csv"
static char *what_of(const rmx__finished *f) {
  char took[RMX__TOOK];
  RMX_OWNED char *runs =
      f->runs ? rmx_format("%zu finished run%s%s", f->runs, rmx_s(f->runs), rmx__took(f, took))
              : rmx_strdup("");
  if (!runs || !f->scored) return runs ? rmx_strdup(runs) : NULL;
  return rmx_format("%s%s%zu row%s of yours in metrics.csv", runs, f->runs ? " and " : "",
                    f->scored, rmx_s(f->scored));
}

rmx_status rmx__agree(rmx_pipeline *p, const rmx__finished *f, const char *why, rmx_err *err) {
  if (f->runs + f->scored == 0 || p->redo) return RMX_OK;
  RMX_OWNED char *what = what_of(f), *message = what ? rmx_format("%s %s", what, why) : NULL;
  if (!message) return rmx_fail_memory(err, 0, "a message");
  if (p->agree) {
    p->redo = p->agree(p->context, message);
    return p->redo ? RMX_OK : rmx_fail(err, RMX_EINPUT, "nothing was changed: %s", message);
  }
  const bool one = f->runs + f->scored == 1;
  return rmx_fail(err, RMX_EINPUT,
                  "%s; %s would be set aside, not deleted, and used again if the old settings "
                  "return. Give --redo to continue",
                  message, one ? "it" : "they");
}

rmx_status rmx__agree_to_outdate(rmx_pipeline *p, const rmx_run *runs, size_t n,
                                 bool mixtures_count, rmx_err *err) {
  rmx__finished unused = {0}, moved = {0};
  size_t missing = 0;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf first = {0}, why = {0};
  RMX_OWNED_BY(rmx_strings_release) rmx_strings renamed = {0}, folders = {0};
  bool looked = !mixtures_count;
  for (size_t i = 0; i < n; i++) {
    json_auto_t *result = NULL;
    RMX_OWNED_BY(rmx_buf_release) rmx_buf changed = {0};
    if (rmx_run_look(&runs[i], &result) == RMX_RUN_OUTDATED) {
      rmx_run_difference(&runs[i], &changed);
      if (mixtures_count || !changed.data || !rmx_run_is_of_mixture(changed.data)) {
        if (unused.runs == 0) rmx_buf_puts(&first, changed.data ? changed.data : "the settings");
        rmx__count_finished(&unused, result);
        if (!looked) RMX_TRY(rmx__runs_elsewhere(runs, n, false, &renamed, &folders, err));
        looked = true;
        missing += !rmx_run_is_aside(&runs[i]) && !rmx_strings_have(&renamed, runs[i].name);
      } else {
        rmx__count_finished(&moved, result);
      }
    }
  }
  rmx_buf_printf(&why, "would no longer be used (changed: %s)",
                 first.data ? first.data : "the settings");
  RMX_TRY(missing == 0 ? RMX_OK
          : why.failed ? rmx_fail_memory(err, 0, "a message")
                       : rmx__agree(p, &unused, why.data, err));
  char took[RMX__TOOK];
  if (moved.runs)
    rmx_note(&p->listener,
             "%zu finished model%s of another mixture%s %s set aside; if that mixture "
             "returns, %s used again without training",
             moved.runs, rmx_s(moved.runs), rmx__took(&moved, took), rmx_is(moved.runs),
             moved.runs == 1 ? "it is" : "they are");
  return RMX_OK;
}

static const rmx_run *named(const rmx_run *runs, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(runs[i].name, name) == 0) return &runs[i];
  return NULL;
}

// Whether the finished run in a folder used this corpus; a run of another corpus is already out of
// use.
static bool of_corpus(const char *folder, uint64_t hash) {
  RMX_OWNED_BY(rmx_run_release) rmx_run was = {0};
  rmx_err ignored;
  if (rmx_run_read(folder, &was, &ignored) != RMX_OK) return false;
  return was.corpus_hash == hash;
}

rmx_status rmx__agree_to_replace(rmx_pipeline *p, const rmx_run *now, size_t n, const rmx_run *next,
                                 size_t n_next, size_t scored, rmx_err *err) {
  rmx__finished unused = {.scored = scored};
  size_t missing = 0, dropped = 0;
  for (size_t i = 0; i < n; i++) {
    json_auto_t *result = NULL;
    const rmx_run *instead = named(next, n_next, now[i].name);
    const bool kept = instead && rmx_run_look(instead, NULL) >= RMX_RUN_DIVERGED;
    if (!kept && rmx_run_look(&now[i], &result) >= RMX_RUN_OUTDATED && result &&
        of_corpus(now[i].folder, now[i].corpus_hash)) {
      rmx__count_finished(&unused, result);
      dropped += !instead;
    }
  }
  for (size_t i = 0; i < n_next && unused.runs; i++)
    missing += rmx_run_look(&next[i], NULL) < RMX_RUN_DIVERGED && !rmx_run_is_aside(&next[i]);
  if (missing == 0 && dropped == 0) unused = (rmx__finished){.scored = scored};
  return rmx__agree(p, &unused,
                    missing || !dropped
                        ? "would no longer be used (the mixtures would be drawn again)"
                        : "would no longer be used (there would be fewer mixtures)",
                    err);
}