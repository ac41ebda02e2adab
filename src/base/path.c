// SPDX-License-Identifier: Apache-2.0
// Paths: their parts, and what is at them.
#include "path.h"

#include <regmix/base.h>
#include <string.h>
#include <sys/stat.h>

const char *rmx__file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

bool rmx__exists_in(const char *folder, const char *name) {
  RMX_OWNED char *path = rmx_path_in(folder, name);
  return path && rmx_exists(path);
}

bool rmx__is_at(int fd, const char *path) {
  struct stat mine, there;
  return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
         mine.st_dev == there.st_dev;
}

bool rmx__ends_in(const char *text, const char *suffix) {
  const size_t n = strlen(text), m = strlen(suffix);
  return n >= m && strcmp(text + n - m, suffix) == 0;
}
