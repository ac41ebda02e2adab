// SPDX-License-Identifier: Apache-2.0
// Numbers of columns as text.
#include "cell.h"

#include <inttypes.h>
#include <stdlib.h>

void rmx__cell_add_whole(rmx_buf *out, uint64_t x, unsigned bytes, bool is_unsigned) {
  const unsigned shift = 64 - 8 * bytes;
  if (is_unsigned)
    rmx_buf_printf(out, "%" PRIu64, x << shift >> shift);
  else
    rmx_buf_printf(out, "%" PRId64, (int64_t)(x << shift) >> shift);
}

void rmx__cell_add_float(rmx_buf *out, float x) {
  char text[32];
  int digits = 6;
  do snprintf(text, sizeof text, "%.*g", digits, (double)x);
  while (digits++ < 9 && strtof(text, NULL) != x);
  rmx_buf_puts(out, text);
}

void rmx__cell_add_double(rmx_buf *out, double x) {
  char text[32];
  rmx_double_text(x, text);
  rmx_buf_puts(out, text);
}

void rmx__cell_add_bool(rmx_buf *out, bool x) {
  rmx_buf_puts(out, x ? "true" : "false");
}
