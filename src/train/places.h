// SPDX-License-Identifier: Apache-2.0
// Puts the paths of a run's files into run.json, for a trainer that reads only this file.
#ifndef RMX_TRAIN_PLACES_H
#define RMX_TRAIN_PLACES_H

#include <regmix/train.h>

#include "base/json.h"

// Adds to `o`, the tree of run.json: "folder", "corpus" and "tokenizer" as absolute paths,
// "end_of_text", and "domains": {name: {train, valid, and their tokens and bytes}}. A corpus that
// is not there yet adds no domains.
rmx_status rmx__run_places(const rmx_run *r, json_t *o, rmx_err *err);

// The tokenizer.json of the run's corpus: free() it. NULL: there is none.
rmx_status rmx__run_tokenizer(const rmx_run *r, char **out, rmx_err *err);
// The sizes of the model that t->init names. RMX_EINPUT: it cannot be read, or the settings ask for
// other sizes or longer sequences.
rmx_status rmx__init_config(const rmx_training *t, rmx_model_config *out, rmx_err *err);

#endif
