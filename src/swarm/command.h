// SPDX-License-Identifier: Apache-2.0
// Trains a run with the user's own command (docs/trainer.md).
#ifndef RMX_SWARM_COMMAND_H
#define RMX_SWARM_COMMAND_H

#include <regmix/train.h>

#include "claim.h"

// Runs whose claims are held, which one command trains.
struct rmx__batch {
  const rmx_run *runs;  // (n)
  const int *claims;    // (n) descriptors of their locks
  size_t n;
};

// Called now and then while the command runs.
struct rmx__watch {
  void *context;
  bool (*orphaned)(void *context);  // true: the supervisor is gone, so the work ends
  // trainers/pytorch: how far all runs of the batch are, together
  void (*tick)(void *context, const rmx_train_state *state);
};

// Runs the command of the runs' training, which is trainers/pytorch for several of them, and checks
// their results. A run whose result is good is done, also if the command failed.
rmx_status rmx__command_train(const struct rmx__batch *batch, const struct rmx__watch *watch,
                              rmx_err *err);

// The command with absolute paths for the words that name a file next to the config, because it
// runs in another folder. Such a word is outside of quotes, has a '.' or '/' in it, is a file in
// `experiment` and not in `folder`, and does not follow '>'. NULL if memory is short; free() it.
char *rmx__command_words(const char *command, const char *experiment, const char *folder);

#endif
