// SPDX-License-Identifier: Apache-2.0
/* kernel_levels.h: the levels of kernels that run here, numbers for them, and what each is held to
 * beside the reference. */
#ifndef RMX_TESTS_NUM_KERNEL_LEVELS_H
#define RMX_TESTS_NUM_KERNEL_LEVELS_H

#include <stdio.h>

#include "kernels/bf16.h"
#include "kernels/threaded.h"
#include "testing.h"

enum { MOST = 16 }; /* levels */

/* The levels to test: all this processor runs, and those that run the logic of AVX-512 and of AMX
 * anywhere.
 */
static inline size_t levels(const rmx_kernels *list[MOST]) {
  static const char *const hidden[] = {"wide", "amx-emulated"};
  const char *names[MOST];
  size_t n = 0;
  for (size_t i = 0, all = rmx_kernels_available(names, MOST - 2); i < all; i++)
    must(rmx_kernels_get(names[i], &list[n++], err));
  rmx_err err;
  for (size_t i = 0; i < 2; i++)
    if (rmx_kernels_get(hidden[i], &list[n], &err) == RMX_OK) n++;
  return n;
}

static inline float *normals(size_t n, uint64_t seed) {
  float *x = malloc((n + 1) * sizeof *x);
  ck_assert_ptr_nonnull(x);
  rmx_rng rng = rmx_rng_make(seed, 0, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) x[i] = (float)rmx_rng_normal(&rng);
  return x;
}
static inline float *copy_of(const float *x, size_t n) {
  float *y = malloc((n + 1) * sizeof *y);
  ck_assert_ptr_nonnull(y);
  memcpy(y, x, n * sizeof *y);
  return y;
}

/* Largest |got - wanted| in units of float rounding at the scale of the largest number wanted. */
static inline double error(const float *got, const float *wanted, size_t n) {
  double most = 0, scale = 1e-30;
  for (size_t i = 0; i < n; i++) {
    if (!(fabs((double)got[i] - wanted[i]) <= most)) most = fabs((double)got[i] - wanted[i]);
    if (fabs(wanted[i]) > scale) scale = fabs(wanted[i]);
  }
  return most / scale / 6e-8;
}
#define close(level, what, got, wanted, n, bound)                                    \
  do {                                                                               \
    double error_ = error(got, wanted, n);                                           \
    ck_assert_msg(error_ <= (bound), "%s: %s is off by %.1f roundings (at most %g)", \
                  (level)->name, what, error_, (double)(bound));                     \
  } while (0)

/* What a level is held to where it rounds operands to bfloat16 and others do not: some such
 * roundings more.
 */
static inline double allowed(const rmx_kernels *k, double bound, double bf16_roundings) {
  return bound + (k->bf16 ? bf16_roundings * RMX__BF16_ROUNDING / 6e-8 : 0);
}
/* x as products of level k take it. */
static inline float *as_operand(const rmx_kernels *k, const float *x, size_t n) {
  float *y = copy_of(x, n);
  for (size_t i = 0; k->bf16 && i < n; i++) y[i] = rmx__bf16_round(y[i]);
  return y;
}

static const size_t sizes[]
    __attribute__((unused)) = {1, 2, 3, 5, 6, 7, 13, 15, 16, 17, 31, 33, 64, 100};
enum { SIZES = sizeof sizes / sizeof *sizes };

#endif
