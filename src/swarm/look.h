// SPDX-License-Identifier: Apache-2.0
// What a folder of a run holds, whoever it was made for.
#ifndef RMX_SWARM_LOOK_H
#define RMX_SWARM_LOOK_H

#include <regmix/swarm.h>

#include "base/json.h"

// <folder>/<name> as a tree; NULL: it is not there, or is no JSON.
json_t *rmx__read_in(const char *folder, const char *name);
// <folder> holds a result that answers r, and what belongs to it.
bool rmx__finished_in(const char *folder, const rmx_run *r);
// <folder> is of a training of r that has no result yet.
bool rmx__begun_in(const char *folder, const rmx_run *r);

#endif
