// SPDX-License-Identifier: Apache-2.0
// ref.c: every kernel as its equation reads: the specification. Sums are in double, in the order of
// the index.
#include <math.h>
#include <string.h>

#include "kernels.h"

static void gemm(const rmx_kernels *k, const struct rmx__gemm *g, float *scratch) {
  (void)k, (void)scratch;
  for (size_t i = 0; i < g->M; i++)
    for (size_t j = 0; j < g->N; j++) {
      float *c = &g->c[i * g->ldc + j];
      double sum = g->accumulate ? *c : 0;
      for (size_t p = 0; p < g->K; p++)
        sum += (double)g->a[g->ta ? p * g->lda + i : i * g->lda + p] *
               g->b[g->tb ? j * g->ldb + p : p * g->ldb + j];
      *c = (float)sum;
    }
}

static double dot(size_t n, const float *x, const float *y) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * y[i];
  return sum;
}

static void attention(const rmx_kernels *kernels, const struct rmx__attention *a, size_t first,
                      size_t last, float *scratch) {
  (void)kernels, (void)scratch;
  const size_t T = a->T, H = a->H, S = a->S, C = H * S;
  const double scale = 1 / sqrt((double)S);
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    for (size_t t = 0; t < T; t++) {
      const float *q = a->qkv + (b * T + t) * 3 * C + h * S;
      // of key 0; the next 3 C on
      const float *k = a->qkv + b * T * 3 * C + C + h * S, *v = k + C;
      double max = -INFINITY, sum = 0;
      for (size_t j = 0; j <= t; j++) max = fmax(max, scale * dot(S, q, k + j * 3 * C));
      for (size_t j = 0; j <= t; j++) sum += exp(scale * dot(S, q, k + j * 3 * C) - max);
      const double log_sum = max + log(sum);
      a->lse[head * T + t] = (float)log_sum;
      for (size_t i = 0; i < S; i++) {
        double o = 0;
        for (size_t j = 0; j <= t; j++)
          o += exp(scale * dot(S, q, k + j * 3 * C) - log_sum) * v[j * 3 * C + i];
        a->out[(b * T + t) * C + h * S + i] = (float)o;
      }
    }
  }
}

static void attention_backward(const rmx_kernels *kernels, const struct rmx__attention *a,
                               size_t first, size_t last, float *scratch) {
  (void)kernels, (void)scratch;
  const size_t T = a->T, H = a->H, S = a->S, C = H * S;
  const float *qkv = a->qkv, *dout = a->dout;
  float *dqkv = a->dqkv;
  const double scale = 1 / sqrt((double)S);
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    for (size_t r = b * T; r < (b + 1) * T; r++)
      for (size_t part = 0; part < 3; part++)
        memset(dqkv + (3 * r + part) * C + h * S, 0, S * sizeof *dqkv);
    for (size_t t = 0; t < T; t++) {
      const size_t at = (b * T + t) * C + h * S, q = (b * T + t) * 3 * C + h * S;
      const double delta = dot(S, dout + at, a->out + at);
      for (size_t j = 0; j <= t; j++) {
        const size_t k = (b * T + j) * 3 * C + C + h * S, v = k + C;
        const double p = exp(scale * dot(S, qkv + q, qkv + k) - a->lse[head * T + t]);
        const double ds = p * (dot(S, dout + at, qkv + v) - delta) * scale;
        for (size_t i = 0; i < S; i++) {
          dqkv[q + i] += (float)(ds * qkv[k + i]);
          dqkv[k + i] += (float)(ds * qkv[q + i]);
          dqkv[v + i] += (float)(p * dout[at + i]);
        }
      }
    }
  }
}

static void rmsnorm(const struct rmx__rmsnorm *o) {
  const size_t M = o->M, C = o->C;
  const float *x = o->x, *w = o->w, eps = o->eps;
  float *y = o->y, *rstd = o->rstd;
  for (size_t r = 0; r < M; r++, x += C, y += C) {
    const double s = 1 / sqrt(dot(C, x, x) / (double)C + eps);
    for (size_t i = 0; i < C; i++) y[i] = (float)(x[i] * s * w[i]);
    rstd[r] = (float)s;
  }
}

static void rmsnorm_backward(const struct rmx__rmsnorm *o) {
  const size_t M = o->M, C = o->C;
  const float *x = o->x, *w = o->w, *rstd = o->rstd, *dy = o->dy;
  float *dx = o->dx, *dw = o->dw;
  for (size_t r = 0; r < M; r++, x += C, dy += C, dx += C) {
    const double s = rstd[r];
    double mean = 0;  // of w dy x / rms
    for (size_t i = 0; i < C; i++) mean += (double)w[i] * dy[i] * x[i] * s / (double)C;
    for (size_t i = 0; i < C; i++) {
      dw[i] += (float)(dy[i] * x[i] * s);
      dx[i] += (float)(s * ((double)w[i] * dy[i] - x[i] * s * mean));
    }
  }
}

static void rope(const struct rmx__rope *o) {
  const size_t M = o->M, T = o->T, heads = o->heads, S = o->S, ld = o->ld, half = S / 2;
  const float *cosine = o->cosine, *sine = o->sine;
  float *x = o->x;
  const bool back = o->back;
  for (size_t r = 0; r < M; r++)
    for (size_t h = 0; h < heads; h++)
      for (size_t i = 0; i < half; i++) {
        float *p = &x[r * ld + h * S + i], *q = p + half;
        const double c = cosine[r % T * half + i],
                     s = back ? -sine[r % T * half + i] : sine[r % T * half + i];
        const double a = *p, b = *q;
        *p = (float)(a * c - b * s);
        *q = (float)(b * c + a * s);
      }
}

static void swiglu(const struct rmx__swiglu *o) {
  const size_t M = o->M, F = o->F;
  const float *gu = o->gu;
  float *h = o->h;
  for (size_t r = 0; r < M; r++)
    for (size_t i = 0; i < F; i++) {
      const double g = gu[r * 2 * F + i], u = gu[r * 2 * F + F + i];
      h[r * F + i] = (float)(g / (1 + exp(-g)) * u);
    }
}

static void swiglu_backward(const struct rmx__swiglu *o) {
  const size_t M = o->M, F = o->F;
  const float *gu = o->gu, *dh = o->dh;
  float *dgu = o->dgu, *h = o->h;
  for (size_t r = 0; r < M; r++)
    for (size_t i = 0; i < F; i++) {
      const double g = gu[r * 2 * F + i], u = gu[r * 2 * F + F + i], d = dh[r * F + i];
      const double sigmoid = 1 / (1 + exp(-g)), silu = g * sigmoid;
      h[r * F + i] = (float)(silu * u);
      dgu[r * 2 * F + F + i] = (float)(d * silu);
      dgu[r * 2 * F + i] = (float)(d * u * sigmoid * (1 + g * (1 - sigmoid)));
    }
}

static void cross_entropy(const struct rmx__cross_entropy *o) {
  const size_t M = o->M, V = o->V;
  const int32_t *labels = o->labels;
  const float *weights = o->weights;
  float *logits = o->logits, *losses = o->losses;
  const bool gradient = o->gradient;
  for (size_t r = 0; r < M; r++, logits += V) {
    const double weight = labels[r] < 0 ? 0 : weights ? weights[r] : 1;
    double max = -INFINITY, sum = 0;
    // Not fmax: GCC 12 breaks down over its reduction on aarch64.
    for (size_t j = 0; j < V; j++) max = logits[j] > max ? logits[j] : max;
    for (size_t j = 0; j < V; j++) sum += exp(logits[j] - max);
    losses[r] = labels[r] < 0 ? 0 : (float)(max + log(sum) - logits[labels[r]]);
    if (!gradient) continue;
    for (size_t j = 0; j < V; j++)
      logits[j] = labels[r] < 0
                      ? 0
                      : (float)(weight * (exp(logits[j] - max) / sum - (j == (size_t)labels[r])));
  }
}

static void gather(size_t M, size_t C, const float *table, const int32_t *ids, float *x) {
  for (size_t r = 0; r < M; r++)
    for (size_t i = 0; i < C; i++) x[r * C + i] = table[(size_t)ids[r] * C + i];
}

static void scatter_add(size_t M, size_t C, const float *dx, const int32_t *ids, float *dtable) {
  for (size_t r = 0; r < M; r++)
    for (size_t i = 0; i < C; i++) dtable[(size_t)ids[r] * C + i] += dx[r * C + i];
}

static double squared_norm(size_t n, const float *x) {
  return dot(n, x, x);
}

static void adamw(size_t n, float *w, float *g, float *m, float *v, const struct rmx__adamw *o) {
  for (size_t i = 0; i < n; i++) {
    const double grad = (double)g[i] * o->g_scale;
    const double mean = (double)o->beta1 * m[i] + (1 - (double)o->beta1) * grad;
    const double square = (double)o->beta2 * v[i] + (1 - (double)o->beta2) * grad * grad;
    const double step = mean * o->m_scale / (sqrt(square * o->v_scale) + o->eps);
    w[i] = (float)(w[i] - o->lr * (step + (double)o->decay * w[i]));
    m[i] = (float)mean;
    v[i] = (float)square;
    g[i] = 0;
  }
}

static double peak(size_t n, float *out) {
  float a = *out, b = *out * 1e-3f, sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (size_t k = 0; k < n; k++)
    for (int i = 0; i < 8; i++) sums[i] = sums[i] * a + b;
  for (int i = 1; i < 8; i++) sums[0] += sums[i];
  *out = sums[0];
  return 16.0 * (double)n;
}

const rmx_kernels rmx__kernels_ref = {
    .name = "ref",
    .gemm = gemm,
    .attention = attention,
    .attention_backward = attention_backward,
    .rmsnorm = rmsnorm,
    .rmsnorm_backward = rmsnorm_backward,
    .rope = rope,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .cross_entropy = cross_entropy,
    .gather = gather,
    .scatter_add = scatter_add,
    .squared_norm = squared_norm,
    .adamw = adamw,
    .peak = peak,
};
