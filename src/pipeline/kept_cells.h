// SPDX-License-Identifier: Apache-2.0
// kept_cells.h: what the user added to the rows that regmix writes.
#ifndef RMX_PIPELINE_KEPT_CELLS_H
#define RMX_PIPELINE_KEPT_CELLS_H

#include "kept_rows.h"

// The user's columns of the rows that are written (t->N). A cell belongs to the run that it was
// measured on: it goes where that run is today, under whatever name. Cells of runs that are not in
// use go into `former`, {run: {name: {column: cell}}}, and come back from there.
typedef struct rmx__own_cells {
  char (*run)[64];     // (N) the run of each written row: fingerprint[@TOKENS]; "": not known
  rmx_strings names;   // of the columns
  const char **cells;  // (N, names.n)
  bool *dropped;       // (names.n) all that was in the column is of runs that are not in use
  rmx_few left;        // rows whose cells are not written
  size_t lost;         // of these, those that `former` can't keep
} rmx__own_cells;
// former: a copy of that of the record, which becomes what is kept from now on. Release in any
// case.
rmx_status rmx__own_cells_find(const rmx__kept *k, const rmx_table *t, json_t *former,
                               rmx__own_cells *out, rmx_err *err);
void rmx__own_cells_release(rmx__own_cells *o);

#endif
