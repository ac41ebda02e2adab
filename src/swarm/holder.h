// SPDX-License-Identifier: Apache-2.0
// Who holds a claim, as its file says, and whether that holder is believed to be alive.
#ifndef RMX_SWARM_HOLDER_H
#define RMX_SWARM_HOLDER_H

#include <regmix/base.h>

#include "base/place.h"

// Seconds. BEAT: between two heartbeats. SILENT: without one for longer, a holder of another place
// counts as gone. ENDED: what a process that ended may leave running, such as a command, beats for
// it; without that it counts as gone after this time. So does a claim that names nobody, where
// there are no locks.
enum { RMX__BEAT_S = 5, RMX__ENDED_S = 10, RMX__SILENT_S = 60 };

typedef struct rmx__holder {
  bool held;
  char host[256];  // "": not known
  long pid;        // 0: not known
  // Seconds since its last heartbeat, by the clock of the machine that keeps the file. Negative:
  // its time is in the future.
  double age_s;
  struct rmx__place place;
  unsigned long long began;  // of the process; 0: not known
  bool exclusive;            // no lock: the file alone is the claim
} rmx__holder;

enum { RMX__HOLDER_SIZE = 480 };
// What this process writes into its claim.
void rmx__holder_text(bool exclusive, char out[RMX__HOLDER_SIZE]);
// What the file of a claim says, as it is; "" where it says nothing.
void rmx__holder_read(int fd, char text[RMX__HOLDER_SIZE]);
void rmx__holder_parse(const char *text, rmx__holder *out);
// Whether the holder is believed where no lock says that it is alive. locks: the lock was free, as
// far as locks work; else there are none.
bool rmx__holder_lives(const rmx__holder *h, bool locks);

// "process 12 on node3", or "a process" where the claim names none, as at its start.
enum { RMX__HOLDER_NAME = 300 };
void rmx__holder_name(const rmx__holder *h, char out[RMX__HOLDER_NAME]);

#endif
