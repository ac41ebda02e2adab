// SPDX-License-Identifier: Apache-2.0
// The process that has runs trained: its queue of runs and its workers.
#ifndef RMX_SWARM_SUPERVISOR_H
#define RMX_SWARM_SUPERVISOR_H

#include <regmix/swarm.h>
#include <sys/types.h>

enum { RMX__MAX_JOBS = 512, RMX__LINE = 1500 };

typedef struct rmx__worker {
  pid_t pid;        // 0: free
  size_t *runs, n;  // (n) indices into the runs: one, or several for PyTorch
  bool *begun;      // (n) it had the claim: no other process has done the run
  int out, errors;  // ends of its stdout and stderr
  char line[RMX__LINE], last_stderr[RMX__LINE];  // the line being read; its last text on stderr
  size_t line_size, last_stderr_size;
  double tokens, tokens_per_s;
  bool halted;  // stopped by a signal, and there was a warning
} rmx__worker;

typedef struct rmx__supervisor {
  const rmx_run *runs;
  size_t n;
  const rmx_swarm_options *options;
  const rmx_listener *listener;
  rmx_swarm_outcome *outcome;
  rmx__worker workers[RMX__MAX_JOBS];
  unsigned char *tries;  // (n)
  bool *elsewhere;       // (n) another process is at it: looked at again, now and then
  bool *warned_silent;   // (n) that process has no heartbeat, and there was a warning
  size_t others;         // how many
  double looked;
  size_t *queue;         // ring of n indices still to do; a run is in it no more than once
  size_t queued, taken;  // counts, not places
  double tokens_done, tokens_all, began;
  char *pytorch;  // train.py; NULL: not needed
} rmx__supervisor;

double rmx__run_tokens(const rmx_run *r);

// ---- runs_to_do.c

void rmx__queue_push(rmx__supervisor *s, size_t run);
// Another process is at the run.
void rmx__leave_to_other(rmx__supervisor *s, size_t run);
// Queues what has no result of this question, and warns where a result is of another, or cannot be
// used.
rmx_status rmx__look_at_runs(rmx__supervisor *s, rmx_err *err);
// Runs of other processes: done by now, or given up by them and so ours.
rmx_status rmx__look_elsewhere(rmx__supervisor *s, rmx_err *err);

// ---- worker_environment.c: what a worker has beside our environment

enum { RMX__OWN = 5 };
// Each is NULL where there is nothing to say; free() them.
void rmx__own_environment(const rmx__supervisor *s, const rmx__worker *w, char *own[RMX__OWN]);
// Ours with these (n) put in their place. The array alone is to be freed; NULL: no memory.
char **rmx__worker_environment(char *const own[], size_t n);

// ---- worker_start.c

// Workers that are at work.
size_t rmx__busy(const rmx__supervisor *s);
// The folder of a run is made where it is missing, but not that of its experiment: what is trained
// in the place from which it was moved, or on the disk of one node, would be lost.
rmx_status rmx__check_place(const rmx_run *r, rmx_err *err);
// Writes run.json of the run; *ready: this worker gets it.
rmx_status rmx__make_ready(rmx__supervisor *s, size_t run, bool *ready, rmx_err *err);
// Starts an idle worker on the next runs of the queue, if another process has not taken them.
rmx_status rmx__start_worker(rmx__supervisor *s, rmx__worker *w, rmx_err *err);
void rmx__let_go(rmx__worker *w);

// ---- worker_news.c

void rmx__listen_to(const rmx__supervisor *s, rmx__worker *w);
// Waits for news of the workers, no longer than 0.1 s.
void rmx__wait_a_little(rmx__supervisor *s);
void rmx__tell_progress(rmx__supervisor *s);

// ---- worker_end.c

// `code`: how the worker ended. `told`: a run of the same worker failed for the same reason, and
// there was a warning.
void rmx__take_result(rmx__supervisor *s, const rmx__worker *w, size_t run, int code, bool *told);
// Takes the results of the workers that have ended.
void rmx__reap(rmx__supervisor *s);

// ---- together.c: several ranks

// Warns where a step has fewer sequences than there are ranks.
void rmx__tell_sharing(const rmx__supervisor *s);
// Each run is trained by all ranks. Those that need one rank are left in the queue.
rmx_status rmx__train_together(rmx__supervisor *s, rmx_err *err);
// Leaves in the queue what this rank is to train.
rmx_status rmx__spread_queue(rmx__supervisor *s, rmx_err *err);

#endif
