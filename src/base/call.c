// SPDX-License-Identifier: Apache-2.0
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
enum { MOST_BYTES = 16 << 20 };

bool rmx__on_path(const char *program) {
  const char *path = getenv("PATH"), *at = path ? path : "/usr/bin:/bin";
  while (*at) {
    const int n = (int)strcspn(at, ":");
    RMX_OWNED char *whole = rmx_format("%.*s/%s", n, at, program);
    if (whole && access(whole, X_OK) == 0) return true;
    at += n;
    if (*at) at++;
  }
  return false;
}

// Adds what there is to read; false at the end.
static bool take(int fd, rmx_buf *into) {
  char block[4096];
  const ssize_t n = read(fd, block, sizeof block);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  if (into->size < MOST_BYTES) rmx_buf_add(into, block, (size_t)n);
  return n > 0;
}

// Its exit is left to be asked for again, so that its number is not given to another process.
static bool has_ended(pid_t pid) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

// Reads both pipes until the program ends, or closes them. What it leaves running may keep them
// open. False: it took too long, or this process was asked to stop.
static bool listen_until(double deadline, pid_t pid, const int fds[2], struct rmx__reply *r) {
  struct pollfd ends[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
  rmx_buf *const into[2] = {&r->text, &r->errors};
  for (bool ended = false; ends[0].fd >= 0 || ends[1].fd >= 0;) {
    const double left = deadline - rmx_now();
    if (left <= 0 || rmx_interrupted()) return false;
    if (poll(ends, 2, left < 0.1 || ended ? 0 : 100) <= 0) {
      if (ended) return true;
      ended = has_ended(pid);  // what it wrote last is still to be read
      if (!ended && left < 0.1) usleep(2000);
      continue;
    }
    for (int i = 0; i < 2; i++)
      if (ends[i].fd >= 0 && ends[i].revents && !take(ends[i].fd, into[i])) ends[i].fd = -1;
  }
  return true;
}

// The program and what it started: they are a group of processes.
static void kill_all(pid_t pid) {
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
}

// It closed its output, and is about to end.
static void wait_until(double deadline, pid_t pid, bool *killed, struct rmx__reply *r) {
  int code = 0;
  while (!*killed && !has_ended(pid)) {
    *killed = rmx_now() > deadline || rmx_interrupted();
    usleep(2000);
  }
  if (*killed) kill_all(pid);
  while (waitpid(pid, &code, 0) < 0 && errno == EINTR) continue;
  r->signal = WIFSIGNALED(code) ? WTERMSIG(code) : 0;
  r->code = r->signal ? 128 + r->signal : WEXITSTATUS(code);
}

static bool is_hidden(const char *entry, const void *of) {
  const rmx_strings *hidden = of;
  const size_t n = strcspn(entry, "=");
  for (size_t i = 0; hidden && i < hidden->n; i++)
    if (strlen(hidden->items[i]) == n && strncmp(entry, hidden->items[i], n) == 0) return true;
  return false;
}

char **rmx__environment(bool (*hides)(const char *variable, const void *of), const void *of,
                        char *const more[], size_t n) {
  size_t count = 0, kept = 0;
  while (environ[count]) count++;
  char **list = rmx_calloc(count + n + 1, sizeof *list);
  for (size_t i = 0; list && i < count; i++)
    if (!hides(environ[i], of)) list[kept++] = environ[i];
  for (size_t k = 0; list && k < n; k++) list[kept++] = more[k];
  return list;
}

static rmx_status start(const char *const *argv, char *const *variables, const int fds[2],
                        pid_t *pid, struct rmx__reply *r, rmx_err *err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, fds[0], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
  posix_spawnattr_t own_group;
  posix_spawnattr_init(&own_group);
  posix_spawnattr_setpgroup(&own_group, 0);
  posix_spawnattr_setflags(&own_group, POSIX_SPAWN_SETPGROUP);
  const int code = posix_spawnp(pid, argv[0], &actions, &own_group, (char *const *)argv, variables);
  posix_spawnattr_destroy(&own_group);
  posix_spawn_file_actions_destroy(&actions);
  errno = code;
  r->missing = code == ENOENT;
  if (code == 0 || r->missing) return RMX_OK;
  return rmx_fail_errno(err, "cannot start %s", argv[0]);
}

rmx_status rmx__call(const char *const *argv, double seconds, struct rmx__reply *r, rmx_err *err) {
  return rmx__call_without(argv, NULL, seconds, r, err);
}

rmx_status rmx__call_without(const char *const *argv, const rmx_strings *hidden, double seconds,
                             struct rmx__reply *r, rmx_err *err) {
  const double deadline = rmx_now() + seconds;
  int out[2], errors[2];
  pid_t pid = 0;
  bool killed = false;
  *r = (struct rmx__reply){0};
  RMX_OWNED char **variables = rmx__environment(is_hidden, hidden, NULL, 0);
  if (!variables) return rmx_fail_memory(err, 0, "the environment");
  if (pipe2(out, O_CLOEXEC) != 0) return rmx_fail_errno(err, "cannot make a pipe");
  if (pipe2(errors, O_CLOEXEC) != 0) {
    close(out[0]), close(out[1]);
    return rmx_fail_errno(err, "cannot make a pipe");
  }
  const rmx_status status = start(argv, variables, (int[]){out[1], errors[1]}, &pid, r, err);
  close(out[1]), close(errors[1]);
  if (pid > 0) {
    killed = !listen_until(deadline, pid, (int[]){out[0], errors[0]}, r);
    wait_until(deadline, pid, &killed, r);
    r->timed_out = killed && !rmx_interrupted();
  }
  close(out[0]), close(errors[0]);
  if (killed && rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "stopped while %s was running", argv[0]);
  if (r->text.failed || r->errors.failed) return rmx_fail_memory(err, MOST_BYTES, argv[0]);
  return status;
}

void rmx__reply_release(struct rmx__reply *r) {
  rmx_buf_release(&r->text);
  rmx_buf_release(&r->errors);
}

const char *rmx__reply_text(const struct rmx__reply *r) {
  return r->text.data ? r->text.data : "";
}

const char *rmx__reply_why(struct rmx__reply *r) {
  if (r->missing) return "there is no such program in PATH";
  if (r->timed_out) return "it did not answer in time";
  char *text = r->errors.data;
  size_t n = r->errors.size;
  while (n && strchr(" \r\n", text[n - 1])) text[--n] = '\0';
  if (!n) return "it printed no reason";
  char *line = strrchr(text, '\n');
  line = line ? line + 1 : text;
  rmx_make_printable(line, "");
  return line;
}
