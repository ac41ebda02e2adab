// SPDX-License-Identifier: Apache-2.0
// cell.h: values of columns that are no strings, as text.
#ifndef RMX_CORPUS_READERS_CELL_H
#define RMX_CORPUS_READERS_CELL_H

#include <regmix/base.h>

// A whole number of 1, 2, 4 or 8 bytes, which are the lowest of x.
void rmx__cell_add_whole(rmx_buf *out, uint64_t x, unsigned bytes, bool is_unsigned);
// The fewest digits that give the same number again.
void rmx__cell_add_float(rmx_buf *out, float x);
void rmx__cell_add_double(rmx_buf *out, double x);
void rmx__cell_add_bool(rmx_buf *out, bool x);

#endif
