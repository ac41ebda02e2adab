// SPDX-License-Identifier: Apache-2.0
#include "npy.h"

#include <string.h>

void rmx__npy_header(FILE *out, const char *type, size_t rows, size_t columns) {
  enum { HEADER = 128, FRONT = 10 };  // magic, version and the length of the text
  char text[HEADER + 1], second[24] = "";
  if (columns) snprintf(second, sizeof second, " %zu", columns);
  memcpy(text, "\x93NUMPY\x01\x00\x76\x00", FRONT);
  int n = snprintf(text + FRONT, sizeof text - FRONT,
                   "{'descr': '%.3s', 'fortran_order': False, 'shape': (%zu,%s), }", type, rows,
                   second);
  n += FRONT;
  memset(text + n, ' ', HEADER - (size_t)n);
  text[HEADER - 1] = '\n';
  fwrite(text, 1, HEADER, out);
}
