// SPDX-License-Identifier: Apache-2.0
// See rows.h.

#include "rows.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

enum { PER_CENT = 100 };
static const double SLACK = 0.01;      // of the sum of a mixture
static const double ROUNDING = 0.002;  // of the sum, of weights with three digits

static double sum_of(const double *w, size_t D) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += w[d];
  return sum;
}

// The error for a sum that is not 1, with the likely reason and what to do.
static rmx_status not_one(const char *where, const char *id, double sum, rmx_err *err) {
  bool per_cent = fabs(sum - PER_CENT) <= SLACK * PER_CENT;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: the weights sum to %.6g (run \"%s\"), wanted 1 within %g: %s", where, sum,
                  id, SLACK,
                  per_cent ? "these are percentages; `fit --normalize` divides every row by its sum"
                           : "are columns missing? If the row is right but for its sum, `fit "
                             "--normalize` divides it by its sum");
}

// Divides rows whose sum is not 1 by their sum, and warns how many there were and which was
// furthest from 1.
static void divide_rows(const rmx_table *t, size_t D, double *X, const rmx_listener *listener) {
  size_t n = 0, worst = 0;
  double off = 0, sum_of_worst = 1;
  for (size_t i = 0; i < t->N; i++) {
    double sum = sum_of(X + i * D, D);
    if (!(sum > 0) || !isfinite(sum) || rmx__is_one(sum, SLACK)) continue;
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
           "%zu of %zu mixture%s %s not sum to 1 and %s divided by the sum%s; the furthest is "
           "run \"%s\" (%s:%d), which sums to %.6g",
           n, t->N, rmx_s(t->N), n == 1 ? "does" : "do", rmx_is(n),
           per_cent ? " (percentages)" : "", t->ids[worst], t->path ? t->path : "row",
           t->lines ? t->lines[worst] : (int)worst, sum_of_worst);
}

// Notes the rows whose sum is further from 1 than rounding, but not far enough to be refused.
static void tell_near_rows(const rmx_table *t, size_t D, const double *X,
                           const rmx_listener *listener) {
  size_t n = 0;
  double worst = 1;
  for (size_t i = 0; i < t->N; i++) {
    const double sum = sum_of(X + i * D, D);
    if (!(fabs(sum - 1) > ROUNDING) || !rmx__is_one(sum, SLACK)) continue;
    n++;
    if (fabs(sum - 1) > fabs(worst - 1)) worst = sum;
  }
  if (n)
    rmx_note(listener,
             "%s: %zu of %zu mixture%s %s not sum to 1 (the furthest to %.4g) and %s divided "
             "by the sum",
             t->path ? t->path : "table", n, t->N, rmx_s(t->N), n == 1 ? "does" : "do", worst,
             rmx_is(n));
}

rmx_status rmx__check_rows(const rmx_table *t, const char *const *names, size_t D, bool raw,
                           bool normalize, double *X, const rmx_listener *listener, rmx_err *err) {
  RMX_OWNED double *w = rmx_calloc(D, sizeof(double));
  if (!w) return rmx_fail_memory(err, D * sizeof(double), "a mixture");
  if (normalize) divide_rows(t, D, X, listener);
  if (!raw) tell_near_rows(t, D, X, listener);
  for (size_t i = 0; i < t->N; i++) {
    RMX_OWNED char *where =
        rmx_format("%s:%d", t->path ? t->path : "row", t->lines ? t->lines[i] : (int)i);
    memcpy(w, X + i * D, D * sizeof(double));
    double sum = sum_of(w, D);
    if (!where)
      return rmx_fail_memory(err, 64, "a message");
    else if (isfinite(sum) && !rmx__is_one(sum, SLACK) &&
             rmx_mixture_check(w, D, names, INFINITY, where, err) == RMX_OK)
      RMX_TRY(not_one(where, t->ids[i], sum, err));
    else
      RMX_TRY(rmx_mixture_check(w, D, names, SLACK, where, err));
    if (!raw) memcpy(X + i * D, w, D * sizeof(double));
  }
  return RMX_OK;
}

// The lexicographic order of mixtures, to find equal ones. qsort has no context, so each row has
// its D.
typedef struct keyed {
  const double *w;
  size_t D, row;
} keyed;

static int by_mixture(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  for (size_t d = 0; d < x->D; d++)
    if (x->w[d] != y->w[d]) return x->w[d] < y->w[d] ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

rmx_status rmx__replicate_groups(const double *X, size_t N, size_t D, int *groups, rmx_err *err) {
  RMX_OWNED keyed *rows = rmx_calloc(N, sizeof *rows);
  if (!rows) return rmx_fail_memory(err, N * sizeof *rows, "replicate groups");
  for (size_t i = 0; i < N; i++) rows[i] = (keyed){X + i * D, D, i};
  qsort(rows, N, sizeof *rows, by_mixture);
  for (size_t i = 0; i < N; i++) {
    bool again = i > 0 && memcmp(rows[i].w, rows[i - 1].w, D * sizeof(double)) == 0;
    groups[rows[i].row] = again ? groups[rows[i - 1].row] : (int)rows[i].row;
  }
  return RMX_OK;
}
