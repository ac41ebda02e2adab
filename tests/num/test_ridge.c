// SPDX-License-Identifier: Apache-2.0
// Ridge: the normal equations, scikit-learn's coefficients on the published runs, the fit of tables
// and its folder, and all that can be wrong with either.

#include <unistd.h>

#include "published.h"
#include "regress/fit.h"
#include "regress/registry.h"

#include "listening.h"

static rmx_regress_options ridge_options(double alpha) {
  rmx_regress_options o = {0};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      "ridge", err));
  o.ridge.alpha = alpha;
  return o;
}

static void done(rmx_regress_options *o) {
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, o);
}

static const char *scratch(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", scratch_folder, name);
  return path;
}

static rmx_table table_of(const char *name, const char *text) {
  rmx_table t = {0};
  rmx_err err;
  ck_assert_int_eq(rmx_write_file(scratch(name), text, strlen(text), &err), RMX_OK);
  must(rmx_csv_read(scratch(name), &t, err));
  return t;
}

// The gradient of the objective must vanish: sum r f (y - b - v.f) = alpha v, sum r (y - b - v.f) =
// 0.
static void normal_equations(bool root) {
  enum { N = 40, D = 5 };
  double X[N * D], y[N], r[N], alpha = 0.3;
  rmx_rng rng = rmx_rng_make(1, 2, RMX_FOR_TEST);
  for (int i = 0; i < N; i++) {
    y[i] = rmx_rng_normal(&rng);
    r[i] = 0.5 + rmx_rng_uniform(&rng);
    for (int d = 0; d < D; d++) X[i * D + d] = rmx_rng_uniform(&rng);
  }
  rmx_dataset data = {
      .N = N, .D = D, .X = X, .y = y, .row_weights = r, .metric = "m", .own_domain = -1};
  rmx_regress_options o = ridge_options(alpha);
  o.ridge.sqrt = root;
  rmx_regressor *f;
  must(rmx_regress_fit(&o, &data, 1, NULL, &f, err));
  double zero[D] = {0}, b, v[D], intercept_slope = 0, slope[D] = {0};
  rmx_regressor_predict(f, zero, 1, &b, NULL);
  for (int d = 0; d < D; d++) {
    double unit[D] = {0}, at;
    unit[d] = 1;
    rmx_regressor_predict(f, unit, 1, &at, NULL);
    v[d] = at - b;
  }
  for (int i = 0; i < N; i++) {
    double e = y[i] - b;
    for (int d = 0; d < D; d++) e -= v[d] * (root ? sqrt(X[i * D + d]) : X[i * D + d]);
    intercept_slope += r[i] * e;
    for (int d = 0; d < D; d++) slope[d] += r[i] * e * (root ? sqrt(X[i * D + d]) : X[i * D + d]);
  }
  ck_assert(fabs(intercept_slope) < 1e-12);
  for (int d = 0; d < D; d++) ck_assert(fabs(slope[d] - alpha * v[d]) < 1e-12);
  // The gradient against differences.
  double g[D], w[D] = {0.3, 0.1, 0.2, 0.15, 0.25};
  ck_assert(rmx_regressor_gradient(f, w, g));
  for (int d = 0; d < D; d++) {
    double up, down, keep = w[d];
    w[d] = keep + 1e-6;
    rmx_regressor_predict(f, w, 1, &up, NULL);
    w[d] = keep - 1e-6;
    rmx_regressor_predict(f, w, 1, &down, NULL);
    w[d] = keep;
    ck_assert(fabs((up - down) / 2e-6 - g[d]) < 1e-7);
  }
  // Written and read again it predicts the same bits.
  rmx_regressor *again;
  must(rmx_regressor_write(f, scratch("ridge.json"), err));
  must(rmx_regressor_read(scratch("ridge.json"), &again, err));
  double p[N], q[N], sd[N];
  rmx_regressor_predict(f, X, N, p, NULL);
  rmx_regressor_predict(again, X, N, q, sd);
  ck_assert(memcmp(p, q, sizeof p) == 0 && isnan(sd[0]));
  rmx_regressor_free(f);
  rmx_regressor_free(again);
  done(&o);
}

START_TEST(solves) {
  normal_equations(false);
  normal_equations(true);
}
END_TEST

START_TEST(scikit_learn) {
  published p;
  if (!published_read(&p, "scikit_learn", "golden/linear/ridge_alpha1_coefficients.csv")) return;
  const char *const files[] = {"golden/linear/ridge_alpha1_coefficients.csv",
                               "golden/linear/ridge_alpha0.001_coefficients.csv"};
  const double alphas[] = {1, 0.001};
  for (int a = 0; a < 2; a++) {
    rmx_table golden;
    read_table(shared_folder(), files[a], &golden);
    rmx_regress_options o = ridge_options(alphas[a]);
    for (size_t i = 0; i < golden.N; i++) {
      double *y = column_of(&p.train_y, golden.ids[i]), b, g[17], zero[17] = {0};
      rmx_dataset data = {.N = 512, .D = 17, .X = p.train_x.x, .y = y, .own_domain = -1};
      rmx_regressor *r;
      must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
      rmx_regressor_predict(r, zero, 1, &b, NULL);
      rmx_regressor_gradient(r, zero, g);
      ck_assert(fabs(b - golden.x[i * 18]) < 1e-8);
      for (int d = 0; d < 17; d++) ck_assert(fabs(g[d] - golden.x[i * 18 + 1 + d]) < 1e-8);
      rmx_regressor_free(r);
      free(y);
    }
    done(&o);
    rmx_table_release(&golden);
  }
  published_release(&p);
}
END_TEST

START_TEST(published_figures) {
  published p;
  if (!published_read(&p, "published_figures",
                      "golden/linear/ridge_alpha1_predictions_unseen256.csv"))
    return;
  rmx_regress_options o = ridge_options(0.001);
  rmx_fit *f, *again;
  rmx_table predicted, golden;
  rmx_scores scores[13], mean;
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &p.train_x,
                                                .metrics = &p.train_y,
                                                .raw = true,
                                                .seed = 42,
                                                .threads = 2},
                      &f, err));
  must(rmx_fit_score_tables(f, &p.unseen_x, &p.unseen_y, NULL, scores, &mean, NULL, err));
  size_t cc = 0;
  must(rmx_find_name("metric", "pile_cc", (const char *const *)f->metrics, f->M, &cc, err));
  ck_assert_msg(fabs(100 * scores[cc].spearman - 90.18) < 0.005, "Pile-CC: %.4f",
                100 * scores[cc].spearman);
  ck_assert(fabs(scores[cc].mse - 0.0235) < 5e-5);
  ck_assert_msg(fabs(100 * mean.spearman - 83.2) < 0.1 && fabs(mean.mse - 0.274) < 5e-4,
                "mean %.4f %.6f", 100 * mean.spearman, mean.mse);
  ck_assert_uint_eq(mean.n, 13);
  rmx_fit_free(f);
  // Predictions at alpha 1, through a folder and back.
  o.ridge.alpha = 1;
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &p.train_x,
                                                .metrics = &p.train_y,
                                                .raw = true,
                                                .seed = 42,
                                                .threads = 1},
                      &f, err));
  must(rmx_fit_write(f, scratch("fit"), NULL, err));
  must(rmx_fit_read(scratch("fit"), &again, err));
  must(rmx_fit_predict_table(again, &p.unseen_x, &predicted, err));
  read_table(shared_folder(), "golden/linear/ridge_alpha1_predictions_unseen256.csv", &golden);
  ck_assert(predicted.N == 256 && predicted.D == 13 && again->raw && again->N == 512);
  for (size_t m = 0; m < golden.D; m++) {
    size_t k = 0;
    must(rmx_find_name("metric", golden.names[m], (const char *const *)predicted.names, predicted.D,
                       &k, err));
    for (size_t i = 0; i < 256; i++)
      ck_assert(fabs(predicted.x[i * 13 + k] - golden.x[i * 13 + m]) < 1e-8);
  }
  ck_assert(memcmp(again->runs, f->runs, 512 * 17 * sizeof(double)) == 0);
  ck_assert(fabs(again->cv[cc].spearman - f->cv[cc].spearman) < 1e-15);
  rmx_fit_free(f);
  rmx_fit_free(again);
  rmx_table_release(&predicted);
  rmx_table_release(&golden);
  published_release(&p);
  done(&o);
}
END_TEST

static const char mixtures[] =
    "run,wiki,books,code\n"
    "a,0.5,0.5,0\n"
    "b,0.25,0.75,0\n"
    "c,1,0,0\n"
    "d,0,1,0\n"
    "e,0.1,0.9,0\n"
    "f,0.5,0.5,0\n"
    "g,0.3,0.7,0\n"
    "lonely,0.2,0.8,0\n";
static const char metrics[] =
    "run,wiki_val_loss,flat\n"
    "g,2.3,1\n"
    "a,2.5,1\n"
    "b,2.25,1\n"
    "c,3,1\n"
    "d,,1\n"
    "e,2.1,1\n"
    "f,2.5,1\n"
    "stray,2,1\n";

START_TEST(tables) {
  rmx_table X = table_of("m.csv", mixtures), Y = table_of("l.csv", metrics), bad;
  rmx_regress_options o = ridge_options(1e-6);
  rmx_fit *f;
  forget();
  must_fail(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                     .mixtures = &X,
                                                     .metrics = &Y,
                                                     .seed = 1,
                                                     .threads = 2,
                                                     .listener = &listener},
                           &f, err),
            "--skip-missing");
  forget();
  o.skip_missing = true;
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &X,
                                                .metrics = &Y,
                                                .seed = 1,
                                                .threads = 2,
                                                .listener = &listener},
                      &f, err));
  ck_assert(f->N == 7 && f->D == 3 && f->M == 2);
  ck_assert_msg(strstr(said, "1 of 8 runs in") && strstr(said, "left out: lonely") &&
                    strstr(said, "left out: stray"),
                "%s", said);
  ck_assert_msg(strstr(said, "no run used \"code\"") != NULL, "%s", said);
  ck_assert_msg(
      strstr(said, "metric \"wiki_val_loss\": 1 of 7 runs has no value (d; the first in ") != NULL,
      "%s", said);
  ck_assert_msg(strstr(said, "metric \"flat\" is 1 in all 7 runs") != NULL, "%s", said);
  // Runs a and f are one group and so in one fold; d has none.
  ck_assert(f->fold[0] == f->fold[5 * 2] && f->fold[3 * 2] == -1 && isnan(f->out_of_fold[3 * 2]));
  // wiki_val_loss is 2 + wiki to rounding.
  double w[3] = {0.4, 0.6, 0}, y;
  rmx_regressor_predict(f->regressors[0], w, 1, &y, NULL);
  ck_assert(fabs(y - 2.4) < 1e-4);
  rmx_regressor_predict(f->regressors[1], w, 1, &y, NULL);
  ck_assert(fabs(y - 1) < 1e-12);
  rmx_fit_free(f);

  const char *only[] = {"wiki"}, *twice[] = {"wiki", "wiki_val_loss"}, *unknown[] = {"walls"};
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &X,
                                                .metrics = &Y,
                                                .only = only,
                                                .n_only = 1,
                                                .seed = 1,
                                                .threads = 1},
                      &f, err));
  ck_assert(f->M == 1);
  // Columns in another order; a column that is no domain; a missing one.
  bad = table_of("p.csv", "x,code,books,wiki\n1,0,0.5,0.5\n");
  double *P;
  must(rmx_fit_mixtures(f, &bad, &P, err));
  ck_assert(P[0] == 0.5 && P[2] == 0);
  free(P);
  rmx_table_release(&bad);
  bad = table_of("p.csv", "x,code,books,wiki,maths\n1,0,0.5,0.5,0\n");
  must_fail(rmx_fit_mixtures(f, &bad, &P, err), "\"maths\" is not a domain of the fit");
  rmx_table_release(&bad);
  bad = table_of("p.csv", "x,code,books\n1,0.5,0.5\n");
  must_fail(rmx_fit_mixtures(f, &bad, &P, err), "wiki");
  rmx_table_release(&bad);
  rmx_fit_free(f);

  must_fail(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                     .mixtures = &X,
                                                     .metrics = &Y,
                                                     .only = twice,
                                                     .n_only = 2,
                                                     .seed = 1,
                                                     .threads = 1},
                           &f, err),
            "asked for twice");
  must_fail(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                     .mixtures = &X,
                                                     .metrics = &Y,
                                                     .only = unknown,
                                                     .n_only = 1,
                                                     .seed = 1,
                                                     .threads = 1},
                           &f, err),
            "walls");
  bad = table_of("bad.csv", "run,wiki,books\na,0.5,0.5\nb,0.5,0.7\n");
  must_fail(rmx_fit_tables(
                &(rmx_fit_tables_request){
                    .options = &o, .mixtures = &bad, .metrics = &Y, .seed = 1, .threads = 1},
                &f, err),
            "bad.csv:3: the weights sum to 1.2");
  must_fail(
      rmx_fit_tables(
          &(rmx_fit_tables_request){
              .options = &o, .mixtures = &bad, .metrics = &Y, .raw = true, .seed = 1, .threads = 1},
          &f, err),
      "bad.csv:3");
  rmx_table_release(&bad);
  bad = table_of("none.csv", "run,wiki,books\nz,0.5,0.5\n");
  must_fail(rmx_fit_tables(
                &(rmx_fit_tables_request){
                    .options = &o, .mixtures = &bad, .metrics = &Y, .seed = 1, .threads = 1},
                &f, err),
            "no run in common");
  rmx_table_release(&bad);
  bad = table_of("once.csv", "run,wiki,books\na,0.5,0.5\n");
  forget();
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &bad,
                                                .metrics = &Y,
                                                .only = only,
                                                .n_only = 1,
                                                .seed = 1,
                                                .threads = 1,
                                                .listener = &listener},
                      &f, err));
  ck_assert_msg(
      strstr(said, "with fewer than 4, ridge follows") && strstr(said, "no cross-validation"), "%s",
      said);
  rmx_fit_free(f);
  rmx_table_release(&bad);
  forget();
  rmx_table_release(&X);
  rmx_table_release(&Y);
  done(&o);
}
END_TEST

START_TEST(normalised_unless_raw) {
  rmx_table X = table_of("m.csv", "run,a,b\n1,0.5,0.505\n2,0.2,0.8\n3,0.9,0.1\n"),
            Y = table_of("l.csv", "run,y\n1,1\n2,2\n3,3\n");
  rmx_regress_options o = ridge_options(0.1);
  rmx_fit *f;
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .seed = 1, .threads = 1},
      &f, err));
  ck_assert(fabs(f->runs[0] - 0.5 / 1.005) < 1e-15);
  rmx_fit_free(f);
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .raw = true, .seed = 1, .threads = 1},
      &f, err));
  ck_assert(f->runs[0] == 0.5 && f->runs[1] == 0.505);
  rmx_fit_free(f);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  done(&o);
}
END_TEST

START_TEST(refuses) {
  // Duplicate names of runs are found even in tables that no file reader has looked at.
  rmx_table X, Y;
  must(rmx_table_make(&X, "run", 2, 1, err));
  must(rmx_table_make(&Y, "run", 2, 1, err));
  for (int i = 0; i < 2; i++) {
    X.ids[i] = rmx_strdup("same");
    Y.ids[i] = rmx_strdup(i ? "b" : "a");
    X.x[i] = 1;
  }
  X.names[0] = rmx_strdup("d");
  Y.names[0] = rmx_strdup("y");
  rmx_regress_options o = ridge_options(0);
  rmx_fit *f;
  must_fail(rmx_fit_tables(
                &(rmx_fit_tables_request){
                    .options = &o, .mixtures = &X, .metrics = &Y, .seed = 1, .threads = 1},
                &f, err),
            "run \"same\"");
  rmx_table_release(&X);
  rmx_table_release(&Y);
  // Weights that sum to 1 leave one direction unseen: without a penalty there is no answer, and no
  // nonsense.
  double w[] = {0.5, 0.5, 0.2, 0.8, 0.9, 0.1, 0.3, 0.7}, y[] = {1, 2, 3, 4};
  rmx_dataset data = {.N = 4, .D = 2, .X = w, .y = y, .metric = "m", .own_domain = -1};
  rmx_regressor *r;
  must_fail(rmx_regress_fit(&o, &data, 1, NULL, &r, err), "raise ridge.alpha");
  y[1] = NAN;
  must_fail(rmx_regress_fit(&o, &data, 1, NULL, &r, err), "is nan");
  data.N = 0;
  must_fail(rmx_regress_fit(&o, &data, 1, NULL, &r, err), "nothing to fit");
  free(o.regressor);
  o.regressor = rmx_strdup("rige");
  must_fail(rmx_regress_fit(&o, &data, 1, NULL, &r, err), "did you mean \"ridge\"");
  done(&o);
  // Files that are not what they should be.
  const char *const broken[] = {
      "",
      "{",
      "[1]",
      "{\"regressor\": \"ridge\"}",
      "{\"regressor\": \"lines\"}",
      "{\"a\": 1}",
      "{\"regressor\":\"ridge\",\"version\":2,\"sqrt\":false,\"coefficients\":[1]}",
      "{\"regressor\":\"ridge\",\"version\":1,\"sqrt\":false,\"coefficients\":[1,"
      "\"x\"],\"alpha\":1,\"intercept\":1}",
      "{\"regressor\":\"ridge\",\"version\":1,\"sqrt\":false,\"coefficients\":[1],"
      "\"alpha\":1,\"intercept\":1,"
      "\"domains\":[\"a\",\"b\"]}"};
  rmx_err err;
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    ck_assert_int_eq(rmx_write_file(scratch("broken.json"), broken[i], strlen(broken[i]), &err),
                     RMX_OK);
    must_fail(rmx_regressor_read(scratch("broken.json"), &r, err), "broken.json");
  }
  rmx_fit *none;
  must_fail(rmx_fit_read(scratch("nowhere"), &none, err), "fit.json");
}
END_TEST

// The choices of fit.regressor are the table of regressors.
START_TEST(one_table) {
  const char *names[16], *help[16];
  size_t n = rmx__regressors(names, help, 16);
  const rmx_option *o =
      rmx_option_find(rmx_regress_option_table, rmx_regress_option_table_n, "fit.regressor");
  rmx_buf all = {0};
  for (size_t i = 0; i < n; i++) {
    rmx_buf_printf(&all, "%s%s", i ? "|" : "", names[i]);
    ck_assert(strlen(help[i]) > 10);
  }
  ck_assert_str_eq(all.data, o->choices);
  rmx_buf_release(&all);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, one_table);
  tcase_add_test(tc, solves);
  tcase_add_test(tc, scikit_learn);
  tcase_add_test(tc, published_figures);
  tcase_add_test(tc, tables);
  tcase_add_test(tc, normalised_unless_raw);
  tcase_add_test(tc, refuses);
}
