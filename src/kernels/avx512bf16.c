// SPDX-License-Identifier: Apache-2.0
// avx512bf16.c: avx512.c with products by VDPBF16PS, which multiplies and adds pairs: twice the
// numbers a second. The same tiles.
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels.h"
#define ISA_TABLE rmx__kernels_avx512bf16
#define ISA_NAME "avx512bf16"
#define VEC_BYTES 64
#define MR 14
#define SQRT _mm512_sqrt_ps
#define LARGER _mm512_max_ps
#define SMALLER _mm512_min_ps
#define BF16
#include "vector.inc.h"

INLINE __m512 multiply_add(__m512 sums, vu x, vu y) {
  return _mm512_dpbf16_ps(sums, (__m512bh)x, (__m512bh)y);
}
INLINE vu splat_word(const float *p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return (vu)_mm512_set1_epi32((int)word);
}

// m is a constant wherever this is used, as in vector.inc.h.
INLINE void micro_kernel_of(size_t m, size_t n, size_t K, const float *a, size_t a_row,
                            const float *b, float *c, size_t ldc, bool accumulate) {
  __m512 left[MR], right[MR];
#pragma GCC unroll 16
  for (size_t i = 0; i < m; i++) {
    left[i] = right[i] = _mm512_setzero_ps();
    __builtin_prefetch(c + i * ldc, 1);
  }
  for (size_t k = 0; k < K; k++, a++, b += NR) {
    const vu b0 = load_words(b), b1 = load_words(b + VL);
#pragma GCC unroll 16
    for (size_t i = 0; i < m; i++) {
      const vu x = splat_word(a + i * a_row);
      left[i] = multiply_add(left[i], x, b0);
      right[i] = multiply_add(right[i], x, b1);
    }
  }
  if (n == NR) {
#pragma GCC unroll 16
    for (size_t i = 0; i < m; i++) {
      float *row = c + i * ldc;
      store(row, accumulate ? load(row) + (vf)left[i] : (vf)left[i]);
      store(row + VL, accumulate ? load(row + VL) + (vf)right[i] : (vf)right[i]);
    }
    return;
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < m; i++) {
    float lanes[NR];
    store(lanes, (vf)left[i]);
    store(lanes + VL, (vf)right[i]);
    for (size_t j = 0; j < n; j++)
      c[i * ldc + j] = accumulate ? c[i * ldc + j] + lanes[j] : lanes[j];
  }
}

CALLED void micro_kernel(size_t m, size_t n, size_t K, const float *a, size_t a_row, size_t a_k,
                         const float *b, float *c, size_t ldc, bool accumulate) {
  (void)a_k;
#define ROWS_CASE(rows)                                           \
  case rows:                                                      \
    micro_kernel_of(rows, n, K, a, a_row, b, c, ldc, accumulate); \
    return;
  switch (m) { HEIGHTS(ROWS_CASE) }
#undef ROWS_CASE
}

// The same sums as the micro-kernel's: pairs times pairs.
static double peak(size_t n, float *out) {
  __m512 sums[2 * MR];
  const vu a = words_along(splat(*out), splat(*out)), b = words_along(splat(1e-3f), splat(1e-3f));
#pragma GCC unroll 32
  for (size_t i = 0; i < 2 * MR; i++) sums[i] = _mm512_set1_ps((float)i);
  for (size_t k = 0; k < n; k++)
#pragma GCC unroll 32
    for (size_t i = 0; i < 2 * MR; i++) sums[i] = multiply_add(sums[i], a, b);
  vf all = splat(0);
#pragma GCC unroll 32
  for (size_t i = 0; i < 2 * MR; i++) all += (vf)sums[i];
  *out = sum(all);
  return 4.0 * VL * 2 * MR * (double)n;
}
#endif
