// SPDX-License-Identifier: Apache-2.0
// The export of a chart of Weights & Biases: the first column is the step, then each run has a
// column "n1 - eval/loss" with its __MIN and __MAX. The last value of each counts.

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats.h"
#include "gather.h"

// The last " - " in the header of a series; NULL: it is none.
static const char *divide(const char *header) {
  const char *found = NULL;
  for (const char *at = header; (at = strstr(at, " - ")) != NULL; at++) found = at;
  return found && found != header && found[3] ? found : NULL;
}

static bool is_bound(const char *header) {
  return rmx__ends_in(header, "__MIN") || rmx__ends_in(header, "__MAX");
}

static bool sniff(const rmx__source *s) {
  const rmx_cells *c = s->cells;
  size_t series = 0, bounds = 0;
  if (!c || c->C < 2 || divide(c->header[0])) return false;
  for (size_t j = 1; j < c->C; j++) {
    if (!divide(c->header[j])) return false;
    if (is_bound(c->header[j]))
      bounds++;
    else
      series++;
  }
  return series && (bounds || strcasecmp(c->header[0], "Step") == 0);
}

static rmx_status read_chart(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  if (s->options->what == RMX_IMPORT_MIXTURES)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this is the export of a Weights & Biases chart, which has metrics and no "
                    "mixtures; export the table of runs for these",
                    s->path);
  for (size_t j = 1; j < c->C; j++) {
    if (is_bound(c->header[j])) continue;
    const char *at = divide(c->header[j]);
    RMX_OWNED char *run = rmx_format("%.*s", (int)(at - c->header[j]), c->header[j]);
    if (!run) return rmx_fail_memory(err, 64, s->path);
    RMX_TRY(rmx__gather_put(&g, run, at + 3, "", -1, NULL, err));
    for (size_t i = 0; i < c->N; i++)
      if (*c->cells[i * c->C + j])
        RMX_TRY(rmx__gather_put(&g, run, at + 3, c->cells[i * c->C + j], (double)i, NULL, err));
  }
  rmx_note(s->listener,
           "%s: the export of a Weights & Biases chart, with %zu run%s; the last value of each by "
           "\"%s\" counts",
           s->path, g.n_rows, rmx_s(g.n_rows), c->header[0]);
  return rmx__import_gathered(s, &g, "run", "", false, out, err);
}

const rmx__table_format rmx__format_chart = {
    .name = "wandb-chart",
    .help = "the export of a Weights & Biases chart",
    .sniff = sniff,
    .read = read_chart,
};
