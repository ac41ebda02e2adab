// SPDX-License-Identifier: Apache-2.0
// The data mixing law: finds laws of its own form again, gradient, file, few runs.

#include "smooth.h"

enum { D = 4 };

static double own_form(const double *w, int terms) {
  static const double t[2][D] = {{-2, -0.5, 0, 0.3}, {0.5, -3, 0.2, 0}};
  double y = 2;
  for (int k = 0; k < terms; k++) {
    double sum = 0.2 * k;
    for (int d = 0; d < D; d++) sum += t[k][d] * w[d];
    y += exp(sum);
  }
  return y;
}

START_TEST(own_form_again) {
  enum { N = 150 };
  rmx_regress_options o = options_for("exp");
  double X[100 * D], mean[100], truth[100];
  some_mixtures(X, 100, D, 8);
  for (int terms = 1; terms <= 2; terms++) {
    rmx_dataset data = a_dataset(N, D, 1, 0);
    for (size_t i = 0; i < N; i++) ((double *)data.y)[i] = own_form(data.X + i * D, terms);
    for (size_t i = 0; i < 100; i++) truth[i] = own_form(X + i * D, terms);
    rmx_regressor *r;
    rmx_scores s;
    o.exp.terms = terms;
    must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
    rmx_regressor_predict(r, X, 100, mean, NULL);
    rmx_score(truth, mean, 100, &s);
    ck_assert_msg(s.r2 > 0.9999, "%d terms: R2 %g", terms, s.r2);
    gradient_holds(r, D, 1e-5);
    file_holds(r, D);
    rmx_regressor_free(r);
    dataset_done(&data);
  }
  options_done(&o);
}
END_TEST

START_TEST(few_runs) {
  sane_with_few_runs("exp");
}
END_TEST

START_TEST(threads) {
  threads_do_not_matter("exp");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, own_form_again);
  tcase_add_test(tc, few_runs);
  tcase_add_test(tc, threads);
}
