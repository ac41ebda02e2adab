// SPDX-License-Identifier: Apache-2.0
// Orders for qsort and bsearch.
#include "order.h"

#include <string.h>

int rmx__ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int rmx__by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}
