// SPDX-License-Identifier: Apache-2.0
// The export of a chart of Weights & Biases: the first column is the step, then each run has a
// column "n1 - eval/loss" with its __MIN and __MAX. The last value of each counts.

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
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

// Runs of one name have columns of one name, so that one run would hide the other.
static rmx_status check_names(const rmx_cells *c, rmx_err *err) {
  for (size_t j = 1; j < c->C; j++)
    for (size_t k = 1; k < j; k++)
      if (!is_bound(c->header[j]) && strcmp(c->header[j], c->header[k]) == 0)
        return rmx_fail(err, RMX_EINPUT,
                        "%s:1: there are two columns \"%s\", so two runs have the same name; "
                        "rename one of them, or export the table of runs",
                        c->path, c->header[j]);
  return RMX_OK;
}

// The step of row i; of a first column that has none, such as one of times, the row.
static double step_of(const rmx_cells *c, size_t i) {
  double step;
  rmx_err ignored;
  return rmx__step_of(c, i, 0, &step, &ignored) == RMX_OK ? step : (double)i;
}

static rmx_status read_chart(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  if (s->options->what == RMX_IMPORT_MIXTURES)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this is the export of a Weights & Biases chart, which has metrics and no "
                    "mixtures; export the table of runs for these",
                    s->path);
  RMX_TRY(check_names(c, err));
  for (size_t j = 1; j < c->C; j++) {
    if (is_bound(c->header[j])) continue;
    const char *at = divide(c->header[j]);
    RMX_OWNED char *run = rmx_format("%.*s", (int)(at - c->header[j]), c->header[j]);
    if (!run) return rmx_fail_memory(err, 64, s->path);
    RMX_TRY(rmx__gather_put(&g, run, at + 3, "", -1, NULL, err));
    for (size_t i = 0; i < c->N; i++)
      if (*c->cells[i * c->C + j])
        RMX_TRY(rmx__gather_put(&g, run, at + 3, c->cells[i * c->C + j], step_of(c, i), NULL, err));
  }
  rmx_note(s->listener,
           "%s: the export of a Weights & Biases chart, with %zu run%s; the last value of each by "
           "\"%s\" counts",
           s->path, g.n_rows, rmx_s(g.n_rows), c->header[0]);
  RMX_TRY(rmx__gather_tell_short(&g, s->path, s->listener, err));
  return rmx__import_gathered(s, &g, "run", "", false, out, err);
}

const rmx__table_format rmx__format_chart = {
    .name = "wandb-chart",
    .help = "the export of a Weights & Biases chart",
    .sniff = sniff,
    .read = read_chart,
};
