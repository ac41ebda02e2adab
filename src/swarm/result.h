// SPDX-License-Identifier: Apache-2.0
// Checks the result that the user's command wrote against its contract (docs/trainer.md).
#ifndef RMX_SWARM_RESULT_H
#define RMX_SWARM_RESULT_H

#include <regmix/train.h>

// Checks <folder>/result.json and adds the fingerprint of this run. RMX_EINPUT if the file breaks
// the contract; it is then moved to result.rejected.json, so that it is neither used nor
// lost.
rmx_status rmx__result_accept(const rmx_run *r, rmx_err *err);

// The name of a result that was good while regmix's own, result.json, is not written yet.
#define RMX__KEPT_RESULT "result.good.json"
// Takes up such a result of an earlier process. *taken: the run is done.
rmx_status rmx__result_take_kept(const rmx_run *r, bool *taken, rmx_err *err);
// Whether run.json is of this run still, and the corpus and the model that the training begins with
// are those that the run was made for.
rmx_status rmx__run_check_files(const rmx_run *r, rmx_err *err);

#endif
