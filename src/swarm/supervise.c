// SPDX-License-Identifier: Apache-2.0
// Trains runs: as many workers at a time as there are jobs are started, listened to and reaped.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "claim.h"
#include "comm/comm.h"
#include "locks.h"
#include "look.h"
#include "pytorch.h"
#include "ranks.h"
#include "supervisor.h"

static void stop_all(rmx__supervisor *s) {
  for (int i = 0; i < s->options->jobs; i++)
    if (s->workers[i].pid) {
      kill(s->workers[i].pid, SIGTERM);
      kill(s->workers[i].pid, SIGCONT);  // one that is stopped would not hear it
    }
}

// Several ranks: this one's runs are done, but not those of the others.
static bool waits_for_ranks(const rmx__supervisor *s) {
  return s->options->comm && !rmx__ranks_ended(s->options->comm);
}

// A failure that concerns all runs: none is begun any more, but those of the workers end first.
static void tell_failure(const rmx__supervisor *s, const rmx_err *err) {
  const size_t busy = rmx__busy(s);
  if (busy && err->status != RMX_EINTERRUPTED)
    rmx_warn(s->listener,
             "%s. No other run is begun; this command ends when the %zu that %s begun %s ended, or "
             "is interrupted",
             err->message, busy, busy == 1 ? "was" : "were", busy == 1 ? "has" : "have");
}

static rmx_status supervise(rmx__supervisor *s, rmx_err *err) {
  rmx_status status = RMX_OK;
  bool stopping = false, stopped = false, failed = false;
  while (rmx__busy(s) > 0 ||
         (!stopping && (s->taken < s->queued || s->others > 0 || waits_for_ranks(s)))) {
    if (!stopping) {
      status = rmx__look_elsewhere(s, err);
      stopping = status != RMX_OK;
    }
    for (int i = 0; i < s->options->jobs && !stopping && s->taken < s->queued; i++) {
      if (s->workers[i].pid) continue;
      status = rmx__start_worker(s, &s->workers[i], err);
      stopping = status != RMX_OK;
    }
    if (status != RMX_OK && !failed) tell_failure(s, err);
    failed = status != RMX_OK;
    if (!stopped && rmx_interrupted()) {
      stopping = stopped = true;
      stop_all(s);
    }
    rmx__wait_a_little(s);
    rmx__reap(s);
    rmx__tell_progress(s);
  }
  if (status == RMX_OK && stopping)
    status = rmx_fail(err, RMX_EINTERRUPTED, "stopped; the same command continues from here");
  return status;
}

// Once, before any work: whether a claim can be had, and whether it is a lock.
static rmx_status check_locks(const rmx__supervisor *s, rmx_err *err) {
  RMX_OWNED_BY(rmx__claim_release) rmx__claim claim = {.fd = -1};
  bool taken;
  size_t first = 0;
  while (first < s->n && rmx_run_look(&s->runs[first], NULL) >= RMX_RUN_RUNNING) first++;
  if (first == s->n) return RMX_OK;
  RMX_TRY(rmx__check_place(&s->runs[first], err));
  RMX_TRY(rmx_mkdirs(s->runs[first].folder, err));
  RMX_TRY(rmx__claim_take(&claim, s->runs[first].folder, &taken, err));
  if (!claim.exclusive) return RMX_OK;
  char where[RMX__FILE_SYSTEM_SIZE];
  rmx__file_system_of(claim.path, where);
  rmx_note(
      s->listener,
      "%s: the file system of %s (%s) has no working locks, so a run is claimed by a file with "
      "a heartbeat instead: a killed worker's run waits %d s, one of another machine %d s",
      s->options->what, s->runs[first].folder, where, RMX__ENDED_S, RMX__SILENT_S);
  return RMX_OK;
}

static rmx_status work(rmx__supervisor *s, rmx_err *err) {
  rmx_comm *comm = s->options->comm;
  if (!comm) return supervise(s, err);
  rmx__tell_sharing(s);
  if (s->taken == s->queued && s->others == 0) return RMX_OK;
  if (s->options->together) RMX_TRY(rmx__train_together(s, err));
  if (s->taken == s->queued && s->others == 0) return RMX_OK;
  RMX_TRY(rmx__spread_queue(s, err));
  return rmx__ranks_end(comm, supervise(s, err), s->outcome, err);
}

static rmx_status find_pytorch(rmx__supervisor *s, rmx_err *err) {
  const char *given = getenv("REGMIX_PYTORCH");
  if (!s->n || !rmx_training_is_pytorch(&s->runs[0].training)) return RMX_OK;
  s->pytorch = given && *given ? rmx_realpath(given) : rmx__pytorch_file(s->options->program);
  if (s->pytorch && rmx_exists(s->pytorch)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "the PyTorch trainer is not there: %s; wanted trainers/pytorch/train.py, which "
                  "is installed with regmix in share/regmix: set REGMIX_PYTORCH to its path",
                  given && *given ? given : "no share/regmix beside the program");
}

// As many workers as the system lets this process have files open: two pipes for each, those of the
// one that starts, and a few files.
static int within_files(int jobs, const rmx_listener *to) {
  enum { EACH = 2, OTHERS = 32 };
  const long files = sysconf(_SC_OPEN_MAX);
  const long most = files > OTHERS + EACH ? (files - OTHERS) / EACH : 1;
  if (files < 0 || jobs <= most) return jobs;
  rmx_warn(to,
           "%ld runs at a time instead of %d, since a process may have %ld files open here "
           "(`ulimit -n` raises that)",
           most, jobs, files);
  return (int)most;
}

// Workers at a time.
static int jobs_of(const rmx_swarm_options *o, const rmx_run *runs, size_t n) {
  int jobs = o->jobs < RMX__MAX_JOBS ? o->jobs : RMX__MAX_JOBS;
  // A rank has its share of a machine, whatever jobs says.
  if (rmx_comm_is_rank() && n && !rmx_training_is_outside(&runs[0].training) &&
      jobs > rmx_processors())
    jobs = rmx_processors();
  // As many as there are processors for, where the config says how many threads each has.
  const int64_t threads = n ? runs[0].training.threads : 0;
  if (threads > 1 && jobs > rmx_processors() / threads) jobs = (int)(rmx_processors() / threads);
  if (n && rmx_training_is_pytorch(&runs[0].training) && !o->jobs_given) jobs = rmx__pytorch_gpus();
  return jobs < 1 ? 1 : jobs;
}

static void supervisor_free(rmx__supervisor *s) {
  if (s)
    free(s->tries), free(s->queue), free(s->elsewhere), free(s->warned_silent), free(s->pytorch);
  free(s);
}

// NULL: no memory.
static rmx__supervisor *supervisor_new(size_t n) {
  rmx__supervisor *s = rmx_calloc(1, sizeof *s);
  if (!s) return NULL;
  s->n = n;
  s->tries = rmx_calloc(n, sizeof *s->tries);
  s->queue = rmx_calloc(n, sizeof *s->queue);
  s->elsewhere = rmx_calloc(n, sizeof *s->elsewhere);
  s->warned_silent = rmx_calloc(n, sizeof *s->warned_silent);
  if (s->tries && s->queue && s->elsewhere && s->warned_silent) return s;
  supervisor_free(s);
  return NULL;
}

rmx_status rmx_swarm_train(const rmx_run *runs, size_t n, const rmx_swarm_options *options,
                           const rmx_listener *listener, rmx_swarm_outcome *outcome, rmx_err *err) {
  *outcome = (rmx_swarm_outcome){0};
  rmx_swarm_options kept = *options;
  if (rmx_comm_size(kept.comm) < 2) kept.comm = NULL;
  kept.jobs = jobs_of(options, runs, n);
  if ((size_t)kept.jobs > n) kept.jobs = n ? (int)n : 1;
  kept.jobs = within_files(kept.jobs, listener);
  if (kept.tries < 1) kept.tries = 1;
  rmx__supervisor *s = supervisor_new(n);
  if (!s) return rmx_fail_memory(err, n, "the workers");
  s->runs = runs, s->options = &kept, s->listener = listener, s->outcome = outcome;
  s->began = rmx_now();
  rmx_status status = check_locks(s, err);
  rmx__sweep_shelves(runs, n);
  if (status == RMX_OK) status = find_pytorch(s, err);
  if (status == RMX_OK) status = rmx__look_at_runs(s, err);
  if (status == RMX_OK && s->pytorch && s->taken < s->queued) status = rmx__pytorch_check(err);
  if (status == RMX_OK) status = work(s, err);
  outcome->wall_s = rmx_now() - s->began;
  supervisor_free(s);
  return status;
}
