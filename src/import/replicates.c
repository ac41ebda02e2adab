// SPDX-License-Identifier: Apache-2.0
// Several rows with one name. In the metrics they are runs of one mixture, as with several seeds,
// and get names of their own: m1, m1#2, m1#3. The mixture is repeated for them. A row that is equal
// to an earlier one is a copy, and is left out. Rows of one name that have different weights stay:
// joining the tables reports them. O((N + M) log (N + M)).

#include <stdlib.h>
#include <string.h>

#include "formats.h"

typedef struct entry {
  const char *name;
  size_t row;
} entry;

static int by_name(const void *a, const void *b) {
  const entry *x = a, *y = b;
  const int order = strcmp(x->name, y->name);
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

static entry *sorted(const rmx_table *t) {
  entry *e = rmx_calloc(t->N, sizeof *e);
  for (size_t i = 0; e && i < t->N; i++) e[i] = (entry){t->ids[i], i};
  if (e) qsort(e, t->N, sizeof *e, by_name);
  return e;
}

static bool again(const entry *e, size_t i) {
  return i > 0 && strcmp(e[i].name, e[i - 1].name) == 0;
}

static bool any_again(const entry *e, size_t N) {
  for (size_t i = 1; i < N; i++)
    if (again(e, i)) return true;
  return false;
}

static bool same_number(const double *x, size_t a, size_t b) {
  return !x || memcmp(&x[a], &x[b], sizeof *x) == 0;
}

static bool same_rows(const rmx_table *t, size_t a, size_t b) {
  return memcmp(t->x + a * t->D, t->x + b * t->D, t->D * sizeof *t->x) == 0 &&
         same_number(t->sizes, a, b) && same_number(t->tokens, a, b);
}

void rmx__table_move_row(rmx_table *t, size_t from, size_t to) {
  t->ids[to] = t->ids[from];
  memmove(t->x + to * t->D, t->x + from * t->D, t->D * sizeof *t->x);
  if (t->lines) t->lines[to] = t->lines[from];
  if (t->sizes) t->sizes[to] = t->sizes[from];
  if (t->tokens) t->tokens[to] = t->tokens[from];
}

static void drop_rows(rmx_table *t, const bool *drop) {
  size_t n = 0;
  for (size_t i = 0; i < t->N; i++) {
    if (drop[i])
      free(t->ids[i]);
    else if (n++ != i)
      rmx__table_move_row(t, i, n - 1);
  }
  t->N = n;
}

static bool grow(double **x, size_t n, size_t each) {
  double *more = *x ? rmx_realloc(*x, n * each, sizeof *more) : NULL;
  if (more) *x = more;
  return more || !*x;
}

// Adds a row equal to row i, with another name, which it takes.
static rmx_status add_row(rmx_table *t, size_t i, char *name, rmx_err *err) {
  const size_t n = t->N + 1;
  char **ids = rmx_realloc(t->ids, n, sizeof *ids);
  if (ids) t->ids = ids;
  int *lines = t->lines ? rmx_realloc(t->lines, n, sizeof *lines) : NULL;
  if (lines) t->lines = lines;
  if (!name || !ids || (t->lines && !lines) || !grow(&t->x, n, t->D) || !grow(&t->sizes, n, 1) ||
      !grow(&t->tokens, n, 1)) {
    free(name);
    return rmx_fail_memory(err, t->D * sizeof *t->x, "a table");
  }
  rmx__table_move_row(t, i, t->N);
  t->ids[t->N++] = name;
  return RMX_OK;
}

// Marks the rows that are equal to an earlier one of the same name, in `a` and, if it is given, in
// `b`, which has the same rows.
static void mark_copies(const rmx_table *a, const rmx_table *b, const entry *e, bool *drop) {
  for (size_t i = 1, first = 0; i < a->N; i++) {
    if (!again(e, i)) first = i;
    for (size_t k = first; k < i && !drop[e[i].row]; k++)
      drop[e[i].row] = same_rows(a, e[k].row, e[i].row) && (!b || same_rows(b, e[k].row, e[i].row));
  }
}

static rmx_status drop_copies(rmx_table *a, rmx_table *b, const rmx_listener *to, rmx_err *err) {
  RMX_OWNED entry *e = sorted(a);
  RMX_OWNED bool *drop = rmx_calloc(a->N, sizeof *drop);
  rmx_few names = {0};
  if (!e || !drop) return rmx_fail_memory(err, a->N * sizeof *e, "joining tables");
  mark_copies(a, b, e, drop);
  for (size_t i = 0; i < a->N; i++)
    if (drop[i]) rmx_few_add(&names, a->ids[i]);
  if (names.n)
    rmx_note(to, "%s: %zu row%s equal to an earlier row of the same run and left out: %s",
             a->path ? a->path : "table", names.n, names.n == 1 ? " is" : "s are", names.text);
  drop_rows(a, drop);
  if (b) drop_rows(b, drop);
  return RMX_OK;
}

static rmx_status rename_row(rmx_table *t, size_t row, size_t k, rmx_err *err) {
  char *name = rmx_format("%s#%zu", t->ids[row], k);
  if (!name) return rmx_fail_memory(err, 64, "a name");
  free(t->ids[row]);
  t->ids[row] = name;
  return RMX_OK;
}

// Whether each name of the mixtures occurs once.
static rmx_status are_single(const rmx_table *t, bool *single, rmx_err *err) {
  RMX_OWNED entry *e = sorted(t);
  if (!e) return rmx_fail_memory(err, t->N * sizeof *e, "joining tables");
  *single = !any_again(e, t->N);
  return RMX_OK;
}

// Gives each row of the metrics a name of its own, and each its mixture.
static rmx_status repeat_mixtures(rmx_table *mixtures, rmx_table *metrics, bool together,
                                  const rmx_listener *to, rmx_err *err) {
  RMX_OWNED entry *e = sorted(metrics), *m = sorted(mixtures);
  rmx_few names = {0};
  const size_t had = mixtures->N;
  size_t j = 0, k = 1;
  if (!e || !m) return rmx_fail_memory(err, metrics->N * sizeof *e, "joining tables");
  // names that are looked at later must not change
  RMX_OWNED bool *more = rmx_calloc(metrics->N, sizeof *more);
  if (!more) return rmx_fail_memory(err, metrics->N, "joining tables");
  for (size_t i = 0; i < metrics->N; i++) more[i] = again(e, i);
  for (size_t i = 0; i < metrics->N; i++) {
    k = more[i] ? k + 1 : 1;
    if (!more[i]) continue;
    size_t first = i - (k - 1);
    const char *name = metrics->ids[e[first].row];
    while (j < had && strcmp(mixtures->ids[m[j].row], name) < 0) j++;
    if (!together && (j == had || strcmp(mixtures->ids[m[j].row], name) != 0)) continue;
    rmx_few_add(&names, name);
    RMX_TRY(rename_row(metrics, e[i].row, k, err));
    if (together)
      RMX_TRY(rename_row(mixtures, e[i].row, k, err));
    else
      RMX_TRY(add_row(mixtures, m[j].row, rmx_strdup(metrics->ids[e[i].row]), err));
  }
  if (names.n)
    rmx_note(to, "%s: %zu row%s the name of an earlier run and %s taken as another run of it: %s",
             metrics->path ? metrics->path : "table", names.n, names.n == 1 ? " has" : "s have",
             rmx_is(names.n), names.text);
  return RMX_OK;
}

rmx_status rmx_import_replicates(rmx_table *mixtures, rmx_table *metrics, bool one_file,
                                 const rmx_listener *to, rmx_err *err) {
  bool single[2];
  bool together = one_file && mixtures->N == metrics->N;
  RMX_TRY(are_single(mixtures, &single[0], err));
  RMX_TRY(are_single(metrics, &single[1], err));
  if (single[0] && single[1]) return RMX_OK;
  for (size_t i = 0; i < mixtures->N && together; i++)
    together = strcmp(mixtures->ids[i], metrics->ids[i]) == 0;
  RMX_TRY(drop_copies(metrics, together ? mixtures : NULL, to, err));
  if (!together) {
    // where the metrics repeat runs, so may the mixtures
    const rmx_listener quiet = {0};
    RMX_TRY(drop_copies(mixtures, NULL, single[1] ? to : &quiet, err));
    RMX_TRY(are_single(mixtures, &single[0], err));
    if (!single[0]) return RMX_OK;
  }
  return repeat_mixtures(mixtures, metrics, together, to, err);
}
