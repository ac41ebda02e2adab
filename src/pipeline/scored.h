// SPDX-License-Identifier: Apache-2.0
// scored.h: the mixture that each row of metrics.csv belongs to.
#ifndef RMX_PIPELINE_SCORED_H
#define RMX_PIPELINE_SCORED_H

#include "steps.h"

typedef enum rmx__scored {
  RMX__SCORED_LOOK,
  RMX__SCORED_NOTE,  // the mixtures of rows that are new or were measured again are noted
  RMX__SCORED_SEAL,  // and that a row has none, if mixtures.csv does not have its name
} rmx__scored;

// Adds to `others` (may be NULL) the rows of metrics.csv that were measured with another mixture
// than mixtures.csv has under their names now.
rmx_status rmx__scored_look(const rmx_experiment *e, rmx__scored how, rmx_strings *others,
                            rmx_err *err);
// Of these runs (n), those to which `next` gives another mixture than `now`, or none.
rmx_status rmx__scored_moved(const rmx_table *now, const rmx_table *next, const rmx_strings *runs,
                             rmx_few *out, rmx_err *err);

#endif
