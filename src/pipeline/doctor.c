// SPDX-License-Identifier: Apache-2.0
// Checks this machine and a folder on it.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <fcntl.h>
#include <pcre2.h>
#include <regmix/kernels.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/c_number.h"
#include "base/json.h"
#include "steps.h"
#include "swarm/pytorch.h"

enum verdict { OK, WARN, FAIL };
static const char *const verdicts[] = {"ok", "warn", "fail"};

struct examination {
  json_t *checks;
  size_t count[3];
};

// One line of the result: what was checked, what was found, and (unless OK) what to do about it.
static void found(struct examination *x, const char *name, enum verdict v, const char *advice,
                  const char *fmt, ...) RMX_PRINTF(5, 6);
static void found(struct examination *x, const char *name, enum verdict v, const char *advice,
                  const char *fmt, ...) {
  char text[600];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  x->count[v]++;
  json_t *o = json_pack("{s:s, s:s, s:s}", "name", name, "verdict", verdicts[v], "found", text);
  if (v != OK) json_object_set_new(o, "advice", json_string(advice));
  json_array_append_new(x->checks, o);
}

// The first number in a file of the system; -1: the file is missing, or contains "max".
static double number_in(const char *path, const char *key) {
  char line[256];
  double x = -1;
  FILE *f = rmx_fopen(path, "r");
  while (f && x < 0 && fgets(line, sizeof line, f)) {
    const size_t n = strlen(key);
    char *end;
    if (strncmp(line, key, n) != 0) continue;
    x = rmx__strtod(line + n, &end);
    if (end == line + n) x = -1;
  }
  if (f) fclose(f);
  return x;
}

static void look_at_processor(struct examination *x) {
  const rmx_kernels *k;
  rmx_err err;
  const char *names[16];
  char list[160] = "";
  const size_t n = rmx_kernels_available(names, sizeof names / sizeof *names);
  for (size_t i = 0; i < n; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", i ? ", " : "", names[i]);
  if (rmx_kernels_get(NULL, &k, &err) != RMX_OK)
    found(x, "processor", FAIL, "unset REGMIX_ISA, or set it to one of these levels",
          "%s (available: %s)", err.message, list);
  else if (rmx_kernels_check(k, &err) != RMX_OK)
    found(x, "processor", FAIL,
          "set `isa: ref` in regmix.yaml and report this with the name of the processor", "%s",
          err.message);
  else
    found(x, "processor", OK, "", "level %s gives the results of the reference; available: %s",
          rmx_kernels_name(k), list);
}

static void look_at_cores(struct examination *x) {
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  const int usable = rmx_processors();
  double quota = number_in("/sys/fs/cgroup/cpu.max", ""), period = 100000;
  if (quota < 0) {
    quota = number_in("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "");
    const double p = number_in("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "");
    if (p > 0) period = p;
  }
  const double granted = quota > 0 ? quota / period : usable;
  if (granted < 0.9 * usable)
    found(x, "processors", WARN, "set `jobs` in regmix.yaml to the granted number, rounded up",
          "%d of %ld may be used, but the container grants the time of only %.1f", usable, online,
          granted);
  else
    found(x, "processors", OK, "", "%d of %ld may be used", usable, online);
}

static void look_at_memory(struct examination *x) {
  const double kib = number_in("/proc/meminfo", "MemAvailable:"),
               limit = number_in("/sys/fs/cgroup/memory.max", "");
  double bytes =
      kib > 0 ? kib * 1024 : (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  const char *of = "available";
  if (limit > 0 && limit - number_in("/sys/fs/cgroup/memory.current", "") < bytes) {
    bytes = limit - number_in("/sys/fs/cgroup/memory.current", "");
    of = "left of the container's limit";
  }
  char text[16];
  if (bytes < 1e9)
    found(x, "memory", WARN, "lower `jobs`; `regmix plan` prints what each worker needs", "%sB %s",
          rmx_count(bytes, text), of);
  else
    found(x, "memory", OK, "", "%sB %s", rmx_count(bytes, text), of);
}

static void look_at_limits(struct examination *x) {
  struct rlimit files, space, stack;
  const double jobs = rmx_processors(), wanted = 64 + 4 * jobs;
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    if (files.rlim_cur != RLIM_INFINITY && (double)files.rlim_cur < wanted)
      found(x, "open files", (double)files.rlim_cur < 32 ? FAIL : WARN,
            "raise it with `ulimit -n`, or lower `jobs`",
            "%.0f are allowed, but %.0f workers at a time need %.0f", (double)files.rlim_cur, jobs,
            wanted);
    else
      found(x, "open files", OK, "", "enough for %.0f workers at a time", jobs);
  }
  if (getrlimit(RLIMIT_AS, &space) == 0 && getrlimit(RLIMIT_STACK, &stack) == 0) {
    if (space.rlim_cur != RLIM_INFINITY && (double)space.rlim_cur < 2e9)
      found(x, "ulimits", WARN,
            "raise it with `ulimit -v`: files are mapped, and the BLAS library reserves address "
            "space for each thread",
            "address space is limited to %.0f MB", (double)space.rlim_cur / 1e6);
    else if (stack.rlim_cur != RLIM_INFINITY && (double)stack.rlim_cur < 1e6)
      found(x, "ulimits", WARN, "raise it with `ulimit -s`", "the stack is limited to %.0f kB",
            (double)stack.rlim_cur / 1e3);
    else
      found(x, "ulimits", OK, "", "address space and stack are large enough");
  }
}

static void look_at_libraries(struct examination *x) {
  rmx_err err;
  char name[RMX_BLAS_NAME];
  rmx_blas_name(name);
  const rmx_kernels *k;
  const bool old = strstr(name, "Prescott") || strstr(name, "Core2") || strstr(name, "Generic");
  if (rmx_blas_check(&err) == RMX_OK && old && rmx_kernels_get("avx2", &k, &err) == RMX_OK)
    found(x, "BLAS", WARN,
          "for faster fits set OPENBLAS_CORETYPE=Haswell in the environment, or install a newer "
          "OpenBLAS",
          "%s solves a test system, but does not know this processor", name);
  else if (rmx_blas_check(&err) == RMX_OK)
    found(x, "BLAS", OK, "", "%s solves a known system", name);
  else
    found(x, "BLAS", FAIL,
          "set OPENBLAS_CORETYPE=Haswell in the environment, or install a newer OpenBLAS", "%s: %s",
          name, err.message);
  uint32_t jit = 0;
  pcre2_config(PCRE2_CONFIG_JIT, &jit);
  if (jit)
    found(x, "tokenizer", OK, "", "regular expressions are compiled");
  else
    found(x, "tokenizer", WARN, "install a PCRE2 built with JIT",
          "regular expressions are interpreted, so `prepare` takes several times as long");
}

// Libraries for kinds of text. *list: each with what it is for and whether it is there.
static void look_at_text(struct examination *x, json_t *list) {
  size_t n;
  const rmx_library *all = rmx_corpus_libraries(&n);
  char there[300] = "", missing[300] = "";
  for (size_t i = 0; i < n; i++) {
    char *to = all[i].there ? there : missing;
    const size_t at = strlen(to);
    snprintf(to + at, sizeof there - at, "%s%s (%s)", at ? ", " : "", all[i].name, all[i].enables);
    json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name", all[i].name, "enables",
                                          all[i].enables, "there", all[i].there));
  }
  found(x, "text", *missing ? WARN : OK, "install them and build regmix again, if you need them",
        *missing ? "built without %s" : "built with %s", *missing ? missing : there);
}

static void look_at_pages(struct examination *x) {
  char text[128] = "";
  FILE *f = rmx_fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
  if (f && !fgets(text, sizeof text, f)) text[0] = '\0';
  if (f) fclose(f);
  if (strstr(text, "[never]"))
    found(x, "large pages", WARN,
          "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
          "switched off; training is a few percent slower");
  else if (*text)
    found(x, "large pages", OK, "", "programs that request them get them");
}

// A file is made, renamed over another, locked twice and removed.
static void look_at_folder(struct examination *x, const char *folder) {
  static const char *const elsewhere = "choose a folder on a local disk with -C";
  static const char *const no_locks =
      "mount the file system with locks (flock) if that can be done: without locks the run of a "
      "killed worker waits a while, and a run may be trained twice, with the same result";
  char *path = rmx_format("%s/.doctor.%ld", folder, (long)getpid()),
       *second = path ? rmx_format("%s.tmp", path) : NULL;
  struct stat info;
  int fd = -1, other = -1;
  if (!second) {
    found(x, "folder", FAIL, "free some memory", "no memory for a path");
  } else if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
    found(x, "folder", FAIL, "make the folder, or choose another one with -C", "%s is not a folder",
          folder);
  } else if ((fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600)) < 0 ||
             write(fd, "x", 1) != 1 || fsync(fd) != 0) {
    found(x, "folder", FAIL, elsewhere, "cannot write in %s: %s", folder, strerror(errno));
  } else {
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
      found(x, "locks", WARN, no_locks, "cannot lock a file in %s: %s", folder, strerror(errno));
    else if ((other = open(path, O_RDWR | O_CLOEXEC)) >= 0 && flock(other, LOCK_EX | LOCK_NB) == 0)
      found(x, "locks", WARN, no_locks, "a file in %s can be locked twice", folder);
    else
      found(x, "locks", OK, "", "a locked file is locked for other processes");
    const double skew = fstat(fd, &info) == 0 ? difftime(info.st_mtime, time(NULL)) : 0;
    if (skew > 5 || skew < -5)
      found(
          x, "clock", WARN,
          "set both clocks by NTP: a run on another host counts as alive by the times of its files",
          "the clock of the file system differs by %.0f s", skew);
    else if (time(NULL) < 1704067200)
      found(x, "clock", WARN, "set the clock", "the clock shows a time before 2024");
    else
      found(x, "clock", OK, "", "the clock of the file system agrees");
    const int fresh = open(second, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fresh < 0 || rename(second, path) != 0)
      found(x, "folder", FAIL, elsewhere, "cannot rename in %s: %s", folder, strerror(errno));
    else
      found(x, "folder", OK, "", "files in %s can be written and replaced", folder);
    if (fresh >= 0) close(fresh);
  }
  if (fd >= 0) close(fd);
  if (other >= 0) close(other);
  if (path) unlink(path);
  if (second) unlink(second);
  struct statvfs disk;
  if (statvfs(folder, &disk) == 0) {
    const double bytes = (double)disk.f_bavail * (double)disk.f_frsize;
    char text[16];
    if (bytes < 1e9)
      found(x, "disk", bytes < 1e7 ? FAIL : WARN,
            "free some space; `regmix plan` prints what the runs need", "%sB free",
            rmx_count(bytes, text));
    else
      found(x, "disk", OK, "", "%sB free", rmx_count(bytes, text));
  }
  free(path);
  free(second);
}

// Of an experiment that is trained with PyTorch.
static void look_at_pytorch(struct examination *x, const char *folder) {
  rmx_experiment e;
  rmx_err err;
  if (rmx_experiment_open(folder, NULL, NULL, 0, &e, &err) != RMX_OK) return;
  bool wanted =
      rmx_training_is_pytorch(&e.config.proxy) || rmx_training_is_pytorch(&e.config.large);
  for (size_t i = 0; i < e.config.n_swarms; i++)
    wanted = wanted || rmx_training_is_pytorch(&e.config.swarms[i].training);
  if (wanted && rmx__pytorch_check(&err) != RMX_OK)
    found(x, "PyTorch", FAIL, "docs/trainer.md has the variables that name the python and the GPU",
          "%s", err.message);
  else if (wanted)
    found(x, "PyTorch", OK, "", "the python of trainer: pytorch has it");
  rmx_experiment_release(&e);
}

json_t *rmx_doctor(const char *folder) {
  struct examination x = {.checks = json_array()};
  look_at_processor(&x);
  look_at_cores(&x);
  look_at_memory(&x);
  look_at_limits(&x);
  look_at_libraries(&x);
  json_t *libraries = json_array();
  look_at_text(&x, libraries);
  look_at_pages(&x);
  look_at_folder(&x, folder);
  look_at_pytorch(&x, folder);
  return json_pack("{s:o, s:o, s:I, s:I}", "checks", x.checks, "libraries", libraries, "failed",
                   (json_int_t)x.count[FAIL], "warnings", (json_int_t)x.count[WARN]);
}
