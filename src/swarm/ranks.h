// SPDX-License-Identifier: Apache-2.0
// Training by several ranks. The first one runs the command; the others wait for its orders, which
// are a text, so that nothing depends on when a shared folder shows a new file.
#ifndef RMX_SWARM_RANKS_H
#define RMX_SWARM_RANKS_H

#include <regmix/swarm.h>

// The runs (n) that are to do, spread over the ranks, longest first. mine (n) is set where the
// first rank is to train a run; the others begin with theirs.
rmx_status rmx__ranks_spread(const rmx_run *runs, const size_t *to_do, size_t n,
                             const rmx_swarm_options *options, bool *mine, rmx_err *err);
// Whether the other ranks have ended their runs; returns at once.
bool rmx__ranks_ended(rmx_comm *c);
// Then: what they did is added to the outcome. A failure of one rank is one of all.
rmx_status rmx__ranks_end(rmx_comm *c, rmx_status status, rmx_swarm_outcome *outcome, rmx_err *err);

// Results of two processor levels differ in their last digits, so all ranks must have the same. All
// of them call it.
rmx_status rmx__ranks_check_levels(rmx_comm *c, const char *isa, rmx_err *err);
// This rank's part of training a run that all train together.
rmx_status rmx__ranks_train_ours(const rmx_run *r, const char *isa, const rmx_train_hooks *hooks,
                                 rmx_err *err);
// All ranks train this run together, whose claim this one takes. hooks->comm is set. *taken: false
// where another process has the run, or has finished it, and nothing was trained.
rmx_status rmx__ranks_train(const rmx_run *r, const char *isa, const rmx_train_hooks *hooks,
                            bool *taken, rmx_err *err);

#endif
