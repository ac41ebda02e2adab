// SPDX-License-Identifier: Apache-2.0
// The heartbeat of a claim: a thread that touches its file every few seconds.
#ifndef RMX_SWARM_HEART_H
#define RMX_SWARM_HEART_H

#include <regmix/base.h>

struct rmx__heart;
// fd: of the claim at `path`, which holds `text`; both are borrowed. stops: this process is asked
// to end (rmx_interrupt) if the file comes to name another holder, so that a process that was
// stopped for long does not go on beside the one that took over.
rmx_status rmx__heart_start(int fd, const char *path, const char *text, bool stops,
                            struct rmx__heart **out, rmx_err *err);
void rmx__heart_stop(struct rmx__heart *h);  // NULL is fine

#endif
