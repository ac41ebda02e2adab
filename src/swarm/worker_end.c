// SPDX-License-Identifier: Apache-2.0
// What a worker left: the results of its runs, or why there is none.
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor.h"

// Of a worker that was asked to stop.
enum { STOPPED_CODE = 130, LATER_CODE = 75 };

// A worker without a process of its own is this process.
static bool has_begun(const rmx__worker *w, size_t run) {
  bool begun = w->n == 0;
  for (size_t i = 0; i < w->n; i++) begun = begun || (w->runs[i] == run && w->begun[i]);
  return begun;
}

// It wrote its checkpoints, since it alone was asked to stop.
static bool is_stopped(int code) {
  return WIFEXITED(code) && (WEXITSTATUS(code) == STOPPED_CODE || WEXITSTATUS(code) == LATER_CODE);
}

// How a worker ended that left a run without a result.
static void how_it_ended(const rmx__worker *w, int code, char how[64]) {
  snprintf(how, 64, "failed");
  if (is_stopped(code)) snprintf(how, 64, "was stopped");
  if (WIFSIGNALED(code))
    snprintf(how, 64, "was killed by signal %d (%s)", WTERMSIG(code), strsignal(WTERMSIG(code)));
  else if (!w->last_stderr_size)
    snprintf(how, 64, "ended with code %d", WEXITSTATUS(code));
}

static void count_finished(rmx__supervisor *s, const rmx_run *r, rmx_run_state state, bool ours) {
  s->tokens_done += rmx__run_tokens(r);
  if (!ours) {
    s->outcome->skipped++;
    return;
  }
  s->outcome->tokens += rmx__run_tokens(r);
  if (state == RMX_RUN_DONE) {
    s->outcome->done++;
    return;
  }
  s->outcome->diverged++;
  rmx_warn(s->listener,
           "run %s diverged (its loss is not a number) and is left out of the fit; a lower "
           "learning rate helps",
           r->name);
}

// A worker that says why it failed says all there is to say; else how it ended is what is known.
static void tell_failure(const rmx__supervisor *s, const rmx__worker *w, const rmx_run *r, int code,
                         bool again) {
  static const char prefix[] = "regmix worker: ";
  const char *why = w->last_stderr;
  if (strncmp(why, prefix, sizeof prefix - 1) == 0) why += sizeof prefix - 1;
  int size = (int)strlen(why);
  while (size && strchr(" \r", why[size - 1])) size--;
  if (is_stopped(code)) size = 0;
  char how[64], others[64] = "";
  how_it_ended(w, code, how);
  if (w->n > 1) snprintf(others, sizeof others, " (of %zu that one process trains)", w->n);
  rmx_warn(s->listener, "run %s%s %s%s%.*s; %s", r->name, others, how, size ? ": " : "", size, why,
           again ? "trying again" : "given up (the same command tries it again)");
}

void rmx__take_result(rmx__supervisor *s, const rmx__worker *w, size_t run, int code, bool *told) {
  const rmx_run *r = &s->runs[run];
  const rmx_run_state state = rmx_run_look(r, NULL);
  if (state == RMX_RUN_DONE || state == RMX_RUN_DIVERGED) {
    count_finished(s, r, state, has_begun(w, run));
    return;
  }
  if (rmx_interrupted()) return;
  // Held by somebody else. After a worker was killed, its command may still be ending: that is
  // waited for, and counts as a try.
  if (state == RMX_RUN_RUNNING && !WIFSIGNALED(code)) {
    if (s->tries[run]) s->tries[run]--;
    rmx__leave_to_other(s, run);
    return;
  }
  const bool again = s->tries[run] < s->options->tries;
  if (!*told) tell_failure(s, w, r, code, again);
  *told = true;
  if (again && state == RMX_RUN_RUNNING) {
    rmx__leave_to_other(s, run);
  } else if (again) {
    rmx__queue_push(s, run);
  } else {
    s->outcome->failed++;
    s->tokens_done += rmx__run_tokens(r);
  }
}

// A process of many runs that finished some of them before it failed does not count as a try of the
// others. This ends, since each time there are fewer.
static void forgive(rmx__supervisor *s, const rmx__worker *w) {
  size_t finished = 0;
  for (size_t i = 0; i < w->n; i++)
    finished += w->begun[i] && rmx_run_look(&s->runs[w->runs[i]], NULL) >= RMX_RUN_DIVERGED;
  for (size_t i = 0; i < w->n && finished; i++)
    if (s->tries[w->runs[i]]) s->tries[w->runs[i]]--;
}

static void take_results(rmx__supervisor *s, const rmx__worker *w, int code) {
  bool told = false;
  if (w->n > 1) forgive(s, w);
  for (size_t i = 0; i < w->n; i++) rmx__take_result(s, w, w->runs[i], code, &told);
}

// There is a warning before the supervisor waits for a stopped worker.
static bool tell_halt(const rmx__supervisor *s, rmx__worker *w, int code) {
  if (WIFSTOPPED(code) && !w->halted)
    rmx_warn(s->listener,
             "run %s: its process %ld was stopped by signal %d (%s), and this command waits for "
             "it; `kill -CONT %ld` continues it, `kill -KILL %ld` ends it",
             s->runs[w->runs[0]].name, (long)w->pid, WSTOPSIG(code), strsignal(WSTOPSIG(code)),
             (long)w->pid, (long)w->pid);
  if (WIFSTOPPED(code)) w->halted = true;
  if (WIFCONTINUED(code)) w->halted = false;
  return WIFSTOPPED(code) || WIFCONTINUED(code);
}

void rmx__reap(rmx__supervisor *s) {
  for (int i = 0; i < s->options->jobs; i++) {
    rmx__worker *w = &s->workers[i];
    int code;
    if (!w->pid || waitpid(w->pid, &code, WNOHANG | WUNTRACED | WCONTINUED) != w->pid) continue;
    if (tell_halt(s, w, code)) continue;
    rmx__listen_to(s, w);
    take_results(s, w, code);
    close(w->out), close(w->errors);
    rmx__let_go(w);
  }
}
