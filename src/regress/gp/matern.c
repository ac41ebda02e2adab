// SPDX-License-Identifier: Apache-2.0
// The Matern 5/2 function in bulk. Eight runs make a vector on every processor. Each lane has a sum
// of its own, and the lanes are added in order at the end, so the bits do not depend on the
// processor, the number of mixtures at a time or the number of threads. Squared distances are
// |z|^2 + |Z_i|^2 - 2 z'Z_i. Near 0 their error is about 1e-16 |z|^2, and so is that of
// M = 1 - 5/6 r^2 + ... and its slope, since neither contains a root of r^2.
//
// exp(x): x = n ln 2 + r with Cody & Waite's two-part ln 2; exp(r) by its series to r^13 (|r| <
// 0.35; error 2e-17); 2^n by the bits of the exponent. Within 2 units in the last place of libm.
//
// Cost: 2 D + 60 operations for each pair of a mixture and a run.

#include "matern.h"

#include <math.h>
#include <string.h>

#include "lanes.h"

#define AT(x) (*(anywhere *)(x))

// exp(x), x clamped to -700 .. 700.
INLINE void exp_of(const lanes *x, lanes *out) {
  const double magic = 0x1.8p52;  // added, it leaves the nearest whole number in the low bits
  lanes min = (lanes){0} - 700.0, max = (lanes){0} + 700.0, shifted, n, r, p;
  bits below = (bits)(*x < min), above = (bits)(*x > max), whole;
  lanes low = (lanes)(((bits)*x & ~(below | above)) | ((bits)min & below) | ((bits)max & above));
  shifted = low * 0x1.71547652b82fep0 + magic;
  n = shifted - magic;
  r = low - n * 0x1.62e42feep-1 - n * 0x1.a39ef35793c76p-33;
  p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  whole = ((bits)shifted + 1023) << 52;  // the low bits of magic are 0
  *out = p * (lanes)whole;
}

// The square root of a >= 0. Newton steps for 1 / sqrt(a) from a guess by half the exponent, then
// one for the root itself.
INLINE void root_of(const lanes *a, lanes *out) {
  lanes y = (lanes)(0x5fe6eb50c7b537a9 - ((bits)*a >> 1)), half = *a * 0.5, x;
  for (int step = 0; step < 3; step++) y *= 1.5 - half * y * y;
  x = *a * y;
  *out = x + 0.5 * y * (*a - x * x);
}

INLINE void matern(const lanes *r2, lanes *m, lanes *slope) {
  lanes five = (lanes)((bits)(*r2 * 5.0) & (bits)(*r2 > 0.0)), x, down, decay;  // not below 0
  root_of(&five, &x);
  down = -x;
  exp_of(&down, &decay);
  *m = (1.0 + x + five * (1.0 / 3)) * decay;
  if (slope) *slope = (-5.0 / 6) * (1.0 + x) * decay;
}

INLINE double total(const lanes *v) {
  double sum = 0;
  for (int k = 0; k < RMX__LANES; k++) sum += (*v)[k];
  return sum;
}

void rmx__pack(const double *Z, size_t N, size_t D, double *packed) {
  memset(packed, 0, RMX__BLOCKS(N) * (D + 1) * RMX__LANES * sizeof(double));
  for (size_t d = 0; d < D; d++)
    for (size_t i = 0; i < N; i++)
      packed[(i / RMX__LANES * (D + 1) + d) * RMX__LANES + i % RMX__LANES] = Z[d * N + i];
  for (size_t i = 0; i < N; i++) {
    double square = 0;
    for (size_t d = 0; d < D; d++) square += Z[d * N + i] * Z[d * N + i];
    packed[(i / RMX__LANES * (D + 1) + D) * RMX__LANES + i % RMX__LANES] = square;
  }
}

// The sums of n queries, z (D, n).
INLINE void sums(const double *packed, const double *alpha, size_t blocks, size_t D,
                 const double *z, int n, double *sum) {
  lanes all[RMX__QUERIES] = {{0}};
  double square[RMX__QUERIES] = {0};
  for (size_t d = 0; d < D; d++)
    for (int q = 0; q < n; q++)
      square[q] += z[d * (size_t)n + (size_t)q] * z[d * (size_t)n + (size_t)q];
  for (size_t b = 0; b < blocks; b++) {
    const double *Z = packed + b * (D + 1) * RMX__LANES;
    lanes dot[RMX__QUERIES] = {{0}}, r2, m, weight = AT(alpha + b * RMX__LANES),
          own = AT(Z + D * RMX__LANES);
    for (size_t d = 0; d < D; d++) {
      lanes run = AT(Z + d * RMX__LANES);
      for (int q = 0; q < n; q++) dot[q] += z[d * (size_t)n + (size_t)q] * run;
    }
    for (int q = 0; q < n; q++) {
      r2 = own + square[q] - 2.0 * dot[q];
      matern(&r2, &m, NULL);
      all[q] += weight * m;
    }
  }
  for (int q = 0; q < n; q++) sum[q] = total(&all[q]);
}

WIDE void rmx__matern_sums(const double *packed, const double *alpha, size_t blocks, size_t D,
                           const double *z, double *sum) {
  sums(packed, alpha, blocks, D, z, RMX__QUERIES, sum);
}

WIDE double rmx__matern_sum(const double *packed, const double *alpha, size_t blocks, size_t D,
                            const double *z) {
  double sum;
  sums(packed, alpha, blocks, D, z, 1, &sum);
  return sum;
}

WIDE double rmx__matern_slope(const double *packed, const double *alpha, size_t blocks, size_t D,
                              const double *z, double *work, double *slope) {
  lanes all = {0}, pulls = {0};
  double square = 0;
  for (size_t d = 0; d < D; d++) square += z[d] * z[d];
  memset(work, 0, D * RMX__LANES * sizeof(double));
  for (size_t b = 0; b < blocks; b++) {
    const double *Z = packed + b * (D + 1) * RMX__LANES;
    lanes dot = {0}, r2, m, by, weight = AT(alpha + b * RMX__LANES);
    for (size_t d = 0; d < D; d++) dot += z[d] * AT(Z + d * RMX__LANES);
    r2 = AT(Z + D * RMX__LANES) + square - 2.0 * dot;
    matern(&r2, &m, &by);
    all += weight * m;
    by *= 2.0 * weight;
    pulls += by;
    for (size_t d = 0; d < D; d++) {
      lanes sum = AT(work + d * RMX__LANES) + by * AT(Z + d * RMX__LANES);
      AT(work + d * RMX__LANES) = sum;
    }
  }
  double pull = total(&pulls);
  for (size_t d = 0; d < D; d++) {
    lanes sum = AT(work + d * RMX__LANES);
    slope[d] = z[d] * pull - total(&sum);
  }
  return total(&all);
}

WIDE void rmx__exp_many(const double *x, size_t n, double *out) {
  size_t i = 0;
  lanes at, value;
  for (; i + RMX__LANES <= n; i += RMX__LANES) {
    at = AT(x + i);
    exp_of(&at, &value);
    AT(out + i) = value;
  }
  if (i == n) return;
  at = (lanes){0};
  memcpy(&at, x + i, (n - i) * sizeof(double));
  exp_of(&at, &value);
  memcpy(out + i, &value, (n - i) * sizeof(double));
}

WIDE void rmx__matern_many(const double *r2, size_t n, double *m, double *slope) {
  size_t i = 0;
  lanes x, value, by;
  for (; i + RMX__LANES <= n; i += RMX__LANES) {
    x = AT(r2 + i);
    matern(&x, &value, &by);
    AT(m + i) = value;
    if (slope) AT(slope + i) = by;
  }
  if (i == n) return;
  x = (lanes){0};
  memcpy(&x, r2 + i, (n - i) * sizeof(double));
  matern(&x, &value, &by);
  memcpy(m + i, &value, (n - i) * sizeof(double));
  if (slope) memcpy(slope + i, &by, (n - i) * sizeof(double));
}

// Takes four columns at a time, so that k is read and written once for all four.
WIDE void rmx__solve_lanes(const double *L, size_t N, double *k) {
  size_t j = 0;
  for (; j + 4 <= N; j += 4) {
    lanes x[4];
    const double *column[4];
    for (int c = 0; c < 4; c++) {
      column[c] = L + (j + (size_t)c) * N;
      x[c] = AT(k + (j + (size_t)c) * RMX__LANES);
      for (int b = 0; b < c; b++) x[c] -= x[b] * column[b][j + (size_t)c];
      x[c] /= column[c][j + (size_t)c];
      AT(k + (j + (size_t)c) * RMX__LANES) = x[c];
    }
    for (size_t i = j + 4; i < N; i++) {
      lanes rest = AT(k + i * RMX__LANES);
      rest -= x[0] * column[0][i];
      rest -= x[1] * column[1][i];
      rest -= x[2] * column[2][i];
      rest -= x[3] * column[3][i];
      AT(k + i * RMX__LANES) = rest;
    }
  }
  for (; j < N; j++) {
    lanes x = AT(k + j * RMX__LANES) / L[j * N + j];
    AT(k + j * RMX__LANES) = x;
    for (size_t i = j + 1; i < N; i++) {
      lanes rest = AT(k + i * RMX__LANES) - x * L[j * N + i];
      AT(k + i * RMX__LANES) = rest;
    }
  }
}
