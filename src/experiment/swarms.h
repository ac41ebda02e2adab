// SPDX-License-Identifier: Apache-2.0
// The swarms of a config beside that of the section `proxy`: `swarms: {NAME: {KEY: VALUE}}`.
#ifndef RMX_EXPERIMENT_SWARMS_H
#define RMX_EXPERIMENT_SWARMS_H

#include <regmix/experiment.h>

#include "base/json.h"

// A swarm without settings of its own. RMX_EINPUT: it can't have this name.
rmx_status rmx__swarms_add(rmx_config *c, const char *name, rmx_err *err);
// Sets "NAME.KEY". A swarm that is not there is added, unless its name is nearly another's.
rmx_status rmx__swarms_set(rmx_config *c, const char *key, const char *value, rmx_err *err);
// Makes the trainings, once all settings are known. RMX_EINPUT: two swarms are the same.
rmx_status rmx__swarms_settle(rmx_config *c, const char *path, rmx_err *err);
json_t *rmx__swarms_json(const rmx_config *c);  // a new reference
void rmx__swarms_release(rmx_config *c);

#endif
