// SPDX-License-Identifier: Apache-2.0
// See name_order.h.

#include "name_order.h"

#include <stdlib.h>

#include "base/compare_names.h"

typedef struct named {
  const char *name;
  size_t place;
} named;

static int by_name(const void *a, const void *b) {
  return rmx__compare_names(((const named *)a)->name, ((const named *)b)->name);
}

rmx_status rmx__name_order(const char *const *names, size_t n, size_t *order, rmx_err *err) {
  RMX_OWNED named *list = rmx_calloc(n, sizeof *list);
  if (!list) return rmx_fail_memory(err, n * sizeof *list, "an order of names");
  for (size_t i = 0; i < n; i++) list[i] = (named){names[i], i};
  qsort(list, n, sizeof *list, by_name);
  for (size_t i = 0; i < n; i++) order[i] = list[i].place;
  return RMX_OK;
}
