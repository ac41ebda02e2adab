// SPDX-License-Identifier: Apache-2.0
// Runs that two programs named differently: n1, 1, 0001 and tinyllama_1M_n1 are the same run if, in
// each table, nothing but the number tells the runs apart. Names that are equal come first, unless
// the numbers find more runs: of 1, 2, ..., 10 and 01, 02, ..., 10 only the last name is the same.
// One program may count from 0 and another from 1. So where the prefixes differ, both tables must
// have the same numbers. O((N + M) log (N + M)).

#include <stdlib.h>
#include <string.h>

#include "formats.h"

typedef struct entry {
  const char *key;  // the compared part of the name
  size_t row;
} entry;

static int by_key(const void *a, const void *b) {
  return strcmp(((const entry *)a)->key, ((const entry *)b)->key);
}

// The number at the end of a name, without leading zeros, or NULL; *prefix gets the bytes before
// it.
static const char *number_of(const char *id, size_t *prefix) {
  size_t n = strlen(id), start = n;
  while (start > 0 && id[start - 1] >= '0' && id[start - 1] <= '9') start--;
  *prefix = start;
  if (start == n) return NULL;
  while (start + 1 < n && id[start] == '0') start++;
  return id + start;
}

// Sorted by name or, where `numbers`, by number. *good: every run has a number, all have the same
// prefix, and no two names have the same number.
static entry *sorted(const rmx_table *t, bool numbers, bool *good) {
  entry *e = rmx_calloc(t->N, sizeof *e);
  if (!e) return NULL;
  *good = true;
  size_t first = 0;
  for (size_t i = 0; i < t->N; i++) {
    size_t prefix = 0;
    const char *key = numbers ? number_of(t->ids[i], &prefix) : t->ids[i];
    if (i == 0) first = prefix;
    if (!key || prefix != first || strncmp(t->ids[i], t->ids[0], first) != 0) *good = false;
    e[i] = (entry){key ? key : "", i};
  }
  qsort(e, t->N, sizeof *e, by_key);
  for (size_t i = 1; numbers && i < t->N; i++)
    if (strcmp(e[i].key, e[i - 1].key) == 0 && strcmp(t->ids[e[i].row], t->ids[e[i - 1].row]) != 0)
      *good = false;
  return e;
}

static void first_names(const rmx_table *t, char out[128]) {
  snprintf(out, 128, "%.40s%s%.40s%s", t->N ? t->ids[0] : "", t->N > 1 ? ", " : "",
           t->N > 1 ? t->ids[1] : "", t->N > 2 ? ", ..." : "");
}

// Finds two names that may be the same run, for the message.
static void look_alike(const rmx_table *a, const rmx_table *b, char out[256]) {
  out[0] = '\0';
  for (size_t i = 0; i < a->N && i < 2000; i++)
    for (size_t j = 0; j < b->N && j < 2000; j++) {
      size_t p, q;
      const char *x = number_of(a->ids[i], &p), *y = number_of(b->ids[j], &q);
      if ((x && y && strcmp(x, y) == 0) || strstr(a->ids[i], b->ids[j]) ||
          strstr(b->ids[j], a->ids[i])) {
        snprintf(out, 256,
                 "; \"%.60s\" and \"%.60s\" look alike; use the same names in both tables",
                 a->ids[i], b->ids[j]);
        return;
      }
    }
}

static const char *path_of(const rmx_table *t, const char *other) {
  return t->path ? t->path : other;
}

static bool is_numbered(const rmx_table *t) {
  return t->id_name && strcmp(t->id_name, RMX_ROW_NUMBERS) == 0;
}

// If a table has no names of runs, its rows are those of the other, in their order.
static rmx_status join_by_row(const rmx_table *mixtures, rmx_table *metrics,
                              const rmx_listener *listener, rmx_err *err) {
  const char *a = path_of(mixtures, "the mixtures"), *b = path_of(metrics, "the metrics");
  const bool both = is_numbered(mixtures) && is_numbered(metrics);
  if (mixtures->N != metrics->N)
    return rmx_fail(err, RMX_EINPUT,
                    "%.200s has %zu runs and %.200s has %zu, and %s no column with their names, so "
                    "it is not known which rows are the same run; add a column `run` to both",
                    a, mixtures->N, b, metrics->N,
                    both                    ? "they have"
                    : is_numbered(mixtures) ? "the first has"
                                            : "the second has");
  for (size_t i = 0; i < metrics->N; i++) {
    char *name = rmx_strdup(mixtures->ids[i]);
    if (!name) return rmx_fail_memory(err, 64, "joining tables");
    free(metrics->ids[i]);
    metrics->ids[i] = name;
  }
  rmx_warn(listener, "the rows of %s and of %s are joined in their order", a, b);
  return RMX_OK;
}

// The runs of two tables in the order of their names or of their numbers.
typedef struct pairing {
  entry *ours, *theirs;
  bool good;      // the numbers can stand for the names
  size_t common;  // rows of the metrics that have a mixture
} pairing;

static void release(pairing *p) {
  free(p->ours), free(p->theirs);
}

// Counts the common runs and, if `renamed` (metrics->N) is given, keeps the names of the mixtures.
static rmx_status walk(pairing *p, const rmx_table *mixtures, const rmx_table *metrics,
                       char **renamed, rmx_err *err) {
  p->common = 0;
  for (size_t i = 0, j = 0; i < mixtures->N && j < metrics->N;) {
    const int order = strcmp(p->ours[i].key, p->theirs[j].key);
    if (order == 0) {
      p->common++;
      char **name = renamed ? &renamed[p->theirs[j].row] : NULL;
      if (name && !(*name = rmx_strdup(mixtures->ids[p->ours[i].row])))
        return rmx_fail_memory(err, 64, "joining tables");
    }
    i += order < 0;
    j += order >= 0;
  }
  return RMX_OK;
}

static rmx_status pair_up(const rmx_table *mixtures, const rmx_table *metrics, bool numbers,
                          pairing *p, rmx_err *err) {
  bool good[2];
  p->ours = sorted(mixtures, numbers, &good[0]);
  p->theirs = sorted(metrics, numbers, &good[1]);
  if (!p->ours || !p->theirs)
    return rmx_fail_memory(err, (mixtures->N + metrics->N) * sizeof *p->ours, "joining tables");
  p->good = good[0] && good[1];
  return walk(p, mixtures, metrics, NULL, err);
}

static rmx_status nothing_in_common(const rmx_table *mixtures, const rmx_table *metrics,
                                    rmx_err *err) {
  char a[128], b[128], alike[256];
  first_names(mixtures, a);
  first_names(metrics, b);
  look_alike(mixtures, metrics, alike);
  return rmx_fail(err, RMX_EINPUT,
                  "%.200s and %.200s have no run in common: the first has the names %s (column "
                  "\"%.40s\"), the second has %s (column \"%.40s\")%s",
                  path_of(mixtures, "the mixtures"), path_of(metrics, "the metrics"), a,
                  mixtures->id_name, b, metrics->id_name, alike);
}

static bool same_prefix(const rmx_table *a, const rmx_table *b) {
  size_t p, q;
  number_of(a->ids[0], &p);
  number_of(b->ids[0], &q);
  return p == q && strncmp(a->ids[0], b->ids[0], p) == 0;
}

// Adds the names of ours (n) whose number is not among theirs (m).
static void names_without(const rmx_table *t, const entry *ours, size_t n, const entry *theirs,
                          size_t m, rmx_few *out) {
  for (size_t i = 0; i < n; i++)
    if (!bsearch(&ours[i], theirs, m, sizeof *theirs, by_key))
      rmx_few_add(out, t->ids[ours[i].row]);
}

// Numbers that only one table has may mean that the two do not count from the same one.
static rmx_status check_numbers(const pairing *p, const rmx_table *mixtures,
                                const rmx_table *metrics, rmx_err *err) {
  rmx_few alone[2] = {{0}, {0}};
  char a[128], b[128];
  if (same_prefix(mixtures, metrics)) return RMX_OK;
  names_without(mixtures, p->ours, mixtures->N, p->theirs, metrics->N, &alone[0]);
  names_without(metrics, p->theirs, metrics->N, p->ours, mixtures->N, &alone[1]);
  if (alone[0].n + alone[1].n == 0) return RMX_OK;
  first_names(mixtures, a);
  first_names(metrics, b);
  const bool first = alone[0].n > 0;
  return rmx_fail(err, RMX_EINPUT,
                  "%.200s has the runs %s and %.200s has %s. They could be joined by their numbers "
                  "only, but %.200s has no run with the number of %zu of the other (%s), so one of "
                  "them may count from 0 and the other from 1; give each run the same name in both "
                  "tables",
                  path_of(mixtures, "one table"), a, path_of(metrics, "the other table"), b,
                  first ? path_of(metrics, "the other table") : path_of(mixtures, "the first"),
                  alone[!first].n, alone[!first].text);
}

static rmx_status join_by_number(pairing *p, const rmx_table *mixtures, rmx_table *metrics,
                                 const rmx_listener *listener, rmx_err *err) {
  RMX_TRY(check_numbers(p, mixtures, metrics, err));
  RMX_OWNED char **renamed = rmx_calloc(metrics->N, sizeof *renamed);
  char a[128], b[128];
  if (!renamed) return rmx_fail_memory(err, metrics->N * sizeof *renamed, "joining tables");
  first_names(mixtures, a);
  first_names(metrics, b);
  const rmx_status status = walk(p, mixtures, metrics, renamed, err);
  for (size_t i = 0; i < metrics->N; i++) {
    if (!renamed[i]) continue;
    free(status == RMX_OK ? metrics->ids[i] : renamed[i]);
    if (status == RMX_OK) metrics->ids[i] = renamed[i];
  }
  RMX_TRY(status);
  rmx_warn(listener, "runs are joined by their numbers, since %s has the names %s and %s has %s",
           path_of(mixtures, "one table"), a, path_of(metrics, "the other"), b);
  return RMX_OK;
}

// The mixture of the same number, 0001 of 1, if there is one alone; N: none.
static size_t numbered(const rmx_table *mixtures, const char *id) {
  size_t prefix, found = mixtures->N, times = 0;
  const char *number = number_of(id, &prefix);
  for (size_t i = 0; number && prefix == 0 && i < mixtures->N; i++) {
    size_t other;
    const char *its = number_of(mixtures->ids[i], &other);
    if (strcmp(mixtures->ids[i], id) == 0) return mixtures->N;
    if (its && other == 0 && strcmp(its, number) == 0) found = i, times++;
  }
  return times == 1 ? found : mixtures->N;
}

// Some rows have the names of the mixtures, and others have lost their zeros in a spreadsheet.
static rmx_status join_rest(const rmx_table *mixtures, rmx_table *metrics,
                            const rmx_listener *listener, rmx_err *err) {
  rmx_few renamed = {0};
  for (size_t i = 0; i < metrics->N; i++) {
    const size_t at = numbered(mixtures, metrics->ids[i]);
    if (at == mixtures->N) continue;
    char *name = rmx_strdup(mixtures->ids[at]);
    if (!name) return rmx_fail_memory(err, 64, "joining tables");
    rmx_few_add(&renamed, metrics->ids[i]);
    free(metrics->ids[i]);
    metrics->ids[i] = name;
  }
  if (renamed.n)
    rmx_warn(listener, "%zu row%s of %s (%s) %s joined by number with the runs of %s", renamed.n,
             rmx_s(renamed.n), path_of(metrics, "the metrics"), renamed.text, rmx_is(renamed.n),
             path_of(mixtures, "the mixtures"));
  return RMX_OK;
}

rmx_status rmx_import_join(const rmx_table *mixtures, rmx_table *metrics,
                           const rmx_listener *listener, rmx_err *err) {
  if (is_numbered(mixtures) || is_numbered(metrics))
    return join_by_row(mixtures, metrics, listener, err);
  RMX_OWNED_BY(release) pairing by_name = {0};
  RMX_OWNED_BY(release) pairing by_number = {0};
  RMX_TRY(pair_up(mixtures, metrics, false, &by_name, err));
  if (by_name.common == metrics->N) return RMX_OK;
  RMX_TRY(pair_up(mixtures, metrics, true, &by_number, err));
  if (by_number.good && by_number.common > by_name.common)
    return join_by_number(&by_number, mixtures, metrics, listener, err);
  return by_name.common ? join_rest(mixtures, metrics, listener, err)
                        : nothing_in_common(mixtures, metrics, err);
}
