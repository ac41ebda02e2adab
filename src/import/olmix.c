// SPDX-License-Identifier: Apache-2.0
// Olmix's ratios.csv and metrics.csv. As its users write them: run_id, perhaps name, then a column
// a domain or metric. As the program itself saves them: run, name, index, then the columns, perhaps
// behind the row numbers of a data frame. The id columns stand first, so that a domain called
// "name" further on stays one.

#include <stdlib.h>
#include <string.h>

#include "formats.h"

static const char *const id_names[] = {"run_id", "run", "name", "index", "", "Unnamed: 0"};
enum { ID_NAMES = sizeof id_names / sizeof *id_names };

// How many columns in front name the run, and which of them is its id. 0: not this form.
static size_t id_columns(const rmx_cells *c, size_t *id) {
  size_t n = 0, best = ID_NAMES;
  for (bool more = true; more && n < c->C; n += more) {
    size_t k = 0;
    while (k < ID_NAMES && strcmp(c->header[n], id_names[k]) != 0) k++;
    more = k < ID_NAMES && n < 4;
    if (more && k < best) {
      best = k;
      *id = n;
    }
  }
  return best < 2 && n > 1 ? n : 0;  // one column alone is the plain table
}

static bool sniff(const rmx__source *s) {
  size_t id;
  return s->cells && id_columns(s->cells, &id) > 0;
}

static rmx_status read_olmix(const rmx__source *s, rmx_table *out, rmx_err *err) {
  size_t id = 0, n = id_columns(s->cells, &id);
  bool *skip = rmx_calloc(s->cells->C, sizeof *skip);
  if (!skip) return rmx_fail_memory(err, s->cells->C, s->path);
  for (size_t j = 0; j < n; j++) skip[j] = true;
  rmx_status status = rmx__import_view(s, &(rmx__view){.id = id, .skip = skip}, out, err);
  if (status == RMX_OK)
    rmx_note(s->listener, "%s: read as Olmix's table, runs named by column \"%s\"", s->path,
             s->cells->header[id]);
  free(skip);
  return status;
}

const rmx__table_format rmx__format_olmix = {
    .name = "olmix",
    .help = "Olmix's ratios.csv or metrics.csv",
    .sniff = sniff,
    .read = read_olmix,
};
