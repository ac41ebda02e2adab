// SPDX-License-Identifier: Apache-2.0
#include "claim.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __linux__
#include <mntent.h>
#endif
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/temporary.h"

enum { BEAT_S = 5 };

// ---- locks

// What kind of file system `path` is on, and where it is mounted: "nfs4, mounted at /home".
static void file_system_of(const char *path, char *out, size_t size) {
  snprintf(out, size, "not known");
#ifdef __linux__
  char *real = rmx_realpath(path);
  FILE *mounts = setmntent("/proc/self/mounts", "r");
  size_t longest = 0;
  for (struct mntent *m; real && mounts && (m = getmntent(mounts));) {
    size_t n = strlen(m->mnt_dir);
    bool above = strncmp(real, m->mnt_dir, n) == 0 && (n == 1 || real[n] == '/' || !real[n]);
    if (!above || n < longest) continue;
    longest = n;
    snprintf(out, size, "%s, mounted at %s", m->mnt_type, m->mnt_dir);
  }
  if (mounts) endmntent(mounts);
  free(real);
#endif
}

// Any failure but "somebody holds it" means that there are no locks here: waiting would be waiting
// for ever.
static rmx_status lock(int fd, int kind, const char *path, bool *taken, rmx_err *err) {
  int code;
  do code = flock(fd, kind | LOCK_NB);
  while (code != 0 && errno == EINTR);
  *taken = code == 0;
  if (code == 0 || errno == EWOULDBLOCK) return RMX_OK;
  char where[400];
  int number = errno;
  file_system_of(path, where, sizeof where);
  return rmx_fail(err, RMX_EIO,
                  "cannot lock %s: %s. Its file system (%s) has no working locks, and without them "
                  "two processes could train one run. "
                  "Put the experiment on a file system with locks, for example a local disk, or "
                  "mount this one with locks (flock)",
                  path, strerror(number), where);
}

// ---- who it is

static void this_host(char host[256]) {
  host[0] = host[255] = '\0';
  if (gethostname(host, 255) != 0) host[0] = '\0';
}

static void read_holder(int fd, rmx__holder *out) {
  char text[400];
  struct stat info;
  // A claim may be anything that somebody put there: only a regular file is read.
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  ssize_t n = pread(fd, text, sizeof text - 1, 0);
  if (n <= 0) return;
  text[n] = '\0';
  size_t line = strcspn(text, "\n");
  if (text[line]) out->pid = strtol(text + line + 1, NULL, 10);
  text[line] = '\0';
  snprintf(out->host, sizeof out->host, "%.255s", text);
}

static double seconds(struct timespec t) {
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Now, by the clock of the machine that keeps the folder: the times of its files come from that
// clock, not from ours.
static double now_there(const char *folder) {
  struct timespec here;
  struct stat info;
  clock_gettime(CLOCK_REALTIME, &here);
  char *path = NULL;
  int fd = rmx__temporary(folder, &path);
  double now = fd >= 0 && futimens(fd, NULL) == 0 && fstat(fd, &info) == 0 ? seconds(info.st_mtim)
                                                                           : seconds(here);
  if (fd >= 0) {
    close(fd);
    unlink(path);
  }
  rmx__temporary_done(path);
  return now;
}

// A claim of another host is believed while its heartbeat is fresh: locks do not cross every file
// system. A time in the future is not a heartbeat, else it would count until then.
static bool fresh_elsewhere(const rmx__holder *h) {
  char host[256];
  this_host(host);
  return h->host[0] && strcmp(h->host, host) != 0 && h->age_s <= RMX__SILENT_S &&
         h->age_s >= -RMX__SILENT_S;
}

rmx_status rmx__claim_look(const char *folder, rmx__holder *out, rmx_err *err) {
  *out = (rmx__holder){0};
  char *path = rmx_path_in(folder, "claim");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_status status = RMX_OK;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) {
    bool free_now;
    struct stat info;
    status = lock(fd, LOCK_SH, path, &free_now, err);
    read_holder(fd, out);
    if (fstat(fd, &info) == 0) out->age_s = now_there(folder) - seconds(info.st_mtim);
    out->held = status == RMX_OK && (!free_now || fresh_elsewhere(out));
    close(fd);
  }
  free(path);
  return status;
}

bool rmx__claim_held(const char *folder) {
  rmx__holder holder;
  rmx_err ignored;
  return rmx__claim_look(folder, &holder, &ignored) == RMX_OK && holder.held;
}

// ---- taking it and letting it go

// A process that looks whether it is held holds it for a moment: tried for a while.
static rmx_status lock_patiently(int fd, const char *path, bool *taken, rmx_err *err) {
  for (int i = 0; i < 10; i++) {
    RMX_TRY(lock(fd, LOCK_EX, path, taken, err));
    if (*taken) break;
    usleep(5000);
  }
  return RMX_OK;
}

// The process that held it before may have removed the file between our open and our lock.
static bool still_there(int fd, const char *path) {
  struct stat mine, there;
  return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
         mine.st_dev == there.st_dev;
}

static rmx_status write_holder(int fd, const char *path, rmx_err *err) {
  char text[320], host[256];
  this_host(host);
  int size = snprintf(text, sizeof text, "%s\n%ld\n", host, (long)getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)size, 0) != size)
    return rmx_fail_errno(err, "cannot write %s", path);
  return RMX_OK;
}

rmx_status rmx__claim_take(rmx__claim *c, const char *folder, bool *taken, rmx_err *err) {
  *taken = false;
  *c = (rmx__claim){.fd = -1, .path = rmx_path_in(folder, "claim")};
  if (!c->path) return rmx_fail_memory(err, 0, "a path");
  rmx__holder holder;
  RMX_TRY(rmx__claim_look(folder, &holder, err));
  if (fresh_elsewhere(&holder)) return RMX_OK;
  c->fd = open(c->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (c->fd < 0) return rmx_fail_errno(err, "cannot write %s", c->path);
  bool locked;
  RMX_TRY(lock_patiently(c->fd, c->path, &locked, err));
  if (!locked || !still_there(c->fd, c->path)) return RMX_OK;
  RMX_TRY(write_holder(c->fd, c->path, err));
  c->ours = *taken = true;
  return RMX_OK;
}

struct rmx__heart {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t end;
  bool ended;
  int fd;
};

static void *beat(void *context) {
  struct rmx__heart *h = context;
  struct timespec next;
  pthread_mutex_lock(&h->mutex);
  while (!h->ended) {
    futimens(h->fd, NULL);
    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec += BEAT_S;
    while (!h->ended && pthread_cond_timedwait(&h->end, &h->mutex, &next) == 0) {
    }
  }
  pthread_mutex_unlock(&h->mutex);
  return NULL;
}

rmx_status rmx__claim_beat(rmx__claim *c, rmx_err *err) {
  struct rmx__heart *h = rmx_calloc(1, sizeof *h);
  if (!h) return rmx_fail_memory(err, sizeof *h, "a heartbeat");
  h->fd = c->fd;
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&h->end, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&h->mutex, NULL);
  // signals are for the thread that waits for them
  sigset_t all, had;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &had);
  const int code = pthread_create(&h->thread, NULL, beat, h);
  pthread_sigmask(SIG_SETMASK, &had, NULL);
  if (code == 0) {
    c->heart = h;
    return RMX_OK;
  }
  free(h);
  errno = code;
  return rmx_fail_errno(err, "cannot start a thread");
}

static void stop_beating(struct rmx__heart *h) {
  if (!h) return;
  pthread_mutex_lock(&h->mutex);
  h->ended = true;
  pthread_cond_signal(&h->end);
  pthread_mutex_unlock(&h->mutex);
  pthread_join(h->thread, NULL);
  pthread_cond_destroy(&h->end);
  pthread_mutex_destroy(&h->mutex);
  free(h);
}

void rmx__claim_release(rmx__claim *c) {
  stop_beating(c->heart);
  if (c->fd >= 0 && c->ours) unlink(c->path);
  if (c->fd >= 0) close(c->fd);
  free(c->path);
  *c = (rmx__claim){.fd = -1};
}

rmx_status rmx__claim_moved(rmx__claim *c, const char *folder, rmx_err *err) {
  char *path = rmx_path_in(folder, "claim");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  free(c->path);
  c->path = path;
  return RMX_OK;
}

void rmx__claim_sweep(const char *folder) {
  RMX_OWNED char *path = rmx_path_in(folder, "claim");
  RMX_OWNED_BY(rmx__claim_release) rmx__claim claim = {.fd = -1};
  rmx_err ignored;
  bool taken = false;
  if (path && rmx_exists(path) && rmx__claim_take(&claim, folder, &taken, &ignored) == RMX_OK &&
      !taken)
    claim.ours = false;
}
