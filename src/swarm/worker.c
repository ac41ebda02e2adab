// SPDX-License-Identifier: Apache-2.0
// The life of a worker: one run, claimed, trained, let go.
#include <poll.h>
#include <regmix/swarm.h>

#include "claim.h"
#include "command.h"

struct worker {
  rmx__claim claim;
  FILE *progress;
  double reported_s;
};

// Nothing reads the progress any more: the supervisor was killed, perhaps before this process could
// ask for a signal.
static bool orphaned(void *context) {
  struct worker *w = context;
  if (!w->progress) return false;
  struct pollfd end = {.fd = fileno(w->progress)};
  return poll(&end, 1, 0) > 0 && (end.revents & POLLERR);
}

static void tick(void *context, const rmx_train_state *s) {
  struct worker *w = context;
  double now = rmx_now();
  if (!w->progress || (now - w->reported_s < 0.25 && s->step < s->steps)) return;
  w->reported_s = now;
  fprintf(w->progress, "%lld %lld %lld %.4f %.0f\n", (long long)s->step, (long long)s->steps,
          (long long)s->tokens, s->loss_nats, s->tokens_per_s);
  fflush(w->progress);
  if (orphaned(w)) rmx_interrupt();
}

// The supervisor passes it on.
static void warn(void *context, const char *message) {
  const struct worker *w = context;
  if (!w->progress) return;
  fprintf(w->progress, "! %.480s\n", message);
  fflush(w->progress);
}

static rmx_status train_ours(const rmx_run *r, const char *isa, rmx_make_controller *make,
                             struct worker *w, rmx_err *err) {
  const rmx_kernels *kernels;
  RMX_TRY(rmx_kernels_get(isa, &kernels, err));
  rmx_corpus *corpus;
  RMX_TRY(rmx_corpus_open(r->corpus, &corpus, err));
  rmx_train_hooks hooks = {.context = w, .tick = tick, .make_controller = make, .warn = warn};
  rmx_status status = rmx_train(r, corpus, kernels, &hooks, err);
  rmx_corpus_free(corpus);
  return status;
}

rmx_status rmx_swarm_work(const char *folder, const char *isa, rmx_make_controller *make,
                          FILE *progress, rmx_err *err) {
  rmx_run run;
  RMX_TRY(rmx_run_read(folder, &run, err));
  struct worker w = {.claim = {.fd = -1}, .progress = progress};
  bool taken;
  rmx_status status = rmx__claim_take(&w.claim, folder, &taken, err);
  if (status == RMX_OK && !taken) {
    rmx__holder by = {0};
    rmx_err ignored;
    rmx__claim_look(folder, &by, &ignored);
    status = rmx_fail(err, RMX_EINPUT, "run %s is being trained by another process (%ld on %s)",
                      run.name, by.pid, by.host);
  }
  if (status == RMX_OK) status = rmx__claim_beat(&w.claim, err);
  // Somebody may have finished it between our being asked and our claim.
  if (status == RMX_OK && rmx_run_look(&run, NULL) < RMX_RUN_DIVERGED)
    status = run.training.command ? rmx__command_train(&run, &w.claim, orphaned, &w, err)
                                  : train_ours(&run, isa, make, &w, err);
  rmx__claim_release(&w.claim);
  rmx_run_release(&run);
  return status;
}
