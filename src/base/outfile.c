// SPDX-License-Identifier: Apache-2.0
// Files are written whole or not at all: beside their place, flushed to disk and renamed, so that
// no crash leaves a half file under a name anyone trusts. Only regular files can be replaced so;
// links are followed to what they name, and a device, a pipe or a descriptor (/dev/stdout,
// /dev/fd/63) is written where it is.
#include <errno.h>
#include <fcntl.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/kept.h"
#include "base/opened.h"
#include "base/temporary.h"

// N of the paths /dev/fd/N and /proc/self/fd/N; -1: another path.
static int descriptor_of(const char *path) {
  char own[64];
  snprintf(own, sizeof own, "/proc/%ld/fd/", (long)getpid());
  const char *const folders[] = {"/dev/fd/", "/proc/self/fd/", own};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    size_t n = strlen(folders[i]);
    char *end;
    if (strncmp(path, folders[i], n) != 0 || path[n] < '0' || path[n] > '9') continue;
    long fd = strtol(path + n, &end, 10);
    if (!*end && fd <= 1 << 20) return (int)fd;
  }
  return -1;
}

// What the link at `path` names; NULL with errno set.
static char *link_at(const char *path) {
  char text[4096];
  ssize_t n = readlink(path, text, sizeof text);
  if (n < 0) return NULL;
  if (n == sizeof text) {
    errno = ENAMETOOLONG;
    return NULL;
  }
  const char *slash = strrchr(path, '/');
  int before = text[0] == '/' || !slash ? 0 : (int)(slash - path) + 1;
  char *named = rmx_format("%.*s%.*s", before, path, (int)n, text);
  if (!named) errno = ENOMEM;
  return named;
}

enum place { REPLACED, IN_PLACE, DESCRIPTOR };

// Follows links from *path, which it owns, to what is to be written. *mode: of a regular file that
// is there, else 0.
static int find_place(char **path, enum place *place, mode_t *mode) {
  enum { MAX_LINKS = 40 };
  struct stat info;
  *mode = 0;
  for (int links = 0;; links++) {
    *place = descriptor_of(*path) >= 0 ? DESCRIPTOR : REPLACED;
    if (*place == DESCRIPTOR) return 0;
    const bool there = stat(*path, &info) == 0;
    if (there && S_ISDIR(info.st_mode)) return errno = EISDIR, -1;
    *place = there && !S_ISREG(info.st_mode) ? IN_PLACE : REPLACED;
    // A link to /dev/stdout is followed to the descriptor, since that is where the writing goes on.
    if (lstat(*path, &info) != 0) return errno == ENOENT ? 0 : -1;
    if (!S_ISLNK(info.st_mode)) break;
    if (links == MAX_LINKS) return errno = ELOOP, -1;
    char *named = link_at(*path);
    if (!named) return -1;
    if (*place == IN_PLACE && lstat(named, &info) != 0 && descriptor_of(named) < 0) {
      free(named);  // "pipe:[123]": a link that only the kernel can follow
      return 0;
    }
    free(*path);
    *path = named;
  }
  if (*place == IN_PLACE) return 0;
  *mode = info.st_mode & 07777;
  return access(*path, W_OK);
}

static rmx_status cannot_write(const rmx_outfile *o, rmx_err *err) {
  if (errno == EINTR && rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while opening %s", o->path);
  return rmx_fail_errno(err, "cannot write %s", o->path);
}

// The new file beside its place, with the permissions of the old one.
static int open_beside(rmx_outfile *o, mode_t mode, rmx_err *err) {
  const char *slash = strrchr(o->target, '/');
  RMX_OWNED char *folder =
      !slash ? rmx_strdup(".")
             : rmx_format("%.*s", slash == o->target ? 1 : (int)(slash - o->target), o->target);
  if (!folder) return rmx_fail_memory(err, strlen(o->target), "a path"), -1;
  int fd = rmx__temporary(folder, &o->temporary);
  if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
    rmx_fail_errno(err,
                   "cannot write %s: it is written as a new file first, and its folder takes none",
                   o->path);
  else if (fd < 0)
    cannot_write(o, err);
  if (fd >= 0 && mode) fchmod(fd, mode);
  return fd;
}

rmx_status rmx_outfile_open(rmx_outfile *o, const char *path, rmx_err *err) {
  *o = (rmx_outfile){.path = rmx_strdup(path), .target = rmx_strdup(path)};
  rmx_status status = o->path && o->target ? RMX_OK : rmx_fail_memory(err, strlen(path), "a path");
  enum place place = REPLACED;
  mode_t mode = 0;
  int fd = -1;
  if (status == RMX_OK && find_place(&o->target, &place, &mode) != 0) status = cannot_write(o, err);
  if (status == RMX_OK && place == DESCRIPTOR) {
    fflush(stdout);  // what was printed before comes before
    fd = fcntl(descriptor_of(o->target), F_DUPFD_CLOEXEC, 3);
  }
  if (status == RMX_OK && place == IN_PLACE) fd = open(o->target, O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (status == RMX_OK && place != REPLACED && fd < 0) status = cannot_write(o, err);
  if (status == RMX_OK && place == REPLACED && (fd = open_beside(o, mode, err)) < 0)
    status = err->status;
  if (status == RMX_OK && !(o->file = rmx_fdopen(fd, "wb"))) {
    status = cannot_write(o, err);
    close(fd);
  }
  if (status != RMX_OK) rmx_outfile_discard(o);
  return status;
}

// A stream knows that a write failed, but not why. What fails again says it; the file is discarded.
static void learn_why(const rmx_outfile *o) {
  static const char nothing[1 << 16];
  errno = 0;
  for (int i = 0; i < 2 && errno == 0 && o->temporary; i++)
    if (write(fileno(o->file), nothing, sizeof nothing) < 0) return;
}

rmx_status rmx_outfile_commit(rmx_outfile *o, rmx_err *err) {
  rmx_status status = RMX_OK;
  errno = 0;
  bool good = !ferror(o->file) && fflush(o->file) == 0;
  if (ferror(o->file) && errno == 0) learn_why(o);
  // A device has no disk to flush to. The lock on the new file is held until it has its name.
  if (good && o->temporary) good = fsync(fileno(o->file)) == 0;
  if (good && o->temporary) status = rmx__keep_other(o->path, o->target, o->temporary, err);
  if (good && o->temporary && status == RMX_OK) good = rename(o->temporary, o->target) == 0;
  if (status != RMX_OK) {
    good = false;
  } else if (!good) {
    if (errno == 0) errno = EIO;
    status = rmx_fail_errno(err, "cannot write %s", o->path);
  } else {
    rmx__temporary_done(o->temporary);
    o->temporary = NULL;  // nothing is left to remove
    rmx__opened(o->path, true);
  }
  if (fclose(o->file) != 0 && status == RMX_OK)
    status = rmx_fail_errno(err, "cannot write %s", o->path);
  o->file = NULL;
  rmx_outfile_discard(o);
  return status;
}

void rmx_outfile_discard(rmx_outfile *o) {
  if (o->temporary) unlink(o->temporary);
  if (o->file) fclose(o->file);
  rmx__temporary_done(o->temporary);
  free(o->target);
  free(o->path);
  *o = (rmx_outfile){0};
}

rmx_status rmx_write_file(const char *path, const void *data, size_t size, rmx_err *err) {
  rmx_outfile o;
  RMX_TRY(rmx_outfile_open(&o, path, err));
  if (fwrite(data, 1, size, o.file) == size) return rmx_outfile_commit(&o, err);
  const rmx_status status = cannot_write(&o, err);  // commit would no longer know why
  rmx_outfile_discard(&o);
  return status;
}

rmx_status rmx_write_named(const char *path, const void *data, size_t size, const rmx_listener *to,
                           rmx_err *err) {
  RMX_OWNED_BY(rmx__outputs_release) rmx__outputs one = {0};
  rmx__outputs_exchange(&one);
  rmx_status status = rmx_keep_others(path, err);
  if (status == RMX_OK) status = rmx_write_file(path, data, size, err);
  rmx__outputs_exchange(&one);
  rmx__outputs_tell(&one, to);
  return status;
}
