// SPDX-License-Identifier: Apache-2.0
// Leaves out runs that did not finish, by the column that contains how each run ended.

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

rmx_status rmx__leave_unfinished(const rmx__source *s, size_t state, size_t name, bool *left_out,
                                 rmx_err *err) {
  const rmx_cells *c = s->cells;
  rmx_few who = {0};
  for (size_t i = 0; i < c->N; i++) {
    const char *how = c->cells[i * c->C + state];
    if (is_finished(how)) continue;
    left_out[i] = true;
    char text[128];
    snprintf(text, sizeof text, "%.40s (%.30s)", c->cells[i * c->C + name],
             *how ? how : "no state");
    rmx_few_add(&who, text);
  }
  if (who.n == c->N)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: none of its %zu runs has finished (column \"%s\"), so there is nothing to read",
        s->path, c->N, c->header[state]);
  if (who.n)
    rmx_warn(s->listener, "%s: %zu of %zu run%s did not finish and %s left out: %s", s->path, who.n,
             c->N, rmx_s(c->N), rmx_is(who.n), who.text);
  return RMX_OK;
}
