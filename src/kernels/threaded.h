// SPDX-License-Identifier: Apache-2.0
// threaded.h: the kernels as a model calls them, on one thread or several.
//
// A kernel is cut into pieces that no other piece reads or writes: rows, heads, blocks of the
// result of a product. Sums that go across pieces (the gradient of a norm's weight, the norm of the
// gradient) are cut into pieces of a fixed size and added up in order. So no number depends on how
// many threads there are, nor on which thread did which piece.
#ifndef RMX_KERNELS_THREADED_H
#define RMX_KERNELS_THREADED_H

#include "kernels.h"

enum { RMX__MAX_THREADS = 64, RMX__NORM_ROWS = 64, RMX__SUM_PIECE = 1 << 16 };

struct rmx__threaded {
  const rmx_kernels *k;
  rmx_pool *pool;  // NULL: the caller's thread alone
  size_t threads;
  // of each thread: the largest of rmx__gemm_, attention_ and head_scratch
  float *scratch[RMX__MAX_THREADS];
};

// As the kernels of the same names. `seconds` of attention and head is the first thread's time.
void rmx__threaded_gemm(const struct rmx__threaded *t, const struct rmx__gemm *g);
// y (M, out) = or += x (M, in) W^T, W (out, in).
void rmx__threaded_linear(const struct rmx__threaded *t, size_t M, size_t in, size_t out,
                          const float *x, const float *w, float *y, bool accumulate);
void rmx__threaded_attention(const struct rmx__threaded *t, const struct rmx__attention *a);
void rmx__threaded_attention_backward(const struct rmx__threaded *t,
                                      const struct rmx__attention *a);
void rmx__threaded_rmsnorm(const struct rmx__threaded *t, const struct rmx__rmsnorm *n);
// dws: rmx__norm_scratch(M, C) floats.
void rmx__threaded_rmsnorm_backward(const struct rmx__threaded *t, const struct rmx__rmsnorm *n,
                                    float *dws);
size_t rmx__norm_scratch(size_t M, size_t C);
void rmx__threaded_rope(const struct rmx__threaded *t, const struct rmx__rope *r);
void rmx__threaded_swiglu(const struct rmx__threaded *t, const struct rmx__swiglu *s);
void rmx__threaded_swiglu_backward(const struct rmx__threaded *t, const struct rmx__swiglu *s);
void rmx__threaded_cross_entropy(const struct rmx__threaded *t, const struct rmx__cross_entropy *e);
void rmx__threaded_gather(const struct rmx__threaded *t, size_t M, size_t C, const float *table,
                          const int32_t *ids, float *x);
void rmx__threaded_scatter_add(const struct rmx__threaded *t, size_t M, size_t C, const float *dx,
                               const int32_t *ids, float *dtable);
// sums: a double for each RMX__SUM_PIECE of n, the last begun one too.
double rmx__threaded_squared_norm(const struct rmx__threaded *t, size_t n, const float *x,
                                  double *sums);
void rmx__threaded_adamw(const struct rmx__threaded *t, size_t n, float *w, float *g, float *m,
                         float *v, const struct rmx__adamw *o);

// The output head, a block of rows at a time: losses as of cross_entropy(x w^T), and with dx also
// the gradient of sum_r weights_r losses_r.
struct rmx__head {
  size_t M, C, V;
  const float *x, *w;     // (M, C), (V, C)
  const int32_t *labels;  // (M)
  const float *weights;   // (M); NULL: all 1
  float *losses;          // (M)
  float *dx, *dw;         // (M, C), written; (V, C), added to; both NULL: forward only
  float *memory;          // rmx__head_memory() floats; each thread's scratch: rmx__head_scratch()
  double *seconds;        // the time of the softmax is added; NULL: it is not measured
};
// rmx__head_weights comes before the first rmx__head, and wherever w has changed: it leaves w in
// `memory` as products want it, with `gradients` for those too.
void rmx__head_weights(const struct rmx__threaded *t, size_t C, size_t V, const float *w,
                       bool gradients, float *memory);
void rmx__head(const struct rmx__threaded *t, const struct rmx__head *h);
size_t rmx__head_memory(size_t C, size_t V, bool gradients);
size_t rmx__head_scratch(size_t C);
// Rows `first` to first + n - 1 of it.
struct rmx__head rmx__head_rows(const struct rmx__head *h, size_t first, size_t n);
// head_bf16.c: the same at levels with bf16.
void rmx__head_bf16(const struct rmx__threaded *t, const struct rmx__head *h);
void rmx__head_bf16_weights(const struct rmx__threaded *t, size_t C, size_t V, const float *w,
                            bool gradients, float *memory);
size_t rmx__head_bf16_memory(size_t C, size_t V, bool gradients);
size_t rmx__head_bf16_scratch(void);

#endif
