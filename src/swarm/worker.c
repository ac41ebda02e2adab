// SPDX-License-Identifier: Apache-2.0
// The life of a worker: one run, or several for PyTorch, claimed, trained, let go.
#include <poll.h>
#include <regmix/swarm.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "claim.h"
#include "command.h"

struct worker {
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

static rmx_status held(const char *folder, rmx_err *err) {
  rmx__holder by = {0};
  rmx_err ignored;
  char name[RMX__HOLDER_NAME];
  rmx__claim_look(folder, &by, &ignored);
  rmx__holder_name(&by, name);
  return rmx_fail(err, RMX_EINPUT, "run %s is being trained by another process (%s)",
                  rmx__file_name(folder), name);
}

// The supervisor counts a run as done by this worker only if it began it.
static void tell_begun(const struct worker *w, const rmx_run *r) {
  if (!w->progress) return;
  fprintf(w->progress, "+ %s\n", r->name);
  fflush(w->progress);
}

// The runs of this worker whose claims it has, and that still have no result.
struct held {
  rmx_run *runs;       // (n)
  rmx__claim *claims;  // (n)
  int *locks;          // (n) their descriptors
  size_t n;
};

// Claims the next run. Not an error where others have it, unless it is the only one. run.json is
// read under the claim: before it, another process may write that of other settings.
static rmx_status claim(struct held *h, const char *folder, bool only, rmx_err *err) {
  rmx_run *r = &h->runs[h->n];
  rmx__claim *c = &h->claims[h->n];
  bool taken = false;
  rmx_status status = rmx__claim_take(c, folder, &taken, err);
  if (status == RMX_OK && !taken && only) status = held(folder, err);
  if (status == RMX_OK && taken) status = rmx_run_read(folder, r, err);
  if (status == RMX_OK && taken) status = rmx__claim_beat(c, only, err);
  // Somebody may have finished it between our being asked and our claim.
  if (status == RMX_OK && taken && rmx_run_look(r, NULL) < RMX_RUN_DIVERGED) {
    h->locks[h->n++] = c->fd;
  } else {
    rmx__claim_release(c);
    rmx_run_release(r);
  }
  return status;
}

rmx_status rmx_swarm_work(char *const *folders, size_t n, const char *isa,
                          rmx_make_controller *make, FILE *progress, rmx_err *err) {
  struct worker w = {.progress = progress};
  struct held h = {.runs = rmx_calloc(n, sizeof *h.runs),
                   .claims = rmx_calloc(n, sizeof *h.claims),
                   .locks = rmx_calloc(n, sizeof *h.locks)};
  rmx_status status = h.runs && h.claims && h.locks
                          ? RMX_OK
                          : rmx_fail_memory(err, n * sizeof *h.runs, "the runs of a worker");
  for (size_t i = 0; i < n && status == RMX_OK; i++) status = claim(&h, folders[i], n == 1, err);
  for (size_t i = 0; i < h.n && status == RMX_OK; i++) tell_begun(&w, &h.runs[i]);
  const struct rmx__batch batch = {h.runs, h.locks, h.n};
  if (status == RMX_OK && h.n)
    status = rmx_training_is_outside(&h.runs[0].training)
                 ? rmx__command_train(&batch, &(struct rmx__watch){&w, orphaned, tick}, err)
                 : train_ours(&h.runs[0], isa, make, &w, err);
  for (size_t i = 0; i < h.n; i++) {
    rmx__claim_release(&h.claims[i]);
    rmx_run_release(&h.runs[i]);
  }
  free(h.runs), free(h.claims), free(h.locks);
  return status;
}
