// SPDX-License-Identifier: Apache-2.0
// npy.h: the header of an array of NumPy (numpy/lib/format.py, version 1.0).
#ifndef RMX_BASE_NPY_H
#define RMX_BASE_NPY_H

#include <stdio.h>

// Writes 128 bytes: `type` is "<f4", "<u2", ...; columns 0: an array of one dimension. The numbers
// follow. It has as many bytes for every shape, so it can be written again at the end.
void rmx__npy_header(FILE *out, const char *type, size_t rows, size_t columns);

#endif
