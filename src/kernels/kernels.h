// SPDX-License-Identifier: Apache-2.0
// kernels.h: the table of functions of one SIMD level. ref.c is the specification of each; the
// fast levels are vector.inc.h compiled for a vector width, with the blocking of gemm.c, head.c and
// attention.c around it. The levels that multiply in bfloat16 have packing (bf16.inc.h), attention
// (attention_bf16.inc.h) and head (head_bf16.c) in common; what a processor has for itself is its
// micro-kernel, its peak, and what it must do before and after (avx512bf16.c, amx.inc.h).
//
// Matrices are row-major with a leading dimension ("ld", in floats). Nothing here allocates:
// `scratch` is the caller's, of the size that the function named beside it gives. Functions only
// write what their comment says.
#ifndef RMX_KERNELS_KERNELS_H
#define RMX_KERNELS_KERNELS_H

#include <regmix/kernels.h>

struct rmx__adamw;

// What head_exponentials does: exp(logits - shift), none above e^60, of logits (rows, 32), a column
// a token of the text. Column sums are added to sums (32). Unless they are NULL, bfloat16 is
// written to `packed`, as a panel of B of depth `rows`, and then to `e`, rows of 16 words, ld words
// apart. e_is_far: what is written to `e`, at whole cache lines, is not read again soon.
struct rmx__exponentials {
  size_t rows, ld;
  bool e_is_far;
  const float *logits, *shift;
  float *sums, *packed, *e;
};

// ---- the arguments of the operations --------------------------------------

// C (M, N) = op(A) op(B), or += with `accumulate`. op(A) is A (M, K), or with `ta` the transpose of
// A (K, M); op(B) is B (K, N), or with `tb` the transpose of B (N, K). A row of C does not depend
// on M, nor on what the other rows hold.
struct rmx__gemm {
  bool ta, tb, accumulate;
  size_t M, N, K;
  const float *a, *b;
  float *c;
  size_t lda, ldb, ldc;
};

// Causal attention of B sequences and H heads of S channels, C = H S.
struct rmx__attention {
  size_t B, T, H, S;
  const float *qkv;   // (B T, 3 C): q, k and v side by side
  float *out;         // (B T, C)
  float *lse;         // (B, H, T): log sum_j exp(q k_j / sqrt S), for the backward pass
  const float *dout;  // (B T, C)
  float *dqkv;        // (B T, 3 C)
  double *seconds;    // the time of the softmax is added; NULL: it is not measured
};

// y = w x / rms(x), rstd = 1 / rms(x) = (mean x^2 + eps)^-1/2.
struct rmx__rmsnorm {
  size_t M, C;
  float eps;
  const float *x, *w;  // (M, C), (C)
  float *y, *rstd;     // (M, C), (M)
  const float *dy;     // (M, C)
  float *dx, *dw;      // (M, C), (C)
};

// Rotates, in place, `heads` heads of S channels at the start of each of M rows of x (ld apart).
// Row r is at position r mod T: channels (i, i + S/2) turn by the angle of cosine[t, i] and
// sine[t, i]. `back` turns the other way, which is the gradient: a rotation is orthogonal.
struct rmx__rope {
  size_t M, T, heads, S, ld;
  float *x;
  const float *cosine, *sine;  // (T, S/2)
  bool back;
};

// h = silu(gate) up.
struct rmx__swiglu {
  size_t M, F;
  const float *gu;  // (M, 2 F): gate and up side by side
  float *h;         // (M, F)
  const float *dh;  // (M, F)
  float *dgu;       // (M, 2 F)
};

// losses[r] = log sum_j exp(logits[r, j]) - logits[r, label]. With `gradient`, the row is
// overwritten by weight (softmax(row) - onehot(label)), without it by anything. A negative label:
// loss 0, gradient 0.
struct rmx__cross_entropy {
  size_t M, V;
  float *logits;          // (M, V)
  const int32_t *labels;  // (M)
  const float *weights;   // (M); NULL: all 1
  float *losses;          // (M)
  bool gradient;
};

struct rmx_kernels {
  const char *name;

  // scratch: rmx__gemm_scratch() floats.
  void (*gemm)(const rmx_kernels *k, const struct rmx__gemm *g, float *scratch);

  // Heads `first` to `last` - 1 of the B H: `out` and `lse` of these heads are written. scratch:
  // rmx__attention_scratch().
  void (*attention)(const rmx_kernels *k, const struct rmx__attention *a, size_t first, size_t last,
                    float *scratch);
  // dqkv is written, in the columns of those heads, from dout and what the forward pass left.
  void (*attention_backward)(const rmx_kernels *k, const struct rmx__attention *a, size_t first,
                             size_t last, float *scratch);

  void (*rmsnorm)(const struct rmx__rmsnorm *n);
  // From dy, x, w and rstd: dx and dw are added to.
  void (*rmsnorm_backward)(const struct rmx__rmsnorm *n);
  void (*rope)(const struct rmx__rope *r);
  void (*swiglu)(const struct rmx__swiglu *s);
  // From dh: writes dgu, and h once more, so that it need not be kept.
  void (*swiglu_backward)(const struct rmx__swiglu *s);
  void (*cross_entropy)(const struct rmx__cross_entropy *e);

  // x (M, C) = table[ids], table (V, C); and its transpose, dtable[ids] += dx, rows in order.
  void (*gather)(size_t M, size_t C, const float *table, const int32_t *ids, float *x);
  void (*scatter_add)(size_t M, size_t C, const float *dx, const int32_t *ids, float *dtable);

  double (*squared_norm)(size_t n, const float *x);
  // One step of AdamW; the constants are those of struct rmx__adamw. g is zeroed after it.
  void (*adamw)(size_t n, float *w, float *g, float *m, float *v, const struct rmx__adamw *o);

  // Runs n rounds of independent multiply-adds in registers and returns the flops done. *out
  // receives the sum, so that the compiler can't remove the loop.
  double (*peak)(size_t n, float *out);

  // The parts that gemm.c and attention.c put together; all NULL and 0 in ref.
  size_t mr, nr;  // rows and columns of C of one call of the micro-kernel
  // Operands of products are rounded to bfloat16 (bf16.h) and always packed, as bf16.inc.h says. A
  // packed row or column of depth K then takes rmx__words(k, K) floats of memory, of two numbers
  // each.
  bool bf16;
  // If not NULL, a thread calls them before and after its micro-kernels.
  void (*begin)(void), (*end)(void);
  // Packs A (M, K), or with `ta` the transpose of a (K, M), into panels of mr rows:
  // to[panel][k][mr]; with bf16 to[panel][mr][word].
  void (*pack_a)(float *to, size_t M, size_t K, const float *a, size_t lda, bool ta);
  // Packs B (K, N), or B^T with b (N, K), into panels of nr columns, zero-padded: to[panel][k][nr];
  // with bf16 to[panel][word][nr].
  void (*pack_b)(float *to, size_t K, size_t N, const float *b, size_t ldb, bool tb);
  // The micro-kernel: C (m <= mr, n <= nr) = or += A B over depth K; a(i, k) at a[i * a_row + k *
  // a_k], b one panel. With bf16 K counts words, as rmx__words does, and a_k is 1.
  void (*micro_kernel)(size_t m, size_t n, size_t K, const float *a, size_t a_row, size_t a_k,
                       const float *b, float *c, size_t ldc, bool accumulate);
  // Row r of s (M, N, ld), which has first + r valid columns: exp(scale row - its largest) in
  // those, 0 in the rest; inv_sum[r] = 1 / its sum, lse[r] = log sum exp(scale row). Rows are
  // written up to a whole vector: ld is at least N rounded up to nr.
  void (*softmax_causal)(size_t M, size_t N, size_t first, float scale, float *s, size_t ld,
                         float *lse, float *inv_sum);
  // x (M, n, ld): row r times scale[r].
  void (*scale_rows)(size_t M, size_t n, float *x, size_t ld, const float *scale);
  // s := p = exp(scale s - lse), 0 where not valid; dp := scale p (dp - delta).
  void (*softmax_causal_backward)(size_t M, size_t N, size_t first, float scale, float *s,
                                  float *dp, size_t ld, const float *lse, const float *delta);
  // An online softmax down the columns of e (N, M, ld), M whole vectors: where the largest of a
  // column lies far above its shift, that becomes the shift and sum shrinks by factor = exp(old -
  // new), else factor = 1; then e := exp(e - shift), which is added to sum. All (M); at first shift
  // is -Inf and sum 0. True: a factor is not 1.
  bool (*softmax_columns)(size_t N, size_t M, float *e, size_t ld, float *shift, float *sum,
                          float *factor);
  // Of head_bf16.c; NULL without bf16. logits (rows, 32), a column a token of the text. max (32) =
  // the largest of each column; returns whether one exceeds its shift by more than 60.
  bool (*head_max)(size_t rows, const float *logits, const float *shift, float *max);
  void (*head_exponentials)(const struct rmx__exponentials *of);
  // logits (rows, 32) = A B, A packed and `depth` words a row, B a panel; and head_exponentials(of)
  // of another block meanwhile. logits has room for whole tiles, and so has what A lies in. NULL:
  // nothing is gained.
  void (*head_block)(size_t rows, size_t depth, const float *a, const float *b, float *logits,
                     const struct rmx__exponentials *of);
  // out[r] = x[r] . y[r], rows of n, ldx and ldy apart.
  void (*row_dots)(size_t M, size_t n, const float *x, size_t ldx, const float *y, size_t ldy,
                   float *out);
};

// m = beta1 m + (1 - beta1) g', v = beta2 v + (1 - beta2) g'^2 with g' = g_scale g, then w -= lr
// (m_scale m / (sqrt(v_scale v) + eps) + decay w); m_scale = 1 / (1 - beta1^t), v_scale alike.
struct rmx__adamw {
  float beta1, beta2, eps, lr, decay, g_scale, m_scale, v_scale;
};

// Floats of memory that one packed row or column of depth K takes.
static inline size_t rmx__bf16_words(size_t K) {
  return (K + 31) / 32 * 16;
}
static inline size_t rmx__words(const rmx_kernels *k, size_t K) {
  return k->bf16 ? rmx__bf16_words(K) : K;
}

// Sizes in floats; enough for every level.
size_t rmx__gemm_scratch(void);
size_t rmx__attention_scratch(size_t T, size_t S);
// Of attention_bf16.inc.h alone, whose levels have no attention.c.
enum { RMX__ATTENTION_BLOCK = 128 };
static inline size_t rmx__attention_bf16_scratch(size_t T, size_t S) {
  const size_t keys = (T + 31) / 32 * 32 + 32, high = (S + 31) / 32 * 32 + 32,
               words = rmx__bf16_words(S);
  return 2 * keys * words + (T / 112 + 1) * high * 64 +
         RMX__ATTENTION_BLOCK * (2 * words + 2 * S + 2) + 2 * 64 * high + (2 * 128 + 64) * 32 +
         2 * (128 + 32) * 64;
}

// gemm.c: blocked matrix product of any level with a micro-kernel.
void rmx__gemm_blocked(const rmx_kernels *k, const struct rmx__gemm *g, float *scratch);
// Its inner loops. c (M, N) = or += A B over depth K: a(i, k) at a[i * a_row + k * a_k], B in
// panels of depth >= K, `panel` floats apart.
struct rmx__panels {
  size_t M, N, K;
  const float *a;
  size_t a_row, a_k;
  const float *b;
  size_t panel;
  float *c;
  size_t ldc;
  bool accumulate;
};
void rmx__gemm_panels(const rmx_kernels *k, const struct rmx__panels *p);
// The same with A packed: panels of mr rows, K deep (K counts words with bf16). a_row and a_k are
// not used.
void rmx__gemm_packed(const rmx_kernels *k, const struct rmx__panels *p);

// attention.c
void rmx__attention_blocked(const rmx_kernels *k, const struct rmx__attention *a, size_t first,
                            size_t last, float *scratch);
void rmx__attention_blocked_backward(const rmx_kernels *k, const struct rmx__attention *a,
                                     size_t first, size_t last, float *scratch);

// Whether each micro-kernel of a level with bf16 gives the exact product of small whole numbers,
// where no bit can be lost.
bool rmx__multiplies_exactly(const rmx_kernels *k);

extern const rmx_kernels rmx__kernels_ref, rmx__kernels_simd128;
#if defined(__x86_64__)
extern const rmx_kernels rmx__kernels_avx2, rmx__kernels_wide, rmx__kernels_avx512;
extern const rmx_kernels rmx__kernels_avx512bf16, rmx__kernels_amx, rmx__kernels_amx_emulated;
// Whether this process may use the tiles of AMX, and they multiply; asks the system for them, once.
// If not, *why is the reason.
bool rmx__amx_available(const char **why);
#endif

#endif
