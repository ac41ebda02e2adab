// SPDX-License-Identifier: Apache-2.0
// A command of the user's and the guard beside it: a small process that outlives the worker by so
// much as it takes to end the command. Whatever happens to the worker, the command does not stay
// behind.
#ifndef RMX_SWARM_GUARD_H
#define RMX_SWARM_GUARD_H

#include <regmix/base.h>
#include <sys/types.h>

typedef struct rmx__guarded {
  const char *command;  // run by sh
  const char *folder;   // in this folder
  int log;              // descriptor of its stdout and stderr
  int claim;            // the lock of its run, which it holds as long as it lives; -1: none
  double grace_s;       // between TERM and KILL
} rmx__guarded;

typedef struct rmx__guard {
  pid_t pid;      // of the guard; 0: none
  pid_t command;  // its process group; 0: not begun yet
  int life;       // closed, by us or by our death: the command is to end
  int news;       // the guard says here what becomes of the command
} rmx__guard;

rmx_status rmx__guard_start(rmx__guard *g, const rmx__guarded *what, rmx_err *err);
// Waits for so many milliseconds at most. True once the command and what it began have ended: *code
// is as of waitpid, or -1 where the guard itself was killed (and the command with it).
bool rmx__guard_ended(rmx__guard *g, int ms, int *code);
// TERM to all processes of the command, KILL after the grace. Ask rmx__guard_ended for the end.
void rmx__guard_stop(rmx__guard *g);

#endif
