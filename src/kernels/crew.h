// SPDX-License-Identifier: Apache-2.0
/* crew.h: the kernels as a model calls them: on one thread or several, with a clock where one is
 * wanted.
 *
 * A kernel is cut into pieces that no other piece reads or writes: rows, heads, blocks of the
 * result of a product. Sums that go across pieces (the gradient of a norm's weight, the norm of the
 * gradient) are cut into pieces of a fixed size and added up in order. So no number depends on how
 * many threads there are, nor on who did what.
 */
#ifndef RMX_SRC_CREW_H
#define RMX_SRC_CREW_H

#include "kernels.h"

/* What the time of a training step goes to. */
#define RMX__PARTS(X)          \
  X(QKV, "qkv")                \
  X(ATTENTION, "attention")    \
  X(PROJECTION, "projections") \
  X(MLP, "mlp")                \
  X(HEAD, "head")              \
  X(SOFTMAX, "softmax")        \
  X(NORMS, "norms")            \
  X(ROPE, "rope")              \
  X(SWIGLU, "swiglu")          \
  X(LOSS, "cross_entropy")     \
  X(EMBEDDING, "embedding")    \
  X(CLIPPING, "clipping")      \
  X(ADAMW, "adamw")
#define RMX__PART_NAME(part, name) RMX__##part,
enum rmx__part { RMX__PARTS(RMX__PART_NAME) RMX__PARTS_N };

enum { RMX__MOST_THREADS = 64, RMX__NORM_ROWS = 64, RMX__SUM_PIECE = 1 << 16 };

struct rmx__crew {
  const rmx_kernels *k;
  rmx_pool *pool; /* NULL: the caller's thread alone */
  size_t threads;
  /* of each thread: the most of rmx__gemm_, attention_ and head_scratch */
  float *scratch[RMX__MOST_THREADS];
  double *seconds; /* (RMX__PARTS_N) added to, or NULL: no clock is looked at */
};

/* For each part that is no function here: since = rmx__clock(c), ..., rmx__clocked(c, part,
 * since). */
static inline double rmx__clock(const struct rmx__crew *c) {
  return c->seconds ? rmx_now() : 0;
}
static inline void rmx__clocked(const struct rmx__crew *c, enum rmx__part part, double since) {
  if (c->seconds) c->seconds[part] += rmx_now() - since;
}

/* As the kernels of the same names, whose time is `part`'s where one is given. */
void rmx__crew_gemm(const struct rmx__crew *c, enum rmx__part part, bool ta, bool tb, size_t M,
                    size_t N, size_t K, const float *a, size_t lda, const float *b, size_t ldb,
                    float *to, size_t ldc, bool accumulate);
void rmx__crew_attention(const struct rmx__crew *c, size_t B, size_t T, size_t H, size_t S,
                         const float *qkv, float *out, float *lse);
void rmx__crew_attention_backward(const struct rmx__crew *c, size_t B, size_t T, size_t H, size_t S,
                                  const float *qkv, const float *out, const float *lse,
                                  const float *dout, float *dqkv);
void rmx__crew_rmsnorm(const struct rmx__crew *c, size_t M, size_t C, const float *x,
                       const float *w, float eps, float *y, float *rstd);
/* dws: rmx__norm_scratch(M, C) floats. */
void rmx__crew_rmsnorm_backward(const struct rmx__crew *c, size_t M, size_t C, const float *x,
                                const float *w, const float *rstd, const float *dy, float *dx,
                                float *dw, float *dws);
size_t rmx__norm_scratch(size_t M, size_t C);
void rmx__crew_rope(const struct rmx__crew *c, size_t M, size_t T, size_t heads, size_t S, float *x,
                    size_t ld, const float *cosine, const float *sine, bool back);
void rmx__crew_swiglu(const struct rmx__crew *c, size_t M, size_t F, const float *gu, float *h);
void rmx__crew_swiglu_backward(const struct rmx__crew *c, size_t M, size_t F, const float *gu,
                               const float *dh, float *dgu, float *h);
void rmx__crew_cross_entropy(const struct rmx__crew *c, size_t M, size_t V, float *logits,
                             const int32_t *labels, const float *weights, float *losses,
                             bool gradient);
void rmx__crew_gather(const struct rmx__crew *c, size_t M, size_t C, const float *table,
                      const int32_t *ids, float *x);
void rmx__crew_scatter_add(const struct rmx__crew *c, size_t M, size_t C, const float *dx,
                           const int32_t *ids, float *dtable);
/* sums: a double for each RMX__SUM_PIECE of n, the last begun one too. */
double rmx__crew_squared_norm(const struct rmx__crew *c, size_t n, const float *x, double *sums);
void rmx__crew_adamw(const struct rmx__crew *c, size_t n, float *w, float *g, float *m, float *v,
                     const struct rmx__adamw *o);

/* head.c: the output head, a block of rows at a time. x (M, C), w (V, C); losses (M). With dx (M,
 * C, written) and dw (V, C, added to) also the gradient of sum_r weights_r losses_r; both NULL:
 * forward only. memory: rmx__head_memory() floats; each thread's scratch has rmx__head_scratch().
 * rmx__head_weights comes before the first rmx__head, and wherever w has changed: it leaves w in
 * `memory` as products want it, with `gradients` for those too. */
void rmx__head_weights(const struct rmx__crew *c, size_t C, size_t V, const float *w,
                       bool gradients, float *memory);
void rmx__head(const struct rmx__crew *c, size_t M, size_t C, size_t V, const float *x,
               const float *w, const int32_t *labels, const float *weights, float *losses,
               float *dx, float *dw, float *memory);
size_t rmx__head_memory(size_t C, size_t V, bool gradients);
size_t rmx__head_scratch(size_t C);
/* head_bf16.c: the same at levels with bf16. */
void rmx__head_bf16(const struct rmx__crew *c, size_t M, size_t C, size_t V, const float *x,
                    const float *w, const int32_t *labels, const float *weights, float *losses,
                    float *dx, float *dw, float *memory);
void rmx__head_bf16_weights(const struct rmx__crew *c, size_t C, size_t V, const float *w,
                            bool gradients, float *memory);
size_t rmx__head_bf16_memory(size_t C, size_t V, bool gradients);
size_t rmx__head_bf16_scratch(void);

#endif
