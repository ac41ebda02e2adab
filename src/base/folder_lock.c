// SPDX-License-Identifier: Apache-2.0
// A lock on a folder itself, so that nothing lies in it that could be left behind: the system gives
// the lock back when the process that holds it ends.
#include <errno.h>
#include <fcntl.h>
#include <regmix/base.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { LOOK_US = 100000 };

static bool try_lock(int fd) {
  int code;
  do code = flock(fd, LOCK_EX | LOCK_NB);
  while (code != 0 && errno == EINTR);
  return code == 0;
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
  *out = (rmx_lock){.fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  bool locked = out->fd >= 0 && try_lock(out->fd), noted = false;
  while (!locked && out->fd >= 0 && errno == EWOULDBLOCK && waiting && !rmx_interrupted()) {
    if (!noted) rmx_note(to, "%s", waiting);
    noted = true;
    usleep(LOOK_US);
    locked = try_lock(out->fd);
  }
  if (locked) return RMX_OK;
  out->elsewhere = out->fd >= 0 && errno == EWOULDBLOCK;
  if (!out->elsewhere) warn_once(folder, errno, to);
  rmx_folder_unlock(out);
  return out->elsewhere && waiting ? rmx_fail(err, RMX_EINTERRUPTED, "stopped while waiting")
                                   : RMX_OK;
}

void rmx_folder_unlock(rmx_lock *lock) {
  if (lock->fd >= 0) close(lock->fd);
  lock->fd = -1;
}
