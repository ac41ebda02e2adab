// SPDX-License-Identifier: Apache-2.0
// passes.c: the transformer, forward and backward, written out. Channels: C of the model, Q of the
// queries, K of the keys and of the values.
//
//   x = embedding[tokens]
//   each layer:  x += attention(rope(norm(x) [Wq Wk Wv]^T)) Wo^T
//                x += (silu(norm(x) Wgate^T) * (norm(x) Wup^T)) Wdown^T
//   losses = cross_entropy(norm(x) Whead^T, labels)
//
// Llama's (Touvron et al. 2023). The backward pass goes up the same lines; dx is the gradient of
// the residual stream, to which each branch adds. What is cheap (norms, SwiGLU) is computed again
// rather than kept.
#include <string.h>

#include "model.h"

#define TIMED(part, call) RMX__TIMED(m, part, call)

// y (M, out) = or += x (M, in) W^T.
static void linear(const rmx_model *m, size_t M, size_t in, size_t out, const float *x,
                   const float *w, float *y, bool accumulate) {
  rmx__threaded_linear(&m->threaded, M, in, out, x, w, y, accumulate);
}
// dx (M, in) = dy (M, out) W.
static void linear_dx(const rmx_model *m, size_t M, size_t in, size_t out, const float *dy,
                      const float *w, float *dx) {
  rmx__threaded_gemm(
      &m->threaded,
      &(struct rmx__gemm){
          .M = M, .N = in, .K = out, .a = dy, .lda = out, .b = w, .ldb = in, .c = dx, .ldc = in});
}
// dW (out, in) += dy^T x.
static void linear_dw(const rmx_model *m, size_t M, size_t in, size_t out, const float *dy,
                      const float *x, float *dw) {
  rmx__threaded_gemm(&m->threaded, &(struct rmx__gemm){.M = out,
                                                       .N = in,
                                                       .K = M,
                                                       .a = dy,
                                                       .lda = out,
                                                       .ta = true,
                                                       .b = x,
                                                       .ldb = in,
                                                       .c = dw,
                                                       .ldc = in,
                                                       .accumulate = true});
}

// y (M, C) = norm(x), rstd (M).
static void norm(const rmx_model *m, size_t M, const float *x, const float *w, float *y,
                 float *rstd) {
  TIMED(NORMS,
        rmx__threaded_rmsnorm(&m->threaded, &(struct rmx__rmsnorm){.M = M,
                                                                   .C = (size_t)m->c.width,
                                                                   .eps = (float)m->c.norm_eps,
                                                                   .x = x,
                                                                   .w = w,
                                                                   .y = y,
                                                                   .rstd = rstd}));
}
// m->dx (M, C) += the gradient of x, from m->dnormed (M, C), that of y; dw (C) += that of w.
static void norm_backward(const rmx_model *m, size_t M, const float *x, const float *w, float *rstd,
                          float *dw) {
  const struct rmx__rmsnorm n = {.M = M,
                                 .C = (size_t)m->c.width,
                                 .x = x,
                                 .w = w,
                                 .rstd = rstd,
                                 .dy = m->dnormed,
                                 .dx = m->dx,
                                 .dw = dw};
  TIMED(NORMS, rmx__threaded_rmsnorm_backward(&m->threaded, &n, m->norm_sums));
}

// Rotates q and k of qkv (M, Q + 2 K), or their gradients back.
static void rotate(const rmx_model *m, size_t M, size_t T, float *qkv, bool back) {
  const size_t Q = rmx__model_queries(&m->c), K = rmx__model_keys(&m->c);
  TIMED(ROPE, rmx__threaded_rope(&m->threaded,
                                 &(struct rmx__rope){.M = M,
                                                     .T = T,
                                                     .heads = (size_t)(m->c.heads + m->c.kv_heads),
                                                     .S = (size_t)m->c.head_width,
                                                     .x = qkv,
                                                     .ld = Q + 2 * K,
                                                     .cosine = m->cosine,
                                                     .sine = m->sine,
                                                     .back = back}));
}

// Of the time that went to `part`, what the kernel measured of its softmax is that of `inner`.
static void split_time(const rmx_model *m, enum rmx__part part, enum rmx__part inner,
                       double seconds) {
  if (!m->seconds) return;
  m->seconds[inner] += seconds;
  m->seconds[part] -= seconds;
}

// With grouped queries, a head of keys and values serves H / KV heads of queries. Attention reads
// it once for each of them: wide (M, 3 Q) from m->narrow (M, Q + 2 K).
static void widen(const rmx_model *m, size_t M, float *wide) {
  const size_t S = (size_t)m->c.head_width, H = (size_t)m->c.heads,
               group = H / (size_t)m->c.kv_heads;
  const size_t Q = H * S, K = rmx__model_keys(&m->c), ld = Q + 2 * K;
  for (size_t i = 0; i < M; i++) {
    const float *from = m->narrow + i * ld;
    float *to = wide + i * 3 * Q;
    memcpy(to, from, Q * sizeof(float));
    for (size_t part = 0; part < 2; part++)
      for (size_t h = 0; h < H; h++)
        memcpy(to + Q + part * Q + h * S, from + Q + part * K + h / group * S, S * sizeof(float));
  }
}
// The gradient of that: m->narrow from wide.
static void narrow(const rmx_model *m, size_t M, const float *wide) {
  const size_t S = (size_t)m->c.head_width, H = (size_t)m->c.heads,
               group = H / (size_t)m->c.kv_heads;
  const size_t Q = H * S, K = rmx__model_keys(&m->c), ld = Q + 2 * K;
  for (size_t i = 0; i < M; i++) {
    const float *from = wide + i * 3 * Q;
    float *to = m->narrow + i * ld;
    memcpy(to, from, Q * sizeof(float));
    memset(to + Q, 0, 2 * K * sizeof(float));
    for (size_t part = 0; part < 2; part++)
      for (size_t h = 0; h < H; h++)
        for (size_t s = 0; s < S; s++)
          to[Q + part * K + h / group * S + s] += from[Q + part * Q + h * S + s];
  }
}

// B sequences of T: out (M, Q) and lse (M H) from qkv (M, 3 Q). With dqkv (M, 3 Q): that instead,
// from m->dnormed (M, Q), the gradient of out.
static void attend(const rmx_model *m, size_t B, size_t T, const struct rmx__layer_activations *a,
                   float *dqkv) {
  double softmax = 0;
  const size_t H = (size_t)m->c.heads;
  const struct rmx__attention of = {.B = B,
                                    .T = T,
                                    .H = H,
                                    .S = (size_t)m->c.head_width,
                                    .qkv = a->qkv,
                                    .out = a->attention,
                                    .lse = a->lse,
                                    .dout = m->dnormed,
                                    .dqkv = dqkv,
                                    .seconds = m->seconds ? &softmax : NULL};
  TIMED(ATTENTION,
        (dqkv ? rmx__threaded_attention_backward : rmx__threaded_attention)(&m->threaded, &of));
  split_time(m, RMX__ATTENTION, RMX__SOFTMAX, softmax);
}

// B sequences of T tokens through all layers; m->normed is then what the head takes.
static void forward(rmx_model *m, const int32_t *tokens, size_t B, size_t T) {
  const struct rmx__threaded *t = &m->threaded;
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn, L = (size_t)m->c.layers, M = B * T;
  const size_t Q = rmx__model_queries(&m->c), K = rmx__model_keys(&m->c);
  TIMED(EMBEDDING, rmx__threaded_gather(t, M, C, m->w.embedding, tokens, m->layers[0].x));  // (M,C)
  for (size_t l = 0; l < L; l++) {
    const struct rmx__layer_parameters *w = &m->w.layers[l];
    const struct rmx__layer_activations *a = &m->layers[l];
    float *next = l + 1 < L ? a[1].x : m->x;
    norm(m, M, a->x, w->attention_norm, m->normed, a->rstd);  // (M,C) -> (M,C)
    float *qkv = m->narrow ? m->narrow : a->qkv;
    TIMED(QKV, linear(m, M, C, Q + 2 * K, m->normed, w->wq, qkv, false));  // (M,C) -> (M,Q+2K)
    rotate(m, M, T, qkv, false);                      // the first Q + K of (M,Q+2K)
    if (m->narrow) TIMED(ROPE, widen(m, M, a->qkv));  // (M,Q+2K) -> (M,3Q)
    attend(m, B, T, a, NULL);                         // (B,T,3Q) -> (B,T,Q)
    memcpy(a->middle, a->x, M * C * sizeof(float));   // (M,C)
    TIMED(PROJECTION, linear(m, M, Q, C, a->attention, w->wo, a->middle, true));  // (M,C) += (M,Q)

    norm(m, M, a->middle, w->ffn_norm, m->normed, a->middle_rstd);              // (M,C) -> (M,C)
    TIMED(MLP, linear(m, M, C, 2 * F, m->normed, w->gate, a->gate_up, false));  // (M,C) -> (M,2F)
    TIMED(SWIGLU,
          rmx__threaded_swiglu(
              t, &(struct rmx__swiglu){
                     .M = M, .F = F, .gu = a->gate_up, .h = m->hidden}));  // (M,2F) -> (M,F)
    memcpy(next, a->middle, M * C * sizeof(float));                        // (M,C)
    TIMED(MLP, linear(m, M, F, C, m->hidden, w->down, next, true));        // (M,C) += (M,F)
  }
  norm(m, M, m->x, m->w.norm, m->normed, m->rstd);  // (M,C) -> (M,C)
}

// m->dnormed is the gradient of m->normed; what forward() left is used up. last: no later slice of
// this micro-batch adds to the gradients.
static void backward(rmx_model *m, const int32_t *tokens, size_t B, size_t T, bool last) {
  const struct rmx__threaded *t = &m->threaded;
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn, M = B * T;
  const size_t Q = rmx__model_queries(&m->c), K = rmx__model_keys(&m->c);
  memset(m->dx, 0, M * C * sizeof(float));                   // (M,C)
  norm_backward(m, M, m->x, m->w.norm, m->rstd, m->g.norm);  // (M,C) -> (M,C)
  rmx__shards_ready(m, (size_t)m->c.layers + 1, last);
  for (size_t l = (size_t)m->c.layers; l-- > 0;) {
    const struct rmx__layer_parameters *w = &m->w.layers[l], *g = &m->g.layers[l];
    const struct rmx__layer_activations *a = &m->layers[l];
    TIMED(MLP, linear_dx(m, M, F, C, m->dx, w->down, m->dhidden));  // (M,C) -> (M,F)
    TIMED(SWIGLU, rmx__threaded_swiglu_backward(
                      t, &(struct rmx__swiglu){.M = M,
                                               .F = F,
                                               .gu = a->gate_up,
                                               .h = m->hidden,
                                               .dh = m->dhidden,
                                               .dgu = m->dwide}));             // (M,F) -> (M,2F)
    TIMED(MLP, linear_dw(m, M, F, C, m->dx, m->hidden, g->down));              // (C,F)
    norm(m, M, a->middle, w->ffn_norm, m->normed, a->middle_rstd);             // (M,C) -> (M,C)
    TIMED(MLP, linear_dw(m, M, C, 2 * F, m->dwide, m->normed, g->gate));       // (2F,C)
    TIMED(MLP, linear_dx(m, M, C, 2 * F, m->dwide, w->gate, m->dnormed));      // (M,2F) -> (M,C)
    norm_backward(m, M, a->middle, w->ffn_norm, a->middle_rstd, g->ffn_norm);  // (M,C) -> (M,C)

    float *dqkv = m->narrow ? m->narrow : m->dwide;
    TIMED(PROJECTION, linear_dx(m, M, Q, C, m->dx, w->wo, m->dnormed));    // (M,C) -> (M,Q)
    TIMED(PROJECTION, linear_dw(m, M, Q, C, m->dx, a->attention, g->wo));  // (C,Q)
    attend(m, B, T, a, m->dwide);                                          // (B,T,Q) -> (B,T,3Q)
    if (m->narrow) TIMED(ROPE, narrow(m, M, m->dwide));                    // (M,3Q) -> (M,Q+2K)
    rotate(m, M, T, dqkv, true);                              // the first Q + K of (M,Q+2K)
    norm(m, M, a->x, w->attention_norm, m->normed, a->rstd);  // (M,C) -> (M,C)
    TIMED(QKV, linear_dw(m, M, C, Q + 2 * K, dqkv, m->normed, g->wq));         // (Q+2K,C)
    TIMED(QKV, linear_dx(m, M, C, Q + 2 * K, dqkv, w->wq, m->dnormed));        // (M,Q+2K) -> (M,C)
    norm_backward(m, M, a->x, w->attention_norm, a->rstd, g->attention_norm);  // (M,C) -> (M,C)
    rmx__shards_ready(m, l + 1, last);
  }
  TIMED(EMBEDDING, rmx__threaded_scatter_add(t, M, C, m->dx, tokens, m->g.embedding));  // (V,C)
  rmx__shards_ready(m, 0, last);
}

// A micro-batch, which goes through the model a slice of whole sequences at a time.
struct micro_batch {
  const int32_t *tokens, *labels;
  size_t B, T, sequences;  // sequences: of a slice
};

static void head(rmx_model *m, const struct micro_batch *b, size_t at, size_t M,
                 const float *weights, float *losses, bool gradients) {
  double softmax = 0;
  const struct rmx__head h = {.M = M,
                              .C = (size_t)m->c.width,
                              .V = (size_t)m->c.vocab,
                              .x = m->normed,
                              .w = m->w.head,
                              .labels = b->labels + at,
                              .weights = weights ? weights + at : NULL,
                              .losses = losses + at,
                              .dx = gradients ? m->dnormed : NULL,
                              .dw = gradients ? m->g.head : NULL,
                              .memory = m->head_memory,
                              .seconds = m->seconds ? &softmax : NULL};
  TIMED(HEAD, rmx__head(&m->threaded, &h));  // (M,C) -> (M,V) -> (M)
  split_time(m, RMX__HEAD, RMX__LOSS, softmax);
}

static void head_weights(rmx_model *m, bool gradients) {
  TIMED(HEAD, rmx__head_weights(&m->threaded, (size_t)m->c.width, (size_t)m->c.vocab, m->w.head,
                                gradients, m->head_memory));
}

static struct micro_batch micro_batch(const rmx_model *m, const int32_t *tokens,
                                      const int32_t *labels, int B, int T) {
  return (struct micro_batch){tokens, labels, (size_t)B, (size_t)T, m->rows / (size_t)T};
}

static size_t slice(const struct micro_batch *b, size_t first) {
  return b->B - first < b->sequences ? b->B - first : b->sequences;
}

static void all_losses(rmx_model *m, const struct micro_batch *b, float *losses) {
  for (size_t i = 0; i < b->B; i += b->sequences) {
    forward(m, b->tokens + i * b->T, slice(b, i), b->T);
    head(m, b, i * b->T, slice(b, i) * b->T, NULL, losses, false);
  }
}

void rmx_model_losses(rmx_model *m, const int32_t *tokens, const int32_t *labels, int B, int T,
                      float *losses) {
  const struct micro_batch b = micro_batch(m, tokens, labels, B, T);
  head_weights(m, false);
  all_losses(m, &b, losses);
}

void rmx_model_backward(rmx_model *m, const int32_t *tokens, const int32_t *labels,
                        const float *weights, int B, int T, float *losses) {
  const struct micro_batch b = micro_batch(m, tokens, labels, B, T);
  head_weights(m, true);
  for (size_t i = 0; i < b.B; i += b.sequences) {
    forward(m, tokens + i * b.T, slice(&b, i), b.T);
    head(m, &b, i * b.T, slice(&b, i) * b.T, weights, losses, true);
    backward(m, tokens + i * b.T, slice(&b, i), b.T, i + b.sequences >= b.B);
  }
}

void rmx_model_backward_weighed(rmx_model *m, const int32_t *tokens, const int32_t *labels,
                                const rmx_weigher *by, int B, int T, float *losses,
                                float *weights) {
  const struct micro_batch b = micro_batch(m, tokens, labels, B, T);
  const bool one_slice = b.B <= b.sequences;  // what its forward pass left is still there
  head_weights(m, true);
  all_losses(m, &b, losses);
  by->weigh(by->context, losses, b.B * b.T, weights);
  for (size_t i = 0; i < b.B; i += b.sequences) {
    if (!one_slice) forward(m, tokens + i * b.T, slice(&b, i), b.T);
    head(m, &b, i * b.T, slice(&b, i) * b.T, weights, losses, true);
    backward(m, tokens + i * b.T, slice(&b, i), b.T, i + b.sequences >= b.B);
  }
}
