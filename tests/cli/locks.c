// SPDX-License-Identifier: Apache-2.0
// Preloaded: file locks as some network file systems have them. REGMIX_TEST_FLOCK=ENOLCK, ENOSYS or
// ENOTSUP fails every flock so; NOTHING lets every flock succeed without locking.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

int flock(int fd, int operation) {
  const char *how = getenv("REGMIX_TEST_FLOCK");
  (void)fd, (void)operation;
  if (how && strcmp(how, "NOTHING") == 0) return 0;
  errno = how && strcmp(how, "ENOSYS") == 0    ? ENOSYS
          : how && strcmp(how, "ENOTSUP") == 0 ? ENOTSUP
                                               : ENOLCK;
  return -1;
}
