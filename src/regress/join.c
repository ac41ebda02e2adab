// SPDX-License-Identifier: Apache-2.0
// Tables meet on their first column. Rows are found by sorting names: O((N + M) log M).

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
      rmx_status status = rmx_fail(
          err, RMX_EINPUT, "%s:%d: run \"%s\" was given in line %d already: names of runs must differ",
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
    partner[ours[i].row] = j < b->N && strcmp(theirs[j].name, ours[i].name) == 0 ? theirs[j].row : SIZE_MAX;
  }
  free(ours);
  free(theirs);
  return status;
}

rmx_status rmx__check_rows(const rmx_table *t, const char *const *names, size_t D, bool raw, double *X,
                           rmx_err *err) {
  rmx_status status = RMX_OK;
  double *w = rmx_calloc(D, sizeof(double));
  if (w == NULL) return rmx_fail_memory(err, D * sizeof(double), "a mixture");
  for (size_t i = 0; i < t->N && status == RMX_OK; i++) {
    char *where = rmx_format("%s:%d", t->path ? t->path : "row", t->lines ? t->lines[i] : (int)i);
    memcpy(w, X + i * D, D * sizeof(double));
    status = where ? rmx_mixture_check(w, D, names, 0.01, where, err) : rmx_fail_memory(err, 64, "a message");
    if (status == RMX_OK && !raw) memcpy(X + i * D, w, D * sizeof(double));
    free(where);
  }
  free(w);
  return status;
}
