// SPDX-License-Identifier: Apache-2.0
// Preloaded: file locks as some network file systems have them. REGMIX_TEST_FLOCK=ENOLCK, ENOSYS or
// ENOTSUP fails every flock so; NOTHING lets every flock succeed without locking; LOCAL locks
// within a process only, as a file system whose locks do not leave the machine.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

// Two descriptors of one file in this process cannot both have it.
static int lock_here(int fd, int operation) {
  static struct {
    int fd;
    dev_t dev;
    ino_t ino;
  } held[256];
  struct stat info, other;
  int place = -1;
  if (fstat(fd, &info) != 0) return -1;
  for (int i = 0; i < 256; i++) {
    const int by = held[i].fd - 1;  // 0: free
    const int stands = by >= 0 && fstat(by, &other) == 0 && other.st_ino == held[i].ino &&
                       other.st_dev == held[i].dev;
    if (!stands || by == fd) {
      held[i].fd = 0;
      if (place < 0) place = i;
    } else if (other.st_ino == info.st_ino && other.st_dev == info.st_dev) {
      errno = EWOULDBLOCK;
      return -1;
    }
  }
  if (place < 0 || (operation & LOCK_UN)) return 0;
  held[place].fd = fd + 1;
  held[place].dev = info.st_dev;
  held[place].ino = info.st_ino;
  return 0;
}

int flock(int fd, int operation) {
  const char *how = getenv("REGMIX_TEST_FLOCK");
  if (how && strcmp(how, "LOCAL") == 0) return lock_here(fd, operation);
  if (how && strcmp(how, "NOTHING") == 0) return 0;
  errno = how && strcmp(how, "ENOSYS") == 0    ? ENOSYS
          : how && strcmp(how, "ENOTSUP") == 0 ? ENOTSUP
                                               : ENOLCK;
  return -1;
}
