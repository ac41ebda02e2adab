// SPDX-License-Identifier: Apache-2.0
// Where the files of a run are, for a trainer that reads run.json and knows nothing else.
#ifndef RMX_TRAIN_PLACES_H
#define RMX_TRAIN_PLACES_H

#include <regmix/train.h>

#include "base/json.h"

// Adds to `o`, the tree of run.json: "folder", "corpus" and "tokenizer" as absolute paths,
// "end_of_text", and "domains": {name: {train, valid, and their tokens and bytes}}. A corpus that
// is not there yet adds no domains.
rmx_status rmx__run_places(const rmx_run *r, json_t *o, rmx_err *err);

#endif
