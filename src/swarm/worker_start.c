// SPDX-License-Identifier: Apache-2.0
// A worker is a fresh process (never a fork of a threaded one), so that its crash is its own.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "look.h"
#include "supervisor.h"

// Runs that one PyTorch process gets, and bytes of their paths: Linux takes no word of more than
// 128 kB, and the command is one word for sh.
enum { MAX_STACKED = 512, MAX_PATHS = 100000 };
// Files that such a process has open beside the claims of its runs.
enum { OTHER_FILES = 128 };

size_t rmx__busy(const rmx__supervisor *s) {
  size_t n = 0;
  for (int i = 0; i < s->options->jobs; i++) n += s->workers[i].pid != 0;
  return n;
}

// Where fewer runs are left than may go at a time, each takes a share of the idle processors. This
// run is out of the queue already.
static int threads_of(const rmx__supervisor *s, const rmx_run *r) {
  const size_t wanted = rmx__busy(s) + 1 + s->queued - s->taken, jobs = (size_t)s->options->jobs;
  return rmx_training_threads(&r->training, wanted < jobs ? wanted : jobs);
}

static rmx_status spawn(const rmx__supervisor *s, rmx__worker *w, int out, int errors,
                        rmx_err *err) {
  char *own[RMX__OWN], *set[RMX__OWN];
  size_t n = 0, words = 0;
  rmx__own_environment(s, w, own);
  for (size_t k = 0; k < RMX__OWN; k++)
    if (own[k]) set[n++] = own[k];
  RMX_OWNED char **environment = n >= 3 ? rmx__worker_environment(set, n) : NULL;
  RMX_OWNED const char **argv = rmx_calloc(w->n + 6, sizeof *argv);
  rmx_status status =
      environment && argv ? RMX_OK : rmx_fail_memory(err, 0, "the words of a worker");
  if (status == RMX_OK) {
    argv[words++] = s->options->program, argv[words++] = "worker";
    if (s->options->isa) argv[words++] = "--isa", argv[words++] = s->options->isa;
    argv[words++] = "--";  // a folder may begin with a -
    for (size_t i = 0; i < w->n; i++) argv[words++] = s->runs[w->runs[i]].folder;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    int code = posix_spawnp(&w->pid, s->options->program, &actions, NULL, (char *const *)argv,
                            environment);
    posix_spawn_file_actions_destroy(&actions);
    errno = code;
    if (code != 0) status = rmx_fail_errno(err, "cannot start %s", s->options->program);
  }
  for (size_t k = 0; k < RMX__OWN; k++) free(own[k]);
  return status;
}

rmx_status rmx__check_place(const rmx_run *r, rmx_err *err) {
  char host[256] = "this machine";
  if (rmx_exists(r->corpus)) return RMX_OK;
  gethostname(host, sizeof host - 1);
  return rmx_fail(err, RMX_EINPUT,
                  "the folder %s is gone: it was moved or removed while its runs were trained, or "
                  "%s does not see it. Give the same command again where it is",
                  r->corpus, host);
}

// Writes run.json of the run; *ready: this worker gets it.
rmx_status rmx__make_ready(rmx__supervisor *s, size_t run, bool *ready, rmx_err *err) {
  const rmx_run *r = &s->runs[run];
  rmx_run sent = *r;
  RMX_TRY(rmx__check_place(r, err));
  RMX_TRY(rmx__can_read_result(r, err));
  if (rmx_run_is_another(r)) RMX_TRY(rmx_run_set_aside(r, err));
  *ready = !rmx_run_is_another(r);
  if (!*ready) {  // somebody is at it
    rmx__leave_to_other(s, run);
    return RMX_OK;
  }
  sent.training.threads = threads_of(s, r);
  return rmx_run_write(&sent, err);
}

static rmx_status start_process(rmx__supervisor *s, rmx__worker *w, rmx_err *err) {
  int out[2], errors[2];
  if (pipe2(out, O_CLOEXEC) != 0) return rmx_fail_errno(err, "cannot make a pipe");
  if (pipe2(errors, O_CLOEXEC) != 0) {
    close(out[0]), close(out[1]);
    return rmx_fail_errno(err, "cannot make a pipe");
  }
  rmx_status status = spawn(s, w, out[1], errors[1], err);
  close(out[1]), close(errors[1]);
  if (status != RMX_OK) {
    close(out[0]), close(errors[0]);
    w->pid = 0;
    return status;
  }
  fcntl(out[0], F_SETFL, O_NONBLOCK);
  fcntl(errors[0], F_SETFL, O_NONBLOCK);
  w->out = out[0], w->errors = errors[0];
  for (size_t i = 0; i < w->n; i++) s->tries[w->runs[i]]++;
  return RMX_OK;
}

// Runs that the next worker gets: one; for PyTorch an even share of those that are left.
static size_t share_of(const rmx__supervisor *s) {
  const size_t left = s->queued - s->taken, idle = (size_t)s->options->jobs - rmx__busy(s);
  if (!rmx_training_is_pytorch(&s->runs[s->queue[s->taken % s->n]].training)) return 1;
  const long files = sysconf(_SC_OPEN_MAX);
  const size_t room = files < 0 || files > MAX_STACKED + OTHER_FILES ? MAX_STACKED
                      : files > OTHER_FILES                          ? (size_t)(files - OTHER_FILES)
                                                                     : 1;
  const size_t share = (left + idle - 1) / idle;
  return share < room ? share : room;
}

void rmx__let_go(rmx__worker *w) {
  free(w->runs), free(w->begun);
  *w = (rmx__worker){0};
}

// Bytes that the path of a run takes in the command of a PyTorch process.
static size_t path_size(const rmx_run *r) {
  RMX_OWNED char *path = rmx_realpath(r->folder);
  size_t n = 3;
  for (const char *c = path ? path : r->folder; *c; c++) n += *c == '\'' ? 4 : 1;
  return n;
}

rmx_status rmx__start_worker(rmx__supervisor *s, rmx__worker *w, rmx_err *err) {
  const size_t share = share_of(s);
  *w = (rmx__worker){.runs = rmx_calloc(share, sizeof *w->runs),
                     .begun = rmx_calloc(share, sizeof *w->begun)};
  rmx_status status =
      w->runs && w->begun ? RMX_OK : rmx_fail_memory(err, 0, "the runs of a worker");
  size_t paths = 0;
  for (size_t i = 0; i < share && paths < MAX_PATHS && status == RMX_OK; i++) {
    bool ready = false;
    const size_t run = s->queue[s->taken++ % s->n];
    status = rmx__make_ready(s, run, &ready, err);
    if (!ready) continue;
    w->runs[w->n++] = run;
    paths += share > 1 ? path_size(&s->runs[run]) : 0;
  }
  if (status == RMX_OK && w->n) status = start_process(s, w, err);
  if (!w->pid) rmx__let_go(w);
  return status;
}
