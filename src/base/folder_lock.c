// SPDX-License-Identifier: Apache-2.0
// A lock on an empty file in the folder, .regmix.lock. The system gives the lock back when the
// process that holds it ends, so a file that is left behind locks nothing. A lock on the folder
// itself would not do: an NFS keeps it to the machine that asks, without a word. It is taken only
// where the file cannot be made, as on a full disk.
#include <errno.h>
#include <fcntl.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder_lock.h"
#include "path.h"

enum { LOOK_US = 100000 };
static const char name[] = "/.regmix.lock", start[] = ".regmix.", ending[] = ".lock";

static bool try_lock(int fd) {
  int code;
  do code = flock(fd, LOCK_EX | LOCK_NB);
  while (code != 0 && errno == EINTR);
  return code == 0;
}

// The process that held it before may have removed the file between our open and our lock.
// Whoever may write in the folder may lock it.
static int open_file(const char *folder, const char *path) {
  struct stat info;
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (fd >= 0 && stat(folder, &info) == 0) fchmod(fd, info.st_mode & 0666);
  return fd;
}

static int give_up(int fd, int number) {
  if (fd >= 0) close(fd);
  errno = number;
  return -1;
}

// The descriptor that has the lock, or -1 with errno; EWOULDBLOCK: another process has it. Where
// the file cannot be made, the folder is locked if `or_folder`.
static int take(const char *folder, const char *path, bool or_folder) {
  for (;;) {
    const int file = open_file(folder, path),
              fd =
                  file >= 0 || !or_folder ? file : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    if (!try_lock(fd)) {
      const int number = errno;
      if (file >= 0 && number != EWOULDBLOCK) unlink(path);  // there are no locks here
      return give_up(fd, number);
    }
    if (file < 0 || rmx__is_at(fd, path)) return fd;
    close(fd);
  }
}

static void warn_once(const char *folder, int number, const rmx_listener *to) {
  static atomic_flag warned = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&warned)) return;
  rmx_warn(to,
           "%s cannot be locked (%s): let no other `regmix prepare`, `run` or `gc` work in it at "
           "the same time",
           folder, strerror(number));
}

rmx_status rmx_folder_lock(const char *folder, const char *waiting, const rmx_listener *to,
                           rmx_lock *out, rmx_err *err) {
  RMX_OWNED char *path = rmx_format("%s%s", folder, name);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  *out = (rmx_lock){.fd = take(folder, path, true)};
  for (bool noted = false; out->fd < 0 && errno == EWOULDBLOCK && waiting && !rmx_interrupted();) {
    if (!noted) rmx_note(to, "%s", waiting);
    noted = true;
    usleep(LOOK_US);
    out->fd = take(folder, path, true);
  }
  if (out->fd >= 0) return RMX_OK;
  out->elsewhere = errno == EWOULDBLOCK;
  if (!out->elsewhere) warn_once(folder, errno, to);
  return out->elsewhere && waiting ? rmx_fail(err, RMX_EINTERRUPTED, "stopped while waiting")
                                   : RMX_OK;
}

// The lock of `path`: a file beside it, or in it if nothing can be made beside a folder.
static int take_beside(const char *parent, const char *path, const char *beside,
                       const char *inside) {
  const int fd = take(parent, beside, false);
  return fd >= 0 || errno == EWOULDBLOCK ? fd : take(path, inside, true);
}

rmx_status rmx__lock_beside(const char *path, rmx_lock *out, rmx_err *err) {
  enum { LOOK_OFTEN_US = 5000 };  // it is held for a moment only
  *out = (rmx_lock){.fd = -1};
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') n--;
  RMX_OWNED char *real = rmx_exists(path) ? rmx_realpath(path) : rmx_format("%.*s", (int)n, path);
  if (!real) return rmx_fail_memory(err, n, "a path");
  const char *base = rmx__file_name(real);
  RMX_OWNED char *parent =
                     base == real ? rmx_strdup(".") : rmx_format("%.*s", (int)(base - real), real),
                 *beside = rmx_format("%.*s%s%s%s", (int)(base - real), real, start, base, ending),
                 *inside = rmx_format("%s%s", real, name);
  if (!parent || !beside || !inside) return rmx_fail_memory(err, n, "a path");
  while ((out->fd = take_beside(parent, real, beside, inside)) < 0 && errno == EWOULDBLOCK) {
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "stopped while another process was writing %s", path);
    usleep(LOOK_OFTEN_US);
  }
  return RMX_OK;
}

// Removes the file that is locked, under the name that the system has for it.
static void remove_file(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < (ssize_t)sizeof name) return;
  path[n] = '\0';
  if (strncmp(rmx__file_name(path), start, sizeof start - 1) == 0 && rmx__ends_in(path, ending) &&
      rmx__is_at(fd, path))
    unlink(path);
}

void rmx_folder_unlock(rmx_lock *lock) {
  if (lock->fd >= 0) remove_file(lock->fd);
  if (lock->fd >= 0) close(lock->fd);
  lock->fd = -1;
}
