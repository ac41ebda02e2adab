// SPDX-License-Identifier: Apache-2.0
// Runs that two programs named differently: n1, 1, 0001 and tinyllama_1M_n1 are the same run if, in
// each table, nothing but the number tells the runs apart. O((N + M) log (N + M)).

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
// prefix, and no number occurs twice.
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
    if (strcmp(e[i].key, e[i - 1].key) == 0) *good = false;
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

rmx_status rmx_import_join(const rmx_table *mixtures, rmx_table *metrics,
                           const rmx_listener *listener, rmx_err *err) {
  if (is_numbered(mixtures) || is_numbered(metrics))
    return join_by_row(mixtures, metrics, listener, err);
  bool numbered[2] = {false, false};
  rmx_status status = RMX_OK;
  entry *ours = NULL, *theirs = NULL;
  char **renamed = NULL, a[128], b[128], alike[256];
  size_t common = 0;
  for (int numbers = 0; numbers < 2 && common == 0; numbers++) {
    free(ours), free(theirs);
    ours = sorted(mixtures, numbers, &numbered[0]);
    theirs = sorted(metrics, numbers, &numbered[1]);
    if (!ours || !theirs) {
      status = rmx_fail_memory(err, (mixtures->N + metrics->N) * sizeof *ours, "joining tables");
      goto done;
    }
    if (numbers && !(numbered[0] && numbered[1])) break;
    if (numbers && !(renamed = rmx_calloc(metrics->N, sizeof *renamed))) {
      status = rmx_fail_memory(err, metrics->N * sizeof *renamed, "joining tables");
      goto done;
    }
    for (size_t i = 0, j = 0; i < mixtures->N && j < metrics->N;) {
      int order = strcmp(ours[i].key, theirs[j].key);
      if (order == 0) {
        common++;
        if (renamed && !(renamed[theirs[j].row] = rmx_strdup(mixtures->ids[ours[i].row]))) {
          status = rmx_fail_memory(err, 64, "joining tables");
          goto done;
        }
      }
      i += order <= 0;
      j += order >= 0;
    }
  }
  first_names(mixtures, a);
  first_names(metrics, b);
  if (common == 0) {
    look_alike(mixtures, metrics, alike);
    status = rmx_fail(err, RMX_EINPUT,
                      "%.200s and %.200s have no run in common: the first has the names %s (column "
                      "\"%.40s\"), the second has %s (column \"%.40s\")%s",
                      path_of(mixtures, "the mixtures"), path_of(metrics, "the metrics"), a,
                      mixtures->id_name, b, metrics->id_name, alike);
  } else if (renamed) {
    for (size_t i = 0; i < metrics->N; i++) {
      if (!renamed[i]) continue;
      free(metrics->ids[i]);
      metrics->ids[i] = renamed[i];
      renamed[i] = NULL;
    }
    rmx_warn(listener, "runs are joined by their numbers, since %s has the names %s and %s has %s",
             path_of(mixtures, "one table"), a, path_of(metrics, "the other"), b);
  }
done:
  for (size_t i = 0; renamed && i < metrics->N; i++) free(renamed[i]);
  free(renamed);
  free(ours);
  free(theirs);
  return status;
}
