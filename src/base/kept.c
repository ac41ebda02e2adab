// SPDX-License-Identifier: Apache-2.0
// A name that a user gave may be that of a file of theirs. A file that begins otherwise than what
// replaces it is kept under another name. Runs of digits count as one: another weight or number of
// runs makes no other file.
#include <ctype.h>
#include <pthread.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kept.h"

enum { BEGINNING = 256, TEXT = 64, MAGIC = 4 };

static struct {
  pthread_mutex_t lock;
  rmx_strings given, kept;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER};

rmx_status rmx_keep_others(const char *path, rmx_err *err) {
  pthread_mutex_lock(&names.lock);
  const bool good = rmx_strings_add(&names.given, path);
  pthread_mutex_unlock(&names.lock);
  return good ? RMX_OK : rmx_fail_memory(err, strlen(path), "a path");
}

const rmx_strings *rmx_kept_others(void) {
  return &names.kept;
}

void rmx_forget_others(void) {
  rmx_strings_release(&names.given);
  rmx_strings_release(&names.kept);
}

// What a file begins with: of binary data its magic number alone. Its length; 0: it is empty.
static size_t beginning(const char *path, char out[TEXT]) {
  char raw[BEGINNING];
  FILE *f = rmx_fopen(path, "rb");
  const size_t n = f ? fread(raw, 1, sizeof raw, f) : 0;
  if (f) fclose(f);
  size_t m = 0;
  const bool binary = n && memchr(raw, 0, n < 2 * MAGIC ? n : 2 * MAGIC);
  for (size_t i = 0; i < n && m < (binary ? MAGIC : TEXT); i++) {
    const bool digit = isdigit((unsigned char)raw[i]) && !binary;
    if (digit && m && out[m - 1] == '0') continue;
    out[m++] = digit ? '0' : raw[i];
  }
  return m;
}

static bool begin_alike(const char *a, const char *b) {
  char x[TEXT], y[TEXT];
  const size_t n = beginning(a, x), m = beginning(b, y);
  return n == 0 || (n == m && memcmp(x, y, n) == 0);
}

rmx_status rmx__keep_other(const char *given, const char *target, const char *next, rmx_err *err) {
  struct stat info;
  if (!rmx_strings_have(&names.given, given) || lstat(target, &info) != 0 ||
      !S_ISREG(info.st_mode) || begin_alike(target, next))
    return RMX_OK;
  for (int i = 1;; i++) {
    RMX_OWNED char *name = i == 1 ? rmx_format("%s~", target) : rmx_format("%s~%d", target, i);
    if (!name) return rmx_fail_memory(err, strlen(target), "a path");
    if (lstat(name, &info) == 0) continue;
    if (rename(target, name) != 0) return rmx_fail_errno(err, "cannot move %s to %s", target, name);
    return rmx_strings_add(&names.kept, name) ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  }
}
