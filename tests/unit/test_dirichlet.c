// SPDX-License-Identifier: Apache-2.0
// Dirichlet numbers have the means and variances they should, for shapes from 1e-3 to 50, and stay
// on the simplex for shapes of any size.

#include <regmix/mixture.h>

#include "testing.h"

enum { N = 100000 };

// mean_d = a_d / A, variance_d = mean_d (1 - mean_d) / (A + 1); tested at five standard errors.
static void moments(const double *alpha, size_t D) {
  double A = 0, sum[8] = {0}, square[8] = {0}, w[8];
  rmx_rng rng = rmx_rng_make(7, D, RMX_FOR_TEST);
  for (size_t d = 0; d < D; d++) A += alpha[d];
  for (int i = 0; i < N; i++) {
    double total = 0;
    rmx_dirichlet(&rng, alpha, D, w);
    for (size_t d = 0; d < D; d++) {
      ck_assert(w[d] >= 0 && w[d] <= 1);
      total += w[d];
      sum[d] += w[d];
      square[d] += w[d] * w[d];
    }
    ck_assert(fabs(total - 1) < 1e-12);
  }
  for (size_t d = 0; d < D; d++) {
    double m = alpha[d] / A, v = m * (1 - m) / (A + 1), mean = sum[d] / N,
           var = square[d] / N - mean * mean;
    ck_assert_msg(fabs(mean - m) <= 5 * sqrt(v / N), "mean of %zu: %g, wanted %g", d, mean, m);
    // The fourth moment of a number in [0,1] is below its second.
    ck_assert_msg(fabs(var - v) <= 5 * sqrt((v + m * m) / N), "variance of %zu: %g, wanted %g", d,
                  var, v);
  }
}

START_TEST(moments_hold) {
  moments((const double[]){1, 1, 1}, 3);
  moments((const double[]){0.05, 0.3, 0.65}, 3);
  moments((const double[]){10, 20, 0.5, 50}, 4);
  moments((const double[]){1e-3, 2e-3, 1e-3}, 3);
  moments((const double[]){0.5, 0, 1.5}, 3);
}
END_TEST

START_TEST(tiny_shapes) {
  // So small that every gamma number underflows: one domain gets all, in proportion to its alpha.
  const double alpha[] = {1e-310, 0, 3e-310};
  double w[3];
  int first = 0;
  rmx_rng rng = rmx_rng_make(1, 1, RMX_FOR_TEST);
  for (int i = 0; i < 20000; i++) {
    rmx_dirichlet(&rng, alpha, 3, w);
    ck_assert(w[0] + w[1] + w[2] == 1 && w[1] == 0);
    first += w[0] == 1;
  }
  ck_assert(abs(first - 5000) < 5 * 62);
}
END_TEST

START_TEST(repeats) {
  const double alpha[] = {0.1, 0.2, 3};
  double a[3], b[3];
  rmx_rng r = rmx_rng_make(3, 4, RMX_FOR_MIXTURES), s = rmx_rng_make(3, 4, RMX_FOR_MIXTURES);
  rmx_dirichlet(&r, alpha, 3, a);
  rmx_dirichlet(&s, alpha, 3, b);
  ck_assert(memcmp(a, b, sizeof a) == 0);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, moments_hold);
  tcase_add_test(tc, tiny_shapes);
  tcase_add_test(tc, repeats);
}
