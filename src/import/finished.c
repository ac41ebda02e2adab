// SPDX-License-Identifier: Apache-2.0
// Leaves out runs that did not finish, by the column that contains how each run ended.

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "formats.h"

size_t rmx__column_called(const rmx_cells *c, const char *name) {
  for (size_t j = 0; j < c->C; j++)
    if (strcasecmp(c->header[j], name) == 0) return j;
  return SIZE_MAX;
}

static bool is_finished(const char *how) {
  static const char *const words[] = {"finished", "completed", "complete",
                                      "done",     "success",   "succeeded"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcasecmp(how, words[i]) == 0) return true;
  return false;
}

size_t rmx__state_column(const rmx_cells *c) {
  static const char *const names[] = {"state", "status"};
  for (size_t k = 0; k < 2; k++) {
    size_t j = rmx__column_called(c, names[k]);
    for (size_t i = 0; j < c->C && i < c->N; i++)
      if (is_finished(c->cells[i * c->C + j])) return j;
  }
  return SIZE_MAX;
}

// Adds the run of row i to those that were seen. False: it was among them. Rows have names of their
// own, unless `many`: a run has many rows.
static bool is_new(const rmx_cells *c, size_t i, size_t name, bool many, json_t *seen) {
  const char *run = c->cells[i * c->C + name];
  RMX_OWNED char *row = rmx_format("%zu", i);
  if (!many) run = row ? row : "";
  const bool new = !json_object_get(seen, run);
  json_object_set_new_nocheck(seen, run, json_true());
  return new;
}

rmx_status rmx__leave_unfinished(const rmx__source *s, size_t state, size_t name, bool many,
                                 bool *left_out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  json_auto_t *runs = json_object(), *out = json_object();
  bool any = false;
  rmx_few who = {0};
  for (size_t i = 0; i < c->N && state != SIZE_MAX; i++) {
    const char *how = c->cells[i * c->C + state];
    char text[128];
    is_new(c, i, name, many, runs);
    left_out[i] = !is_finished(how);
    any = any || !left_out[i];
    if (!left_out[i] || !is_new(c, i, name, many, out)) continue;
    snprintf(text, sizeof text, "%.40s (%.30s)", c->cells[i * c->C + name],
             *how ? how : "no state");
    rmx_few_add(&who, text);
  }
  const size_t n = json_object_size(runs);
  if (who.n && !any)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: none of its %zu runs has finished (column \"%s\"), so there is nothing to read",
        s->path, n, c->header[state]);
  if (who.n)
    rmx_warn(s->listener, "%s: %zu of %zu run%s did not finish and %s left out: %s", s->path, who.n,
             n, rmx_s((double)n), rmx_is((double)who.n), who.text);
  return RMX_OK;
}
