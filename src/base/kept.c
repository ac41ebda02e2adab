// SPDX-License-Identifier: Apache-2.0
// A name that a user gave may be that of a file of theirs. A file that begins otherwise than what
// replaces it is kept under another name. Runs of digits count as one: another weight or number of
// runs makes no other file.
#include <ctype.h>
#include <errno.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kept.h"

enum { BEGINNING = 256, TEXT = 64, MAGIC = 4 };

// Each thread has its own, since a thread answers one question at a time.
static _Thread_local rmx__outputs names;

rmx_status rmx_keep_others(const char *path, rmx_err *err) {
  return rmx_strings_add(&names.given, path) ? RMX_OK
                                             : rmx_fail_memory(err, strlen(path), "a path");
}

const rmx_strings *rmx_kept_others(void) {
  return &names.kept;
}

void rmx__outputs_release(rmx__outputs *o) {
  rmx_strings_release(&o->given);
  rmx_strings_release(&o->kept);
}

void rmx_forget_others(void) {
  rmx__outputs_release(&names);
}

void rmx__outputs_exchange(rmx__outputs *o) {
  const rmx__outputs mine = names;
  names = *o;
  *o = mine;
}

void rmx__outputs_tell(const rmx__outputs *o, const rmx_listener *to) {
  for (size_t i = 0; i < o->kept.n; i++)
    rmx_warn(to, "the file that was there is kept as %s", o->kept.items[i]);
}

// What a file begins with: of binary data its magic number alone. Its length; 0: it is empty; -1:
// it cannot be read.
static int beginning(const char *path, char out[TEXT]) {
  char raw[BEGINNING];
  FILE *f = rmx_fopen(path, "rb");
  if (!f) return -1;
  const size_t n = fread(raw, 1, sizeof raw, f);
  const bool failed = ferror(f);
  fclose(f);
  if (failed) return -1;
  size_t m = 0;
  const bool binary = n && memchr(raw, 0, n < 2 * MAGIC ? n : 2 * MAGIC);
  for (size_t i = 0; i < n && m < (binary ? MAGIC : TEXT); i++) {
    const bool digit = isdigit((unsigned char)raw[i]) && !binary;
    if (digit && m && out[m - 1] == '0') continue;
    out[m++] = digit ? '0' : raw[i];
  }
  return (int)m;
}

bool rmx__begin_alike(const char *old, const char *next) {
  char x[TEXT], y[TEXT];
  const int n = beginning(old, x), m = beginning(next, y);
  return n == 0 || (n > 0 && n == m && memcmp(x, y, (size_t)n) == 0);
}

char *rmx__kept_name(const char *path) {
  for (int i = 1;; i++) {
    struct stat info;
    char *name = i == 1 ? rmx_format("%s~", path) : rmx_format("%s~%d", path, i);
    if (!name || lstat(name, &info) != 0) return name;
    free(name);
  }
}

bool rmx__kept(const char *name) {
  return rmx_strings_add(&names.kept, name);
}

rmx_status rmx__keep_other(const char *given, const char *target, const char *next, rmx_err *err) {
  struct stat info;
  if (!rmx_strings_have(&names.given, given) || lstat(target, &info) != 0 ||
      !S_ISREG(info.st_mode) || rmx__begin_alike(target, next))
    return RMX_OK;
  return rmx__keep(target, err);
}

rmx_status rmx__keep(const char *target, rmx_err *err) {
  struct stat info;
  const bool regular = lstat(target, &info) == 0 && S_ISREG(info.st_mode);
  for (;;) {
    RMX_OWNED char *name = rmx__kept_name(target);
    if (!name) return rmx_fail_memory(err, strlen(target), "a path");
    // A link is never made over what another writer keeps at this moment, which a rename would be.
    if (!regular || link(target, name) != 0) {
      if (regular && errno == EEXIST) continue;
      if (regular && errno == ENOENT) return RMX_OK;  // another writer took it away
      if (rename(target, name) != 0)                  // no links in this file system
        return rmx_fail_errno(err, "cannot move %s to %s", target, name);
    }
    return rmx__kept(name) ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  }
}
