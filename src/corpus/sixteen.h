// SPDX-License-Identifier: Apache-2.0
// sixteen.h: sixteen bytes at a time, on any processor that gcc or clang knows vectors of.
#ifndef RMX_CORPUS_SIXTEEN_H
#define RMX_CORPUS_SIXTEEN_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef uint8_t rmx__sixteen __attribute__((vector_size(16)));

static inline rmx__sixteen rmx__load16(const char *p) {
  rmx__sixteen v;
  memcpy(&v, p, sizeof v);
  return v;
}

// The place of the first byte of `v` that has its highest bit, as one has where a comparison is
// true; 16: none. Little endian, as all of regmix's files are.
static inline unsigned rmx__first16(rmx__sixteen v) {
#ifdef __SSE2__
  return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8((__m128i)v) | 1 << 16);
#else
  uint64_t half[2];
  memcpy(half, &v, sizeof half);
  half[0] &= 0x8080808080808080u, half[1] &= 0x8080808080808080u;
  if (half[0]) return (unsigned)__builtin_ctzll(half[0]) / 8;
  return half[1] ? 8 + (unsigned)__builtin_ctzll(half[1]) / 8 : 16;
#endif
}

// The first byte a or b in p .. end, or end.
static inline const char *rmx__find_either(const char *p, const char *end, char a, char b) {
  for (; end - p >= 16; p += 16) {
    const rmx__sixteen v = rmx__load16(p);
    const unsigned first = rmx__first16((rmx__sixteen)((v == (uint8_t)a) | (v == (uint8_t)b)));
    if (first < 16) return p + first;
  }
  while (p < end && *p != a && *p != b) p++;
  return p;
}

#endif
