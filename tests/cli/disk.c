// SPDX-License-Identifier: Apache-2.0
// Preloaded: a disk that has an error at one place. A file whose path ends with
// $REGMIX_TEST_BROKEN can be seen, but cannot be opened for reading.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_broken(const char *path) {
  const char *end = getenv("REGMIX_TEST_BROKEN");
  const size_t n = end ? strlen(end) : 0, length = strlen(path);
  if (!n || length < n || strcmp(path + length - n, end) != 0) return 0;
  errno = EIO;
  return 1;
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = flags & O_CREAT ? va_arg(more, int) : 0;
  va_end(more);
  int (*next)(const char *, int, ...);
  *(void **)&next = dlsym(RTLD_NEXT, "open");
  return (flags & O_ACCMODE) == O_RDONLY && is_broken(path) ? -1 : next(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode) {
  FILE *(*next)(const char *, const char *);
  *(void **)&next = dlsym(RTLD_NEXT, "fopen");
  return *mode == 'r' && is_broken(path) ? NULL : next(path, mode);
}
