// SPDX-License-Identifier: Apache-2.0
// The inner loops over lists of rows (grow_lists.c), eight rows at a time where the processor can.
//
// All versions give the same trees: sums of gradients are exact in any order, and the max gain is
// only a first estimate. Cycles for each row with AVX-512, with AVX2 and without: 1.5, 2.5 and 5 to
// scan; 1, 3 and 3 to divide (with AVX-512 for up to 1024 rows, as bits in two registers).

#include <string.h>

#include "grow.h"

static double scan(const uint64_t *list, size_t n, size_t low, size_t high, double sum,
                   const double *inverse, const double *rest) {
  double r = 0, max_gain = -1;
  for (size_t p = 1; p < low; p++) r += rmx__gradient_of(list[p - 1]);
  for (size_t p = low; p <= high; p++) {
    r += rmx__gradient_of(list[p - 1]);
    const double gain = r * r * inverse[p] + (sum - r) * (sum - r) * rest[p];
    const bool bound = p == n || ((list[p - 1] ^ list[p]) & RMX__BIN_MASK);
    max_gain = bound && gain > max_gain ? gain : max_gain;
  }
  return max_gain;
}

static size_t part(const rmx__marks *m, uint64_t *list, size_t n, uint64_t *marked) {
  const int *leaf_of = m->leaf_of, leaf = m->leaf;
  size_t n_marked = 0;
  for (size_t i = 0; i < n; i++) {
    const uint64_t row = list[i];
    list[i - n_marked] = row;
    marked[n_marked] = row;
    n_marked += leaf_of[row & RMX__ROW_MASK] == leaf;
  }
  return n - n_marked;
}

#if defined(__x86_64__)
#include <immintrin.h>

// Of the eight or four p from i + 1 on, the bits of those to look at: at bounds, where `bound` has
// bits, and from low to high.
static inline unsigned wanted_of(unsigned bound, size_t i, size_t lanes, size_t n, size_t low,
                                 size_t high) {
  if (n - i <= lanes) bound |= 1u << (n - i - 1);
  if (i < low) bound &= ~0u << (low - i - 1);
  if (high - i < lanes) bound &= (1u << (high - i)) - 1;
  return bound;
}

__attribute__((target("avx2"))) static double scan_by_4(const uint64_t *list, size_t n, size_t low,
                                                        size_t high, double sum,
                                                        const double *inverse, const double *rest) {
  const __m256i bin = _mm256_set1_epi64x((long long)RMX__BIN_MASK),
                gradient = _mm256_set1_epi64x((long long)RMX__GRADIENT_MASK),
                lane = _mm256_setr_epi64x(1, 2, 4, 8);
  const __m256d none = _mm256_set1_pd(-1), zero = _mm256_setzero_pd(), sums = _mm256_set1_pd(sum);
  __m256d before = zero, max_gain = none;
  for (size_t i = 0; i < high; i += 4) {  // lane j: p = i + j + 1
    const __m256i rows = _mm256_loadu_si256((const void *)(list + i)),
                  next = _mm256_loadu_si256((const void *)(list + i + 1));
    __m256d r = _mm256_castsi256_pd(_mm256_and_si256(rows, gradient));
    // moved up by one lane
    r = _mm256_add_pd(r, _mm256_blend_pd(_mm256_permute4x64_pd(r, 0x90), zero, 1));
    r = _mm256_add_pd(r, _mm256_permute2f128_pd(r, r, 0x08));  // by two
    const __m256d all = _mm256_permute4x64_pd(r, 0xff);
    r = _mm256_add_pd(r, before);
    before = _mm256_add_pd(before, all);
    if (i + 4 < low) continue;
    const __m256i same = _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_xor_si256(rows, next), bin),
                                            _mm256_setzero_si256());
    __m256d unwanted = _mm256_castsi256_pd(same);
    if (i < low || i + 4 >= high) {  // the ends
      const unsigned k =
          wanted_of(~(unsigned)_mm256_movemask_pd(unwanted) & 0xf, i, 4, n, low, high);
      unwanted = _mm256_castsi256_pd(_mm256_cmpeq_epi64(
          _mm256_and_si256(_mm256_set1_epi64x(k), lane), _mm256_setzero_si256()));
    }
    const __m256d q = _mm256_sub_pd(sums, r);
    const __m256d right = _mm256_mul_pd(_mm256_mul_pd(r, r), _mm256_loadu_pd(inverse + i + 1));
    const __m256d left = _mm256_mul_pd(_mm256_mul_pd(q, q), _mm256_loadu_pd(rest + i + 1));
    max_gain =
        _mm256_max_pd(max_gain, _mm256_blendv_pd(_mm256_add_pd(right, left), none, unwanted));
  }
  double m[4];
  _mm256_storeu_pd(m, max_gain);
  return fmax(fmax(m[0], m[1]), fmax(m[2], m[3]));
}

#define WITH_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,popcnt")))

// The lanes moved up by n, with zeros below.
#define UP(x, n) \
  _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(x), _mm512_setzero_si512(), 8 - (n)))

WITH_AVX512 static double scan_by_8(const uint64_t *list, size_t n, size_t low, size_t high,
                                    double sum, const double *inverse, const double *rest) {
  const __m512i bin = _mm512_set1_epi64((long long)RMX__BIN_MASK),
                gradient = _mm512_set1_epi64((long long)RMX__GRADIENT_MASK),
                last = _mm512_set1_epi64(7);
  const __m512d sums = _mm512_set1_pd(sum);
  __m512d before = _mm512_setzero_pd(), max_gain = _mm512_set1_pd(-1);
  for (size_t i = 0; i < high; i += 8) {  // lane j: p = i + j + 1
    const __m512i rows = _mm512_loadu_si512(list + i), next = _mm512_loadu_si512(list + i + 1);
    __m512d r = _mm512_castsi512_pd(_mm512_and_si512(rows, gradient));
    r = _mm512_add_pd(r, UP(r, 1));
    r = _mm512_add_pd(r, UP(r, 2));
    r = _mm512_add_pd(r, UP(r, 4));
    const __m512d all = _mm512_permutexvar_pd(last, r);
    r = _mm512_add_pd(r, before);
    before = _mm512_add_pd(before, all);
    if (i + 8 < low) continue;
    __mmask8 wanted = _mm512_test_epi64_mask(_mm512_xor_si512(rows, next), bin);
    if (i < low || i + 8 >= high)  // the ends
      wanted = (__mmask8)wanted_of(wanted, i, 8, n, low, high);
    const __m512d q = _mm512_sub_pd(sums, r);
    const __m512d right = _mm512_mul_pd(_mm512_mul_pd(r, r), _mm512_loadu_pd(inverse + i + 1));
    const __m512d gain = _mm512_fmadd_pd(_mm512_mul_pd(q, q), _mm512_loadu_pd(rest + i + 1), right);
    max_gain = _mm512_mask_max_pd(max_gain, wanted, max_gain, gain);
  }
  return _mm512_reduce_max_pd(max_gain);
}

WITH_AVX512 static void mark(rmx__marks *m, size_t N) {
  const __m512i leaf = _mm512_set1_epi32(m->leaf);
  uint16_t bits[64] = {0};
  for (size_t i = 0; i < N; i += 16) {
    const __mmask16 here = N - i < 16 ? (__mmask16)((1u << (N - i)) - 1) : 0xffff;
    bits[i / 16] =
        _mm512_mask_cmpeq_epi32_mask(here, _mm512_maskz_loadu_epi32(here, m->leaf_of + i), leaf);
  }
  memcpy(m->bits, bits, sizeof(bits));
}

WITH_AVX512 static size_t part_by_8(const rmx__marks *m, uint64_t *list, size_t n,
                                    uint64_t *marked) {
  const __m512i low = _mm512_loadu_si512(m->bits), high = _mm512_loadu_si512(m->bits + 8),
                one = _mm512_set1_epi64(1);
  size_t n_marked = 0;
  for (size_t i = 0; i < n; i += 8) {
    const __m512i rows = _mm512_loadu_si512(list + i);
    // Only the lowest bits of the row's number count: four for the word, six for the bit.
    const __m512i word = _mm512_permutex2var_epi64(low, _mm512_srli_epi64(rows, 6), high);
    __mmask8 k = _mm512_test_epi64_mask(_mm512_rorv_epi64(word, rows), one);
    const __m512i others = _mm512_maskz_compress_epi64(_knot_mask8(k), rows);
    _mm512_storeu_si512(marked + n_marked, _mm512_maskz_compress_epi64(k, rows));
    if (n - i < 8) {  // another list may follow this one
      const __mmask8 here = (__mmask8)((1u << (n - i)) - 1);
      _mm512_mask_storeu_epi64(list + i - n_marked, here, others);
      return n - n_marked - (unsigned)__builtin_popcount(k & here);
    }
    _mm512_storeu_si512(list + i - n_marked, others);
    n_marked += (unsigned)__builtin_popcount(k);
  }
  return n - n_marked;
}
#endif

double rmx__list_scan(rmx__level level, const uint64_t *list, size_t n, size_t low, size_t high,
                      double sum, const double *inverse, const double *rest) {
#if defined(__x86_64__)
  if (level == RMX__AVX512) return scan_by_8(list, n, low, high, sum, inverse, rest);
  if (level == RMX__AVX2) return scan_by_4(list, n, low, high, sum, inverse, rest);
#endif
  return scan(list, n, low, high, sum, inverse, rest);
}

void rmx__list_mark(rmx__level level, const int *leaf_of, size_t N, int leaf, rmx__marks *m) {
  *m = (rmx__marks){.leaf_of = leaf_of, .leaf = leaf};
#if defined(__x86_64__)
  m->wide = level == RMX__AVX512 && N <= 64 * sizeof(m->bits) / sizeof *m->bits;
  if (m->wide) mark(m, N);
#endif
}

size_t rmx__list_part(const rmx__marks *m, uint64_t *list, size_t n, uint64_t *marked) {
#if defined(__x86_64__)
  if (m->wide) return part_by_8(m, list, n, marked);
#endif
  return part(m, list, n, marked);
}
