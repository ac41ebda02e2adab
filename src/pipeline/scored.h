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
// The same of each row of metrics.csv, by its place; free() them. NULL: nothing is known.
rmx_status rmx__scored_rows(const rmx_experiment *e, bool **rows, rmx_err *err);
// Keeps these rows (c->N) of metrics.csv, which are not written again, and brings those back whose
// mixture has their name again.
rmx_status rmx__scored_put_away(const rmx_experiment *e, const rmx_cells *c, const bool *rows,
                                rmx_err *err);
rmx_status rmx__scored_bring_back(const rmx_experiment *e, rmx_few *rows, rmx_err *err);
// Of these runs (n), those to which `next` gives another mixture than `now`, or none.
rmx_status rmx__scored_moved(const rmx_table *now, const rmx_table *next, const rmx_strings *runs,
                             rmx_few *out, rmx_err *err);

#endif
