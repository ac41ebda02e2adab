// SPDX-License-Identifier: Apache-2.0
// The files of an experiment by their names in its folder.
#ifndef RMX_EXPERIMENT_FILES_H
#define RMX_EXPERIMENT_FILES_H

#include <regmix/experiment.h>

#include "base/json.h"

bool rmx__experiment_has(const rmx_experiment *e, const char *name);
// The tree in a file, a new reference; NULL where there is no such file.
rmx_status rmx__experiment_read(const rmx_experiment *e, const char *name, json_t **out,
                                rmx_err *err);
// Writes a tree, which is taken over, also on failure.
rmx_status rmx__experiment_write(const rmx_experiment *e, const char *name, json_t *tree,
                                 rmx_err *err);

#endif
