// SPDX-License-Identifier: Apache-2.0
// The process that trains a run has a claim on it, the file <run>/claim. Where the file system has
// locks that work, it holds a lock on the file, which the system frees when the last process that
// holds it dies. Elsewhere the file alone is the claim: it can be made once only, and counts for as
// long as its heartbeat is fresh.
#ifndef RMX_SWARM_CLAIM_H
#define RMX_SWARM_CLAIM_H

#include <regmix/base.h>

#include "holder.h"

typedef struct rmx__claim {
  int fd;
  char *path;
  bool ours;       // the file is to be removed
  bool exclusive;  // there is no lock
  char text[RMX__HOLDER_SIZE];
  struct rmx__heart *heart;
} rmx__claim;

// *taken is false if another process holds it.
rmx_status rmx__claim_take(rmx__claim *c, const char *folder, bool *taken, rmx_err *err);
// From here on a thread touches the file every few seconds (the heartbeat), for other machines,
// which may not see the lock. stops: this process is asked to end if another one takes it over. The
// claim stays where it is until the release.
rmx_status rmx__claim_beat(rmx__claim *c, bool stops, rmx_err *err);
void rmx__claim_release(rmx__claim *c);
// The folder was moved with the claim in it, and the claim is to be released there.
rmx_status rmx__claim_moved(rmx__claim *c, const char *folder, rmx_err *err);

// The holder of the run in `folder`.
rmx_status rmx__claim_look(const char *folder, rmx__holder *out, rmx_err *err);
bool rmx__claim_held(const char *folder);  // the same; false if that is not known
// Removes the claim that a killed process left in `folder`; one that is held stays.
void rmx__claim_sweep(const char *folder);

#endif
