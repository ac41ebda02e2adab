// SPDX-License-Identifier: Apache-2.0
// The text of a claim: host, process, place (boot, namespace of processes, when the process began),
// and "exclusive" where there is no lock. Version 0.1.0 wrote the first two lines.
#include "holder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void rmx__holder_text(bool exclusive, char out[RMX__HOLDER_SIZE]) {
  struct rmx__place here;
  rmx__own_place(&here);
  snprintf(out, RMX__HOLDER_SIZE, "%s\n%ld\n%s %s %llu\n%s", here.host, (long)getpid(), here.boot,
           here.processes, rmx__began_at((long)getpid()), exclusive ? "exclusive\n" : "");
}

void rmx__holder_read(int fd, char text[RMX__HOLDER_SIZE]) {
  struct stat info;
  text[0] = '\0';
  // A claim may be anything that somebody put there: only a regular file is read.
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return;
  const ssize_t n = pread(fd, text, RMX__HOLDER_SIZE - 1, 0);
  text[n > 0 ? n : 0] = '\0';
}

void rmx__holder_parse(const char *text, rmx__holder *out) {
  struct rmx__place *place = &out->place;
  *place = (struct rmx__place){.boot = "-", .processes = "-"};
  snprintf(out->host, sizeof out->host, "%.*s", (int)strcspn(text, "\n"), text);
  memcpy(place->host, out->host, sizeof place->host);
  const char *line = strchr(text, '\n');
  if (line) out->pid = strtol(line + 1, NULL, 10);
  line = line ? strchr(line + 1, '\n') : NULL;
  if (line && sscanf(line + 1, "%39s %39s %llu", place->boot, place->processes, &out->began) != 3)
    *place = (struct rmx__place){.boot = "-", .processes = "-"};
  if (!line) return;
  memcpy(place->host, out->host, sizeof place->host);
  line = strchr(line + 1, '\n');
  out->exclusive = line && strncmp(line + 1, "exclusive\n", 10) == 0;
}

static bool process_lives(const rmx__holder *h) {
  if (h->pid <= 0 || rmx__is_gone(h->pid)) return false;
  const unsigned long long began = rmx__began_at(h->pid);
  return !began || !h->began || began == h->began;  // else a later process with its number
}

// A time in the future is not a heartbeat, else it would count until then.
bool rmx__holder_lives(const rmx__holder *h, bool locks) {
  const double age = fabs(h->age_s);
  struct rmx__place here;
  // An empty claim: its process writes the name just now, or was killed before it wrote it.
  if (!h->host[0]) return !locks && age <= RMX__ENDED_S;
  rmx__own_place(&here);
  if (rmx__other_place(&h->place, &here)) return age <= RMX__SILENT_S;
  const bool no_lock = h->exclusive || !locks;
  if (!rmx__same_place(&h->place, &here)) return no_lock && age <= RMX__SILENT_S;
  // A lock that is free although its holder lives did not lock. A silent holder is stopped: once it
  // goes on, it finds that its claim was taken over.
  if (process_lives(h)) return age <= RMX__SILENT_S;
  return no_lock && age <= RMX__ENDED_S;
}

void rmx__holder_name(const rmx__holder *h, char out[RMX__HOLDER_NAME]) {
  if (h->pid > 0 && h->host[0])
    snprintf(out, RMX__HOLDER_NAME, "process %ld on %s", h->pid, h->host);
  else
    snprintf(out, RMX__HOLDER_NAME, "a process");
}
