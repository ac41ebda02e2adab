// SPDX-License-Identifier: Apache-2.0
// vector.inc.h: every kernel once, for vectors of VEC_BYTES and tiles of MR rows and two vectors.
//
// A level includes this file after defining
//   ISA_TABLE   the name of its table, ISA_NAME the same as a string,
//   VEC_BYTES   16, 32 or 64,
//   MR          rows of a tile: 2 MR accumulators, 2 vectors of B and a number of A must fit the
//               registers,
//   BF16        optional: products are of bfloat16, packed by bf16.inc.h; the level's file then
//               defines its own micro_kernel and peak after the inclusion, and BEGIN and END, if
//               it needs them, for the start and the end of a product,
//   SQRT, LARGER, SMALLER
//               optional: what the compiler does not find by itself: the root of a vector (a scalar
//               sqrtf must set errno for negative numbers), and the larger and the smaller of two
//               vectors (the second where one is NaN).
//
// The vectors are GCC's (they compile for any processor; a width it lacks is taken apart). Rows
// that do not fill a vector go the same way through load_part and store_part, so a number is
// computed alike wherever it lies.
#include <math.h>
#include <string.h>

#include "kernels.h"

#define VL ((size_t)VEC_BYTES / 4)
#define NR (2 * VL)
#define INLINE static inline __attribute__((always_inline))

typedef float vf __attribute__((vector_size(VEC_BYTES)));
typedef int32_t vi __attribute__((vector_size(VEC_BYTES)));
typedef float vf_anywhere __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

INLINE vf load(const float *p) {
  return *(const vf_anywhere *)p;
}
INLINE void store(float *p, vf x) {
  *(vf_anywhere *)p = x;
}
INLINE vf splat(float x) {
  return x - (vf){0};
}

// The first n < VL numbers of p, `fill` behind them.
INLINE vf load_part(const float *p, size_t n, float fill) {
  float lanes[VL];
  for (size_t i = 0; i < VL; i++) lanes[i] = i < n ? p[i] : fill;
  return load(lanes);
}
INLINE void store_part(float *p, vf x, size_t n) {
  float lanes[VL];
  store(lanes, x);
  for (size_t i = 0; i < n; i++) p[i] = lanes[i];
}
// Vector number i / VL of n numbers, whole or in part.
INLINE vf load_at(const float *p, size_t i, size_t n, float fill) {
  return i + VL <= n ? load(p + i) : load_part(p + i, n - i, fill);
}
INLINE void store_at(float *p, size_t i, size_t n, vf x) {
  if (i + VL <= n)
    store(p + i, x);
  else
    store_part(p + i, x, n - i);
}

// Lanes are added pairwise, in one fixed order.
INLINE float sum(vf x) {
  float lanes[VL];
  store(lanes, x);
  for (size_t half = VL / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++) lanes[i] += lanes[i + half];
  return lanes[0];
}
// Per lane: where `test` holds x, elsewhere y.
INLINE vf where(vi test, vf x, vf y) {
  return (vf)((test & (vi)x) | (~test & (vi)y));
}
// The second where one of them is NaN.
INLINE vf larger(vf x, vf y) {
#ifdef LARGER
  return LARGER(x, y);
#else
  return where(x > y, x, y);
#endif
}
INLINE vf smaller(vf x, vf y) {
#ifdef SMALLER
  return SMALLER(x, y);
#else
  return where(x < y, x, y);
#endif
}
INLINE float largest(vf x) {
  float lanes[VL];
  store(lanes, x);
  for (size_t half = VL / 2; half > 0; half /= 2)
    for (size_t i = 0; i < half; i++)
      lanes[i] = lanes[i] > lanes[i + half] ? lanes[i] : lanes[i + half];
  return lanes[0];
}

// e^x to 2 ulp: x = n ln 2 + r with |r| <= ln 2 / 2, a minimax polynomial 1 + r + r^2 q(r) for e^r
// (relative error 3e-9), and 2^n put into the exponent. Below -87.68, where n is -127, that is 0;
// from 88.38 on it is Inf; NaN stays NaN.
INLINE vf exp_of(vf x) {
  // 1.5 * 2^23: adding it leaves a rounded integer in the low bits
  const float to_integer = 12582912.0f;
  vf y = smaller(splat(89.0f), larger(splat(-88.0f), x));
  vf shifted = y * 1.44269504f + to_integer;
  vf n = shifted - to_integer;
  vf r = y - n * 0.693359375f;  // ln 2 in two parts, the first with few bits: n times it is exact
  r = r + n * 2.12194440e-4f;
  vf p = 1.38145401e-3f * r + 8.36874539e-3f;
  p = p * r + 4.16683908e-2f;
  p = p * r + 1.66665204e-1f;
  p = p * r + 4.99999934e-1f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  vi bits = ((vi)shifted << 23) + (127 << 23);  // the shift drops all of `shifted` but n
  return p * (vf)bits;
}

INLINE vf sqrt_of(vf x) {
#ifdef SQRT
  return SQRT(x);
#else
  for (size_t i = 0; i < VL; i++) x[i] = sqrtf(x[i]);
  return x;
#endif
}

// ---- matrix product: packing and micro-kernel --------------------------

// X(rows) for each number of rows that the micro-kernel may have.
#if MR <= 4
#define HEIGHTS(X) X(1) X(2) X(3) X(MR)
#elif MR <= 6
#define HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(MR)
#else
#define HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(MR)
#endif

#ifdef BF16
#include "bf16.inc.h"
static void micro_kernel(size_t m, size_t n, size_t K, const float *a, size_t a_row, size_t a_k,
                         const float *b, float *c, size_t ldc, bool accumulate);
static double peak(size_t n, float *out);
#else

typedef float quad __attribute__((vector_size(16)));
typedef float quad_anywhere __attribute__((vector_size(16), aligned(4), may_alias));

// to(k, j) = b(j, k) for 4 x 4 numbers.
INLINE void transpose_4x4(float *to, size_t ld_to, const float *b, size_t ldb) {
  quad x0 = *(const quad_anywhere *)b, x1 = *(const quad_anywhere *)(b + ldb);
  quad x2 = *(const quad_anywhere *)(b + 2 * ldb), x3 = *(const quad_anywhere *)(b + 3 * ldb);
  quad a0 = __builtin_shufflevector(x0, x1, 0, 4, 1, 5),
       a1 = __builtin_shufflevector(x2, x3, 0, 4, 1, 5);
  quad a2 = __builtin_shufflevector(x0, x1, 2, 6, 3, 7),
       a3 = __builtin_shufflevector(x2, x3, 2, 6, 3, 7);
  *(quad_anywhere *)to = __builtin_shufflevector(a0, a1, 0, 1, 4, 5);
  *(quad_anywhere *)(to + ld_to) = __builtin_shufflevector(a0, a1, 2, 3, 6, 7);
  *(quad_anywhere *)(to + 2 * ld_to) = __builtin_shufflevector(a2, a3, 0, 1, 4, 5);
  *(quad_anywhere *)(to + 3 * ld_to) = __builtin_shufflevector(a2, a3, 2, 3, 6, 7);
}

// Rows or numbers ahead of those being packed that are asked of memory: no processor guesses such
// strides.
enum { AHEAD = 16 };

static void pack_a(float *to, size_t M, size_t K, const float *a, size_t lda, bool ta) {
  if (ta) {
    enum {
      GROUP = 4 * MR
    };  // a few panels at a time: all their heads would compete for the same cache sets
    for (size_t i = 0; i < M; i += GROUP, a += GROUP, to += GROUP * K) {
      const size_t m = M - i < GROUP ? M - i : GROUP;
      for (size_t k = 0; k < K; k++) {
        const float *from = a + k * lda;
        float *panel = to + k * MR;
        if (m == GROUP) {
          for (size_t q = 0; q < GROUP / MR; q++) {
            __builtin_prefetch(from + AHEAD * lda + q * MR);
            memcpy(panel + q * K * MR, from + q * MR, MR * sizeof *a);
          }
        } else {
          for (size_t r = 0; r < m; r++) panel[r / MR * K * MR + r % MR] = from[r];
        }
      }
    }
    return;
  }
  for (size_t i = 0; i < M; i += MR, a += MR * lda, to += K * MR) {
    const size_t m = M - i < MR ? M - i : MR, quads = m / 4 * 4;
    size_t k = 0;
    for (; k + 4 <= K; k += 4) {
      for (size_t r = 0; r < quads; r += 4)
        transpose_4x4(to + k * MR + r, MR, a + r * lda + k, lda);
      for (size_t r = quads; r < m; r++)
        for (size_t q = k; q < k + 4; q++) to[q * MR + r] = a[r * lda + q];
    }
    for (; k < K; k++)
      for (size_t r = 0; r < m; r++) to[k * MR + r] = a[r * lda + k];
  }
}

static void pack_b(float *to, size_t K, size_t N, const float *b, size_t ldb, bool tb) {
  for (size_t j = 0; j < N; j += NR, to += K * NR) {
    size_t n = N - j < NR ? N - j : NR;
    if (n < NR) {
      for (size_t k = 0; k < K; k++)
        for (size_t i = 0; i < NR; i++)
          to[k * NR + i] = i >= n ? 0 : tb ? b[(j + i) * ldb + k] : b[k * ldb + j + i];
    } else if (!tb) {
      for (size_t k = 0; k < K; k++) {
        vf left = load(b + k * ldb + j), right = load(b + k * ldb + j + VL);
        __builtin_prefetch(b + (k + AHEAD) * ldb + j);
        __builtin_prefetch(b + (k + AHEAD) * ldb + j + VL);
        store(to + k * NR, left);
        store(to + k * NR + VL, right);
      }
    } else {
      size_t k = 0;
      for (; k + 4 <= K; k += 4)
        for (size_t i = 0; i < NR; i += 4) {
          __builtin_prefetch(b + (j + i + k / 4 % 4) * ldb + k + 2 * AHEAD);
          transpose_4x4(to + k * NR + i, NR, b + (j + i) * ldb + k, ldb);
        }
      for (; k < K; k++)
        for (size_t i = 0; i < NR; i++) to[k * NR + i] = b[(j + i) * ldb + k];
    }
  }
}

// m is a constant wherever this is used, so that all loops over it vanish and the sums stay in
// registers.
INLINE void micro_kernel_of(size_t m, size_t n, size_t K, const float *a, size_t a_row, size_t a_k,
                            const float *b, float *c, size_t ldc, bool accumulate) {
  vf left[MR], right[MR];
#pragma GCC unroll 16
  for (size_t i = 0; i < m; i++) {
    left[i] = right[i] = splat(0);
    __builtin_prefetch(c + i * ldc, 1);
  }
  for (size_t k = 0; k < K; k++, a += a_k, b += NR) {
    vf b0 = load(b), b1 = load(b + VL);
#pragma GCC unroll 16
    for (size_t i = 0; i < m; i++) {
      vf x = splat(a[i * a_row]);
      left[i] += x * b0;
      right[i] += x * b1;
    }
  }
  if (n == NR) {
#pragma GCC unroll 16
    for (size_t i = 0; i < m; i++) {
      float *row = c + i * ldc;
      store(row, accumulate ? load(row) + left[i] : left[i]);
      store(row + VL, accumulate ? load(row + VL) + right[i] : right[i]);
    }
  } else {
    float lanes[NR];
#pragma GCC unroll 16
    for (size_t i = 0; i < m; i++) {
      store(lanes, left[i]);
      store(lanes + VL, right[i]);
      for (size_t j = 0; j < n; j++)
        c[i * ldc + j] = accumulate ? c[i * ldc + j] + lanes[j] : lanes[j];
    }
  }
}

static void micro_kernel(size_t m, size_t n, size_t K, const float *a, size_t a_row, size_t a_k,
                         const float *b, float *c, size_t ldc, bool accumulate) {
#define ROWS_CASE(rows)                                                \
  case rows:                                                           \
    micro_kernel_of(rows, n, K, a, a_row, a_k, b, c, ldc, accumulate); \
    return;
  switch (m) { HEIGHTS(ROWS_CASE) }
#undef ROWS_CASE
}

static double peak(size_t n, float *out) {
  vf sums[2 * MR], a = splat(*out), b = splat(*out * 1e-3f);
#pragma GCC unroll 32
  for (size_t i = 0; i < 2 * MR; i++) sums[i] = splat((float)i);
  for (size_t k = 0; k < n; k++)
#pragma GCC unroll 32
    for (size_t i = 0; i < 2 * MR; i++) sums[i] = sums[i] * a + b;
  vf all = splat(0);
#pragma GCC unroll 32
  for (size_t i = 0; i < 2 * MR; i++) all += sums[i];
  *out = sum(all);
  return 2.0 * VL * 2 * MR * (double)n;
}

#endif

// ---- rows ---------------------------------------------------------------

static void rmsnorm(const struct rmx__rmsnorm *o) {
  const size_t M = o->M, C = o->C;
  const float *x = o->x, *w = o->w, eps = o->eps;
  float *y = o->y, *rstd = o->rstd;
  for (size_t r = 0; r < M; r++, x += C, y += C) {
    vf squares = splat(0);
    for (size_t i = 0; i < C; i += VL) {
      vf v = load_at(x, i, C, 0);
      squares += v * v;
    }
    rstd[r] = 1 / sqrtf(sum(squares) / (float)C + eps);
    for (size_t i = 0; i < C; i += VL)
      store_at(y, i, C, load_at(x, i, C, 0) * rstd[r] * load_at(w, i, C, 0));
  }
}

static void rmsnorm_backward(const struct rmx__rmsnorm *o) {
  const size_t M = o->M, C = o->C;
  const float *x = o->x, *w = o->w, *rstd = o->rstd, *dy = o->dy;
  float *dx = o->dx, *dw = o->dw;
  for (size_t r = 0; r < M; r++, x += C, dy += C, dx += C) {
    vf dots = splat(0);
    for (size_t i = 0; i < C; i += VL)
      dots += load_at(w, i, C, 0) * load_at(dy, i, C, 0) * load_at(x, i, C, 0);
    float s = rstd[r], back = sum(dots) * s * s * s / (float)C;
    for (size_t i = 0; i < C; i += VL) {
      vf v = load_at(x, i, C, 0), g = load_at(dy, i, C, 0) * s;
      store_at(dw, i, C, load_at(dw, i, C, 0) + g * v);
      store_at(dx, i, C, load_at(dx, i, C, 0) + (g * load_at(w, i, C, 0) - v * back));
    }
  }
}

// Which of two products is fused with their sum is the compiler's choice, and it is another one if
// the arguments are read from a struct. So this stays a function of its own: it gives the bits that
// models of earlier versions were trained with.
static __attribute__((noinline)) void rope_rows(size_t M, size_t T, size_t heads, size_t S,
                                                float *x, size_t ld, const float *cosine,
                                                const float *sine, bool back) {
  const size_t half = S / 2;
  const float sign = back ? -1 : 1;
  for (size_t r = 0; r < M; r++, x += ld) {
    const float *c = cosine + r % T * half, *s = sine + r % T * half;
    for (size_t h = 0; h < heads; h++) {
      float *p = x + h * S, *q = p + half;
      for (size_t i = 0; i < half; i += VL) {
        vf a = load_at(p, i, half, 0), b = load_at(q, i, half, 0);
        vf cs = load_at(c, i, half, 0), sn = load_at(s, i, half, 0) * sign;
        store_at(p, i, half, a * cs - b * sn);
        store_at(q, i, half, b * cs + a * sn);
      }
    }
  }
}
static void rope(const struct rmx__rope *o) {
  rope_rows(o->M, o->T, o->heads, o->S, o->x, o->ld, o->cosine, o->sine, o->back);
}

static void swiglu(const struct rmx__swiglu *o) {
  const size_t M = o->M, F = o->F;
  const float *gu = o->gu;
  float *h = o->h;
  for (size_t r = 0; r < M; r++, gu += 2 * F, h += F)
    for (size_t i = 0; i < F; i += VL) {
      vf g = load_at(gu, i, F, 0), u = load_at(gu + F, i, F, 0);
      store_at(h, i, F, g / (1 + exp_of(-g)) * u);
    }
}

static void swiglu_backward(const struct rmx__swiglu *o) {
  const size_t M = o->M, F = o->F;
  const float *gu = o->gu, *dh = o->dh;
  float *dgu = o->dgu, *h = o->h;
  for (size_t r = 0; r < M; r++, gu += 2 * F, dh += F, dgu += 2 * F, h += F)
    for (size_t i = 0; i < F; i += VL) {
      vf g = load_at(gu, i, F, 0), u = load_at(gu + F, i, F, 0), d = load_at(dh, i, F, 0);
      vf sigmoid = 1 / (1 + exp_of(-g)), silu = g * sigmoid;
      store_at(h, i, F, silu * u);
      store_at(dgu + F, i, F, d * silu);
      store_at(dgu, i, F, d * u * (sigmoid + silu * (1 - sigmoid)));
    }
}

// row := exp(scale (row - its maximum)); returns the sum, *lse = log sum exp(scale row).
INLINE float exponentials(size_t n, float scale, float *row, float *lse) {
  vf max = splat(-INFINITY), total = splat(0);
  for (size_t i = 0; i < n; i += VL) max = larger(load_at(row, i, n, -INFINITY), max);
  const float shift = largest(max) * scale;
  for (size_t i = 0; i < n; i += VL) {
    vf e = exp_of(load_at(row, i, n, -INFINITY) * scale - shift);
    total += e;
    store_at(row, i, n, e);
  }
  const float s = sum(total);
  *lse = shift + logf(s);
  return s;
}

// Fills up the last vector of n numbers, whose memory goes on that far; returns the numbers of
// whole vectors.
INLINE size_t fill_up(float *row, size_t n, float fill) {
  const size_t i = n / VL * VL;
  if (i == n) return n;
  vi lane;
  for (size_t j = 0; j < VL; j++) lane[j] = (int32_t)j;
  store(row + i, where(lane < (int32_t)(n - i), load(row + i), splat(fill)));
  return i + VL;
}

static void softmax_causal(size_t M, size_t N, size_t first, float scale, float *s, size_t ld,
                           float *lse, float *inv_sum) {
  for (size_t r = 0; r < M; r++, s += ld) {
    const size_t n = fill_up(s, first + r, -INFINITY);
    vf max = load(s), total = splat(0);
    for (size_t i = VL; i < n; i += VL) max = larger(load(s + i), max);
    const float shift = largest(max) * scale;
    for (size_t i = 0; i < n; i += VL) {
      const vf e = exp_of(load(s + i) * scale - shift);
      total += e;
      store(s + i, e);
    }
    for (size_t i = n; i < N; i += VL) store(s + i, splat(0));
    const float all = sum(total);
    lse[r] = shift + logf(all);
    inv_sum[r] = 1 / all;
  }
}

static void scale_rows(size_t M, size_t n, float *x, size_t ld, const float *scale) {
  for (size_t r = 0; r < M; r++, x += ld)
    for (size_t i = 0; i < n; i += VL) store_at(x, i, n, load_at(x, i, n, 0) * scale[r]);
}

static void softmax_causal_backward(size_t M, size_t N, size_t first, float scale, float *s,
                                    float *dp, size_t ld, const float *lse, const float *delta) {
  for (size_t r = 0; r < M; r++, s += ld, dp += ld) {
    const size_t n = fill_up(s, first + r, -INFINITY);
    fill_up(dp, first + r, 0);
    for (size_t i = 0; i < n; i += VL) {
      vf p = exp_of(load(s + i) * scale - lse[r]);
      store(s + i, p);
      store(dp + i, p * (load(dp + i) - delta[r]) * scale);
    }
    for (size_t i = n; i < N; i += VL) {
      store(s + i, splat(0));
      store(dp + i, splat(0));
    }
  }
}

// A shift need not be the largest, only near enough that no sum overflows: so it hardly ever
// changes. COLUMNS vectors at a time, a few cache lines of each row.
enum { COLUMNS = 4 };
INLINE bool softmax_strip(size_t columns, size_t N, float *e, size_t ld, float *shift, float *sum,
                          float *factor) {
  const float near = 40;
  vf max[COLUMNS], shifts[COLUMNS], total[COLUMNS], f[COLUMNS];
  for (size_t i = 0; i < columns; i++) max[i] = splat(-3.4e38f), total[i] = splat(0);
  for (size_t r = 0; r < N; r++)
    for (size_t i = 0; i < columns; i++) max[i] = larger(load(e + r * ld + i * VL), max[i]);
  vi grew = {0};
  for (size_t i = 0; i < columns; i++) {
    const vf old = load(shift + i * VL);
    const vi grows = max[i] > old + near;
    shifts[i] = where(grows, max[i], old);
    f[i] = where(grows, exp_of(old - shifts[i]), splat(1));
    grew |= grows;
  }
  for (size_t r = 0; r < N; r++)
    for (size_t i = 0; i < columns; i++) {
      const vf p = exp_of(load(e + r * ld + i * VL) - shifts[i]);
      total[i] += p;
      store(e + r * ld + i * VL, p);
    }
  bool any = false;
  for (size_t i = 0; i < columns; i++) {
    store(shift + i * VL, shifts[i]);
    store(factor + i * VL, f[i]);
    store(sum + i * VL, load(sum + i * VL) * f[i] + total[i]);
  }
  for (size_t j = 0; j < VL; j++) any |= grew[j] != 0;
  return any;
}
static bool softmax_columns(size_t N, size_t M, float *e, size_t ld, float *shift, float *sum,
                            float *factor) {
  bool grew = false;
  size_t i = 0;
  for (; i + COLUMNS * VL <= M; i += COLUMNS * VL)
    grew |= softmax_strip(COLUMNS, N, e + i, ld, shift + i, sum + i, factor + i);
  for (; i < M; i += VL) grew |= softmax_strip(1, N, e + i, ld, shift + i, sum + i, factor + i);
  return grew;
}

static void row_dots(size_t M, size_t n, const float *x, size_t ldx, const float *y, size_t ldy,
                     float *out) {
  for (size_t r = 0; r < M; r++, x += ldx, y += ldy) {
    vf dots = splat(0);
    for (size_t i = 0; i < n; i += VL) dots += load_at(x, i, n, 0) * load_at(y, i, n, 0);
    out[r] = sum(dots);
  }
}

static void cross_entropy(const struct rmx__cross_entropy *o) {
  const size_t M = o->M, V = o->V;
  const int32_t *labels = o->labels;
  const float *weights = o->weights;
  float *logits = o->logits, *losses = o->losses;
  const bool gradient = o->gradient;
  for (size_t r = 0; r < M; r++, logits += V) {
    if (labels[r] < 0) {
      losses[r] = 0;
      if (gradient) memset(logits, 0, V * sizeof *logits);
      continue;
    }
    const float weight = weights ? weights[r] : 1, label_logit = logits[labels[r]];
    float lse;
    const float scale = weight / exponentials(V, 1, logits, &lse);
    losses[r] = lse - label_logit;
    if (!gradient) continue;
    for (size_t i = 0; i < V; i += VL) store_at(logits, i, V, load_at(logits, i, V, 0) * scale);
    logits[labels[r]] -= weight;
  }
}

// ---- tables and the flat block ------------------------------------------

static void gather(size_t M, size_t C, const float *table, const int32_t *ids, float *x) {
  for (size_t r = 0; r < M; r++) memcpy(x + r * C, table + (size_t)ids[r] * C, C * sizeof *x);
}

static void scatter_add(size_t M, size_t C, const float *dx, const int32_t *ids, float *dtable) {
  for (size_t r = 0; r < M; r++, dx += C) {
    float *row = dtable + (size_t)ids[r] * C;
    for (size_t i = 0; i < C; i += VL)
      store_at(row, i, C, load_at(row, i, C, 0) + load_at(dx, i, C, 0));
  }
}

// Lanes add up 4096 numbers in float, the blocks in double.
static double squared_norm(size_t n, const float *x) {
  double total = 0;
  for (size_t at = 0; at < n; at += 4096) {
    const size_t m = n - at < 4096 ? n - at : 4096;
    vf squares = splat(0);
    for (size_t i = 0; i < m; i += VL) {
      vf v = load_at(x + at, i, m, 0);
      squares += v * v;
    }
    total += sum(squares);
  }
  return total;
}

static void adamw(size_t n, float *w, float *g, float *m, float *v, const struct rmx__adamw *o) {
  const float keep = 1 - o->lr * o->decay, fresh1 = 1 - o->beta1, fresh2 = 1 - o->beta2;
  for (size_t i = 0; i < n; i += VL) {
    vf grad = load_at(g, i, n, 0) * o->g_scale;
    vf mean = load_at(m, i, n, 0) * o->beta1 + grad * fresh1;
    vf square = load_at(v, i, n, 0) * o->beta2 + grad * grad * fresh2;
    vf step = mean * o->m_scale / (sqrt_of(square * o->v_scale) + o->eps);
    store_at(w, i, n, load_at(w, i, n, 0) * keep - step * o->lr);
    store_at(m, i, n, mean);
    store_at(v, i, n, square);
    store_at(g, i, n, splat(0));
  }
}

#ifdef BF16
#include "attention_bf16.inc.h"
#endif

const rmx_kernels ISA_TABLE = {
    .name = ISA_NAME,
    .gemm = rmx__gemm_blocked,
#ifdef BF16
    .attention = attention,
    .attention_backward = attention_backward,
#else
    .attention = rmx__attention_blocked,
    .attention_backward = rmx__attention_blocked_backward,
#endif
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
    .mr = MR,
    .nr = NR,
    .pack_a = pack_a,
    .pack_b = pack_b,
    .micro_kernel = micro_kernel,
    .softmax_causal = softmax_causal,
    .softmax_causal_backward = softmax_causal_backward,
    .scale_rows = scale_rows,
    .softmax_columns = softmax_columns,
    .row_dots = row_dots,
#ifdef BF16
    .bf16 = true,
    .head_max = head_max,
    .head_exponentials = head_exponentials,
#ifdef HEAD_BLOCK
    .head_block = HEAD_BLOCK,
#endif
#endif
#ifdef BEGIN
    .begin = BEGIN,
    .end = END,
#endif
};
