// SPDX-License-Identifier: Apache-2.0
// Trains a run with the user's own command (docs/trainer.md).
#ifndef RMX_SWARM_COMMAND_H
#define RMX_SWARM_COMMAND_H

#include <regmix/train.h>

#include "claim.h"

// Runs r->training.command to train the run whose claim is held, and checks its result. `orphaned`
// is called now and then; true: the supervisor is gone, so the work ends.
rmx_status rmx__command_train(const rmx_run *r, rmx__claim *claim, bool (*orphaned)(void *context),
                              void *context, rmx_err *err);

// The command with absolute paths for the words that name a file next to the config, because it
// runs in another folder. Such a word is outside of quotes, has a '.' or '/' in it, is a file in
// `experiment` and not in `folder`, and does not follow '>'. NULL if memory is short; free() it.
char *rmx__command_words(const char *command, const char *experiment, const char *folder);

#endif
