// SPDX-License-Identifier: Apache-2.0
// avx2.c: vectors of eight; 6 x 16 tiles, 12 of the 16 registers being sums.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels.h"
#define ISA_TABLE rmx__kernels_avx2
#define ISA_NAME "avx2"
#define VEC_BYTES 32
#define MR 6
#define SQRT _mm256_sqrt_ps
#define LARGER _mm256_max_ps
#define SMALLER _mm256_min_ps
#include "vector.inc.h"
#endif
