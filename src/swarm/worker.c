// SPDX-License-Identifier: Apache-2.0
// The life of a worker: one run, claimed, trained, let go.
#include <errno.h>
#include <regmix/swarm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claim.h"

struct worker {
  rmx__claim claim;
  FILE *progress;
  double told;
};

static void tick(void *context, const rmx_train_state *s) {
  struct worker *w = context;
  rmx__claim_beat(&w->claim);
  double now = rmx_now();
  if (!w->progress || (now - w->told < 0.25 && s->step < s->steps)) return;
  w->told = now;
  fprintf(w->progress, "%lld %lld %lld %.4f %.0f\n", (long long)s->step, (long long)s->steps, (long long)s->tokens,
          s->loss_nats, s->tokens_per_s);
  fflush(w->progress);
}

// The user's trainer writes result.json with at least "loss_nats": {domain: number}; what tells
// that it answers this run is added here.
static rmx_status complete_result(const rmx_run *r, const char *path, rmx_err *err) {
  json_t *o = NULL;
  RMX_TRY(rmx_json_read(path, &o, err));
  const json_t *nats = json_object_get(o, "loss_nats");
  rmx_status status = RMX_OK;
  if (!json_is_object(nats))
    status = rmx_fail(err, RMX_EINPUT, "%s: the command `%s` left no \"loss_nats\": {domain: nats per token} in it",
                      path, r->training.command);
  if (status == RMX_OK) {
    char answers[17];
    rmx_run_answers(r, answers);
    json_object_set_new(o, "answers", json_string(answers));
    json_object_set_new(o, "run", json_string(r->name));
    if (!json_object_get(o, "status")) json_object_set_new(o, "status", json_string("done"));
    if (!json_object_get(o, "mixture"))
      json_object_set_new(o, "mixture", rmx_mixture_json(r->mixture, (const char *const *)r->domains, r->D));
    if (!json_object_get(o, "tokens")) json_object_set_new(o, "tokens", json_integer(r->training.tokens));
    status = rmx_json_write(path, o, err);
  }
  json_decref(o);
  return status;
}

static rmx_status run_command(const rmx_run *r, struct worker *w, rmx_err *err) {
  char *path = rmx_path_in(r->folder, "result.json");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  unlink(path);
  pid_t child = fork();
  if (child == 0) {
    setenv("REGMIX_RUN", r->name, 1);
    if (chdir(r->folder) != 0) _exit(127);
    execl("/bin/sh", "sh", "-c", r->training.command, (char *)NULL);
    _exit(127);
  }
  rmx_status status = child < 0 ? rmx_fail_errno(err, "cannot start `%s`", r->training.command) : RMX_OK;
  int code = 0;
  while (status == RMX_OK) {
    pid_t ended = waitpid(child, &code, WNOHANG);
    if (ended == child) break;
    if (ended < 0 && errno != EINTR) status = rmx_fail_errno(err, "lost sight of `%s`", r->training.command);
    rmx__claim_beat(&w->claim);
    usleep(50000);
  }
  if (status == RMX_OK && code != 0) {
    const char *how = WIFSIGNALED(code) ? "was killed by signal" : "ended with code";
    status = rmx_fail(err, rmx_interrupted() ? RMX_EINTERRUPTED : RMX_EINPUT, "`%s` %s %d", r->training.command, how,
                      WIFSIGNALED(code) ? WTERMSIG(code) : WEXITSTATUS(code));
  }
  if (status == RMX_OK) status = complete_result(r, path, err);
  free(path);
  return status;
}

static rmx_status train_ours(const rmx_run *r, const char *isa, rmx_steer *steer, struct worker *w, rmx_err *err) {
  const rmx_kernels *kernels;
  RMX_TRY(rmx_kernels_get(isa, &kernels, err));
  rmx_corpus *corpus;
  RMX_TRY(rmx_corpus_open(r->corpus, &corpus, err));
  rmx_train_hooks hooks = {.context = w, .tick = tick, .steer = steer};
  rmx_status status = rmx_train(r, corpus, kernels, &hooks, err);
  rmx_corpus_free(corpus);
  return status;
}

rmx_status rmx_swarm_work(const char *folder, const char *isa, rmx_steer *steer, FILE *progress, rmx_err *err) {
  rmx_run run;
  RMX_TRY(rmx_run_read(folder, &run, err));
  struct worker w = {.claim = {.fd = -1}, .progress = progress};
  bool taken;
  rmx_status status = rmx__claim_take(&w.claim, folder, &taken, err);
  if (status == RMX_OK && !taken)
    status = rmx_fail(err, RMX_EINPUT, "run %s is being trained by another process", run.name);
  // Somebody may have finished it between our being asked and our claim.
  if (status == RMX_OK && rmx_run_look(&run, NULL) < RMX_RUN_DIVERGED)
    status = run.training.command ? run_command(&run, &w, err) : train_ours(&run, isa, steer, &w, err);
  rmx__claim_release(&w.claim);
  rmx_run_release(&run);
  return status;
}
