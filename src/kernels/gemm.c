// SPDX-License-Identifier: Apache-2.0
/* gemm.c: the loops around the tile of a matrix product.
 *
 * After Goto and van de Geijn (ACM TOMS 34(3), 2008) and BLIS (ACM TOMS 41(3), 2015): B is packed,
 * NC columns and KC deep at a time, into panels that the tile reads in order; MC rows of A stay in
 * the second cache meanwhile, one panel of B in the first. A is packed only if it is transposed, or
 * if its rows lie so far apart that they fall upon the same cache sets and are used often: else a
 * tile reads them well enough where they are, and with the short depths of small models a copy
 * would cost more than it saves.
 *
 * Each element of C is a sum over k in order within KC, the blocks of KC added in order: it depends
 * on K alone.
 */
#include "kernels.h"

enum {
  KC_FLOAT = 256,
  NC = 1024,
  MC = 168 /* a multiple of 4, 6 and 14 rows */,
  MR_MAX = 32,
  NR_MAX = 32
};
enum { KC_BF16 = 512 /* as many words */ };
enum { FAR = 384, FEW = 96 }; /* row stride and columns from which on rows of A are packed */

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t rmx__gemm_scratch(void) {
  return (size_t)KC_FLOAT * (NC + NR_MAX) + (size_t)KC_FLOAT * (MC + MR_MAX);
}

void rmx__gemm_panels(const rmx_kernels *k, size_t M, size_t N, size_t K, const float *a,
                      size_t a_row, size_t a_k, const float *b, size_t panel, float *c, size_t ldc,
                      bool accumulate) {
  for (size_t j = 0; j < N; j += k->nr, b += panel)
    for (size_t i = 0; i < M; i += k->mr)
      k->tile(smaller(M - i, k->mr), smaller(N - j, k->nr), K, a + i * a_row, a_row, a_k, b,
              c + i * ldc + j, ldc, accumulate);
}

void rmx__gemm_packed(const rmx_kernels *k, size_t M, size_t N, size_t K, const float *a,
                      const float *b, size_t panel, float *c, size_t ldc, bool accumulate) {
  const size_t a_row = k->bf16 ? K : 1, a_k = k->bf16 ? 1 : k->mr;
  for (size_t j = 0; j < N; j += k->nr, b += panel)
    for (size_t i = 0; i < M; i += k->mr)
      k->tile(smaller(M - i, k->mr), smaller(N - j, k->nr), K, a + i * K, a_row, a_k, b,
              c + i * ldc + j, ldc, accumulate);
}

void rmx__gemm_blocked(const rmx_kernels *k, bool ta, bool tb, size_t M, size_t N, size_t K,
                       const float *a, size_t lda, const float *b, size_t ldb, float *c, size_t ldc,
                       bool accumulate, float *scratch) {
  float *packed_b = scratch;
  float *packed_a = scratch + (size_t)KC_FLOAT * (NC + NR_MAX);
  if (K == 0 && !accumulate)
    for (size_t i = 0; i < M; i++)
      for (size_t j = 0; j < N; j++) c[i * ldc + j] = 0;
  const bool pack_a = ta || k->bf16 || (lda > FAR && N > FEW);
  const size_t KC = k->bf16 ? KC_BF16 : KC_FLOAT;
  const size_t rows = MC / k->mr * k->mr;
  if (k->begin) k->begin();
  for (size_t jc = 0; jc < N; jc += NC) {
    size_t n = smaller(N - jc, NC);
    for (size_t pc = 0; pc < K; pc += KC) {
      const size_t depth = smaller(K - pc, KC), words = rmx__words(k, depth);
      bool add = accumulate || pc > 0;
      k->pack_b(packed_b, depth, n, tb ? b + jc * ldb + pc : b + pc * ldb + jc, ldb, tb);
      for (size_t ic = 0; ic < M; ic += rows) {
        const size_t m = smaller(M - ic, rows);
        float *tiles = c + ic * ldc + jc;
        if (pack_a) {
          k->pack_a(packed_a, m, depth, ta ? a + pc * lda + ic : a + ic * lda + pc, lda, ta);
          rmx__gemm_packed(k, m, n, words, packed_a, packed_b, words * k->nr, tiles, ldc, add);
        } else {
          rmx__gemm_panels(k, m, n, depth, a + ic * lda + pc, lda, 1, packed_b, depth * k->nr,
                           tiles, ldc, add);
        }
      }
    }
  }
  if (k->end) k->end();
}
