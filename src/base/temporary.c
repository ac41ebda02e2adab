// SPDX-License-Identifier: Apache-2.0
// Files that stand beside others while they are written, and what killed writers leave of them.
//
// The name says who writes: .regmix.<process>.<number>@<host>+<boot>-<namespace>.tmp, with the
// start of the boot's id and the number of the namespace of processes. A writer holds a lock on the
// file for as long as it may still write, so a file is left behind if nobody holds its lock and its
// process is gone. Of a process of another host or container, nothing is known but the age of the
// file: a day is long enough.
#include "base/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regmix/base.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/place.h"

enum { LEFT_BEHIND_S = 86400 };
static const char head[] = ".regmix.", tail[] = ".tmp";

void rmx__own_host(char host[RMX__HOST_SIZE]) {
  struct rmx__place here;
  rmx__own_place(&here);
  snprintf(host, RMX__HOST_SIZE, "%.48s+%.8s-%.12s", *here.host ? here.host : "localhost",
           here.boot, here.processes + strcspn(here.processes, "0123456789"));
  host[strcspn(host, "]")] = '\0';
  for (char *c = host; *c; c++)
    if (*c == '/' || *c == '@') *c = '_';
}

// Is this the name of such a file? Whose?
static bool names_writer(const char *name, long *process, char host[RMX__HOST_SIZE]) {
  size_t n = strlen(name);
  if (strncmp(name, head, sizeof head - 1) != 0 || n < sizeof tail ||
      strcmp(name + n - (sizeof tail - 1), tail) != 0)
    return false;
  const char *at = strchr(name, '@');
  char *end;
  *process = strtol(name + sizeof head - 1, &end, 10);
  if (!at || *process <= 0 || *end != '.' || (size_t)(name + n - at) > RMX__HOST_SIZE) return false;
  snprintf(host, RMX__HOST_SIZE, "%.*s", (int)(name + n - (sizeof tail - 1) - at - 1), at + 1);
  return true;
}

static bool is_left_behind(int folder, const char *name, long process, bool ours) {
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat info;
  const bool locked = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  close(fd);
  if (locked || !regular) return false;
  if (ours) return rmx__is_gone(process);
  return time(NULL) - info.st_mtime > LEFT_BEHIND_S;
}

void rmx__sweep(const char *folder) {
  DIR *d = rmx_opendir(folder);
  if (!d) return;
  char own[RMX__HOST_SIZE], host[RMX__HOST_SIZE];
  rmx__own_host(own);
  for (struct dirent *e; (e = readdir(d));) {
    long process;
    if (!names_writer(e->d_name, &process, host)) continue;
    if (is_left_behind(dirfd(d), e->d_name, process, strcmp(own, host) == 0))
      unlinkat(dirfd(d), e->d_name, 0);
  }
  closedir(d);
}

// Once a folder: a process writes many files into few folders. Two folders that fall on one place
// only cost time.
static void sweep_once(const char *folder) {
  static _Atomic uint64_t swept[256];
  const uint64_t hash = rmx_hash_string(folder, 1);
  if (atomic_exchange(&swept[hash % 256], hash) != hash) rmx__sweep(folder);
}

// Names of files being written, for a program that ends at once. More than these are swept by the
// next one.
static _Atomic(char *) being_written[64];
enum { SLOTS = sizeof being_written / sizeof *being_written };

static void swap(char *from, char *to) {
  for (size_t i = 0; i < SLOTS; i++) {
    char *expected = from;
    if (atomic_compare_exchange_strong(&being_written[i], &expected, to)) return;
  }
}

void rmx__temporary_done(char *path) {
  if (path) swap(path, NULL);
  free(path);
}

void rmx_abandon_files(void) {
  for (size_t i = 0; i < SLOTS; i++) {
    const char *path = atomic_load(&being_written[i]);
    if (path) unlink(path);
  }
}

int rmx__temporary(const char *folder, char **path) {
  static atomic_uint number;
  char host[RMX__HOST_SIZE];
  rmx__own_host(host);
  sweep_once(folder);
  for (int tries = 0; tries < 100; tries++) {
    *path = rmx_format("%s/%s%ld.%u@%s%s", folder, head, (long)getpid(),
                       atomic_fetch_add(&number, 1), host, tail);
    if (!*path) return errno = ENOMEM, -1;
    int fd = open(*path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
      swap(NULL, *path);
      flock(fd, LOCK_EX | LOCK_NB);  // without locks, the process and the age must do
      return fd;
    }
    free(*path);
    *path = NULL;
    if (errno != EEXIST) return -1;  // of an earlier process with this number
  }
  return -1;
}
