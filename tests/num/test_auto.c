// SPDX-License-Identifier: Apache-2.0
// The ensemble, and the choice of a regressor: the right one for what it is given, told, and kept
// in fit.json.

#include "regress/fit.h"
#include "regress/folds.h"
#include "smooth.h"

START_TEST(ensemble) {
  enum { D = 4 };
  rmx_dataset data = a_dataset(60, D, 2, 0.01);
  static const char *const names[] = {"power", "gp", "ensemble"};
  double X[100 * D], mean[3][100], sd[3][100];
  some_mixtures(X, 100, D, 9);
  for (int k = 0; k < 3; k++) {
    rmx_regress_options o = options_for(names[k]);
    rmx_regressor *r;
    must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
    rmx_regressor_predict(r, X, 100, mean[k], sd[k]);
    if (k == 2) {
      gradient_holds(r, D, 1e-5);
      file_holds(r, D);
    }
    rmx_regressor_free(r);
    options_done(&o);
  }
  for (size_t i = 0; i < 100; i++) {
    ck_assert(fabs(mean[2][i] - (mean[0][i] + mean[1][i]) / 2) < 1e-12);
    ck_assert(fabs(sd[2][i] - hypot(sd[1][i], (mean[0][i] - mean[1][i]) / 2)) < 1e-12);
  }
  dataset_done(&data);
}
END_TEST

// A staircase is for trees, a power law not for ridge; the note says why.
START_TEST(chooses) {
  enum { N = 400, D = 6 };
  rmx_dataset data = a_dataset(N, D, 5, 0);
  rmx_regress_options o = options_for("auto");
  double *y = (double *)data.y;
  rmx_regressor *r;
  forget();
  must(rmx_regress_fit(&o, &data, 1, &listener, &r, err));
  const char *name = rmx_regressor_name(r);
  ck_assert_msg(strcmp(name, "ridge") != 0 && strcmp(name, "trees") != 0, "%s", name);
  ck_assert_msg(said && strstr(said, "chosen; root mean square error") && strstr(said, "ridge ") &&
                    strstr(said, "power ") && strstr(said, "gp "),
                "%s", said);
  rmx_regressor_free(r);
  // Steps up and down a domain's weights, which no smooth function follows.
  for (size_t i = 0; i < N; i++) {
    y[i] = 0;
    for (size_t d = 0; d < D; d++) y[i] += (data.X[i * D + d] > 0.002) - (data.X[i * D + d] > 0.02);
  }
  forget();
  must(rmx_regress_fit(&o, &data, 1, &listener, &r, err));
  ck_assert_msg(strcmp(rmx_regressor_name(r), "trees") == 0, "%s", said);
  rmx_regressor_free(r);
  forget();
  dataset_done(&data);
  options_done(&o);
}
END_TEST

START_TEST(kept_in_the_folder) {
  enum { N = 30, D = 3 };
  char folder[64], path[96], *text, *text2;
  size_t size, size2;
  snprintf(folder, sizeof folder, "%s/fit", scratch_folder);
  snprintf(path, sizeof path, "%s/fit.json", folder);
  rmx_dataset data = a_dataset(N, D, 8, 0.01);
  rmx_regress_options o = options_for("auto");
  rmx_table X, Y;
  must(rmx_table_make(&X, "run", N, D, err));
  must(rmx_table_make(&Y, "run", N, 2, err));
  for (size_t i = 0; i < N; i++) {
    X.ids[i] = rmx_format("r%zu", i);
    Y.ids[i] = rmx_format("r%zu", i);
    memcpy(X.x + i * D, data.X + i * D, D * sizeof(double));
    Y.x[2 * i] = data.y[i];
    Y.x[2 * i + 1] = 1;
  }
  for (size_t d = 0; d < D; d++) X.names[d] = rmx_format("domain_%c", (char)('a' + (int)d));
  Y.names[0] = rmx_strdup("domain_a_val_loss");
  Y.names[1] = rmx_strdup("flat");
  rmx_fit *f, *again;
  forget();
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &X,
                                                .metrics = &Y,
                                                .seed = 1,
                                                .threads = 2,
                                                .listener = &listener},
                      &f, err));
  ck_assert_msg(strstr(said, "\"flat\": its values are all the same: ridge") != NULL, "%s", said);
  must(rmx_fit_write(f, folder, NULL, err));
  must(rmx_read_file(path, &text, &size, err));
  ck_assert_msg(
      strstr(text, "\"choice\"") && strstr(text, "\"chosen\"") && strstr(text, "\"rmse\""), "%s",
      text);
  must(rmx_fit_read(folder, &again, err));
  must(rmx_fit_write(again, folder, NULL, err));
  must(rmx_read_file(path, &text2, &size2, err));
  ck_assert_str_eq(text, text2);
  must(rmx_remove_tree(folder, err));
  rmx_fit_free(f);
  rmx_fit_free(again);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  free(text);
  free(text2);
  forget();
  dataset_done(&data);
  options_done(&o);
}
END_TEST

// Of few runs every fold makes the whole choice again: the errors out of fold are those of a
// cross-validation that has never seen the fit.
START_TEST(folds_choose_again) {
  enum { N = 40, D = 4 };
  rmx_dataset data = a_dataset(N, D, 12, 0.02);
  rmx_regress_options o = options_for("auto");
  static const char *const names[D] = {"a", "b", "c", "d"};
  double predicted[N];
  int fold[N];
  rmx_table X, Y;
  must(rmx_table_make(&X, "run", N, D, err));
  must(rmx_table_make(&Y, "run", N, 1, err));
  memcpy(X.x, data.X, N * D * sizeof(double));
  memcpy(Y.x, data.y, N * sizeof(double));
  for (size_t i = 0; i < N; i++) {
    X.ids[i] = rmx_format("r%zu", i);
    Y.ids[i] = rmx_format("r%zu", i);
  }
  for (size_t d = 0; d < D; d++) X.names[d] = rmx_strdup(names[d]);
  Y.names[0] = rmx_strdup("loss");
  rmx_fit *f;
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .raw = true, .seed = 3, .threads = 1},
      &f, err));
  data.own_domain = -1;
  must(rmx__cross_validate(&o, &data, NULL, 3, predicted, fold, NULL, err));
  ck_assert(memcmp(predicted, f->out_of_fold, sizeof predicted) == 0);
  rmx_fit_free(f);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  dataset_done(&data);
  options_done(&o);
}
END_TEST

// Of metrics that are noise it promises little.
START_TEST(noise) {
  enum { N = 24, D = 16, METRICS = 10, QUERIES = 200 };
  rmx_dataset data = a_dataset(N, D, 5, 0);
  rmx_regress_options o = options_for("auto");
  double X[QUERIES * D], mean[QUERIES], *y = (double *)data.y, square = 0;
  some_mixtures(X, QUERIES, D, 9);
  data.own_domain = -1;
  for (uint64_t m = 0; m < METRICS; m++) {
    rmx_rng rng = rmx_rng_make(6, m, RMX_FOR_TEST);
    for (size_t i = 0; i < N; i++) y[i] = rmx_rng_normal(&rng);
    rmx_regressor *r;
    must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
    rmx_regressor_predict(r, X, QUERIES, mean, NULL);
    for (size_t i = 0; i < QUERIES; i++) square += mean[i] * mean[i] / (QUERIES * METRICS);
    rmx_regressor_free(r);
  }
  printf("# metrics of noise are predicted within %.2f standard deviations\n", sqrt(square));
  ck_assert_msg(sqrt(square) < 0.4, "%g standard deviations", sqrt(square));
  dataset_done(&data);
  options_done(&o);
}
END_TEST

START_TEST(few_runs) {
  sane_with_few_runs("auto");
  sane_with_few_runs("ensemble");
}
END_TEST

START_TEST(threads) {
  threads_do_not_matter("auto");
}
END_TEST

START_TEST(published_scores) {
  published p;
  if (!published_read(&p, "published_scores", NULL)) return;
  static const size_t runs[] = {32, 64};
  static const double wanted[] = {97.0, 98.3};
  rmx_regress_options o = options_for("auto");
  for (int k = 0; k < 2; k++) {
    double all = 0, start = rmx_now();
    for (size_t m = 0; m < p.train_y.D; m++)
      all += published_score(&p, &o, p.train_y.names[m], runs[k], NULL) / 13;
    printf("# 13 metrics on %zu runs %.2f; %.1f s\n", runs[k], all, rmx_now() - start);
    ck_assert(all > wanted[k]);
  }
  published_release(&p);
  options_done(&o);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, ensemble);
  tcase_add_test(tc, chooses);
  tcase_add_test(tc, kept_in_the_folder);
  tcase_add_test(tc, folds_choose_again);
  tcase_add_test(tc, noise);
  tcase_add_test(tc, few_runs);
  tcase_add_test(tc, threads);
  tcase_add_test(tc, published_scores);
}
