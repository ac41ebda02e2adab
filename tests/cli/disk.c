// SPDX-License-Identifier: Apache-2.0
// Preloaded: a disk that has an error at one place. A file whose path ends with
// $REGMIX_TEST_BROKEN can be seen, but cannot be opened for reading. And a network file system that
// remembers what was not there: a file whose path ends with $REGMIX_TEST_UNSEEN is not found until
// its folder is listed.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int ends_with(const char *path, const char *end) {
  const size_t n = end ? strlen(end) : 0, length = strlen(path);
  return n && length >= n && strcmp(path + length - n, end) == 0;
}

static int is_broken(const char *path) {
  if (!ends_with(path, getenv("REGMIX_TEST_BROKEN"))) return 0;
  errno = EIO;
  return 1;
}

static int listed;  // the folder of the file that is not seen
static int is_unseen(const char *path) {
  if (listed || !ends_with(path, getenv("REGMIX_TEST_UNSEEN"))) return 0;
  errno = ENOENT;
  return 1;
}

DIR *opendir(const char *path) {
  const char *file = getenv("REGMIX_TEST_UNSEEN"), *slash = file ? strrchr(file, '/') : NULL;
  char folder[256];
  DIR *(*next)(const char *);
  *(void **)&next = dlsym(RTLD_NEXT, "opendir");
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - file) : 0, file ? file : "");
  if (ends_with(path, folder)) listed = 1;
  return next(path);
}

int stat(const char *path, struct stat *info) {
  int (*next)(const char *, struct stat *);
  *(void **)&next = dlsym(RTLD_NEXT, "stat");
  return is_unseen(path) ? -1 : next(path, info);
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const int mode = flags & O_CREAT ? va_arg(more, int) : 0;
  va_end(more);
  int (*next)(const char *, int, ...);
  *(void **)&next = dlsym(RTLD_NEXT, "open");
  return (flags & O_ACCMODE) == O_RDONLY && (is_broken(path) || is_unseen(path))
             ? -1
             : next(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode) {
  FILE *(*next)(const char *, const char *);
  *(void **)&next = dlsym(RTLD_NEXT, "fopen");
  return *mode == 'r' && (is_broken(path) || is_unseen(path)) ? NULL : next(path, mode);
}
