// SPDX-License-Identifier: Apache-2.0
// bf16.inc.h: the packing of the levels that multiply in bfloat16 (bf16.h). vector.inc.h includes
// it where BF16 is defined; vectors are of sixteen.
//
// A packed panel is made of words, two numbers of neighbouring depth each, and is as deep as
// rmx__words says: depths are filled up with zeros to 32, which is what a tile of AMX takes. A
// panel of B is to[word][nr], as VDPBF16PS and TDPBF16PS want it; one of A is to[row][word], plain
// rows, of which the one takes words and the other tiles.
#include "bf16.h"

#if VEC_BYTES != 64
#error "the packing is written for vectors of sixteen"
#endif

typedef uint32_t vu __attribute__((vector_size(VEC_BYTES)));
typedef uint32_t vu_anywhere __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

INLINE void store_words(float *p, vu x) {
  *(vu_anywhere *)(void *)p = x;
}
INLINE vu load_words(const float *p) {
  return *(const vu_anywhere *)(const void *)p;
}

// Word i of the first is (x[2 i], x[2 i + 1]), of x and y one after the other; of the second (x[i],
// y[i]).
#ifdef __AVX512BF16__
INLINE vu words_along(vf x, vf y) {
  return (vu)_mm512_cvtne2ps_pbh((__m512)y, (__m512)x);
}
INLINE vu words_across(vf x, vf y) {
  typedef uint16_t halves __attribute__((vector_size(VEC_BYTES)));
  const halves order = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                        8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return (vu)_mm512_permutexvar_epi16((__m512i)order,
                                      (__m512i)_mm512_cvtne2ps_pbh((__m512)y, (__m512)x));
}
#else
// rmx__bf16_of per lane, left in the upper half.
INLINE vu rounded(vf x) {
  const vu bits = (vu)x, size = bits & 0x7fffffffu;
  vu r = bits + 0x7fffu + (bits >> 16 & 1u);
  const vu nan = (vu)(size > 0x7f800000u), small = (vu)(size < 0x00800000u);
  r = (nan & (bits | 0x400000u)) | (~nan & r);
  r = (small & (bits & 0x80000000u)) | (~small & r);
  return r & 0xffff0000u;
}
INLINE vu words_across(vf x, vf y) {
  return rounded(x) >> 16 | rounded(y);
}
INLINE vu words_along(vf x, vf y) {
  return words_across(
      __builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
      __builtin_shufflevector(x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
}
#endif

// Larger things are functions, not inlined: where vectors are taken apart, compiling them many
// times takes minutes.
#define CALLED static __attribute__((noinline))

// x := its transpose, 16 x 16 words: blocks of 1, 2, 4 and 8 change places in turn.
CALLED void transpose_words(vu x[16]) {
  vu y[16];
#pragma GCC unroll 8
  for (size_t i = 0; i < 8; i++) {
    y[2 * i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9,
                                       25, 12, 28, 13, 29);
    y[2 * i + 1] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10,
                                           26, 11, 27, 14, 30, 15, 31);
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; i++)
#pragma GCC unroll 2
    for (size_t j = 0; j < 2; j++) {
      x[4 * i + 2 * j] = __builtin_shufflevector(y[4 * i + j], y[4 * i + 2 + j], 0, 1, 16, 17, 4, 5,
                                                 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
      x[4 * i + 2 * j + 1] = __builtin_shufflevector(y[4 * i + j], y[4 * i + 2 + j], 2, 3, 18, 19,
                                                     6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    }
    // x[4 i + j] now holds columns j, 4 + j, 8 + j, 12 + j of rows 4 i to 4 i + 3.
#pragma GCC unroll 4
  for (size_t j = 0; j < 4; j++) {
    vu a = __builtin_shufflevector(x[j], x[4 + j], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25,
                                   26, 27);
    vu b = __builtin_shufflevector(x[8 + j], x[12 + j], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11,
                                   24, 25, 26, 27);
    vu c = __builtin_shufflevector(x[j], x[4 + j], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28,
                                   29, 30, 31);
    vu d = __builtin_shufflevector(x[8 + j], x[12 + j], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15,
                                   28, 29, 30, 31);
    y[j] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    y[8 + j] =
        __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    y[4 + j] =
        __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
    y[12 + j] =
        __builtin_shufflevector(c, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; i++) x[i] = y[i];
}

// Numbers i to i + 15 of n, zeros behind them.
INLINE vf load_up_to(const float *p, size_t i, size_t n) {
  return i >= n ? splat(0) : load_at(p, i, n, 0);
}

// 32 depths from k on, of K, of 16 rows of which `rows` are there: x[word] holds that word of each
// row. Row r starts at a + r * lda;
CALLED void words_of_rows(vu x[16], const float *a, size_t lda, size_t rows, size_t k, size_t K) {
  if (rows == 16 && k + 32 <= K)
    for (size_t r = 0; r < 16; r++)
      x[r] = words_along(load(a + r * lda + k), load(a + r * lda + k + VL));
  else
    for (size_t r = 0; r < 16; r++)
      x[r] = r < rows
                 ? words_along(load_up_to(a + r * lda, k, K), load_up_to(a + r * lda, k + VL, K))
                 : (vu){0};
  transpose_words(x);
}
// or, a being transposed, its rows are depths and its columns our rows.
CALLED void words_of_columns(vu x[16], const float *a, size_t lda, size_t rows, size_t k,
                             size_t K) {
  a += k * lda;
  if (rows == 16 && k + 32 <= K)
    for (size_t w = 0; w < 16; w++, a += 2 * lda) x[w] = words_across(load(a), load(a + lda));
  else
    for (size_t w = 0; w < 16; w++, k += 2, a += 2 * lda)
      x[w] = words_across(k < K ? load_up_to(a, 0, rows) : splat(0),
                          k + 1 < K ? load_up_to(a + lda, 0, rows) : splat(0));
}

CALLED void pack_a(float *to, size_t M, size_t K, const float *a, size_t lda, bool ta) {
  const size_t depth = rmx__bf16_words(K);
  for (size_t i = 0; i < M; i += MR, to += MR * depth) {
    const size_t m = M - i < MR ? M - i : MR;
    if (!ta) {
      for (size_t r = 0; r < m; r++) {
        const float *row = a + (i + r) * lda;
        for (size_t w = 0; w < depth; w += VL)
          store_words(to + r * depth + w,
                      words_along(load_up_to(row, 2 * w, K), load_up_to(row, 2 * w + VL, K)));
      }
      continue;
    }
    for (size_t w = 0; w < depth; w += VL)
      for (size_t r = 0; r < m; r += 16) {
        vu x[16];
        // Columns of the next panel may be loaded too: whole vectors are faster.
        words_of_columns(x, a + i + r, lda, M - i - r < 16 ? M - i - r : 16, 2 * w, K);
        transpose_words(x);
        const size_t rows = m - r < 16 ? m - r : 16;
        for (size_t q = 0; q < rows; q++) store_words(to + (r + q) * depth + w, x[q]);
      }
  }
}

CALLED void pack_b(float *to, size_t K, size_t N, const float *b, size_t ldb, bool tb) {
  const size_t depth = rmx__bf16_words(K);
  for (size_t j = 0; j < N; j += NR, to += NR * depth)
    for (size_t w = 0; w < depth; w += VL)
      for (size_t half = 0; half < NR; half += VL) {
        const size_t at = j + half, n = at >= N ? 0 : N - at < VL ? N - at : VL;
        vu x[16];
        if (n == 0)
          memset(x, 0, sizeof x);
        else if (tb)
          words_of_rows(x, b + at * ldb, ldb, n, 2 * w, K);
        else
          words_of_columns(x, b + at, ldb, n, 2 * w, K);
        for (size_t q = 0; q < 16; q++) store_words(to + (w + q) * NR + half, x[q]);
      }
}

// ---- exponentials, down the columns ---------------------------------------

// 2^t to 3e-6 of it, for what is then rounded to 4e-3: t = n + r with |r| <= 1/2, a minimax
// polynomial for 2^r that is 1 at 0, and 2^n put into the exponent. From -127 down that is 0; t is
// at most 127, or NaN, which stays.
INLINE vf exp2_of(vf t) {
  const float to_exponent = 12582912.0f + 127;  // 1.5 * 2^23: the low bits are then n + 127
  vf y = larger(splat(-127.0f), t);
  vf shifted = y + to_exponent;
  vf r = y - (shifted - to_exponent);
  vf p = 9.58285294e-3f * r + 5.59064262e-2f;
  p = p * r + 2.40240991e-1f;
  p = p * r + 6.93124175e-1f;
  p = p * r + 1.0f;
  return p * (vf)((vi)shifted << 23);
}
#define LOG2E 1.44269504f

CALLED bool head_max(size_t rows, const float *logits, const float *shift, float *max) {
  vf left = splat(-3e38f), right = left;
  for (size_t v = 0; v < rows; v++) {
    left = larger(load(logits + v * NR), left);
    right = larger(load(logits + v * NR + VL), right);
  }
  store(max, left);
  store(max + VL, right);
  const vi moves = (left - load(shift) > 60.0f) | (right - load(shift + VL) > 60.0f);
  return largest((vf)(moves & (vi)splat(1))) > 0;
}

// Past the caches, if it is far: a line that is written whole need not be read first. Other threads
// see it after the end of the product (END).
INLINE void store_far(bool far, float *p, vu x) {
#ifdef STREAM
  if (far) {
    STREAM(p, x);
    return;
  }
#endif
  (void)far;
  store_words(p, x);
}

// Rows v and v + 1 of what rmx__exponentials says; the last may stand alone. `base` is the shift,
// times log2 e.
INLINE void exponentials_of_two(const struct rmx__exponentials *x, size_t v, const vf base[2],
                                vf sums[2]) {
  const bool two = v + 1 < x->rows;
  vf a[2], b[2];
#pragma GCC unroll 2
  for (size_t i = 0; i < 2; i++) {
    const float *logits = x->logits + v * NR + i * VL;
    a[i] = exp2_of(load(logits) * LOG2E - base[i]);
    sums[i] += a[i];
    b[i] = splat(0);
    if (!two) continue;
    b[i] = exp2_of(load(logits + NR) * LOG2E - base[i]);
    sums[i] += b[i];
  }
  if (!x->packed) return;
  if (x->e) {
    store_far(x->e_is_far, x->e + v * x->ld, words_along(a[0], a[1]));
    if (two) store_far(x->e_is_far, x->e + (v + 1) * x->ld, words_along(b[0], b[1]));
  }
  store_words(x->packed + v / 2 * NR, words_across(a[0], b[0]));
  store_words(x->packed + v / 2 * NR + VL, words_across(a[1], b[1]));
}
// What is behind them in the panel.
INLINE void exponentials_end(const struct rmx__exponentials *x) {
  for (size_t word = (x->rows + 1) / 2; x->packed && word < rmx__bf16_words(x->rows); word++) {
    store(x->packed + word * NR, splat(0));
    store(x->packed + word * NR + VL, splat(0));
  }
}

CALLED void head_exponentials(const struct rmx__exponentials *of) {
  const struct rmx__exponentials x = *of;
  const vf base[2] = {load(x.shift) * LOG2E, load(x.shift + VL) * LOG2E};
  vf sums[2] = {load(x.sums), load(x.sums + VL)};
  for (size_t v = 0; v < x.rows; v += 2) exponentials_of_two(&x, v, base, sums);
  exponentials_end(&x);
  store(x.sums, sums[0]);
  store(x.sums + VL, sums[1]);
}
