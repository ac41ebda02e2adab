// SPDX-License-Identifier: Apache-2.0
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// The first bytes of a file of the system, as text; false: there is none.
static bool read_start(const char *path, char *text, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t n = read(fd, text, size - 1);
  close(fd);
  if (n <= 0) return false;
  text[n] = '\0';
  return true;
}

void rmx__own_place(struct rmx__place *out) {
  char text[64];
  *out = (struct rmx__place){.boot = "-", .processes = "-"};
  if (gethostname(out->host, sizeof out->host - 1) != 0) out->host[0] = '\0';
  if (read_start("/proc/sys/kernel/random/boot_id", text, sizeof text) &&
      sscanf(text, "%39s", out->boot) != 1)
    strcpy(out->boot, "-");
  const ssize_t n = readlink("/proc/self/ns/pid", out->processes, sizeof out->processes - 1);
  if (n > 0)
    out->processes[n] = '\0';
  else
    strcpy(out->processes, "-");
}

static bool both(const char *a, const char *b) {
  return strcmp(a, "-") != 0 && strcmp(b, "-") != 0;
}

bool rmx__same_place(const struct rmx__place *a, const struct rmx__place *b) {
  return strcmp(a->host, b->host) == 0 && both(a->boot, b->boot) && strcmp(a->boot, b->boot) == 0 &&
         both(a->processes, b->processes) && strcmp(a->processes, b->processes) == 0;
}

bool rmx__other_place(const struct rmx__place *a, const struct rmx__place *b) {
  return strcmp(a->host, b->host) != 0 ||
         (both(a->boot, b->boot) && strcmp(a->boot, b->boot) != 0) ||
         (both(a->processes, b->processes) && strcmp(a->processes, b->processes) != 0);
}

// What /proc/<process>/stat has after the name, which may hold anything: " S 1 ...".
static const char *stat_of(long process, char text[1024]) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/stat", process);
  const char *name_end = read_start(path, text, 1024) ? strrchr(text, ')') : NULL;
  return name_end ? name_end + 1 : NULL;
}

bool rmx__is_gone(long process) {
  char text[1024];
  if (kill((pid_t)process, 0) != 0) return errno == ESRCH;
  const char *stat = stat_of(process, text);
  return stat && strncmp(stat, " Z", 2) == 0;
}

unsigned long long rmx__began_at(long process) {
  enum { SKIPPED = 19 };  // of the fields after the name, up to the 22nd of all
  char text[1024];
  unsigned long long began = 0;
  const char *at = stat_of(process, text);
  for (int i = 0; at && i < SKIPPED; i++) at = strchr(at + 1, ' ');
  return at && sscanf(at, "%llu", &began) == 1 ? began : 0;
}
