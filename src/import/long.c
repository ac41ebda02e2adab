// SPDX-License-Identifier: Apache-2.0
// Long tables: a row for each run and domain (or metric), with a column of names that repeat and a
// column of values. They are turned into a row for each run.

#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/c_number.h"
#include "base/path.h"
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
// The first of them that a table has counts.
static const char *const steps[] = {"step",
                                    "_step",
                                    "global_step",
                                    "global step",
                                    "train/global_step",
                                    "trainer/global_step",
                                    "iteration",
                                    "iterations",
                                    "iter",
                                    "tokens",
                                    "epoch",
                                    NULL};

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
    if (*text && (rmx__strtod(text, &end), !*end)) return false;
    for (size_t e = 0; e < i && e < 1000 && !repeats; e++)
      repeats = strcmp(text, c->cells[e * c->C + j]) == 0;
  }
  return repeats;
}

// The first column that is nothing else. The row numbers of a data frame name no run.
static size_t first_other(const rmx_cells *c, const struct layout *l) {
  for (size_t j = 0; j < c->C; j++)
    if (j != l->key && j != l->more_key && j != l->value && j != l->step &&
        !rmx__is_row_number(c->header[j]))
      return j;
  return SIZE_MAX;
}

// Whether a column holds values next to those of l->value: "acc_norm" next to "acc".
static bool is_more(const rmx_cells *c, const struct layout *l, size_t j) {
  return l->value_name && j != l->value && j != l->run && j != l->key && j != l->step &&
         !rmx__ends_in(c->header[j], "stderr") &&
         rmx_better_by_name(c->header[j]) != RMX_BETTER_UNSAID;
}

static struct layout layout_of(const rmx__source *s) {
  const rmx_cells *c = s->cells;
  static const char *const plain[] = {"value", "values", "score", "result", NULL};
  const bool mixtures = s->options->what == RMX_IMPORT_MIXTURES;
  struct layout l = {.more_key = SIZE_MAX, .step = rmx__step_column(c)};
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

size_t rmx__step_column(const rmx_cells *c) {
  return among(c, steps);
}

bool rmx__is_step(const char *header) {
  return is_one_of(header, steps);
}

rmx_status rmx__step_of(const rmx_cells *c, size_t i, size_t column, double *step, rmx_err *err) {
  rmx_err unread;
  const char *text = c->cells[i * c->C + column];
  if (rmx_parse_real(text, "a step", step, &unread) == RMX_OK && isfinite(*step)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s:%d: column \"%s\": \"%.40s\" is not a number; wanted one such as 1000 or 2B, "
                  "since the value of the last step counts",
                  c->path, c->lines[i], c->header[column], text);
}

void rmx__tell_again(const rmx__source *s, size_t again) {
  if (again)
    rmx_warn(s->listener,
             "%s: %zu value%s given twice for one run and one step; the later row counts", s->path,
             again, again == 1 ? " is" : "s are");
}

static rmx_status take_value(const rmx_cells *c, const struct layout *l, size_t i, size_t value,
                             const char *more, rmx__gather *g, size_t *again, rmx_err *err) {
  const char *const *row = c->cells + i * c->C;
  double step = 0;
  bool had;
  RMX_OWNED char *column = rmx_format("%s%s%s", row[l->key], more ? "/" : "", more ? more : "");
  if (!column) return rmx_fail_memory(err, 64, c->path);
  if (l->step != SIZE_MAX) RMX_TRY(rmx__step_of(c, i, l->step, &step, err));
  RMX_TRY(rmx__gather_put(g, row[l->run], column, row[value], step, &had, err));
  *again += had;
  if (!had || l->step != SIZE_MAX) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s:%d: run \"%.60s\" has a second row for \"%.60s\"; wanted one (a column `step` "
      "would tell which one is the last)",
      c->path, c->lines[i], row[l->run], column);
}

static rmx_status take_row(const rmx_cells *c, const struct layout *l, size_t i, rmx__gather *g,
                           size_t *again, rmx_err *err) {
  const char *const *row = c->cells + i * c->C;
  const size_t unnamed = !*row[l->key] ? l->key : !*row[l->run] ? l->run : SIZE_MAX;
  if (unnamed != SIZE_MAX)
    return rmx_fail(err, RMX_EINPUT, "%s:%d: column \"%s\": the name is missing", c->path,
                    c->lines[i], c->header[unnamed]);
  RMX_TRY(take_value(c, l, i, l->value, l->more_key == SIZE_MAX ? l->value_name : row[l->more_key],
                     g, again, err));
  for (size_t j = 0; j < c->C; j++)
    if (is_more(c, l, j)) RMX_TRY(take_value(c, l, i, j, c->header[j], g, again, err));
  return RMX_OK;
}

// Reports the columns with numbers that are not read.
static void tell_not_taken(const rmx__source *s, const struct layout *l) {
  const rmx_cells *c = s->cells;
  rmx_few left = {0};
  for (size_t j = 0; j < c->C; j++) {
    char *end;
    bool numbers = false;
    if (j == l->run || j == l->key || j == l->more_key || j == l->value || j == l->step ||
        rmx__is_row_number(c->header[j]) || is_more(c, l, j))
      continue;
    for (size_t i = 0; i < c->N && !numbers; i++) {
      const char *cell = c->cells[i * c->C + j];
      numbers = *cell && (rmx__strtod(cell, &end), !*end);
    }
    if (numbers) rmx_few_add(&left, c->header[j]);
  }
  if (left.n)
    rmx_note(s->listener, "%s: %zu other column%s with numbers %s not read: %s", s->path, left.n,
             rmx_s(left.n), rmx_is(left.n), left.text);
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
  RMX_OWNED bool *left_out = rmx_calloc(c->N, sizeof *left_out);
  size_t again = 0;
  if (!left_out) return rmx_fail_memory(err, c->N, s->path);
  RMX_TRY(rmx__leave_unfinished(s, rmx__state_column(c), l.run, true, left_out, err));
  for (size_t i = 0; i < c->N; i++)
    if (!left_out[i]) RMX_TRY(take_row(c, &l, i, &g, &again, err));
  tell_not_taken(s, &l);
  rmx__tell_again(s, again);
  rmx_note(s->listener,
           "%s: a long table: %zu run%s in column \"%s\", %zu %s%s in column \"%s\"%s%s", s->path,
           g.n_rows, rmx_s(g.n_rows), c->header[l.run], g.n_columns, mixtures ? "domain" : "metric",
           rmx_s(g.n_columns), c->header[l.key],
           l.step == SIZE_MAX ? "" : "; the last value by column ",
           l.step == SIZE_MAX ? "" : c->header[l.step]);
  if (l.step != SIZE_MAX) RMX_TRY(rmx__gather_tell_short(&g, s->path, s->listener, err));
  return rmx__import_gathered(s, &g, c->header[l.run], mixtures ? "0" : "", false, out, err);
}

const rmx__table_format rmx__format_long = {
    .name = "long",
    .help = "a long CSV file (run, domain, weight or run, metric, value)",
    .sniff = sniff,
    .read = read_long,
};
