// SPDX-License-Identifier: Apache-2.0
#include "claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "base/temporary.h"
#include "heart.h"
#include "locks.h"

// ---- who holds it

static double seconds(struct timespec t) {
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// Now, by the clock of the machine that keeps the folder: the times of its files come from that
// clock, not from ours.
static double now_there(const char *folder) {
  struct timespec here;
  struct stat info;
  clock_gettime(CLOCK_REALTIME, &here);
  char *path = NULL;
  int fd = rmx__temporary(folder, &path);
  double now = fd >= 0 && futimens(fd, NULL) == 0 && fstat(fd, &info) == 0 ? seconds(info.st_mtim)
                                                                           : seconds(here);
  if (fd >= 0) {
    close(fd);
    unlink(path);
  }
  rmx__temporary_done(path);
  return now;
}

// The holder that an open claim names, whose lock is in `state`. text: what the claim says.
static void judge(int fd, const char *folder, rmx__lock_state state, char text[RMX__HOLDER_SIZE],
                  rmx__holder *out) {
  struct stat info;
  *out = (rmx__holder){0};
  rmx__holder_read(fd, text);
  rmx__holder_parse(text, out);
  if (fstat(fd, &info) == 0) out->age_s = now_there(folder) - seconds(info.st_mtim);
  const bool locks = state == RMX__LOCK_TAKEN && (text[0] || rmx__locks_work(folder));
  out->held = state == RMX__LOCK_HELD || rmx__holder_lives(out, locks);
}

// False: there is no claim.
static bool look_at(const char *path, const char *folder, char text[RMX__HOLDER_SIZE],
                    rmx__holder *out) {
  *out = (rmx__holder){0};
  text[0] = '\0';
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  judge(fd, folder, rmx__lock(fd, LOCK_SH), text, out);
  close(fd);
  return true;
}

rmx_status rmx__claim_look(const char *folder, rmx__holder *out, rmx_err *err) {
  char text[RMX__HOLDER_SIZE];
  RMX_OWNED char *path = rmx_path_in(folder, "claim");
  *out = (rmx__holder){0};
  if (!path) return rmx_fail_memory(err, 0, "a path");
  look_at(path, folder, text, out);
  return RMX_OK;
}

bool rmx__claim_held(const char *folder) {
  rmx__holder holder;
  rmx_err ignored;
  return rmx__claim_look(folder, &holder, &ignored) == RMX_OK && holder.held;
}

// ---- taking it and letting it go

// A process that looks whether it is held holds it for a moment: tried for a while.
static rmx__lock_state lock_patiently(int fd) {
  rmx__lock_state state = rmx__lock(fd, LOCK_EX);
  for (int i = 0; i < 10 && state == RMX__LOCK_HELD; i++) {
    usleep(5000);
    state = rmx__lock(fd, LOCK_EX);
  }
  return state;
}

// The process that held it before may have removed the file between our open and our lock.
static rmx_status write_holder(rmx__claim *c, rmx_err *err) {
  rmx__holder_text(c->exclusive, c->text);
  const ssize_t size = (ssize_t)strlen(c->text);
  if (ftruncate(c->fd, 0) != 0 || pwrite(c->fd, c->text, (size_t)size, 0) != size)
    return rmx_fail_errno(err, "cannot write %s", c->path);
  if (c->exclusive) fsync(c->fd);  // other machines are to read it now
  return RMX_OK;
}

static rmx_status take_locked(rmx__claim *c, const char *folder, bool *taken, rmx_err *err) {
  char text[RMX__HOLDER_SIZE];
  rmx__holder by;
  c->fd = open(c->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  if (c->fd < 0) return rmx_fail_errno(err, "cannot write %s", c->path);
  if (lock_patiently(c->fd) != RMX__LOCK_TAKEN || !rmx__is_at(c->fd, c->path)) return RMX_OK;
  judge(c->fd, folder, RMX__LOCK_TAKEN, text, &by);
  if (by.held && text[0]) return RMX_OK;  // a machine whose locks we do not see was faster
  RMX_TRY(write_holder(c, err));
  c->ours = *taken = true;
  return RMX_OK;
}

// Moves a claim whose holder is gone out of the way. The name is free only for one of those who
// try: what they moved must be what they saw, else it goes back.
static bool remove_dead(const char *path, const char *folder, const char *seen) {
  char *aside = NULL, text[RMX__HOLDER_SIZE];
  const int fd = rmx__temporary(folder, &aside);
  if (fd < 0) return false;
  bool moved = rename(path, aside) == 0, same = false;
  const int claim = moved ? open(aside, O_RDONLY | O_CLOEXEC) : -1;
  if (claim >= 0) {
    rmx__holder_read(claim, text);
    same = strcmp(text, seen) == 0;
    close(claim);
  }
  if (moved && !same)
    rename(aside, path);
  else
    unlink(aside);
  close(fd);
  rmx__temporary_done(aside);
  return moved && same;
}

// dead: what a claim says whose holder is gone; NULL: there was no claim.
static rmx_status take_exclusively(rmx__claim *c, const char *folder, const char *dead, bool *taken,
                                   rmx_err *err) {
  if (dead && !remove_dead(c->path, folder, dead)) return RMX_OK;
  c->fd = open(c->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (c->fd < 0 && errno == EEXIST) return RMX_OK;
  if (c->fd < 0) return rmx_fail_errno(err, "cannot write %s", c->path);
  c->exclusive = true;
  RMX_TRY(write_holder(c, err));
  c->ours = *taken = true;
  return RMX_OK;
}

rmx_status rmx__claim_take(rmx__claim *c, const char *folder, bool *taken, rmx_err *err) {
  char seen[RMX__HOLDER_SIZE];
  rmx__holder holder;
  *taken = false;
  *c = (rmx__claim){.fd = -1, .path = rmx_path_in(folder, "claim")};
  if (!c->path) return rmx_fail_memory(err, 0, "a path");
  const bool there = look_at(c->path, folder, seen, &holder);
  if (holder.held) return RMX_OK;
  return rmx__locks_work(folder) ? take_locked(c, folder, taken, err)
                                 : take_exclusively(c, folder, there ? seen : NULL, taken, err);
}

rmx_status rmx__claim_beat(rmx__claim *c, bool stops, rmx_err *err) {
  return rmx__heart_start(c->fd, c->path, c->text, stops, &c->heart, err);
}

// Another process may have taken it over while this one was stopped. Where there is no lock, it may
// have been moved for a moment by one that takes it for dead (see remove_dead).
static bool still_ours(const rmx__claim *c) {
  char text[RMX__HOLDER_SIZE] = "";
  int fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  for (int i = 0; i < 5 && fd < 0 && c->exclusive; i++) {
    usleep(5000);
    fd = open(c->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  }
  if (fd < 0) return false;
  rmx__holder_read(fd, text);
  close(fd);
  return strcmp(text, c->text) == 0;
}

void rmx__claim_release(rmx__claim *c) {
  rmx__heart_stop(c->heart);
  if (c->fd >= 0 && c->ours && still_ours(c)) unlink(c->path);
  if (c->fd >= 0) close(c->fd);
  free(c->path);
  *c = (rmx__claim){.fd = -1};
}

rmx_status rmx__claim_moved(rmx__claim *c, const char *folder, rmx_err *err) {
  char *path = rmx_path_in(folder, "claim");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  free(c->path);
  c->path = path;
  return RMX_OK;
}

void rmx__claim_sweep(const char *folder) {
  RMX_OWNED char *path = rmx_path_in(folder, "claim");
  RMX_OWNED_BY(rmx__claim_release) rmx__claim claim = {.fd = -1};
  rmx_err ignored;
  bool taken = false;
  if (path && rmx_exists(path) && rmx__claim_take(&claim, folder, &taken, &ignored) == RMX_OK &&
      !taken)
    claim.ours = false;
}
