// SPDX-License-Identifier: Apache-2.0
// The process that trains a run holds a lock on <run>/claim, which the system frees when the last
// process that holds it dies.
#ifndef RMX_SWARM_CLAIM_H
#define RMX_SWARM_CLAIM_H

#include <regmix/base.h>

enum { RMX__SILENT_S = 60 };  // without a heartbeat for longer, a holder may be stopped or gone

typedef struct rmx__claim {
  int fd;
  char *path;
  bool ours;  // the file is to be removed
  struct rmx__heart *heart;
} rmx__claim;

// *taken is false if another process holds it. RMX_EIO if the file system has no locks; the message
// names it.
rmx_status rmx__claim_take(rmx__claim *c, const char *folder, bool *taken, rmx_err *err);
// From here on a thread touches the file every few seconds (the heartbeat), for other machines,
// which may not see the lock.
rmx_status rmx__claim_beat(rmx__claim *c, rmx_err *err);
void rmx__claim_release(rmx__claim *c);
// The folder was moved with the claim in it, and the claim is to be released there.
rmx_status rmx__claim_moved(rmx__claim *c, const char *folder, rmx_err *err);

typedef struct rmx__holder {
  bool held;
  char host[256];  // "": not known
  long pid;        // 0: not known
  // Seconds since its last heartbeat, by the clock of the machine that keeps the file. Negative:
  // its time is in the future.
  double age_s;
} rmx__holder;
// The holder of the run in `folder`. RMX_EIO if the file system has no locks.
rmx_status rmx__claim_look(const char *folder, rmx__holder *out, rmx_err *err);
bool rmx__claim_held(const char *folder);  // the same; false if that is not known
// Removes the claim that a killed process left in `folder`; one that is held stays.
void rmx__claim_sweep(const char *folder);

#endif
