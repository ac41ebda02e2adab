// SPDX-License-Identifier: Apache-2.0
// Long tables: a row for each run and domain (or metric), with a column of names that repeat and a
// column of values. They are turned into a row for each run.

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "formats.h"
#include "gather.h"

static const char *const runs[] = {"run",   "run_id", "run_name",   "name",  "id",
                                   "model", "index",  "experiment", "trial", NULL};
static const char *const tasks[] = {"task", "tasks", "benchmark", "dataset", NULL};
static const char *const measures[] = {"metric", "metrics", "variable", "key", "tag", NULL};
static const char *const domains[] = {"domain",   "domains", "source", "dataset",
                                      "variable", "key",     NULL};
static const char *const weights[] = {"weight", "weights",  "share", "proportion",
                                      "ratio",  "fraction", "value", NULL};
static const char *const values[] = {"value", "values", "score",    "result",
                                     "loss",  "acc",    "accuracy", NULL};
static const char *const steps[] = {"step", "_step", "global_step", "iteration", "tokens", NULL};

// What the columns are; SIZE_MAX: there is none.
struct layout {
  size_t run, key, more_key, value, step;
  const char *value_name;  // to be added to the key; NULL: the value is what the key names
};

static size_t among(const rmx_cells *c, const char *const *names) {
  for (; *names; names++) {
    const size_t j = rmx__column_called(c, *names);
    if (j != SIZE_MAX) return j;
  }
  return SIZE_MAX;
}

static bool is_one_of(const char *name, const char *const *list) {
  while (*list && strcasecmp(name, *list) != 0) list++;
  return *list != NULL;
}

// Whether the cells of a column are names that repeat.
static bool is_key(const rmx_cells *c, size_t j) {
  bool repeats = false;
  for (size_t i = 0; i < c->N; i++) {
    char *end;
    const char *text = c->cells[i * c->C + j];
    if (*text && (strtod(text, &end), !*end)) return false;
    for (size_t e = 0; e < i && e < 1000 && !repeats; e++)
      repeats = strcmp(text, c->cells[e * c->C + j]) == 0;
  }
  return repeats;
}

// The first column that is nothing else.
static size_t first_other(const rmx_cells *c, const struct layout *l) {
  for (size_t j = 0; j < c->C; j++)
    if (j != l->key && j != l->more_key && j != l->value && j != l->step) return j;
  return SIZE_MAX;
}

static struct layout layout_of(const rmx__source *s) {
  const rmx_cells *c = s->cells;
  static const char *const plain[] = {"value", "values", "score", "result", NULL};
  const bool mixtures = s->options->what == RMX_IMPORT_MIXTURES;
  struct layout l = {.more_key = SIZE_MAX, .step = among(c, steps)};
  l.value = among(c, mixtures ? weights : values);
  l.key = among(c, mixtures ? domains : measures);
  if (!mixtures) {
    const size_t task = among(c, tasks);
    l.more_key = l.key == SIZE_MAX || l.key == task ? SIZE_MAX : l.key;
    l.key = task != SIZE_MAX ? task : l.key;
    if (l.key == SIZE_MAX) l.key = among(c, domains);
    if (l.key != SIZE_MAX && l.key == l.more_key) l.more_key = SIZE_MAX;
  }
  l.run = among(c, runs);
  if (l.run == SIZE_MAX || l.run == l.key || l.run == l.value) l.run = first_other(c, &l);
  if (!mixtures && l.value != SIZE_MAX && !is_one_of(c->header[l.value], plain))
    l.value_name = c->header[l.value];
  return l;
}

static bool chooses_columns(const rmx__source *s) {
  for (size_t p = 0; p < s->options->n_columns; p++)
    for (size_t j = 0; j < s->cells->C; j++)
      if (fnmatch(s->options->columns[p], s->cells->header[j], 0) == 0) return true;
  return false;
}

static bool sniff(const rmx__source *s) {
  if (!s->cells || s->cells->C > 8 || s->cells->C < 2 || chooses_columns(s)) return false;
  const struct layout l = layout_of(s);
  return l.key != SIZE_MAX && l.value != SIZE_MAX && l.key != l.value && is_key(s->cells, l.key);
}

static rmx_status take_row(const rmx__source *s, const struct layout *l, size_t i, rmx__gather *g,
                           rmx_err *err) {
  const rmx_cells *c = s->cells;
  const char *const *row = c->cells + i * c->C;
  const double step = l->step == SIZE_MAX ? 0 : strtod(row[l->step], NULL);
  const char *more = l->more_key == SIZE_MAX ? l->value_name : row[l->more_key];
  bool had;
  RMX_OWNED char *column = rmx_format("%s%s%s", row[l->key], more ? "/" : "", more ? more : "");
  if (!column) return rmx_fail_memory(err, 64, s->path);
  if (!*row[l->key])
    return rmx_fail(err, RMX_EINPUT, "%s:%d: column \"%s\": the name is missing", c->path,
                    c->lines[i], c->header[l->key]);
  RMX_TRY(rmx__gather_put(g, row[l->run], column, row[l->value], step, &had, err));
  if (!had || l->step != SIZE_MAX) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s:%d: run \"%.60s\" has a second row for \"%.60s\"; wanted one (a column `step` "
      "would tell which one is the last)",
      c->path, c->lines[i], row[l->run], column);
}

static rmx_status read_long(const rmx__source *s, rmx_table *out, rmx_err *err) {
  const rmx_cells *c = s->cells;
  const bool mixtures = s->options->what == RMX_IMPORT_MIXTURES;
  const struct layout l = layout_of(s);
  if (l.run == SIZE_MAX)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: this is a long table with a row for each %.60s, but no column names the "
                    "runs; wanted the columns run, %.60s, %.60s",
                    s->path, c->header[l.key], c->header[l.key], c->header[l.value]);
  RMX_OWNED_BY(rmx__gather_release) rmx__gather g = {0};
  for (size_t i = 0; i < c->N; i++) RMX_TRY(take_row(s, &l, i, &g, err));
  rmx_note(s->listener,
           "%s: a long table: %zu run%s in column \"%s\", %zu %s%s in column \"%s\"%s%s", s->path,
           g.n_rows, rmx_s(g.n_rows), c->header[l.run], g.n_columns, mixtures ? "domain" : "metric",
           rmx_s(g.n_columns), c->header[l.key],
           l.step == SIZE_MAX ? "" : "; the last value by column ",
           l.step == SIZE_MAX ? "" : c->header[l.step]);
  return rmx__import_gathered(s, &g, c->header[l.run], mixtures ? "0" : "", false, out, err);
}

const rmx__table_format rmx__format_long = {
    .name = "long",
    .help = "a long CSV file (run, domain, weight or run, metric, value)",
    .sniff = sniff,
    .read = read_long,
};
