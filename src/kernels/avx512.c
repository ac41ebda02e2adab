// SPDX-License-Identifier: Apache-2.0
// avx512.c: vectors of sixteen; 14 x 32 tiles, 28 of the 32 registers being sums.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels.h"
#define ISA_TABLE rmx__kernels_avx512
#define ISA_NAME "avx512"
#define VEC_BYTES 64
#define MR 14
#define SQRT _mm512_sqrt_ps
#define LARGER _mm512_max_ps
#define SMALLER _mm512_min_ps
#include "vector.inc.h"
#endif
