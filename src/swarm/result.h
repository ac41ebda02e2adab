// SPDX-License-Identifier: Apache-2.0
// The result that a command of the user's left, held to its contract (docs/trainer.md).
#ifndef RMX_SWARM_RESULT_H
#define RMX_SWARM_RESULT_H

#include <regmix/train.h>

// Checks <folder>/result.json and adds what tells that it answers this run. What breaks the
// contract is RMX_EINPUT; the file is then moved to result.rejected.json, so that it is neither
// taken for a result nor lost.
rmx_status rmx__result_accept(const rmx_run *r, rmx_err *err);

#endif
