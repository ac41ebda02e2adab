// SPDX-License-Identifier: Apache-2.0
// Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011): ten rounds of a keyed bijection on a 128-bit counter. Nothing is carried
// from number to number, so any of them can be had directly and order does not matter.
#include <math.h>
#include <regmix/base.h>

enum { ROUNDS = 10 };

void rmx_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;  // Weyl sequences of the golden ratio and of sqrt(3) - 1
    k1 += 0xBB67AE85u;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

// The run may have 64 bits; what does not fit its counter word is folded into the key.
rmx_rng rmx_rng_make(uint64_t seed, uint64_t run, rmx_purpose purpose) {
  return (rmx_rng){
      .key = {(uint32_t)seed ^ (uint32_t)(run >> 32) * 0x85EBCA6Bu, (uint32_t)(seed >> 32)},
      .run = (uint32_t)run,
      .purpose = (uint32_t)purpose,
  };
}

uint32_t rmx_rng_u32(rmx_rng *r) {
  if (r->left == 0) {
    uint32_t counter[4] = {(uint32_t)r->position, (uint32_t)(r->position >> 32), r->run,
                           r->purpose};
    rmx_philox(counter, r->key, r->block);
    r->position++;
    r->left = 4;
  }
  return r->block[4 - r->left--];
}

uint64_t rmx_rng_u64(rmx_rng *r) {
  uint64_t high = rmx_rng_u32(r);
  return high << 32 | rmx_rng_u32(r);
}

double rmx_rng_uniform(rmx_rng *r) {
  return (double)(rmx_rng_u64(r) >> 11) * 0x1p-53;
}

uint64_t rmx_rng_below(rmx_rng *r, uint64_t n) {
  // Numbers beyond the largest multiple of n are drawn again, so each result is as likely.
  uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  for (;;) {
    uint64_t x = rmx_rng_u64(r);
    if (x < limit) return x % n;
  }
}

double rmx_rng_normal(rmx_rng *r) {
  double radius = sqrt(-2.0 * log(1.0 - rmx_rng_uniform(r)));
  return radius * cos(6.283185307179586476925 * rmx_rng_uniform(r));
}

// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); below
// shape 1 a number of shape + 1 times U^(1/shape), their section 8.
double rmx_rng_gamma(rmx_rng *r, double shape) {
  double boost = 1.0;
  if (shape < 1.0) {
    boost = pow(1.0 - rmx_rng_uniform(r), 1.0 / shape);
    shape += 1.0;
  }
  double d = shape - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
  for (;;) {
    double x = rmx_rng_normal(r), v = 1.0 + c * x;
    if (v <= 0.0) continue;
    v = v * v * v;
    double u = 1.0 - rmx_rng_uniform(r);
    if (log(u) < 0.5 * x * x + d - d * v + d * log(v)) return boost * d * v;
  }
}

void rmx_rng_shuffle(rmx_rng *r, size_t *items, size_t n) {
  for (size_t i = n; i > 1; i--) {
    size_t j = rmx_rng_below(r, i), kept = items[i - 1];
    items[i - 1] = items[j];
    items[j] = kept;
  }
}
