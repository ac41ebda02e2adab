// SPDX-License-Identifier: Apache-2.0
// simd128.c: vectors of four, which every 64-bit processor has (SSE2, NEON); 6 x 8 tiles.
#define ISA_TABLE rmx__kernels_simd128
#define ISA_NAME "simd128"
#define VEC_BYTES 16
#define MR 6
#include "vector.inc.h"
