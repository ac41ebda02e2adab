// SPDX-License-Identifier: Apache-2.0
// See name_order.h.

#include "name_order.h"

#include <stdlib.h>

#include "base/compare_names.h"

typedef struct named {
  const char *name;
  size_t row;
} named;

static int by_name(const void *a, const void *b) {
  return rmx__compare_names(((const named *)a)->name, ((const named *)b)->name);
}

rmx_status rmx__name_order(const rmx_table *t, size_t *order, rmx_err *err) {
  RMX_OWNED named *list = rmx_calloc(t->N, sizeof *list);
  if (!list) return rmx_fail_memory(err, t->N * sizeof *list, "the order of runs");
  for (size_t i = 0; i < t->N; i++) list[i] = (named){t->ids[i], i};
  qsort(list, t->N, sizeof *list, by_name);
  for (size_t i = 0; i < t->N; i++) order[i] = list[i].row;
  return RMX_OK;
}
