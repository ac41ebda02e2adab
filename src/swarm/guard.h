// SPDX-License-Identifier: Apache-2.0
// The user's command and its guard: a small process that ends the command if the worker dies. So
// the command never runs without a worker.
#ifndef RMX_SWARM_GUARD_H
#define RMX_SWARM_GUARD_H

#include <regmix/base.h>
#include <sys/types.h>

typedef struct rmx__guarded {
  const char *command;  // run by sh
  const char *folder;   // in this folder
  int log;              // descriptor of its stdout and stderr
  const int *claims;    // (n) the locks of its runs, which it holds as long as it lives
  size_t n;
  double grace_s;  // between SIGTERM and SIGKILL
} rmx__guarded;

typedef struct rmx__guard {
  pid_t pid;      // of the guard; 0: none
  pid_t command;  // its process group; 0: not begun yet
  int life;       // closed by us, or because we died: the command must end
  int news;       // the guard reports the end of the command here
} rmx__guard;

rmx_status rmx__guard_start(rmx__guard *g, const rmx__guarded *what, rmx_err *err);
// Waits up to `ms` milliseconds. True once the command and all that it started have ended: *code is
// as of waitpid, or -1 if the guard itself was killed (and the command with it).
bool rmx__guard_ended(rmx__guard *g, int ms, int *code);
// SIGTERM to all processes of the command, SIGKILL after the grace. See rmx__guard_ended for the
// end.
void rmx__guard_stop(rmx__guard *g);
// Ends a line that the command left open in its log, so that the next one is a line of its own.
void rmx__end_open_line(int log);

#endif
