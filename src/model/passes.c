// SPDX-License-Identifier: Apache-2.0
/* passes.c: the transformer, forward and backward, written out.
 *
 *   x = embedding[tokens]
 *   each layer:  x += attention(rope(norm(x) [Wq Wk Wv]^T)) Wo^T
 *                x += (silu(norm(x) Wgate^T) * (norm(x) Wup^T)) Wdown^T
 *   losses = cross_entropy(norm(x) Whead^T, labels)
 *
 * Llama's (Touvron et al. 2023). The backward pass goes up the same lines; dx is the gradient of the residual
 * stream, to which each branch adds. What is cheap (norms, SwiGLU) is computed again rather than kept.
 */
#include <string.h>

#include "model.h"

/* y (M, out) = or += x (M, in) W^T. */
static void linear(rmx_model *m, size_t M, size_t in, size_t out, const float *x, const float *w, float *y,
                   bool accumulate) {
  m->k->gemm(m->k, false, true, M, out, in, x, in, w, in, y, out, accumulate, m->scratch);
}
/* dx (M, in) = dy (M, out) W. */
static void linear_dx(rmx_model *m, size_t M, size_t in, size_t out, const float *dy, const float *w,
                      float *dx) {
  m->k->gemm(m->k, false, false, M, in, out, dy, out, w, in, dx, in, false, m->scratch);
}
/* dW (out, in) += dy^T x. */
static void linear_dw(rmx_model *m, size_t M, size_t in, size_t out, const float *dy, const float *x,
                      float *dw) {
  m->k->gemm(m->k, true, false, out, in, M, dy, out, x, in, dw, in, true, m->scratch);
}

/* B sequences of T tokens through all layers; m->normed is then what the head takes. */
static void forward(rmx_model *m, const int32_t *tokens, size_t B, size_t T) {
  const rmx_kernels *k = m->k;
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn, H = (size_t)m->c.heads, S = C / H, M = B * T;
  const size_t L = (size_t)m->c.layers;
  const float eps = (float)m->c.norm_eps;
  k->gather(M, C, m->w.embedding, tokens, m->layers[0].x);
  for (size_t l = 0; l < L; l++) {
    const struct rmx__layer_parameters *w = &m->w.layers[l];
    const struct rmx__layer_activations *a = &m->layers[l];
    float *next = l + 1 < L ? a[1].x : m->x;
    k->rmsnorm(M, C, a->x, w->attention_norm, eps, m->normed, a->rstd);
    linear(m, M, C, 3 * C, m->normed, w->wq, a->qkv, false);
    k->rope(M, T, 2 * H, S, a->qkv, 3 * C, m->cosine, m->sine, false);
    k->attention(k, B, T, H, S, a->qkv, a->attention, a->lse, m->scratch);
    memcpy(a->middle, a->x, M * C * sizeof(float));
    linear(m, M, C, C, a->attention, w->wo, a->middle, true);

    k->rmsnorm(M, C, a->middle, w->ffn_norm, eps, m->normed, a->middle_rstd);
    linear(m, M, C, 2 * F, m->normed, w->gate, a->gate_up, false);
    k->swiglu(M, F, a->gate_up, m->hidden);
    memcpy(next, a->middle, M * C * sizeof(float));
    linear(m, M, F, C, m->hidden, w->down, next, true);
  }
  k->rmsnorm(M, C, m->x, m->w.norm, eps, m->normed, m->rstd);
}

/* m->dnormed is the gradient of m->normed; what forward() left is used up. */
static void backward(rmx_model *m, const int32_t *tokens, size_t B, size_t T) {
  const rmx_kernels *k = m->k;
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn, H = (size_t)m->c.heads, S = C / H, M = B * T;
  const float eps = (float)m->c.norm_eps;
  memset(m->dx, 0, M * C * sizeof(float));
  k->rmsnorm_backward(M, C, m->x, m->w.norm, m->rstd, m->dnormed, m->dx, m->g.norm);
  for (size_t l = (size_t)m->c.layers; l-- > 0;) {
    const struct rmx__layer_parameters *w = &m->w.layers[l], *g = &m->g.layers[l];
    const struct rmx__layer_activations *a = &m->layers[l];
    linear_dx(m, M, F, C, m->dx, w->down, m->dhidden);
    k->swiglu_backward(M, F, a->gate_up, m->dhidden, m->dwide, m->hidden);
    linear_dw(m, M, F, C, m->dx, m->hidden, g->down);
    k->rmsnorm(M, C, a->middle, w->ffn_norm, eps, m->normed, a->middle_rstd);
    linear_dw(m, M, C, 2 * F, m->dwide, m->normed, g->gate);
    linear_dx(m, M, C, 2 * F, m->dwide, w->gate, m->dnormed);
    k->rmsnorm_backward(M, C, a->middle, w->ffn_norm, a->middle_rstd, m->dnormed, m->dx, g->ffn_norm);

    linear_dx(m, M, C, C, m->dx, w->wo, m->dnormed);
    linear_dw(m, M, C, C, m->dx, a->attention, g->wo);
    k->attention_backward(k, B, T, H, S, a->qkv, a->attention, a->lse, m->dnormed, m->dwide, m->scratch);
    k->rope(M, T, 2 * H, S, m->dwide, 3 * C, m->cosine, m->sine, true);
    k->rmsnorm(M, C, a->x, w->attention_norm, eps, m->normed, a->rstd);
    linear_dw(m, M, C, 3 * C, m->dwide, m->normed, g->wq);
    linear_dx(m, M, C, 3 * C, m->dwide, w->wq, m->dnormed);
    k->rmsnorm_backward(M, C, a->x, w->attention_norm, a->rstd, m->dnormed, m->dx, g->attention_norm);
  }
  k->scatter_add(M, C, m->dx, tokens, m->g.embedding);
}

/* The micro-batch, a slice of whole sequences at a time. */
static void run(rmx_model *m, const int32_t *tokens, const int32_t *labels, const float *weights, size_t B,
                size_t T, float *losses, bool gradients) {
  const size_t C = (size_t)m->c.width, V = (size_t)m->c.vocab, sequences = m->rows / T;
  for (size_t b = 0; b < B; b += sequences) {
    const size_t n = B - b < sequences ? B - b : sequences, at = b * T;
    forward(m, tokens + at, n, T);
    rmx__head(m->k, n * T, C, V, m->normed, m->w.head, labels + at, weights ? weights + at : NULL,
              losses + at, gradients ? m->dnormed : NULL, gradients ? m->g.head : NULL, m->scratch);
    if (gradients) backward(m, tokens + at, n, T);
  }
}

void rmx_model_losses(rmx_model *m, const int32_t *tokens, const int32_t *labels, int B, int T,
                      float *losses) {
  run(m, tokens, labels, NULL, (size_t)B, (size_t)T, losses, false);
}

void rmx_model_backward(rmx_model *m, const int32_t *tokens, const int32_t *labels, const float *weights,
                        int B, int T, float *losses) {
  run(m, tokens, labels, weights, (size_t)B, (size_t)T, losses, true);
}
