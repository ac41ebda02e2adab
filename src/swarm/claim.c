// SPDX-License-Identifier: Apache-2.0
#include "claim.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BEAT_S = 5, STALE_S = 60 };

// A claim of another host is believed while its heartbeat is fresh: locks do not cross every file system.
static bool held_elsewhere(const char *path) {
  struct stat info;
  char *text = NULL, host[256] = "";
  rmx_err ignored;
  if (stat(path, &info) != 0 || difftime(time(NULL), info.st_mtime) > STALE_S) return false;
  if (gethostname(host, sizeof host - 1) != 0 || rmx_read_file(path, &text, NULL, &ignored) != RMX_OK) return false;
  char *line_end = strchr(text, '\n');
  if (line_end) *line_end = '\0';
  bool elsewhere = *text && strcmp(text, host) != 0;
  free(text);
  return elsewhere;
}

rmx_status rmx__claim_take(rmx__claim *c, const char *folder, bool *taken, rmx_err *err) {
  *taken = false;
  *c = (rmx__claim){.fd = -1, .path = rmx_path_in(folder, "claim")};
  if (!c->path) return rmx_fail_memory(err, 0, "a path");
  if (held_elsewhere(c->path)) return RMX_OK;
  c->fd = open(c->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (c->fd < 0) return rmx_fail_errno(err, "cannot write %s", c->path);
  if (flock(c->fd, LOCK_EX | LOCK_NB) != 0) return RMX_OK;
  // Whoever held it before may have removed the file between our open and our lock.
  struct stat mine, there;
  if (fstat(c->fd, &mine) != 0 || stat(c->path, &there) != 0 || mine.st_ino != there.st_ino) return RMX_OK;
  char text[320], host[256] = "";
  gethostname(host, sizeof host - 1);
  int size = snprintf(text, sizeof text, "%s\n%ld\n", host, (long)getpid());
  if (ftruncate(c->fd, 0) != 0 || write(c->fd, text, (size_t)size) != size)
    return rmx_fail_errno(err, "cannot write %s", c->path);
  c->beaten = rmx_now();
  *taken = true;
  return RMX_OK;
}

void rmx__claim_beat(rmx__claim *c) {
  if (c->fd < 0 || rmx_now() - c->beaten < BEAT_S) return;
  futimens(c->fd, NULL);
  c->beaten = rmx_now();
}

void rmx__claim_release(rmx__claim *c) {
  if (c->fd >= 0 && c->beaten > 0) unlink(c->path);
  if (c->fd >= 0) close(c->fd);
  free(c->path);
  *c = (rmx__claim){.fd = -1};
}

bool rmx__claim_held(const char *folder) {
  char *path = rmx_path_in(folder, "claim");
  if (!path) return false;
  bool held = held_elsewhere(path);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    held = held || flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
  }
  free(path);
  return held;
}
