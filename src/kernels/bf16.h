// SPDX-License-Identifier: Apache-2.0
// bf16.h: what a bfloat16 is here, once for all levels.
//
// A bfloat16 is the upper half of a float: sign, 8 bits of exponent, 7 of fraction; its rounding
// error is at most 2^-9 of the number. The levels `avx512bf16` and `amx` round both operands of
// every matrix product to bfloat16 and add the products up in float; all else they do, and all that
// is kept (weights, moments, activations, gradients), is float as at every level.
//
// Promised: rounding is to the nearest, ties to the even one; what rounds beyond the largest number
// is infinite; infinities stay, NaN stays NaN (made quiet, its payload cut); a denormal becomes a
// zero of its sign, as VCVTNEPS2BF16 has it. The product of two bfloat16 is exact in float; sums
// are of floats, in an order that the instruction fixes (VDPBF16PS: one accumulator; TDPBF16PS:
// even and odd depths apart, within 32), denormal sums flushed to zero. So results are the same
// bits on one kind of processor, and agree between processors, and with the reference on rounded
// operands, to the rounding of float sums.
#ifndef RMX_KERNELS_BF16_H
#define RMX_KERNELS_BF16_H

#include <stdint.h>
#include <string.h>

// Most that rounding to bfloat16 moves a number, as a share of it.
#define RMX__BF16_ROUNDING (1.0 / 512)

static inline uint16_t rmx__bf16_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40);  // NaN
  if (size < 0x00800000u) return (uint16_t)(bits >> 16 & 0x8000);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
static inline float rmx__bf16_value(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
static inline float rmx__bf16_round(float x) {
  return rmx__bf16_value(rmx__bf16_of(x));
}

#endif
