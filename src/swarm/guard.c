// SPDX-License-Identifier: Apache-2.0
// The guard is a fork of the worker that only waits. It learns that the command must end from a
// pipe that the death of the worker closes too, so that no kind of death leaves the command behind.
// After the fork it calls only what is safe in the child of a process with threads.
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holder.h"

enum { POLL_MS = 20, GIVE_UP_S = 10 };
enum news { BEGUN, ENDED };
struct message {
  int what, value;
};

// RUNS; STRAYS: the command ended by itself, what it left in its group may end by itself too;
// ASKED: TERM was sent; FORCED: KILL.
enum phase { RUNS, STRAYS, ASKED, FORCED };

struct guard {
  const rmx__guarded *what;
  pid_t command;
  int life, news, status;
  bool ended, stop;
  enum phase phase;
  double since, beaten;
};

static volatile sig_atomic_t term_seen;
static void on_term(int number) {
  (void)number;
  term_seen = 1;
}
static void on_child(int number) {
  (void)number;
}  // only so that the wait ends

void rmx__end_open_line(int log) {
  struct stat info;
  char last;
  if (fstat(log, &info) != 0 || info.st_size == 0) return;
  if (pread(log, &last, 1, info.st_size - 1) != 1 || last == '\n') return;
  ssize_t n = write(log, "\n", 1);
  (void)n;
}

static void log_text(const struct guard *g, const char *text) {
  rmx__end_open_line(g->what->log);
  ssize_t n = write(g->what->log, text, strlen(text));
  (void)n;
}

static void send_news(const struct guard *g, enum news what, int value) {
  struct message message = {what, value};
  ssize_t n = write(g->news, &message, sizeof message);
  (void)n;
}

static _Noreturn void become_command(const rmx__guarded *what, pid_t guard) {
  setpgid(0, 0);
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (getppid() != guard) _exit(127);
  static const int plain[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ, SIGCHLD};
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) signal(plain[i], SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (size_t i = 0; i < what->n; i++) fcntl(what->claims[i], F_SETFD, 0);
  if (chdir(what->folder) != 0) _exit(127);
  execl("/bin/sh", "sh", "-c", what->command, (char *)NULL);
  _exit(127);
}

// Processes that left the group and lost their parent are the guard's children on Linux: a
// launcher's workers, for example.
static void signal_children(int number, pid_t group) {
#ifdef __linux__
  char path[64], list[4096];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t n = read(fd, list, sizeof list - 1);
  close(fd);
  if (n <= 0) return;
  list[n] = '\0';
  for (char *at = list, *end; *at; at = *end ? end + 1 : end) {
    long pid = strtol(at, &end, 10);
    if (end == at) break;
    if (pid > 1 && getpgid((pid_t)pid) != group) kill((pid_t)pid, number);
  }
#else
  (void)number, (void)group;
#endif
}

static void signal_all(const struct guard *g, int number) {
  kill(-g->command, number);
  if (g->stop) signal_children(number, g->command);
}

static void enter(struct guard *g, enum phase phase) {
  g->phase = phase;
  g->since = rmx_now();
  if (phase == ASKED) {
    signal_all(g, SIGTERM);
    signal_all(g, SIGCONT);  // one that is stopped would not hear it
  } else if (phase == FORCED) {
    log_text(g, "==== regmix: the command did not end within proxy.grace and is killed\n");
    signal_all(g, SIGKILL);
  }
}

// Reaps processes that ended. False while a process of the command lives: one in its group, or, if
// all must end, one that left it.
static bool all_gone(struct guard *g) {
  pid_t pid;
  int status;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (pid == g->command) {
      g->ended = true;
      g->status = status;
    }
  bool no_children = pid < 0 && errno == ECHILD;
  if (!g->ended) return false;
  return g->stop ? no_children && kill(-g->command, 0) != 0 : kill(-g->command, 0) != 0;
}

static void wait_for_news(const struct guard *g, const sigset_t *mask) {
  struct pollfd life = {.fd = g->stop ? -1 : g->life, .events = POLLIN};
  const struct timespec soon = {.tv_nsec = POLL_MS * 1000000L}, beat = {.tv_sec = RMX__BEAT_S};
  ppoll(&life, 1, g->phase == RUNS ? &beat : &soon, mask);
}

// The claims of the runs are alive for as long as the command is, also once the worker is dead.
static void beat(struct guard *g) {
  if (rmx_now() - g->beaten < RMX__BEAT_S) return;
  g->beaten = rmx_now();
  for (size_t i = 0; i < g->what->n; i++) futimens(g->what->claims[i], NULL);
}

static bool asked_to_stop(const struct guard *g) {
  struct pollfd life = {.fd = g->life, .events = POLLIN};
  return term_seen || (poll(&life, 1, 0) > 0 && life.revents);
}

static void watch(struct guard *g, const sigset_t *mask) {
  while (!all_gone(g)) {
    double waited = rmx_now() - g->since;
    if (!g->stop && asked_to_stop(g)) {
      g->stop = true;
      if (g->phase < ASKED) enter(g, ASKED);
    } else if (g->phase == RUNS && g->ended) {
      log_text(g,
               "==== regmix: the command ended, but processes that it started are still running; "
               "they get proxy.grace to end\n");
      enter(g, STRAYS);
    } else if (g->phase == STRAYS && waited > g->what->grace_s) {
      enter(g, ASKED);
    } else if (g->phase == ASKED && waited > g->what->grace_s) {
      enter(g, FORCED);
    } else if (g->phase == FORCED) {
      signal_all(g, SIGKILL);
      if (waited > GIVE_UP_S) {  // stuck in the system, where no signal reaches it
        log_text(g, "==== regmix: the command cannot be killed\n");
        return;
      }
    }
    wait_for_news(g, mask);
    beat(g);
  }
}

static _Noreturn void guard(const rmx__guarded *what, int life, int news) {
  struct guard g = {.what = what, .life = life, .news = news, .since = rmx_now()};
  setsid();  // out of reach of the terminal's signals, and of a kill of the worker's group
#ifdef __linux__
  prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
  int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(what->log, STDOUT_FILENO);
  dup2(what->log, STDERR_FILENO);
  if (null > STDERR_FILENO) close(null);
  sigset_t blocked, open_mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &open_mask);
  sigdelset(&open_mask, SIGCHLD);
  sigdelset(&open_mask, SIGTERM);
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGTERM, on_term);
  signal(SIGCHLD, on_child);
  pid_t self = getpid();
  g.command = fork();
  if (g.command == 0) become_command(what, self);
  if (g.command < 0) _exit(1);
  setpgid(g.command, g.command);
  send_news(&g, BEGUN, g.command);
  watch(&g, &open_mask);
  send_news(&g, ENDED, g.status);
  _exit(0);
}

rmx_status rmx__guard_start(rmx__guard *g, const rmx__guarded *what, rmx_err *err) {
  *g = (rmx__guard){.life = -1, .news = -1};
  int life[2], news[2];
  if (pipe2(life, O_CLOEXEC) != 0) return rmx_fail_errno(err, "cannot make a pipe");
  if (pipe2(news, O_CLOEXEC) != 0) {
    close(life[0]), close(life[1]);
    return rmx_fail_errno(err, "cannot make a pipe");
  }
  pid_t pid = fork();
  if (pid == 0) {
    close(life[1]), close(news[0]);
    guard(what, life[0], news[1]);
  }
  close(life[0]), close(news[1]);
  if (pid < 0) {
    close(life[1]), close(news[0]);
    return rmx_fail_errno(err, "cannot start `%s`", what->command);
  }
  *g = (rmx__guard){.pid = pid, .life = life[1], .news = news[0]};
  return RMX_OK;
}

void rmx__guard_stop(rmx__guard *g) {
  if (g->life >= 0) close(g->life);
  g->life = -1;
}

bool rmx__guard_ended(rmx__guard *g, int ms, int *code) {
  struct pollfd news = {.fd = g->news, .events = POLLIN};
  if (poll(&news, 1, ms) <= 0) return false;  // nothing yet, or a signal came
  struct message message;
  ssize_t n = read(g->news, &message, sizeof message);
  if (n < 0 && errno == EINTR) return false;
  if (n == sizeof message && message.what == BEGUN) {
    g->command = message.value;
    return false;
  }
  *code = n == sizeof message ? message.value : -1;
  // Without its guard, nothing else would end the command.
  if (*code == -1 && g->command) kill(-g->command, SIGKILL);
  rmx__guard_stop(g);
  close(g->news);
  while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR) continue;
  g->pid = 0;
  return true;
}
