// SPDX-License-Identifier: Apache-2.0
// kept_rows.h: whose each row and each column of a table is that `regmix train` writes again.
#ifndef RMX_PIPELINE_KEPT_ROWS_H
#define RMX_PIPELINE_KEPT_ROWS_H

#include "steps.h"

// The rule: what tables.json says, or a result, is regmix's; all else is the user's.
// FORMER: the user's, of another mixture than that of its name today
enum rmx__whose { RMX__OURS, RMX__CHANGED, RMX__ADDED, RMX__FORMER };

typedef struct rmx__kept_row {
  enum rmx__whose whose;
  char of[17];  // fingerprint of the run that it is of; "": not known
} rmx__kept_row;

typedef struct rmx__kept {
  const char *name;          // of the table
  rmx_cells c;               // the file; c.C = 0: there is none
  bool foreign;              // the file is no table of numbers: another program's
  bool *column;              // (C) which columns the user added
  rmx__kept_row *row;        // (N)
  const json_t *record;      // what tables.json says of the table; NULL: nothing
  struct rmx__runs_of runs;  // today's, borrowed; n = 0: not known
} rmx__kept;
void rmx__kept_release(rmx__kept *k);

// What regmix writes into a table: {"columns", "rows"}. A new reference; NULL: no memory.
json_t *rmx__kept_part(const rmx_table *t);
// Reads the file. next: what would be written now, or NULL.
rmx_status rmx__kept_look(const rmx_experiment *e, const char *name, const json_t *record,
                          const json_t *next, const struct rmx__runs_of *runs, rmx__kept *k,
                          rmx_err *err);

const char *rmx__kept_cell(const rmx__kept *k, size_t i, size_t j);
size_t rmx__kept_column(const rmx__kept *k, const char *name);  // c.C: there is none
bool rmx__kept_is_ours(const rmx__kept *k, size_t i);
// The fingerprint of today's run of which a row of this name is: NAME, or NAME@TOKENS.
bool rmx__kept_fingerprint(const rmx__kept *k, const char *id, char out[17]);
// A row that the user added has priority over one that regmix never wrote.
bool rmx__kept_replaces(const rmx__kept *k, const char *id);

// The row of metrics.csv or metrics-half.csv has the losses of a result of the run of its name, in
// its folder or set aside, whatever settings the run had. of: the fingerprint of that run.
bool rmx__row_is_result(const rmx_experiment *e, const rmx_cells *c, size_t i, bool half,
                        char of[17]);

// The one of these names (n) that is this number, such as 0001 for 1: a spreadsheet drops zeros.
// n: none, or several; exact names come first.
size_t rmx__numbered_name(const char *id, const char *const *names, size_t n);

#endif
