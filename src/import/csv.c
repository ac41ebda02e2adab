// SPDX-License-Identifier: Apache-2.0
// The plain table: the first column contains the names of the runs, every other column contains
// numbers, and columns of text are reported. If the first column contains values, the rows are
// numbered.

#include <stdlib.h>

#include "formats.h"

static bool sniff(const rmx__source *s) {
  return s->cells != NULL;
}

static rmx_status read_csv(const rmx__source *s, rmx_table *out, rmx_err *err) {
  size_t state = rmx__state_column(s->cells);
  RMX_OWNED bool *left_out =
      state == SIZE_MAX || state == 0 ? NULL : rmx_calloc(s->cells->N, sizeof *left_out);
  if (state != SIZE_MAX && state != 0)
    RMX_TRY(left_out ? rmx__leave_unfinished(s, state, 0, left_out, err)
                     : rmx_fail_memory(err, s->cells->N, s->path));
  return rmx__import_view(s, &(rmx__view){.id = 0, .out = left_out, .may_lack_names = true}, out,
                          err);
}

const rmx__table_format rmx__format_csv = {
    .name = "csv",
    .help = "a CSV file with one run per row and its name in the first column, if it has one",
    .sniff = sniff,
    .read = read_csv,
};
