// SPDX-License-Identifier: Apache-2.0
// Power law + linear: finds a law of its own form again, gradient, file, few runs, the published
// scores.

#include "smooth.h"

enum { D = 5 };

static double own_form(const double *w) {
  static const double tau[D] = {1, 0, -1, -2, -1}, g[D] = {0.5, 0.8, 0.6, 0.4, 0.5},
                      v[D] = {0, .2, -.1, .1, 0};
  double data = exp(-1.5), linear = 0;
  for (int d = 0; d < D; d++) {
    data += exp(tau[d]) * pow(w[d] + 1e-4, g[d]);
    linear += v[d] * w[d];
  }
  return 2 + 1.5 * pow(data, -0.6) + linear;
}

START_TEST(own_form_again) {
  enum { N = 200 };
  rmx_dataset data = a_dataset(N, D, 1, 0);
  double *y = (double *)data.y, X[100 * D], mean[100], truth[100];
  for (size_t i = 0; i < N; i++) y[i] = own_form(data.X + i * D);
  some_mixtures(X, 100, D, 8);
  for (size_t i = 0; i < 100; i++) truth[i] = own_form(X + i * D);
  rmx_regress_options o = options_for("power");
  for (int robust = 0; robust < 2; robust++) {
    o.power.robust = robust;
    // Where errors may have heavy tails, a tenth of the runs gone wild does no harm.
    if (robust)
      for (size_t i = 0; i < N; i += 10) y[i] += i % 20 ? 0.8 : -0.5;
    rmx_regressor *r;
    rmx_scores s;
    must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
    rmx_regressor_predict(r, X, 100, mean, NULL);
    rmx_score(truth, mean, 100, &s);
    ck_assert_msg(s.r2 > (robust ? 0.998 : 0.9999) && s.spearman > 0.998,
                  "robust %d: R2 %g, Spearman %g", robust, s.r2, s.spearman);
    gradient_holds(r, D, 1e-5);
    file_holds(r, D);
    rmx_regressor_free(r);
  }
  // Row weights: runs of weight 0 are not there.
  double weights[N];
  for (size_t i = 0; i < N; i++) weights[i] = i % 10 != 0;
  data.row_weights = weights;
  o.power.robust = false;
  rmx_regressor *r;
  rmx_scores s;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  rmx_regressor_predict(r, X, 100, mean, NULL);
  rmx_score(truth, mean, 100, &s);
  ck_assert_msg(s.r2 > 0.999, "R2 %g", s.r2);
  rmx_regressor_free(r);
  dataset_done(&data);
  options_done(&o);
}
END_TEST

// The metric's own domain is believed in where runs are too few to tell.
START_TEST(own_domain) {
  rmx_dataset data = a_dataset(12, 10, 4, 0.02);
  rmx_regress_options o = options_for("power");
  double X[300 * 10], truth[300], mean[300], error[2];
  some_mixtures(X, 300, 10, 31);
  for (size_t i = 0; i < 300; i++) truth[i] = a_loss(X + i * 10, 10);
  for (int own = 0; own < 2; own++) {
    rmx_regressor *r;
    rmx_scores s;
    data.own_domain = own ? 0 : -1;
    must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
    rmx_regressor_predict(r, X, 300, mean, NULL);
    rmx_score(truth, mean, 300, &s);
    error[own] = s.mse;
    rmx_regressor_free(r);
  }
  ck_assert_msg(error[1] < error[0], "mean squared error with %g, without %g", error[1], error[0]);
  dataset_done(&data);
  options_done(&o);
}
END_TEST

START_TEST(few_runs) {
  sane_with_few_runs("power");
}
END_TEST

START_TEST(threads) {
  threads_do_not_matter("power");
}
END_TEST

START_TEST(published_scores) {
  published p;
  if (!published_read(&p, "published_scores", NULL)) return;
  rmx_regress_options o = options_for("power");
  double mse, all = 0, start = rmx_now();
  double few = published_score(&p, &o, "pile_cc", 64, NULL),
         many = published_score(&p, &o, "pile_cc", 512, &mse);
  for (size_t m = 0; m < p.train_y.D; m++)
    all += published_score(&p, &o, p.train_y.names[m], 128, NULL) / 13;
  printf("# Pile-CC on 64 runs %.2f, on 512 %.2f (mse %.5f); 13 metrics on 128 %.2f; %.1f s\n", few,
         many, mse, all, rmx_now() - start);
  ck_assert(few > 97.5 && many > 99.4 && mse < 0.0012 && all > 98.5);
  published_release(&p);
  options_done(&o);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, own_form_again);
  tcase_add_test(tc, own_domain);
  tcase_add_test(tc, few_runs);
  tcase_add_test(tc, threads);
  tcase_add_test(tc, published_scores);
}
