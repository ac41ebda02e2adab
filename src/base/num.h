// SPDX-License-Identifier: Apache-2.0
// num.h: the smaller and larger of two sizes, and rounding to a multiple.
#ifndef RMX_BASE_NUM_H
#define RMX_BASE_NUM_H

#include <stddef.h>

static inline size_t rmx__min(size_t a, size_t b) {
  return a < b ? a : b;
}
static inline size_t rmx__max(size_t a, size_t b) {
  return a > b ? a : b;
}
static inline size_t rmx__ceil_div(size_t n, size_t by) {
  return (n + by - 1) / by;
}
static inline size_t rmx__round_up(size_t n, size_t multiple) {
  return rmx__ceil_div(n, multiple) * multiple;
}

#endif
