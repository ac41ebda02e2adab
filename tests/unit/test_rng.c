// SPDX-License-Identifier: Apache-2.0
#include "testing.h"

// The known answers that the authors publish with Random123 for philox4x32-10.
START_TEST(philox_known_answers) {
  static const struct {
    uint32_t counter[4], key[2], out[4];
  } cases[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t out[4];
    rmx_philox(cases[i].counter, cases[i].key, out);
    for (int k = 0; k < 4; k++) ck_assert_uint_eq(out[k], cases[i].out[k]);
  }
}
END_TEST

static void moments(double (*draw)(rmx_rng *, double), double parameter, double mean,
                    double variance) {
  enum { N = 200000 };
  rmx_rng r = rmx_rng_make(7, 0, RMX_FOR_TEST);
  double sum = 0, squares = 0;
  for (int i = 0; i < N; i++) {
    double x = draw(&r, parameter);
    sum += x;
    squares += x * x;
  }
  double m = sum / N, v = squares / N - m * m, sd = sqrt(variance / N);
  ck_assert_msg(fabs(m - mean) < 5 * sd, "mean %g, wanted %g", m, mean);
  ck_assert_msg(fabs(v - variance) < 0.05 * variance, "variance %g, wanted %g", v, variance);
}

static double uniform(rmx_rng *r, double unused) {
  (void)unused;
  return rmx_rng_uniform(r);
}
static double normal(rmx_rng *r, double unused) {
  (void)unused;
  return rmx_rng_normal(r);
}
static double below(rmx_rng *r, double n) {
  return (double)rmx_rng_below(r, (uint64_t)n);
}

START_TEST(moments_are_right) {
  moments(uniform, 0, 0.5, 1.0 / 12);
  moments(normal, 0, 0, 1);
  moments(below, 10, 4.5, 8.25);
  moments(rmx_rng_gamma, 3.5, 3.5, 3.5);
  moments(rmx_rng_gamma, 0.3, 0.3, 0.3);
}
END_TEST

START_TEST(streams_depend_on_their_key_alone) {
  rmx_rng a = rmx_rng_make(1, 2, RMX_FOR_ORDER), b = rmx_rng_make(1, 2, RMX_FOR_ORDER);
  rmx_rng other_run = rmx_rng_make(1, 3, RMX_FOR_ORDER),
          other_purpose = rmx_rng_make(1, 2, RMX_FOR_WEIGHTS);
  int same_run = 0, same_purpose = 0;
  for (int i = 0; i < 1000; i++) {
    uint32_t x = rmx_rng_u32(&a);
    ck_assert_uint_eq(x, rmx_rng_u32(&b));
    same_run += x == rmx_rng_u32(&other_run);
    same_purpose += x == rmx_rng_u32(&other_purpose);
  }
  ck_assert_int_le(same_run, 1);
  ck_assert_int_le(same_purpose, 1);
}
END_TEST

START_TEST(a_shuffle_keeps_all_items) {
  size_t items[50], seen[50] = {0};
  for (size_t i = 0; i < 50; i++) items[i] = i;
  rmx_rng r = rmx_rng_make(3, 0, RMX_FOR_TEST);
  rmx_rng_shuffle(&r, items, 50);
  size_t moved = 0;
  for (size_t i = 0; i < 50; i++) {
    seen[items[i]]++;
    moved += items[i] != i;
  }
  for (size_t i = 0; i < 50; i++) ck_assert_uint_eq(seen[i], 1);
  ck_assert_uint_gt(moved, 40);
}
END_TEST

static void square(void *context, size_t i) {
  ((double *)context)[i] = (double)(i * i);
}

START_TEST(parallel_does_each_once) {
  double out[1000];
  for (int threads = 1; threads <= 8; threads *= 2) {
    memset(out, 0, sizeof out);
    rmx_parallel(threads, 1000, square, out);
    for (size_t i = 0; i < 1000; i++) ck_assert(out[i] == (double)(i * i));
  }
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, philox_known_answers);
  tcase_add_test(tc, moments_are_right);
  tcase_add_test(tc, streams_depend_on_their_key_alone);
  tcase_add_test(tc, a_shuffle_keeps_all_items);
  tcase_add_test(tc, parallel_does_each_once);
}
