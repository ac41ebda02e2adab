// SPDX-License-Identifier: Apache-2.0
// The plain table: the first column names the runs, every other one holds numbers or is told to be text.

#include "forms.h"

static bool sniff(const rmx__source *s) {
  return s->cells != NULL;
}

static rmx_status read_csv(const rmx__source *s, rmx_table *out, rmx_err *err) {
  return rmx__import_view(s, &(rmx__view){.id = 0}, out, err);
}

const rmx__form rmx__form_csv = {
    .name = "csv",
    .help = "a CSV file, a run a row, its name in the first column",
    .sniff = sniff,
    .read = read_csv,
};
