// SPDX-License-Identifier: Apache-2.0
// RMX__LANES doubles at a time, for the loops of matern.c and fourier.c: WIDE functions are
// compiled for each processor level and chosen at start, INLINE ones are part of them.
#ifndef RMX_REGRESS_LANES_H
#define RMX_REGRESS_LANES_H

#include <stdint.h>

#include "matern.h"

// (The thread sanitizer has not begun when the choice is made.)
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif
#define INLINE static inline __attribute__((always_inline))

typedef double lanes __attribute__((vector_size(RMX__LANES * sizeof(double))));
typedef uint64_t bits __attribute__((vector_size(RMX__LANES * sizeof(int64_t))));

// Lanes anywhere in an array of doubles.
typedef double anywhere
    __attribute__((vector_size(RMX__LANES * sizeof(double)), aligned(8), may_alias));

#endif
