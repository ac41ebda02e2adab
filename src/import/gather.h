// SPDX-License-Identifier: Apache-2.0
// gather.h: cells that come one by one, with the names of their row and column, become a table.
#ifndef RMX_IMPORT_GATHER_H
#define RMX_IMPORT_GATHER_H

#include <jansson.h>
#include <regmix/base.h>

typedef struct rmx__gathered {
  size_t row, column, text;  // text: its place in rmx__gather.text
  double step;
} rmx__gathered;

// Rows and columns are in the order in which they came first. {0} is empty.
typedef struct rmx__gather {
  rmx_buf text;
  json_t *places;  // "row\ncolumn": of a cell; "\nr<row>", "\nc<column>": of a row and a column
  size_t *rows, *columns;  // their names in text
  size_t n_rows, n_columns, rows_room, columns_room;
  rmx__gathered *cells;
  size_t n, room;
} rmx__gather;

// Puts a cell. One that is there is replaced, unless its step is larger; *had (may be NULL) tells
// that there was one of the same step. column NULL: the row alone.
rmx_status rmx__gather_put(rmx__gather *g, const char *row, const char *column, const char *text,
                           double step, bool *had, rmx_err *err);
// The same for a number; NaN is an empty cell.
rmx_status rmx__gather_number(rmx__gather *g, const char *row, const char *column, double x,
                              double step, rmx_err *err);
// The table: `id` is the header of the first column, with the names of the rows; cells that never
// came are `missing`. RMX_EINPUT: it would have more than 20 million cells. Release the result.
rmx_status rmx__gather_cells(const rmx__gather *g, const char *path, const char *id,
                             const char *missing, rmx_cells *out, rmx_err *err);
// Warns of rows whose last steps are long before those of the others: runs that were stopped.
rmx_status rmx__gather_tell_short(const rmx__gather *g, const char *path, const rmx_listener *to,
                                  rmx_err *err);
void rmx__gather_release(rmx__gather *g);

#endif
