// SPDX-License-Identifier: Apache-2.0
// gemm.c: the loops around the micro-kernel of a matrix product.
//
// After Goto and van de Geijn (ACM TOMS 34(3), 2008) and BLIS (ACM TOMS 41(3), 2015): B is packed,
// NC columns and KC deep at a time, into panels that the micro-kernel reads in order. Meanwhile MC
// rows of A stay in the second cache and one panel of B in the first. A is packed only if it is
// transposed, or if its rows lie so far apart that they share cache sets and are used often.
// Otherwise the micro-kernel reads them well enough where they are: with the short depths of small
// models a copy would cost more than it saves.
//
// Each element of C is a sum over k in order within KC, the blocks of KC added in order: it depends
// on K alone.
#include "base/num.h"
#include "kernels.h"

enum {
  KC_FLOAT = 256,
  NC = 1024,
  MC = 168 /* a multiple of 4, 6 and 14 rows */,
  MR_MAX = 32,
  NR_MAX = 32
};
enum { KC_BF16 = 512 /* as many words */ };
enum { FAR = 384, FEW = 96 };  // row stride and columns from which on rows of A are packed

size_t rmx__gemm_scratch(void) {
  return (size_t)KC_FLOAT * (NC + NR_MAX) + (size_t)KC_FLOAT * (MC + MR_MAX);
}

// A whole panel is a_panel floats of A: MR rows as they lie, or packed.
static void multiply(const rmx_kernels *k, const struct rmx__panels *p, size_t a_panel,
                     size_t a_row, size_t a_k) {
  const struct rmx__panels o = *p;
  const float *b = o.b;
  for (size_t j = 0; j < o.N; j += k->nr, b += o.panel) {
    const float *a = o.a;
    for (size_t i = 0; i < o.M; i += k->mr, a += a_panel)
      k->micro_kernel(rmx__min(o.M - i, k->mr), rmx__min(o.N - j, k->nr), o.K, a, a_row, a_k, b,
                      o.c + i * o.ldc + j, o.ldc, o.accumulate);
  }
}

void rmx__gemm_panels(const rmx_kernels *k, const struct rmx__panels *p) {
  multiply(k, p, k->mr * p->a_row, p->a_row, p->a_k);
}

void rmx__gemm_packed(const rmx_kernels *k, const struct rmx__panels *p) {
  multiply(k, p, k->mr * p->K, k->bf16 ? p->K : 1, k->bf16 ? 1 : k->mr);
}

void rmx__gemm_blocked(const rmx_kernels *k, const struct rmx__gemm *g, float *scratch) {
  const size_t M = g->M, N = g->N, K = g->K, lda = g->lda, ldb = g->ldb, ldc = g->ldc;
  float *packed_b = scratch;
  float *packed_a = scratch + (size_t)KC_FLOAT * (NC + NR_MAX);
  if (K == 0 && !g->accumulate)
    for (size_t i = 0; i < M; i++)
      for (size_t j = 0; j < N; j++) g->c[i * ldc + j] = 0;
  const bool pack_a = g->ta || k->bf16 || (lda > FAR && N > FEW);
  const size_t KC = k->bf16 ? KC_BF16 : KC_FLOAT;
  const size_t rows = MC / k->mr * k->mr;
  if (k->begin) k->begin();
  for (size_t jc = 0; jc < N; jc += NC) {
    const size_t n = rmx__min(N - jc, NC);
    for (size_t pc = 0; pc < K; pc += KC) {
      const size_t depth = rmx__min(K - pc, KC), words = rmx__words(k, depth);
      k->pack_b(packed_b, depth, n, g->b + (g->tb ? jc * ldb + pc : pc * ldb + jc), ldb, g->tb);
      for (size_t ic = 0; ic < M; ic += rows) {
        const float *a = g->a + (g->ta ? pc * lda + ic : ic * lda + pc);
        struct rmx__panels p = {
            .M = rmx__min(M - ic, rows),
            .N = n,
            .K = words,
            .a = packed_a,
            .b = packed_b,
            .panel = words * k->nr,
            .c = g->c + ic * ldc + jc,
            .ldc = ldc,
            .accumulate = g->accumulate || pc > 0,
        };
        if (pack_a) {
          k->pack_a(packed_a, p.M, depth, a, lda, g->ta);
          rmx__gemm_packed(k, &p);
        } else {
          p.a = a, p.a_row = lda, p.a_k = 1;
          rmx__gemm_panels(k, &p);
        }
      }
    }
  }
  if (k->end) k->end();
}
