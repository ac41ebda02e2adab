// SPDX-License-Identifier: Apache-2.0
// Checks the result that the user's command wrote against its contract (docs/trainer.md).
#ifndef RMX_SWARM_RESULT_H
#define RMX_SWARM_RESULT_H

#include <regmix/train.h>

// Checks <folder>/result.json and adds the fingerprint of this run. RMX_EINPUT if the file breaks
// the contract; it is then moved to result.rejected.json, so that it is neither used nor
// lost.
rmx_status rmx__result_accept(const rmx_run *r, rmx_err *err);

#endif
