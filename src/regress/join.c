// SPDX-License-Identifier: Apache-2.0
// See join.h. Rows are found by sorting their names.

#include "join.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <regmix/mixture.h>

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
  named *list = rmx_calloc(t->N, sizeof *list);
  if (!list) return rmx_fail_memory(err, t->N * sizeof *list, "joining tables");
  for (size_t i = 0; i < t->N; i++) list[i] = (named){t->ids[i], i};
  qsort(list, t->N, sizeof *list, by_name);
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
  RMX_OWNED named *ours = NULL, *theirs = NULL;
  RMX_TRY(sorted_names(a, &ours, err));
  RMX_TRY(sorted_names(b, &theirs, err));
  size_t j = 0;
  for (size_t i = 0; i < a->N; i++) {
    while (j < b->N && strcmp(theirs[j].name, ours[i].name) < 0) j++;
    partner[ours[i].row] =
        j < b->N && strcmp(theirs[j].name, ours[i].name) == 0 ? theirs[j].row : SIZE_MAX;
  }
  return RMX_OK;
}

void rmx__join_warn(const rmx_table *a, const rmx_table *b, const size_t *partner, const char *so,
                    const rmx_listener *listener) {
  rmx_few alone = {0};
  for (size_t i = 0; i < a->N; i++)
    if (partner[i] == SIZE_MAX) rmx_few_add(&alone, a->ids[i]);
  if (alone.n)
    rmx_warn(listener, "%zu of %zu run%s in %s %s no row in %s and %s %s: %s", alone.n, a->N,
             rmx_s(a->N), a->path ? a->path : "the first table", rmx_has(alone.n),
             b->path ? b->path : "the second table", rmx_is(alone.n), so, alone.text);
}
