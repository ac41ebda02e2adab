// SPDX-License-Identifier: Apache-2.0
// A run as text, for another process.
#ifndef RMX_TRAIN_RUN_JSON_H
#define RMX_TRAIN_RUN_JSON_H

#include <regmix/train.h>

#include "base/json.h"

// All of run.json but the places of files; a new reference.
json_t *rmx__run_whole_json(const rmx_run *r);
// The run of it, in this folder. Release it.
rmx_status rmx__run_of_json(const json_t *o, const char *folder, rmx_run *out, rmx_err *err);

#endif
