// SPDX-License-Identifier: Apache-2.0
// Network file systems may have no locks (an NFS without its lock service, a Lustre mounted without
// them), or locks that always succeed. A lock that is refused because somebody holds it says so
// with one error number; all others mean that nobody knows.
#include "locks.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __linux__
#include <mntent.h>
#endif
#include <regmix/base.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary.h"

rmx__lock_state rmx__lock(int fd, int kind) {
  int code;
  do code = flock(fd, kind | LOCK_NB);
  while (code != 0 && errno == EINTR);
  if (code == 0) return RMX__LOCK_TAKEN;
  return errno == EWOULDBLOCK ? RMX__LOCK_HELD : RMX__LOCK_NONE;
}

static bool try_locks(const char *folder) {
  char *path = NULL;
  const int first = rmx__temporary(folder, &path);
  if (first < 0) return true;
  const int second = open(path, O_RDWR | O_CLOEXEC);
  const bool work = rmx__lock(first, LOCK_EX) == RMX__LOCK_TAKEN &&
                    (second < 0 || rmx__lock(second, LOCK_EX) == RMX__LOCK_HELD);
  if (second >= 0) close(second);
  close(first);
  unlink(path);
  rmx__temporary_done(path);
  return work;
}

bool rmx__locks_work(const char *folder) {
  static _Atomic uint64_t known;  // of the last file system: a hash of its number, and the answer
  struct stat info;
  if (stat(folder, &info) != 0) return true;
  const uint64_t hash = rmx_hash(&info.st_dev, sizeof info.st_dev, 1) & ~UINT64_C(3);
  const uint64_t was = atomic_load(&known);
  if (was == (hash | 2) || was == (hash | 3)) return was & 1;
  const bool work = try_locks(folder);
  atomic_store(&known, hash | 2 | work);
  return work;
}

void rmx__file_system_of(const char *path, char out[RMX__FILE_SYSTEM_SIZE]) {
  snprintf(out, RMX__FILE_SYSTEM_SIZE, "not known");
#ifdef __linux__
  char *real = rmx_realpath(path);
  FILE *mounts = setmntent("/proc/self/mounts", "r");
  size_t longest = 0;
  for (struct mntent *m; real && mounts && (m = getmntent(mounts));) {
    const size_t n = strlen(m->mnt_dir);
    const bool above = strncmp(real, m->mnt_dir, n) == 0 && (n == 1 || real[n] == '/' || !real[n]);
    if (!above || n < longest) continue;
    longest = n;
    snprintf(out, RMX__FILE_SYSTEM_SIZE, "%s, mounted at %s", m->mnt_type, m->mnt_dir);
  }
  if (mounts) endmntent(mounts);
  free(real);
#endif
}
