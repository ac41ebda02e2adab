// SPDX-License-Identifier: Apache-2.0
/* passes.c: the transformer, forward and backward, written out.
 *
 *   x = embedding[tokens]
 *   each layer:  x += attention(rope(norm(x) [Wq Wk Wv]^T)) Wo^T
 *                x += (silu(norm(x) Wgate^T) * (norm(x) Wup^T)) Wdown^T
 *   losses = cross_entropy(norm(x) Whead^T, labels)
 *
 * Llama's (Touvron et al. 2023). The backward pass goes up the same lines; dx is the gradient of
 * the residual stream, to which each branch adds. What is cheap (norms, SwiGLU) is computed again
 * rather than kept.
 */
#include <string.h>

#include "model.h"

/* y (M, out) = or += x (M, in) W^T. */
static void linear(rmx_model *m, enum rmx__part part, size_t M, size_t in, size_t out,
                   const float *x, const float *w, float *y, bool accumulate) {
  rmx__crew_gemm(&m->crew, part, false, true, M, out, in, x, in, w, in, y, out, accumulate);
}
/* dx (M, in) = dy (M, out) W. */
static void linear_dx(rmx_model *m, enum rmx__part part, size_t M, size_t in, size_t out,
                      const float *dy, const float *w, float *dx) {
  rmx__crew_gemm(&m->crew, part, false, false, M, in, out, dy, out, w, in, dx, in, false);
}
/* dW (out, in) += dy^T x. */
static void linear_dw(rmx_model *m, enum rmx__part part, size_t M, size_t in, size_t out,
                      const float *dy, const float *x, float *dw) {
  rmx__crew_gemm(&m->crew, part, true, false, out, in, M, dy, out, x, in, dw, in, true);
}

/* B sequences of T tokens through all layers; m->normed is then what the head takes. */
static void forward(rmx_model *m, const int32_t *tokens, size_t B, size_t T) {
  const struct rmx__crew *crew = &m->crew;
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn, H = (size_t)m->c.heads, S = C / H,
               M = B * T;
  const size_t L = (size_t)m->c.layers;
  const float eps = (float)m->c.norm_eps;
  rmx__crew_gather(crew, M, C, m->w.embedding, tokens, m->layers[0].x);
  for (size_t l = 0; l < L; l++) {
    const struct rmx__layer_parameters *w = &m->w.layers[l];
    const struct rmx__layer_activations *a = &m->layers[l];
    float *next = l + 1 < L ? a[1].x : m->x;
    rmx__crew_rmsnorm(crew, M, C, a->x, w->attention_norm, eps, m->normed, a->rstd);
    linear(m, RMX__QKV, M, C, 3 * C, m->normed, w->wq, a->qkv, false);
    rmx__crew_rope(crew, M, T, 2 * H, S, a->qkv, 3 * C, m->cosine, m->sine, false);
    rmx__crew_attention(crew, B, T, H, S, a->qkv, a->attention, a->lse);
    memcpy(a->middle, a->x, M * C * sizeof(float));
    linear(m, RMX__PROJECTION, M, C, C, a->attention, w->wo, a->middle, true);

    rmx__crew_rmsnorm(crew, M, C, a->middle, w->ffn_norm, eps, m->normed, a->middle_rstd);
    linear(m, RMX__MLP, M, C, 2 * F, m->normed, w->gate, a->gate_up, false);
    rmx__crew_swiglu(crew, M, F, a->gate_up, m->hidden);
    memcpy(next, a->middle, M * C * sizeof(float));
    linear(m, RMX__MLP, M, F, C, m->hidden, w->down, next, true);
  }
  rmx__crew_rmsnorm(crew, M, C, m->x, m->w.norm, eps, m->normed, m->rstd);
}

/* m->dnormed is the gradient of m->normed; what forward() left is used up. */
static void backward(rmx_model *m, const int32_t *tokens, size_t B, size_t T) {
  const struct rmx__crew *crew = &m->crew;
  const size_t C = (size_t)m->c.width, F = (size_t)m->c.ffn, H = (size_t)m->c.heads, S = C / H,
               M = B * T;
  const float eps = (float)m->c.norm_eps;
  float *sums = m->norm_sums;
  memset(m->dx, 0, M * C * sizeof(float));
  rmx__crew_rmsnorm_backward(crew, M, C, m->x, m->w.norm, m->rstd, m->dnormed, m->dx, m->g.norm,
                             sums);
  for (size_t l = (size_t)m->c.layers; l-- > 0;) {
    const struct rmx__layer_parameters *w = &m->w.layers[l], *g = &m->g.layers[l];
    const struct rmx__layer_activations *a = &m->layers[l];
    linear_dx(m, RMX__MLP, M, F, C, m->dx, w->down, m->dhidden);
    rmx__crew_swiglu_backward(crew, M, F, a->gate_up, m->dhidden, m->dwide, m->hidden);
    linear_dw(m, RMX__MLP, M, F, C, m->dx, m->hidden, g->down);
    rmx__crew_rmsnorm(crew, M, C, a->middle, w->ffn_norm, eps, m->normed, a->middle_rstd);
    linear_dw(m, RMX__MLP, M, C, 2 * F, m->dwide, m->normed, g->gate);
    linear_dx(m, RMX__MLP, M, C, 2 * F, m->dwide, w->gate, m->dnormed);
    rmx__crew_rmsnorm_backward(crew, M, C, a->middle, w->ffn_norm, a->middle_rstd, m->dnormed,
                               m->dx, g->ffn_norm, sums);

    linear_dx(m, RMX__PROJECTION, M, C, C, m->dx, w->wo, m->dnormed);
    linear_dw(m, RMX__PROJECTION, M, C, C, m->dx, a->attention, g->wo);
    rmx__crew_attention_backward(crew, B, T, H, S, a->qkv, a->attention, a->lse, m->dnormed,
                                 m->dwide);
    rmx__crew_rope(crew, M, T, 2 * H, S, m->dwide, 3 * C, m->cosine, m->sine, true);
    rmx__crew_rmsnorm(crew, M, C, a->x, w->attention_norm, eps, m->normed, a->rstd);
    linear_dw(m, RMX__QKV, M, C, 3 * C, m->dwide, m->normed, g->wq);
    linear_dx(m, RMX__QKV, M, C, 3 * C, m->dwide, w->wq, m->dnormed);
    rmx__crew_rmsnorm_backward(crew, M, C, a->x, w->attention_norm, a->rstd, m->dnormed, m->dx,
                               g->attention_norm, sums);
  }
  rmx__crew_scatter_add(crew, M, C, m->dx, tokens, m->g.embedding);
}

/* A micro-batch, which goes through the model a slice of whole sequences at a time. */
struct micro_batch {
  const int32_t *tokens, *labels;
  size_t B, T, sequences; /* sequences: of a slice */
};

static void head(rmx_model *m, const struct micro_batch *b, size_t at, size_t M,
                 const float *weights, float *losses, bool gradients) {
  rmx__head(&m->crew, M, (size_t)m->c.width, (size_t)m->c.vocab, m->normed, m->w.head,
            b->labels + at, weights ? weights + at : NULL, losses + at,
            gradients ? m->dnormed : NULL, gradients ? m->g.head : NULL, m->head_memory);
}

static void head_weights(rmx_model *m, bool gradients) {
  rmx__head_weights(&m->crew, (size_t)m->c.width, (size_t)m->c.vocab, m->w.head, gradients,
                    m->head_memory);
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
    backward(m, tokens + i * b.T, slice(&b, i), b.T);
  }
}

void rmx_model_backward_weighed(rmx_model *m, const int32_t *tokens, const int32_t *labels,
                                const rmx_weigher *by, int B, int T, float *losses,
                                float *weights) {
  const struct micro_batch b = micro_batch(m, tokens, labels, B, T);
  const bool one_slice = b.B <= b.sequences; /* what its forward pass left is still there */
  head_weights(m, true);
  all_losses(m, &b, losses);
  by->weigh(by->context, losses, b.B * b.T, weights);
  for (size_t i = 0; i < b.B; i += b.sequences) {
    if (!one_slice) forward(m, tokens + i * b.T, slice(&b, i), b.T);
    head(m, &b, i * b.T, slice(&b, i) * b.T, weights, losses, true);
    backward(m, tokens + i * b.T, slice(&b, i), b.T);
  }
}
