// SPDX-License-Identifier: Apache-2.0
// Tables meet on their first column. Rows are found by sorting names: O((N + M) log M).

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <regmix/mixture.h>

#include "regressor.h"

typedef struct named {
  const char *name;
  size_t row;
} named;

static int by_name(const void *a, const void *b) {
  const named *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order ? order : (x->row > y->row) - (x->row < y->row);
}

static rmx_status sorted_names(const rmx_table *t, named **out, rmx_err *err) {
  named *list = rmx_calloc(t->N, sizeof(*list));
  if (list == NULL) return rmx_fail_memory(err, t->N * sizeof(*list), "joining tables");
  for (size_t i = 0; i < t->N; i++) list[i] = (named){t->ids[i], i};
  qsort(list, t->N, sizeof(*list), by_name);
  for (size_t i = 1; i < t->N; i++)
    if (strcmp(list[i].name, list[i - 1].name) == 0) {
      rmx_status status =
          rmx_fail(err, RMX_EINPUT,
                   "%s:%d: run \"%s\" was given in line %d already: names of runs must differ; "
                   "name them by another column with --id COLUMN, "
                   "or by the number of their row with --id row",
                   t->path ? t->path : "table", t->lines ? t->lines[list[i].row] : 0, list[i].name,
                   t->lines ? t->lines[list[i - 1].row] : 0);
      free(list);
      return status;
    }
  *out = list;
  return RMX_OK;
}

rmx_status rmx__join(const rmx_table *a, const rmx_table *b, size_t *partner, rmx_err *err) {
  named *ours = NULL, *theirs = NULL;
  RMX_TRY(sorted_names(a, &ours, err));
  rmx_status status = sorted_names(b, &theirs, err);
  size_t j = 0;
  for (size_t i = 0; status == RMX_OK && i < a->N; i++) {
    while (j < b->N && strcmp(theirs[j].name, ours[i].name) < 0) j++;
    partner[ours[i].row] =
        j < b->N && strcmp(theirs[j].name, ours[i].name) == 0 ? theirs[j].row : SIZE_MAX;
  }
  free(ours);
  free(theirs);
  return status;
}

enum { PER_CENT = 100 };
static const double SLACK = 0.01;  // of the sum of a mixture

static double sum_of(const double *w, size_t D) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += w[d];
  return sum;
}

// Where a sum is not 1: what the row may be and what to do.
static rmx_status not_one(const char *where, const char *id, double sum, rmx_err *err) {
  bool per_cent = fabs(sum - PER_CENT) <= SLACK * PER_CENT;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: the weights sum to %.6g (run \"%s\"), wanted 1 within %g: %s", where, sum,
                  id, SLACK,
                  per_cent ? "these are percentages; `fit --normalize` divides every row by its sum"
                           : "are columns missing? If the row is right but for its sum, `fit "
                             "--normalize` divides it by its sum");
}

// Divides the rows by their sums where these are not 1, and tells how many, and which was furthest
// from it.
static void divide_rows(const rmx_table *t, size_t D, double *X, const rmx_listener *listener) {
  size_t n = 0, worst = 0;
  double off = 0, sum_of_worst = 1;
  for (size_t i = 0; i < t->N; i++) {
    double sum = sum_of(X + i * D, D);
    if (!(sum > 0) || !isfinite(sum) || fabs(sum - 1) <= SLACK) continue;
    n++;
    if (fabs(log(sum)) > off) {
      off = fabs(log(sum));
      sum_of_worst = sum;
      worst = i;
    }
    for (size_t d = 0; d < D; d++) X[i * D + d] /= sum;
  }
  if (n == 0) return;
  bool per_cent = n == t->N && fabs(sum_of_worst - PER_CENT) <= SLACK * PER_CENT;
  rmx_warn(listener,
           "%zu of %zu mixtures do not sum to 1 and are divided by their sum%s; the furthest is "
           "run \"%s\" (%s:%d), which sums to %.6g",
           n, t->N, per_cent ? " (percentages)" : "", t->ids[worst], t->path ? t->path : "row",
           t->lines ? t->lines[worst] : (int)worst, sum_of_worst);
}

rmx_status rmx__check_rows(const rmx_table *t, const char *const *names, size_t D, bool raw,
                           bool normalize, double *X, const rmx_listener *listener, rmx_err *err) {
  rmx_status status = RMX_OK;
  double *w = rmx_calloc(D, sizeof(double));
  if (w == NULL) return rmx_fail_memory(err, D * sizeof(double), "a mixture");
  if (normalize) divide_rows(t, D, X, listener);
  for (size_t i = 0; i < t->N && status == RMX_OK; i++) {
    char *where = rmx_format("%s:%d", t->path ? t->path : "row", t->lines ? t->lines[i] : (int)i);
    memcpy(w, X + i * D, D * sizeof(double));
    double sum = sum_of(w, D);
    if (where == NULL)
      status = rmx_fail_memory(err, 64, "a message");
    else if (isfinite(sum) && fabs(sum - 1) > SLACK &&
             rmx_mixture_check(w, D, names, INFINITY, where, err) == RMX_OK)
      status = not_one(where, t->ids[i], sum, err);
    else
      status = rmx_mixture_check(w, D, names, SLACK, where, err);
    if (status == RMX_OK && !raw) memcpy(X + i * D, w, D * sizeof(double));
    free(where);
  }
  free(w);
  return status;
}
