// SPDX-License-Identifier: Apache-2.0
// One run per core: worker processes are started, monitored and reaped. A worker is a fresh
// process (never a fork of a threaded one), so that its crash is its own.
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <regmix/swarm.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/temporary.h"
#include "claim.h"
#include "comm/comm.h"
#include "locks.h"
#include "pytorch.h"
#include "ranks.h"

extern char **environ;

// GIVE_UP_S: a holder of a run without a sign of life for so long is not waited for.
// MAX_STACKED: runs that one PyTorch process gets. STOPPED_CODE, LATER_CODE: of a worker that was
// asked to stop.
enum {
  MAX_JOBS = 512,
  LINE = 1500,
  GIVE_UP_S = 300,
  MAX_STACKED = 512,
  STOPPED_CODE = 130,
  LATER_CODE = 75
};

struct worker {
  pid_t pid;                           // 0: free
  size_t *runs, n;                     // (n) indices into the runs: one, or several for PyTorch
  bool *begun;                         // (n) it had the claim: no other process has done the run
  int out, errors;                     // ends of its stdout and stderr
  char line[LINE], last_stderr[LINE];  // the line being read; its last text on stderr
  size_t line_size, last_stderr_size;
  double tokens, tokens_per_s;
  bool halted;  // stopped by a signal, and there was a warning
};

struct supervisor {
  const rmx_run *runs;
  size_t n;
  const rmx_swarm_options *options;
  const rmx_listener *listener;
  rmx_swarm_outcome *outcome;
  struct worker workers[MAX_JOBS];
  unsigned char *tries;  // (n)
  bool *elsewhere;       // (n) another process is at it: looked at again, now and then
  bool *warned_silent;   // (n) that process has no heartbeat, and there was a warning
  size_t others;         // how many
  double looked;
  size_t *queue;         // ring of n indices still to do; a run is in it no more than once
  size_t queued, taken;  // counts, not places
  double tokens_done, tokens_all, began;
  char *pytorch;  // train.py; NULL: not needed
};

static void push(struct supervisor *s, size_t run) {
  s->queue[s->queued++ % s->n] = run;
}

static void leave_to_other(struct supervisor *s, size_t run) {
  s->elsewhere[run] = true;
  s->others++;
}

static double run_tokens(const rmx_run *r) {
  return (double)(rmx_training_steps(&r->training) * rmx_training_batch(&r->training) *
                  r->training.context);
}

static size_t busy(const struct supervisor *s) {
  size_t n = 0;
  for (int i = 0; i < s->options->jobs; i++) n += s->workers[i].pid != 0;
  return n;
}

// Where fewer runs are left than may go at a time, each takes a share of the idle processors. This
// run is out of the queue already.
static int threads_of(const struct supervisor *s, const rmx_run *r) {
  const size_t wanted = busy(s) + 1 + s->queued - s->taken, jobs = (size_t)s->options->jobs;
  return rmx_training_threads(&r->training, wanted < jobs ? wanted : jobs);
}

static bool is_rank(void) {
  return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMI_SIZE");
}

// What mpirun tells a rank, which a program that a rank starts is not.
static bool is_of_rank(const char *variable) {
  static const char *const starts[] = {"OMPI_", "PMIX_", "PMI_"};
  bool found = false;
  for (size_t i = 0; is_rank() && i < sizeof starts / sizeof *starts; i++)
    found = found || strncmp(variable, starts[i], strlen(starts[i])) == 0;
  return found && strncmp(variable, "OMPI_ALLOW_", 11) != 0;
}

// The environment of a worker, for the user's command: ours with these put in their place. The
// array alone is to be freed.
static char **worker_environment(char *const own[], size_t n) {
  size_t count = 0, kept = 0;
  while (environ[count]) count++;
  char **out = rmx_calloc(count + n + 1, sizeof *out);
  if (!out) return NULL;
  for (size_t i = 0; i < count; i++) {
    bool replaced = is_of_rank(environ[i]);
    for (size_t k = 0; k < n; k++)
      replaced = replaced || strncmp(environ[i], own[k], strcspn(own[k], "=") + 1) == 0;
    if (!replaced) out[kept++] = environ[i];
  }
  for (size_t k = 0; k < n; k++) out[kept++] = own[k];
  return out;
}

// What a worker has in its environment beside ours; NULL where there is nothing to say.
enum { OWN = 5 };
static void own_environment(const struct supervisor *s, const struct worker *w, char *own[OWN]) {
  const rmx_run *r = &s->runs[w->runs[0]];
  const bool pytorch = rmx_training_is_pytorch(&r->training);
  const char *experiment = s->options->experiment ? s->options->experiment : r->corpus;
  const int slot = (int)(w - s->workers);
  RMX_OWNED char *real = rmx_realpath(experiment);
  RMX_OWNED char *gpu = pytorch ? rmx__pytorch_gpu(slot) : NULL;
  own[0] = rmx_format("REGMIX_EXPERIMENT=%s", real ? real : experiment);
  own[1] = rmx_format("REGMIX_SLOT=%d", slot);
  own[2] = rmx_format("REGMIX_TRY=%d", s->tries[w->runs[0]] + 1);
  own[3] = s->pytorch ? rmx_format("REGMIX_PYTORCH=%s", s->pytorch) : NULL;
  own[4] = gpu ? rmx_format("CUDA_VISIBLE_DEVICES=%s", gpu) : NULL;
}

static rmx_status spawn(const struct supervisor *s, struct worker *w, int out, int errors,
                        rmx_err *err) {
  char *own[OWN], *set[OWN];
  size_t n = 0, words = 0;
  own_environment(s, w, own);
  for (size_t k = 0; k < OWN; k++)
    if (own[k]) set[n++] = own[k];
  RMX_OWNED char **environment = n >= 3 ? worker_environment(set, n) : NULL;
  RMX_OWNED const char **argv = rmx_calloc(w->n + 5, sizeof *argv);
  rmx_status status =
      environment && argv ? RMX_OK : rmx_fail_memory(err, 0, "the words of a worker");
  if (status == RMX_OK) {
    argv[words++] = s->options->program, argv[words++] = "worker";
    for (size_t i = 0; i < w->n; i++) argv[words++] = s->runs[w->runs[i]].folder;
    if (s->options->isa) argv[words++] = "--isa", argv[words++] = s->options->isa;
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
  for (size_t k = 0; k < OWN; k++) free(own[k]);
  return status;
}

// Writes run.json of the run; *ready: this worker gets it.
static rmx_status make_ready(struct supervisor *s, size_t run, bool *ready, rmx_err *err) {
  const rmx_run *r = &s->runs[run];
  rmx_run sent = *r;
  if (rmx_run_is_another(r)) RMX_TRY(rmx_run_set_aside(r, err));
  *ready = !rmx_run_is_another(r);
  if (!*ready) {  // somebody is at it
    leave_to_other(s, run);
    return RMX_OK;
  }
  sent.training.threads = threads_of(s, r);
  return rmx_run_write(&sent, err);
}

static rmx_status start_process(struct supervisor *s, struct worker *w, rmx_err *err) {
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
static size_t share_of(const struct supervisor *s) {
  const size_t left = s->queued - s->taken, idle = (size_t)s->options->jobs - busy(s);
  if (!rmx_training_is_pytorch(&s->runs[s->queue[s->taken % s->n]].training)) return 1;
  const size_t share = (left + idle - 1) / idle;
  return share < MAX_STACKED ? share : MAX_STACKED;
}

static void let_go(struct worker *w) {
  free(w->runs), free(w->begun);
  *w = (struct worker){0};
}

static rmx_status start(struct supervisor *s, struct worker *w, rmx_err *err) {
  const size_t share = share_of(s);
  *w = (struct worker){.runs = rmx_calloc(share, sizeof *w->runs),
                       .begun = rmx_calloc(share, sizeof *w->begun)};
  rmx_status status =
      w->runs && w->begun ? RMX_OK : rmx_fail_memory(err, 0, "the runs of a worker");
  for (size_t i = 0; i < share && status == RMX_OK; i++) {
    bool ready = false;
    const size_t run = s->queue[s->taken++ % s->n];
    status = make_ready(s, run, &ready, err);
    if (ready) w->runs[w->n++] = run;
  }
  if (status == RMX_OK && w->n) status = start_process(s, w, err);
  if (!w->pid) let_go(w);
  return status;
}

static void mark_begun(const struct supervisor *s, struct worker *w, const char *name) {
  for (size_t i = 0; i < w->n; i++)
    if (strcmp(s->runs[w->runs[i]].name, name) == 0) w->begun[i] = true;
}

// A worker without a process of its own is this process.
static bool has_begun(const struct worker *w, size_t run) {
  bool begun = w->n == 0;
  for (size_t i = 0; i < w->n; i++) begun = begun || (w->runs[i] == run && w->begun[i]);
  return begun;
}

// A line is how far it is, "! " and a warning, or "+ " and a run that it begins.
static void hear(const struct supervisor *s, struct worker *w, const char *line) {
  long long step, steps, tokens;
  double loss, rate;
  if (line[0] == '+') mark_begun(s, w, line + 1 + (line[1] == ' '));
  if (line[0] == '!')
    rmx_warn(s->listener, "run %s: %s", s->runs[w->runs[0]].name, line + 1 + (line[1] == ' '));
  if (sscanf(line, "%lld %lld %lld %lf %lf", &step, &steps, &tokens, &loss, &rate) == 5) {
    w->tokens = (double)tokens;
    w->tokens_per_s = rate;
  }
}

static void listen_to(const struct supervisor *s, struct worker *w) {
  char block[LINE];
  ssize_t n;
  while ((n = read(w->out, block, sizeof block)) > 0)
    for (ssize_t i = 0; i < n; i++) {
      if (block[i] == '\n') {
        w->line[w->line_size] = '\0';
        hear(s, w, w->line);
        w->line_size = 0;
      } else if (w->line_size + 1 < LINE) {
        w->line[w->line_size++] = block[i];
      }
    }
  while ((n = read(w->errors, block, sizeof block)) > 0)
    for (ssize_t i = 0; i < n; i++) {
      // Only the last words are kept: they say why it failed.
      if (w->last_stderr_size + 1 == LINE) {
        memmove(w->last_stderr, w->last_stderr + LINE / 2, LINE / 2);
        w->last_stderr_size -= LINE / 2;
      }
      w->last_stderr[w->last_stderr_size++] = block[i] == '\n' ? ' ' : block[i];
    }
  w->last_stderr[w->last_stderr_size] = '\0';
}

static void tell_progress(struct supervisor *s) {
  double tokens = s->tokens_done, rate = 0.0;
  size_t running = 0;
  for (int i = 0; i < s->options->jobs; i++) {
    if (!s->workers[i].pid) continue;
    tokens += s->workers[i].tokens;
    rate += s->workers[i].tokens_per_s;
    running += s->workers[i].n ? s->workers[i].n : 1;
  }
  size_t ended = s->outcome->done + s->outcome->diverged + s->outcome->failed;
  char detail[128];
  snprintf(detail, sizeof detail, "%zu of %zu run%s done, %zu running, %.0f k tokens/s",
           ended + s->outcome->skipped, s->n, rmx_s(s->n), running, rate / 1e3);
  rmx_progress(s->listener, s->options->what, tokens, s->tokens_all, "tokens", detail);
}

// It wrote its checkpoints, since it alone was asked to stop.
static bool is_stopped(int code) {
  return WIFEXITED(code) && (WEXITSTATUS(code) == STOPPED_CODE || WEXITSTATUS(code) == LATER_CODE);
}

// How a worker ended that left a run without a result.
static void how_it_ended(const struct worker *w, int code, char how[64]) {
  snprintf(how, 64, "failed");
  if (is_stopped(code)) snprintf(how, 64, "was stopped");
  if (WIFSIGNALED(code))
    snprintf(how, 64, "was killed by signal %d (%s)", WTERMSIG(code), strsignal(WTERMSIG(code)));
  else if (!w->last_stderr_size)
    snprintf(how, 64, "ended with code %d", WEXITSTATUS(code));
}

// `told`: a run of the same worker failed for the same reason, and there was a warning.
static void take_result(struct supervisor *s, const struct worker *w, size_t run, int code,
                        bool *told) {
  const rmx_run *r = &s->runs[run];
  rmx_run_state state = rmx_run_look(r, NULL);
  if (state == RMX_RUN_DONE || state == RMX_RUN_DIVERGED) {
    s->tokens_done += run_tokens(r);
    if (!has_begun(w, run)) {
      s->outcome->skipped++;
      return;
    }
    s->outcome->tokens += run_tokens(r);
    if (state == RMX_RUN_DONE)
      s->outcome->done++;
    else
      s->outcome->diverged++;
    if (state == RMX_RUN_DIVERGED)
      rmx_warn(s->listener,
               "run %s diverged (its loss is not a number) and is left out of the fit; a lower "
               "learning rate helps",
               r->name);
    return;
  }
  if (rmx_interrupted()) return;
  // Held by somebody else. After a worker was killed, its command may still be ending: that is
  // waited for, and counts as a try.
  if (state == RMX_RUN_RUNNING && !WIFSIGNALED(code)) {
    s->tries[run]--;
    leave_to_other(s, run);
    return;
  }
  // A worker that says why it failed says all there is to say; else how it ended is what is known.
  static const char prefix[] = "regmix worker: ";
  const char *why = strncmp(w->last_stderr, prefix, sizeof prefix - 1) == 0
                        ? w->last_stderr + sizeof prefix - 1
                        : w->last_stderr;
  int size = (int)strlen(why);
  while (size && strchr(" \r", why[size - 1])) size--;
  if (is_stopped(code)) size = 0;
  char how[64], others[64] = "";
  how_it_ended(w, code, how);
  if (w->n > 1) snprintf(others, sizeof others, " (of %zu that one process trains)", w->n);
  const bool again = s->tries[run] < s->options->tries;
  if (!*told)
    rmx_warn(s->listener, "run %s%s %s%s%.*s; %s", r->name, others, how, size ? ": " : "", size,
             why, again ? "trying again" : "given up (the same command tries it again)");
  *told = true;
  if (again && state == RMX_RUN_RUNNING) {
    leave_to_other(s, run);
  } else if (again) {
    push(s, run);
  } else {
    s->outcome->failed++;
    s->tokens_done += run_tokens(r);
  }
}

static void take_results(struct supervisor *s, const struct worker *w, int code) {
  bool told = false;
  for (size_t i = 0; i < w->n; i++) take_result(s, w, w->runs[i], code, &told);
}

// There is a warning before the supervisor waits for a stopped worker.
static bool tell_halt(const struct supervisor *s, struct worker *w, int code) {
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

static void reap(struct supervisor *s) {
  for (int i = 0; i < s->options->jobs; i++) {
    struct worker *w = &s->workers[i];
    int code;
    if (!w->pid || waitpid(w->pid, &code, WNOHANG | WUNTRACED | WCONTINUED) != w->pid) continue;
    if (tell_halt(s, w, code)) continue;
    listen_to(s, w);
    take_results(s, w, code);
    close(w->out), close(w->errors);
    let_go(w);
  }
}

// A process on another machine holds the run, but has no heartbeat: there is one warning, and in
// the end no waiting.
static bool given_up(struct supervisor *s, size_t run) {
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
  if (*state == RMX_RUN_TODO || *state == RMX_RUN_OUTDATED)
    RMX_TRY(rmx_run_take_back(r, back, err));
  if (*back) *state = rmx_run_look(r, NULL);
  return RMX_OK;
}

// Runs of other processes: done by now, or given up by them and so ours.
static rmx_status look_elsewhere(struct supervisor *s, rmx_err *err) {
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
      s->tokens_done += run_tokens(&s->runs[i]);
    } else if (state == RMX_RUN_RUNNING) {
      s->outcome->failed++;
      s->tokens_done += run_tokens(&s->runs[i]);
    } else {
      push(s, i);
    }
  }
  return RMX_OK;
}

static void stop_all(struct supervisor *s) {
  for (int i = 0; i < s->options->jobs; i++)
    if (s->workers[i].pid) {
      kill(s->workers[i].pid, SIGTERM);
      kill(s->workers[i].pid, SIGCONT);  // one that is stopped would not hear it
    }
}

static void wait_a_little(struct supervisor *s) {
  struct pollfd ends[2 * MAX_JOBS];
  nfds_t n = 0;
  for (int i = 0; i < s->options->jobs; i++)
    if (s->workers[i].pid) {
      ends[n++] = (struct pollfd){.fd = s->workers[i].out, .events = POLLIN};
      ends[n++] = (struct pollfd){.fd = s->workers[i].errors, .events = POLLIN};
    }
  poll(ends, n, 100);
  bool closing = false;
  for (nfds_t i = 0; i < n; i++) closing = closing || (ends[i].revents & POLLHUP);
  if (closing) usleep(1000);  // about to end: do not spin until it is gone
  for (int i = 0; i < s->options->jobs; i++)
    if (s->workers[i].pid) listen_to(s, &s->workers[i]);
}

// Several ranks: this one's runs are done, but not those of the others.
static bool waits_for_ranks(const struct supervisor *s) {
  return s->options->comm && !rmx__ranks_ended(s->options->comm);
}

static rmx_status supervise(struct supervisor *s, rmx_err *err) {
  rmx_status status = RMX_OK;
  bool stopping = false;
  while (busy(s) > 0 ||
         (!stopping && (s->taken < s->queued || s->others > 0 || waits_for_ranks(s)))) {
    if (!stopping) {
      status = look_elsewhere(s, err);
      stopping = status != RMX_OK;
    }
    for (int i = 0; i < s->options->jobs && !stopping && s->taken < s->queued; i++) {
      if (s->workers[i].pid) continue;
      status = start(s, &s->workers[i], err);
      stopping = status != RMX_OK;
    }
    if (!stopping && rmx_interrupted()) {
      stopping = true;
      stop_all(s);
    }
    wait_a_little(s);
    reap(s);
    tell_progress(s);
  }
  if (status == RMX_OK && stopping)
    status = rmx_fail(err, RMX_EINTERRUPTED, "stopped; the same command continues from here");
  return status;
}

// What a process leaves that is killed between its result and its end.
static void sweep_finished(const rmx_run *r) {
  rmx__claim_sweep(r->folder);
  static const char *const names[] = {"checkpoint.safetensors", "checkpoint.bin"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    RMX_OWNED char *checkpoint = rmx_path_in(r->folder, names[i]);
    if (checkpoint && rmx_exists(checkpoint) && !rmx__claim_held(r->folder)) unlink(checkpoint);
  }
  rmx__sweep(r->folder);
}

// Queues what has no result of this question, and says what changed where a result is of another,
// or cannot be used.
static rmx_status look_at_runs(struct supervisor *s, rmx_err *err) {
  size_t outdated = 0, damaged = 0;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf why = {0};
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
    s->tokens_all += run_tokens(&s->runs[i]);
    if (state == RMX_RUN_RUNNING) {
      leave_to_other(s, i);
      continue;
    }
    if (state == RMX_RUN_OUTDATED && outdated++ == 0) rmx_run_difference(&s->runs[i], &why);
    if (state == RMX_RUN_DAMAGED && damaged++ == 0)
      rmx_warn(
          s->listener,
          "run %s is trained again, since result.json or its model in %s is damaged or missing",
          s->runs[i].name, s->runs[i].folder);
    push(s, i);
  }
  if (s->outcome->taken_back)
    rmx_note(s->listener,
             "%s: %zu finished run%s with these settings had been set aside and %s used again",
             s->options->what, s->outcome->taken_back, rmx_s(s->outcome->taken_back),
             rmx_is(s->outcome->taken_back));
  if (damaged > 1)
    rmx_warn(s->listener, "%zu runs in all have damaged or missing files and are trained again",
             damaged);
  if (s->others) {
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
  if (outdated)
    rmx_warn(s->listener,
             "%zu of %zu run%s %s made with other settings (changed: %s); %s set aside and trained "
             "again",
             outdated, s->n, rmx_s(s->n), outdated == 1 ? "was" : "were",
             why.data ? why.data : "the settings", outdated == 1 ? "it is" : "they are");
  return RMX_OK;
}

// Once, before any work: whether a claim can be had, and whether it is a lock.
static rmx_status check_locks(const struct supervisor *s, rmx_err *err) {
  RMX_OWNED_BY(rmx__claim_release) rmx__claim claim = {.fd = -1};
  bool taken;
  size_t first = 0;
  while (first < s->n && rmx_run_look(&s->runs[first], NULL) >= RMX_RUN_RUNNING) first++;
  if (first == s->n) return RMX_OK;
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

// ---- several ranks

// Leaves in the queue what this rank is to train.
static rmx_status spread(struct supervisor *s, rmx_err *err) {
  const size_t n = s->queued - s->taken;
  RMX_OWNED size_t *to_do = rmx_calloc(n, sizeof *to_do);
  RMX_OWNED bool *mine = rmx_calloc(n, sizeof *mine);
  if (!to_do || !mine) return rmx_fail_memory(err, n * sizeof *to_do, "the ranks' runs");
  for (size_t k = 0; k < n; k++) to_do[k] = s->queue[(s->taken + k) % s->n];
  RMX_TRY(rmx__ranks_spread(s->runs, to_do, n, s->options, mine, err));
  s->queued = s->taken = 0;
  for (size_t k = 0; k < n; k++)
    if (mine[k]) push(s, to_do[k]);
  return RMX_OK;
}

static void tick(void *context, const rmx_train_state *state) {
  struct supervisor *s = context;
  s->workers[0].tokens = (double)state->tokens;
  s->workers[0].tokens_per_s = state->tokens_per_s;
  tell_progress(s);
}

static void pass_warning(void *context, const char *message) {
  const struct supervisor *s = context;
  rmx_warn(s->listener, "%s", message);
}

static rmx_status train_by_all(struct supervisor *s, size_t run, rmx_err *err) {
  const rmx_train_hooks hooks = {
      .context = s, .tick = tick, .warn = pass_warning, .comm = s->options->comm};
  struct worker *w = &s->workers[0];
  bool ready = false, taken = false, told = false;
  RMX_TRY(make_ready(s, run, &ready, err));
  if (!ready) return RMX_OK;
  w->pid = getpid();  // for the progress: this process is the one worker
  const rmx_status status = rmx__ranks_train(&s->runs[run], s->options->isa, &hooks, &taken, err);
  *w = (struct worker){0};
  if (status != RMX_OK) return status;
  if (taken)
    take_result(s, w, run, 0, &told);
  else
    leave_to_other(s, run);
  return RMX_OK;
}

// One run at a time, each by all ranks. Runs with a controller need one rank, and are spread after
// that.
static rmx_status train_queued(struct supervisor *s, rmx_err *err) {
  for (size_t n = s->queued - s->taken; n > 0; n--) {
    const size_t run = s->queue[s->taken++ % s->n];
    if (s->runs[run].controller)
      push(s, run);
    else
      RMX_TRY(train_by_all(s, run, err));
  }
  return RMX_OK;
}

// Runs of other processes are waited for: they are done in the end, or given up and so ours.
static rmx_status train_together(struct supervisor *s, rmx_err *err) {
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
    wait_a_little(s);
    RMX_TRY(look_elsewhere(s, err));
    tell_progress(s);
    RMX_TRY(train_queued(s, err));
  }
  return RMX_OK;
}

// How many sequences of a step each rank has.
static void tell_sharing(const struct supervisor *s) {
  const int64_t batch = s->n ? rmx_training_batch(&s->runs[0].training) : 0;
  const int size = s->options->comm->size;
  if (s->options->together && batch < size)
    rmx_warn(s->listener,
             "%d ranks, but a step has only %lld sequence%s: the other ranks have nothing to do. "
             "Start fewer ranks, or raise batch_tokens",
             size, (long long)batch, rmx_s((double)batch));
}

static rmx_status work(struct supervisor *s, rmx_err *err) {
  rmx_comm *comm = s->options->comm;
  if (!comm) return supervise(s, err);
  tell_sharing(s);
  if (s->taken == s->queued && s->others == 0) return RMX_OK;
  if (s->options->together) RMX_TRY(train_together(s, err));
  if (s->taken == s->queued && s->others == 0) return RMX_OK;
  RMX_TRY(spread(s, err));
  return rmx__ranks_end(comm, supervise(s, err), s->outcome, err);
}

static rmx_status find_pytorch(struct supervisor *s, rmx_err *err) {
  const char *given = getenv("REGMIX_PYTORCH");
  if (!s->n || !rmx_training_is_pytorch(&s->runs[0].training)) return RMX_OK;
  s->pytorch = given && *given ? rmx_realpath(given) : rmx__pytorch_file(s->options->program);
  if (s->pytorch && rmx_exists(s->pytorch)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "the PyTorch trainer is not there: %s; wanted trainers/pytorch/train.py, which "
                  "is installed with regmix in share/regmix: set REGMIX_PYTORCH to its path",
                  given && *given ? given : "no share/regmix beside the program");
}

rmx_status rmx_swarm_train(const rmx_run *runs, size_t n, const rmx_swarm_options *options,
                           const rmx_listener *listener, rmx_swarm_outcome *outcome, rmx_err *err) {
  *outcome = (rmx_swarm_outcome){0};
  struct supervisor *s = rmx_calloc(1, sizeof *s);
  rmx_swarm_options kept = *options;
  if (rmx_comm_size(kept.comm) < 2) kept.comm = NULL;
  // A rank has its share of a machine, whatever jobs says.
  if (is_rank() && n && !rmx_training_is_outside(&runs[0].training) && kept.jobs > rmx_processors())
    kept.jobs = rmx_processors();
  if (kept.jobs > MAX_JOBS) kept.jobs = MAX_JOBS;
  // As many at a time as there are processors for, where the config says how many threads each has.
  const int64_t threads = n ? runs[0].training.threads : 0;
  if (threads > 1 && kept.jobs > rmx_processors() / threads)
    kept.jobs = (int)(rmx_processors() / threads);
  if (n && rmx_training_is_pytorch(&runs[0].training) && !kept.jobs_given)
    kept.jobs = rmx__pytorch_gpus();
  if (kept.jobs < 1) kept.jobs = 1;
  if (kept.tries < 1) kept.tries = 1;
  rmx_status status = RMX_OK;
  if (s) {
    *s = (struct supervisor){
        .runs = runs, .n = n, .options = &kept, .listener = listener, .outcome = outcome};
    s->tries = rmx_calloc(n, sizeof *s->tries);
    s->queue = rmx_calloc(n, sizeof *s->queue);
    s->elsewhere = rmx_calloc(n, sizeof *s->elsewhere);
    s->warned_silent = rmx_calloc(n, sizeof *s->warned_silent);
  }
  if (!s || !s->tries || !s->queue || !s->elsewhere || !s->warned_silent) {
    status = rmx_fail_memory(err, n, "the workers");
  } else {
    s->began = rmx_now();
    status = check_locks(s, err);
    if (status == RMX_OK) status = find_pytorch(s, err);
    if (status == RMX_OK) status = look_at_runs(s, err);
    if (status == RMX_OK && s->pytorch && s->taken < s->queued) status = rmx__pytorch_check(err);
    if (status == RMX_OK) status = work(s, err);
    outcome->wall_s = rmx_now() - s->began;
  }
  if (s) free(s->tries), free(s->queue), free(s->elsewhere), free(s->warned_silent);
  if (s) free(s->pytorch);
  free(s);
  return status;
}
