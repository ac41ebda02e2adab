// SPDX-License-Identifier: Apache-2.0
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "pytorch.h"
#include "result.h"

enum { LOOK_MS = 200, TELL_S = 2, TAIL_LINES = 4, TAIL_BYTES = 640, LAST_BYTES = 480 };

// ---- log.txt

static void log_line(int log, const char *fmt, ...) RMX_PRINTF(2, 3);
static void log_line(int log, const char *fmt, ...) {
  char text[1200], when[40];
  struct tm utc;
  time_t now = time(NULL);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  int n = snprintf(text, sizeof text, "==== regmix %s: ", when);
  va_list args;
  va_start(args, fmt);
  n += vsnprintf(text + n, sizeof text - (size_t)n - 1, fmt, args);
  va_end(args);
  if (n > (int)sizeof text - 2) n = (int)sizeof text - 2;
  text[n++] = '\n';
  rmx__end_open_line(log);
  ssize_t written = write(log, text, (size_t)n);  // a full disk must not end the training
  (void)written;
}

static bool is_ours(const char *line) {
  return strncmp(line, "====", 4) == 0;
}

// The last lines of the command's own output since `from`, in one line.
static void last_words(int log, off_t from, char out[TAIL_BYTES + 1]) {
  char text[4097];
  off_t end = lseek(log, 0, SEEK_END), at = end - (off_t)sizeof text + 1;
  out[0] = '\0';
  if (at < from) at = from;
  ssize_t n = pread(log, text, sizeof text - 1, at);
  if (n <= 0) return;
  text[n] = '\0';
  const char *lines[TAIL_LINES];
  size_t kept = 0;
  for (char *line = text, *next; line && kept < sizeof lines / sizeof *lines + 1; line = next) {
    next = strchr(line, '\n');
    if (next) *next++ = '\0';
    if (!*line || is_ours(line)) continue;
    if (kept == TAIL_LINES) memmove(lines, lines + 1, (--kept) * sizeof *lines);
    lines[kept++] = line;
  }
  // The last line has the reason, so it is whole where the others are cut.
  const size_t last = kept ? strnlen(lines[kept - 1], LAST_BYTES) : 0;
  size_t used = 0;
  for (size_t i = 0; i < kept; i++) {
    const bool is_last = i + 1 == kept;
    const size_t size = is_last ? last : strnlen(lines[i], 200);
    if (!is_last && used + size + last + 6 > TAIL_BYTES) continue;
    used += (size_t)snprintf(out + used, TAIL_BYTES + 1 - used, "%s%.*s", used ? " | " : "",
                             (int)size, lines[i]);
  }
}

static int open_log(const char *path, rmx_err *err) {
  struct stat info;
  int log = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (log >= 0 && fstat(log, &info) == 0 && !S_ISREG(info.st_mode)) {
    close(log);
    rmx_fail(err, RMX_EINPUT, "%s is not a regular file; remove it", path);
    return -1;
  }
  if (log < 0)
    rmx_fail_errno(err, "cannot write %s", path);
  else
    fcntl(log, F_SETFL, fcntl(log, F_GETFL) & ~O_NONBLOCK);
  return log;
}

// ---- what the command gets

static void set_if_unset(const char *name, const char *value) {
  const char *had = getenv(name);
  if (!had || !*had) setenv(name, value, 1);
}

// REGMIX_EXPERIMENT, REGMIX_SLOT and REGMIX_TRY come from `regmix train`; a worker started by hand
// has none.
static void set_environment(const rmx_run *r) {
  setenv("REGMIX_RUN", r->name, 1);
  set_if_unset("REGMIX_EXPERIMENT", r->corpus);
  set_if_unset("REGMIX_SLOT", "0");
  set_if_unset("REGMIX_TRY", "1");
}

// ---- the way of the command

struct training {
  const rmx_run *run;  // the first
  const struct rmx__batch *batch;
  const struct rmx__watch *watch;
  char *log_path, *command;
  int log;
  off_t began_at;  // size of log.txt then
  double began;
  bool timed_out, stopped;
  double told;           // when progress was reported last
  int64_t first_tokens;  // trained before; -1: not known yet
};

// PyTorch's own trainer writes a log of each run; what a user's command writes is not known.
static void tell_progress(struct training *t) {
  rmx_train_state state;
  if (!rmx_training_is_pytorch(&t->run->training) || rmx_now() - t->told < TELL_S) return;
  t->told = rmx_now();
  rmx__pytorch_progress(t->batch, &state);
  const double since = t->told - t->began;
  if (t->first_tokens < 0) t->first_tokens = state.tokens;  // a checkpoint's
  state.tokens_per_s = (double)(state.tokens - t->first_tokens) / (since > 1 ? since : 1);
  t->watch->tick(t->watch->context, &state);
}

static int wait_for_end(struct training *t, rmx__guard *g) {
  const double max = t->run->training.timeout_s;
  int code = 0;
  while (!rmx__guard_ended(g, LOOK_MS, &code)) {
    tell_progress(t);
    if (g->life < 0) continue;
    if (rmx_interrupted() || t->watch->orphaned(t->watch->context)) {
      t->stopped = true;
      log_line(t->log,
               "asked to stop: the command gets SIGTERM, and SIGKILL if it is still running after "
               "%g s (proxy.grace)",
               t->run->training.grace_s);
    } else if (max > 0 && rmx_now() - t->began > max) {
      t->timed_out = true;
      log_line(t->log,
               "the command ran longer than %g s (proxy.timeout): it gets SIGTERM, and SIGKILL if "
               "it is still running after %g s",
               max, t->run->training.grace_s);
    } else {
      continue;
    }
    rmx__guard_stop(g);
  }
  return code;
}

static rmx_status fail_of(const struct training *t, int code, rmx_err *err) {
  char how[160], tail[TAIL_BYTES + 1];
  if (t->stopped) return rmx_fail(err, RMX_EINTERRUPTED, "was asked to stop");
  if (t->timed_out)
    snprintf(how, sizeof how, "ran longer than %g s (proxy.timeout) and was ended",
             t->run->training.timeout_s);
  else if (code == -1)
    snprintf(how, sizeof how, "was killed together with the process that watches it");
  else if (WIFSIGNALED(code))
    snprintf(how, sizeof how, "was killed by signal %d (%s)", WTERMSIG(code),
             strsignal(WTERMSIG(code)));
  else if (WEXITSTATUS(code) == 127)
    snprintf(how, sizeof how, "ended with code 127 (not found)");
  else
    snprintf(how, sizeof how, "ended with code %d", WEXITSTATUS(code));
  last_words(t->log, t->began_at, tail);
  return rmx_fail(err, RMX_EINPUT, "the command `%.200s` %s. %s %s%s", t->command, how, t->log_path,
                  *tail ? "ends: " : "is empty", tail);
}

static rmx_status train(struct training *t, rmx_err *err) {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  log_line(t->log, "run %s, try %s, slot %s, on %s, by process %ld: %s", t->run->name,
           getenv("REGMIX_TRY"), getenv("REGMIX_SLOT"), host, (long)getpid(), t->command);
  t->began_at = lseek(t->log, 0, SEEK_END);
  t->began = rmx_now();
  rmx__guarded guarded = {.command = t->command,
                          .folder = t->run->folder,
                          .log = t->log,
                          .claims = t->batch->claims,
                          .n = t->batch->n,
                          .grace_s = t->run->training.grace_s};
  rmx__guard guard;
  RMX_TRY(rmx__guard_start(&guard, &guarded, err));
  int code = wait_for_end(t, &guard);
  if (code != -1 && WIFEXITED(code))
    log_line(t->log, "ended with code %d after %.1f s", WEXITSTATUS(code), rmx_now() - t->began);
  else
    log_line(t->log, "ended by a signal after %.1f s", rmx_now() - t->began);
  if (code != 0 || t->timed_out || t->stopped) return fail_of(t, code, err);
  return RMX_OK;
}

// A file that is already there is not a result of this run, else the run would not have begun.
// Those of PyTorch say which run they are of, and its trainer looks for itself.
static rmx_status remove_old(const rmx_run *r, rmx_err *err) {
  static const char *const names[] = {"result.rejected.json", "result.json"};
  const size_t n = rmx_training_is_pytorch(&r->training) ? 1 : 2;
  rmx_status status = RMX_OK;
  for (size_t i = 0; status == RMX_OK && i < n; i++) {
    char *path = rmx_path_in(r->folder, names[i]);
    if (!path) return rmx_fail_memory(err, 0, "a path");
    if (unlink(path) != 0 && errno != ENOENT && rmx_remove_tree(path, err) != RMX_OK)
      status = rmx_fail_in(err, "what is in the way of the result");
    free(path);
  }
  return status;
}

// In log.txt of the other runs of a batch: where the output is.
static void point_to_log(const struct training *t) {
  for (size_t i = 1; i < t->batch->n; i++) {
    rmx_err ignored;
    RMX_OWNED char *path = rmx_path_in(t->batch->runs[i].folder, "log.txt");
    const int log = path ? open_log(path, &ignored) : -1;
    if (log < 0) continue;
    log_line(log, "run %s, stacked with %zu others; the output is in %s", t->batch->runs[i].name,
             t->batch->n - 1, t->log_path);
    close(log);
  }
}

// The result of each run. A command that failed may have finished some of them: the folder has
// nothing of another question, since that was set aside.
static rmx_status accept(const struct training *t, bool failed, rmx_err *err) {
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < t->batch->n; i++) {
    const rmx_run *r = &t->batch->runs[i];
    rmx_err why;
    RMX_OWNED char *path = rmx_path_in(r->folder, "result.json");
    if (!path) return rmx_fail_memory(err, 0, "a path");
    if (failed && !(rmx_training_is_pytorch(&r->training) && rmx_exists(path))) continue;
    if (rmx__result_accept(r, &why) == RMX_OK) continue;
    log_line(t->log, "%s", why.message);
    if (status == RMX_OK) *err = why, status = why.status;
  }
  return status;
}

static rmx_status begin(struct training *t, rmx_err *err) {
  for (size_t i = 0; i < t->batch->n; i++) {
    RMX_TRY(rmx__run_check_files(&t->batch->runs[i], err));
    RMX_TRY(remove_old(&t->batch->runs[i], err));
  }
  if ((t->log = open_log(t->log_path, err)) < 0) return err->status;
  point_to_log(t);
  return RMX_OK;
}

// *all: no run is left to train.
static rmx_status take_kept(const struct rmx__batch *batch, bool *all, rmx_err *err) {
  *all = true;
  for (size_t i = 0; i < batch->n; i++) {
    bool taken;
    RMX_TRY(rmx__result_take_kept(&batch->runs[i], &taken, err));
    *all = *all && taken;
  }
  return RMX_OK;
}

rmx_status rmx__command_train(const struct rmx__batch *batch, const struct rmx__watch *watch,
                              rmx_err *err) {
  const rmx_run *r = &batch->runs[0];
  bool done;
  RMX_TRY(take_kept(batch, &done, err));
  if (done) return RMX_OK;
  set_environment(r);
  struct training t = {.run = r, .batch = batch, .watch = watch, .log = -1, .first_tokens = -1};
  t.log_path = rmx_path_in(r->folder, "log.txt");
  t.command = rmx_training_is_pytorch(&r->training)
                  ? rmx__pytorch_command(batch)
                  : rmx__command_words(r->training.command, getenv("REGMIX_EXPERIMENT"), r->folder);
  rmx_status status =
      t.log_path && t.command ? begin(&t, err) : rmx_fail_memory(err, 0, "a command");
  if (status == RMX_OK) {
    rmx_err refused;
    status = train(&t, err);
    const bool stopped = status == RMX_EINTERRUPTED;
    // What a result says says more than how the command ended.
    if (accept(&t, status != RMX_OK, &refused) != RMX_OK && !stopped)
      *err = refused, status = refused.status;
  }
  if (t.log >= 0) close(t.log);
  free(t.log_path), free(t.command);
  return status;
}

// ---- words

static bool is_file(const char *folder, const char *word, size_t n) {
  struct stat info;
  RMX_OWNED char *path = rmx_format("%s/%.*s", folder, (int)n, word);
  return path && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static void add_quoted(rmx_buf *out, const char *folder, const char *word, size_t n) {
  while (n > 2 && word[0] == '.' && word[1] == '/') word += 2, n -= 2;
  RMX_OWNED char *path = rmx_format("%s/%.*s", folder, (int)n, word);
  if (path)
    rmx_put_shell(out, path);
  else
    out->failed = true;
}

char *rmx__command_words(const char *command, const char *experiment, const char *folder) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@%+:,-";
  rmx_buf out = {0};
  rmx_buf_puts(&out, "");
  bool written_to = false;  // the word after '>'
  for (const char *p = command; *p;) {
    size_t n = strspn(p, plain);
    bool starts = p == command || strchr(" \t\n;|&()<>", p[-1]),
         ends = !p[n] || strchr(" \t\n;|&()<>", p[n]);
    if (*p == '\'' || *p == '"') {  // as it is, to the closing quote
      const char *q = p + 1;
      while (*q && *q != *p) q += *p == '"' && *q == '\\' && q[1] ? 2 : 1;
      n = (size_t)(q - p) + (*q != '\0');
      rmx_buf_add(&out, p, n);
      written_to = false;
    } else if (n == 0) {
      n = *p == '\\' && p[1] ? 2 : 1;
      rmx_buf_add(&out, p, n);
      if (*p == '>')
        written_to = true;
      else if (!strchr(" \t&|", *p))
        written_to = false;
    } else {
      bool path = memchr(p, '.', n) || memchr(p, '/', n);
      if (starts && ends && path && !written_to && *p != '/' && *p != '-' &&
          is_file(experiment, p, n) && !is_file(folder, p, n))
        add_quoted(&out, experiment, p, n);
      else
        rmx_buf_add(&out, p, n);
      written_to = false;
    }
    p += n;
  }
  if (out.failed) rmx_buf_release(&out);
  return out.data;
}
