// SPDX-License-Identifier: Apache-2.0
// The runs of a supervisor that is one of several ranks.
#include <stdlib.h>
#include <unistd.h>

#include "comm/comm.h"
#include "ranks.h"
#include "supervisor.h"

rmx_status rmx__spread_queue(rmx__supervisor *s, rmx_err *err) {
  const size_t n = s->queued - s->taken;
  RMX_OWNED size_t *to_do = rmx_calloc(n, sizeof *to_do);
  RMX_OWNED bool *mine = rmx_calloc(n, sizeof *mine);
  if (!to_do || !mine) return rmx_fail_memory(err, n * sizeof *to_do, "the ranks' runs");
  for (size_t k = 0; k < n; k++) to_do[k] = s->queue[(s->taken + k) % s->n];
  RMX_TRY(rmx__ranks_spread(s->runs, to_do, n, s->options, mine, err));
  s->queued = s->taken = 0;
  for (size_t k = 0; k < n; k++)
    if (mine[k]) rmx__queue_push(s, to_do[k]);
  return RMX_OK;
}

static void tick(void *context, const rmx_train_state *state) {
  rmx__supervisor *s = context;
  s->workers[0].tokens = (double)state->tokens;
  s->workers[0].tokens_per_s = state->tokens_per_s;
  rmx__tell_progress(s);
}

static void pass_warning(void *context, const char *message) {
  const rmx__supervisor *s = context;
  rmx_warn(s->listener, "%s", message);
}

static rmx_status train_by_all(rmx__supervisor *s, size_t run, rmx_err *err) {
  const rmx_train_hooks hooks = {
      .context = s, .tick = tick, .warn = pass_warning, .comm = s->options->comm};
  rmx__worker *w = &s->workers[0];
  bool ready = false, taken = false, told = false;
  RMX_TRY(rmx__make_ready(s, run, &ready, err));
  if (!ready) return RMX_OK;
  w->pid = getpid();  // for the progress: this process is the one worker
  const rmx_status status = rmx__ranks_train(&s->runs[run], s->options->isa, &hooks, &taken, err);
  *w = (rmx__worker){0};
  if (status != RMX_OK) return status;
  if (taken)
    rmx__take_result(s, w, run, 0, &told);
  else
    rmx__leave_to_other(s, run);
  return RMX_OK;
}

// One run at a time, each by all ranks. Runs with a controller need one rank, and are spread after
// that.
static rmx_status train_queued(rmx__supervisor *s, rmx_err *err) {
  for (size_t n = s->queued - s->taken; n > 0; n--) {
    const size_t run = s->queue[s->taken++ % s->n];
    if (s->runs[run].controller)
      rmx__queue_push(s, run);
    else
      RMX_TRY(train_by_all(s, run, err));
  }
  return RMX_OK;
}

// Runs of other processes are waited for: they are done in the end, or given up and so ours.
rmx_status rmx__train_together(rmx__supervisor *s, rmx_err *err) {
  if (s->n && rmx_training_is_outside(&s->runs[0].training))
    return rmx_fail(
        err, RMX_EUSAGE,
        "mpirun trains large models with regmix's own trainer. Start this command "
        "without mpirun; a trainer of your own can start its processes itself (torchrun, "
        "mpirun or srun in large.command)");
  RMX_TRY(train_queued(s, err));
  while (s->others > 0) {
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "stopped; the same command continues from here");
    rmx__wait_a_little(s);
    RMX_TRY(rmx__look_elsewhere(s, err));
    rmx__tell_progress(s);
    RMX_TRY(train_queued(s, err));
  }
  return RMX_OK;
}

void rmx__tell_sharing(const rmx__supervisor *s) {
  const int64_t batch = s->n ? rmx_training_batch(&s->runs[0].training) : 0;
  const int size = s->options->comm->size;
  if (s->options->together && batch < size)
    rmx_warn(s->listener,
             "%d ranks, but a step has only %lld sequence%s: the other ranks have nothing to do. "
             "Start fewer ranks, or raise batch_tokens",
             size, (long long)batch, rmx_s((double)batch));
}
