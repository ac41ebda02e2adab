// SPDX-License-Identifier: Apache-2.0
// A run that a command of the user's trains (docs/trainer.md).
#ifndef RMX_SWARM_COMMAND_H
#define RMX_SWARM_COMMAND_H

#include <regmix/train.h>

#include "claim.h"

// Has r->training.command train the run whose claim is held, and checks its result. `orphaned` is
// asked now and then whether there is nobody left to work for.
rmx_status rmx__command_train(const rmx_run *r, rmx__claim *claim, bool (*orphaned)(void *context),
                              void *context, rmx_err *err);

// The command with each word that names a file beside the config put as that file's absolute path,
// for it runs in another folder: a word outside of quotes, with a '.' or '/' in it, that is a file
// in `experiment` and none in `folder`, and is no target of '>'. NULL if memory is short; free()
// it.
char *rmx__command_words(const char *command, const char *experiment, const char *folder);

#endif
