// SPDX-License-Identifier: Apache-2.0
// Gaussian process: the likelihood's slopes, finds a smooth function and the noise on it, standard
// deviations that hold, closed-form leave-one-out errors, file, few runs, the published scores.

#include "../../src/regress/gp/gp.h"
#include "../../src/regress/gp/matern.h"

#include "regress/registry.h"
#include "smooth.h"

enum { D = 4 };

// Every number of rows, since the rows are solved four at a time.
START_TEST(several_right_sides_at_once) {
  enum { MOST = 11 };
  rmx_rng rng = rmx_rng_make(3, 0, RMX_FOR_TEST);
  double L[MOST * MOST], k[MOST * RMX__LANES], plain[MOST];
  for (size_t N = 1; N <= MOST; N++) {
    for (size_t i = 0; i < N * N; i++) L[i] = rmx_rng_uniform(&rng) - 0.5;
    for (size_t j = 0; j < N; j++) L[j * N + j] += 2;
    double given[MOST * RMX__LANES];
    for (size_t i = 0; i < N * RMX__LANES; i++) k[i] = given[i] = rmx_rng_uniform(&rng);
    rmx__solve_lanes(L, N, k);
    for (size_t lane = 0; lane < RMX__LANES; lane++)
      for (size_t i = 0; i < N; i++) {
        plain[i] = given[i * RMX__LANES + lane];
        for (size_t j = 0; j < i; j++) plain[i] -= L[j * N + i] * plain[j];
        plain[i] /= L[i * N + i];
        const double x = k[i * RMX__LANES + lane];
        ck_assert_msg(fabs(x - plain[i]) < 1e-12, "%zu rows, row %zu: %g, wanted %g", N, i, x,
                      plain[i]);
      }
  }
}
END_TEST

START_TEST(smooth_function) {
  enum { N = 120 };
  rmx_dataset data = a_dataset(N, D, 2, 0);
  rmx_regress_options o = options_for("gp");
  double X[200 * D], mean[200], sd[200], truth[200];
  some_mixtures(X, 200, D, 9);
  for (size_t i = 0; i < 200; i++) truth[i] = a_loss(X + i * D, D);
  rmx_regressor *r;
  rmx_scores s;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  rmx_regressor_predict(r, X, 200, mean, sd);
  rmx_score(truth, mean, 200, &s);
  ck_assert_msg(s.r2 > 0.999, "R2 %g", s.r2);
  gradient_holds(r, D, 1e-5);
  // Alone or among others, the same bits.
  for (size_t i = 0; i < 10; i++) {
    double alone;
    rmx_regressor_predict(r, X + i * D, 1, &alone, NULL);
    ck_assert(alone == mean[i]);
  }
  file_holds(r, D);
  // Near a run it is surer than far from all of them.
  double at_run, away, corner[D] = {0, 0, 0, 1}, y;
  rmx_regressor_predict(r, data.X, 1, &y, &at_run);
  rmx_regressor_predict(r, corner, 1, &y, &away);
  ck_assert_msg(at_run > 0 && away > 2 * at_run, "sd %g at a run, %g at a corner", at_run, away);
  rmx_regressor_free(r);
  dataset_done(&data);
  options_done(&o);
}
END_TEST

// What it says of its error is what its error is: z scores of unit size, within what 300 can show.
START_TEST(standard_deviations) {
  enum { N = 150 };
  rmx_dataset data = a_dataset(N, D, 6, 0.05);
  rmx_regress_options o = options_for("gp");
  double X[300 * D], mean[300], sd[300], z = 0;
  some_mixtures(X, 300, D, 12);
  rmx_regressor *r;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  rmx_regressor_predict(r, X, 300, mean, sd);
  for (size_t i = 0; i < 300; i++) z += pow((mean[i] - a_loss(X + i * D, D)) / sd[i], 2) / 300;
  ck_assert_msg(z > 0.2 && z < 2.5, "mean square of error over sd: %g", z);
  rmx_regressor_free(r);
  dataset_done(&data);
  options_done(&o);
}
END_TEST

// Closed-form leave-one-out errors are those of the fits to all the other runs.
START_TEST(leave_one_out) {
  enum { N = 25, P = GP_N_PARAMETERS(D) };
  rmx_dataset data = a_dataset(N, D, 3, 0.02);
  double theta[P], alpha[N], L[N * N], error[N], weight[N], y[N], X[N * D];
  rmx__gp_centre(D, theta);
  for (size_t i = 0; i < N; i++) {
    weight[i] = 0.5 + (double)(i % 3);
    y[i] = data.y[i] - 5;
  }
  rmx__gp_problem all = {N, D, data.X, y, weight};
  must(rmx__gp_solve(&all, theta, alpha, L, error, err));
  for (size_t out = 0; out < N; out += 6) {
    double y2[N], w2[N], alpha2[N], k = 0;
    size_t n = 0;
    for (size_t i = 0; i < N; i++) {
      if (i == out) continue;
      memcpy(X + n * D, data.X + i * D, D * sizeof(double));
      y2[n] = y[i];
      w2[n++] = weight[i];
    }
    rmx__gp_problem rest = {n, D, X, y2, w2};
    must(rmx__gp_solve(&rest, theta, alpha2, L, NULL, err));
    for (size_t i = 0; i < n; i++) {
      double r2 = 0, dot = 0, slope;
      for (size_t d = 0; d < D; d++) {
        double a = rmx__gp_warp(theta, D, d, X[i * D + d]),
               b = rmx__gp_warp(theta, D, d, data.X[out * D + d]);
        r2 += (a - b) * (a - b);
        dot += a * b;
      }
      k += alpha2[i] * (1 + exp(2 * theta[GP_SIGNAL]) * rmx__matern(r2, &slope) +
                        exp(2 * theta[GP_LINEAR]) * dot);
    }
    ck_assert_msg(fabs(y[out] - k - error[out]) < 1e-9, "run %zu: %g, closed form %g", out,
                  y[out] - k, error[out]);
  }
  dataset_done(&data);
}
END_TEST

// Files of 0.1.0 call the signal variance by another name.
START_TEST(old_file) {
  rmx_dataset data = a_dataset(20, D, 3, 0.02);
  rmx_regress_options o = options_for("gp");
  rmx_regressor *r, *old;
  double before[20], after[20];
  char path[128], *text;
  size_t size;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  snprintf(path, sizeof path, "%s/old.json", scratch_folder);
  must(rmx_regressor_write(r, path, err));
  must(rmx_read_file(path, &text, &size, err));
  char *name = strstr(text, "\"log_signal\"");
  ck_assert(name != NULL);
  memcpy(name, "\"log_ripple\"", strlen("\"log_ripple\""));
  must(rmx_write_file(path, text, size, err));
  must(rmx_regressor_read(path, &old, err));
  rmx_regressor_predict(r, data.X, data.N, before, NULL);
  rmx_regressor_predict(old, data.X, data.N, after, NULL);
  ck_assert_mem_eq(before, after, sizeof before);
  unlink(path);
  free(text);
  rmx_regressor_free(r);
  rmx_regressor_free(old);
  dataset_done(&data);
  options_done(&o);
}
END_TEST

START_TEST(few_runs) {
  sane_with_few_runs("gp");
}
END_TEST

START_TEST(threads) {
  threads_do_not_matter("gp");
}
END_TEST

START_TEST(published_scores) {
  published p;
  if (!published_read(&p, "published_scores", NULL)) return;
  rmx_regress_options o = options_for("gp");
  double mse, all = 0, start = rmx_now(), many = published_score(&p, &o, "pile_cc", 512, &mse);
  double took = rmx_now() - start;
  for (size_t m = 0; m < p.train_y.D; m++)
    all += published_score(&p, &o, p.train_y.names[m], 128, NULL) / 13;
  printf("# Pile-CC on 512 runs %.2f (mse %.5f), %.2f s; 13 metrics on 128 %.2f\n", many, mse, took,
         all);
  ck_assert(many > 99.3 && mse < 0.0015 && all > 98.4);
  published_release(&p);
  options_done(&o);
}
END_TEST

// The bits of a prediction depend on no neighbour; mean and gradient in one pass are those of two;
// a fit made again to the same runs is the same function.
START_TEST(one_or_many) {
  enum { N = 150, D = 5, Q = 37 };
  rmx_dataset data = a_dataset(N, D, 6, 0.01);
  rmx_regress_options o = options_for("ensemble");
  rmx_regressor *r, *same;
  double X[Q * D], mean[Q], sd[Q], one, one_sd, g[D], h[D];
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  must(rmx__refit(&o, r, &data, 1, &same, err));
  some_mixtures(X, Q, D, 4);
  rmx_regressor_predict(r, X, Q, mean, sd);
  for (size_t i = 0; i < Q; i++) {
    rmx_regressor_predict(r, X + i * D, 1, &one, &one_sd);
    ck_assert(one == mean[i] && one_sd == sd[i]);
    ck_assert(rmx__regressor_evaluate(r, X + i * D, &one, g) &&
              rmx_regressor_gradient(r, X + i * D, h));
    ck_assert_msg(fabs(one - mean[i]) < 1e-12 && memcmp(g, h, sizeof g) == 0, "%g and %g", one,
                  mean[i]);
    rmx_regressor_predict(same, X + i * D, 1, &one, NULL);
    ck_assert_msg(fabs(one - mean[i]) < 1e-4, "fitted again %g, %g", one, mean[i]);
  }
  rmx_regressor_free(r);
  rmx_regressor_free(same);
  dataset_done(&data);
  options_done(&o);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, one_or_many);
  tcase_add_test(tc, several_right_sides_at_once);
  tcase_add_test(tc, smooth_function);
  tcase_add_test(tc, standard_deviations);
  tcase_add_test(tc, leave_one_out);
  tcase_add_test(tc, old_file);
  tcase_add_test(tc, few_runs);
  tcase_add_test(tc, threads);
  tcase_add_test(tc, published_scores);
}
