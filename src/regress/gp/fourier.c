// SPDX-License-Identifier: Apache-2.0
// Cosines and sines in bulk, RMX__LANES at a time as in matern.c, with the same bits on every
// processor.
//
// x = n pi/2 + r, with pi/2 in three parts (Cody & Waite 1980). The first two parts have so few
// bits that n times them is exact for n up to 2^20. cos r and sin r come from their series to r^16
// and r^17 (|r| < 0.79; error 1e-17). The last two bits of n say which of the two is the cosine of
// x, and its sign.
//
// Cost: 2 D + 50 operations for each feature.

#include "fourier.h"

#include <math.h>

#include "lanes.h"

#define AT(x) (*(const anywhere *)(x))

INLINE void choose(const bits *first, const lanes *a, const lanes *b, lanes *out) {
  *out = (lanes)(((bits)*a & *first) | ((bits)*b & ~*first));
}

INLINE void cosine(const lanes *x, lanes *c, lanes *s) {
  const double magic = 0x1.8p52;  // added, it leaves the nearest whole number in the low bits
  lanes shifted = *x * 0x1.45f306dc9c883p-1 + magic, n = shifted - magic, one, other;
  lanes r = *x - n * 0x1.921fb544p+0 - n * 0x1.0b4611a6p-34 - n * 0x1.3198a2e037073p-69, z = r * r,
        p, q;
  p = z * (1.0 / 20922789888000.0) - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  p = p * z * z + (1.0 - 0.5 * z);
  q = z * (1.0 / 355687428096000.0) - 1.0 / 1307674368000.0;
  q = q * z + 1.0 / 6227020800.0;
  q = q * z - 1.0 / 39916800.0;
  q = q * z + 1.0 / 362880.0;
  q = q * z - 1.0 / 5040.0;
  q = q * z + 1.0 / 120.0;
  q = q * z - 1.0 / 6.0;
  q = r + r * z * q;
  bits turns = (bits)shifted, odd = -(turns & 1), flip;
  choose(&odd, &q, &p, &one);
  flip = ((turns ^ (turns >> 1)) & 1) << 63;  // of a cosine after one or two quarter turns
  *c = (lanes)((bits)one ^ flip);
  choose(&odd, &p, &q, &other);
  flip = ((turns >> 1) & 1) << 63;  // of a sine after two or three
  *s = (lanes)((bits)other ^ flip);
}

WIDE double rmx__fourier_sum(const double *omega, const double *phase, const double *a, size_t D,
                             const double *z, double *slope) {
  lanes all = {0}, c, s, by[RMX__FEATURES / RMX__LANES];
  for (size_t i = 0; i < RMX__FEATURES; i += RMX__LANES) {
    lanes angle = AT(phase + i), weight = AT(a + i);
    for (size_t d = 0; d < D; d++) angle += AT(omega + d * RMX__FEATURES + i) * z[d];
    cosine(&angle, &c, &s);
    all += weight * c;
    by[i / RMX__LANES] = weight * s;
  }
  double sum = 0;
  for (int k = 0; k < RMX__LANES; k++) sum += all[k];
  for (size_t d = 0; slope && d < D; d++) {
    lanes down = {0};
    for (size_t i = 0; i < RMX__FEATURES; i += RMX__LANES)
      down += by[i / RMX__LANES] * AT(omega + d * RMX__FEATURES + i);
    for (int k = 0; k < RMX__LANES; k++) slope[d] -= down[k];
  }
  return sum;
}
