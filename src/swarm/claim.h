// SPDX-License-Identifier: Apache-2.0
// Who is at a run: a lock on <run>/claim, which the system gives back when its holder dies.
#ifndef RMX_SWARM_CLAIM_H
#define RMX_SWARM_CLAIM_H

#include <regmix/base.h>

typedef struct rmx__claim {
  int fd;
  char *path;
  double beaten;  // when the heartbeat was last given
} rmx__claim;

// *taken is false where somebody else holds it.
rmx_status rmx__claim_take(rmx__claim *c, const char *folder, bool *taken, rmx_err *err);
// Touches the file every few seconds: for other machines, whose locks may not be seen.
void rmx__claim_beat(rmx__claim *c);
void rmx__claim_release(rmx__claim *c);
bool rmx__claim_held(const char *folder);

#endif
