// SPDX-License-Identifier: Apache-2.0
// The metric by epochs seen: its own form again, gradient at another budget, file, what it must be
// told, and what it is for: a large run that would repeat a small domain.

#include "base/json.h"
#include "regress/fit.h"
#include "regress/registry.h"
#include "smooth.h"

enum { D = 4 };
static const double tokens[D] = {2e6, 50e6, 100e6, 400e6};
static const double PROXY = 10e6, LARGE = 40e6;

// A loss that falls with domain 0 most, until that has been repeated: past three epochs it rises.
static double a_true_loss(const double *w, double budget) {
  static const double a[D] = {1.0, 0.5, 0.3, 0.1}, r[D] = {6, 5, 8, 4};
  double y = 3;
  for (int d = 0; d < D; d++) {
    double epochs = w[d] * budget / tokens[d];
    y -= a[d] * (1 - exp(-r[d] * w[d]));
    y += 0.15 * fmax(epochs - 3, 0);
  }
  return y;
}

static rmx_dataset repeating_runs(size_t N, uint64_t seed, double noise) {
  rmx_dataset data = a_dataset(N, D, seed, 0);
  rmx_rng rng = rmx_rng_make(seed, 9, RMX_FOR_TEST);
  for (size_t i = 0; i < N; i++)
    ((double *)data.y)[i] = a_true_loss(data.X + i * D, PROXY) + noise * rmx_rng_normal(&rng);
  data.tokens = tokens;
  data.budget = LARGE;
  data.run_tokens = PROXY;
  return data;
}

// The mixture predicted best of many: its weight of domain 0 and the true loss of the large run
// there.
static double best_of(const rmx_regressor *r, double *weight) {
  enum { N = 20000 };
  double *X = calloc(N * D, sizeof(double)), *y = calloc(N, sizeof(double));
  size_t best = 0;
  some_mixtures(X, N, D, 15);
  rmx_regressor_predict(r, X, N, y, NULL);
  for (size_t i = 1; i < N; i++)
    if (y[i] < y[best]) best = i;
  *weight = X[best * D];
  double truth = a_true_loss(X + best * D, LARGE);
  free(X);
  free(y);
  return truth;
}

START_TEST(repetition) {
  rmx_dataset data = repeating_runs(150, 1, 0.01);
  double weight[2], loss[2];
  for (int k = 0; k < 2; k++) {
    rmx_regress_options o = options_for(k ? "power" : "exposure");
    rmx_regressor *r;
    must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
    loss[k] = best_of(r, &weight[k]);
    rmx_regressor_free(r);
    options_done(&o);
  }
  // Three epochs of the large run are 15 % of it; the proxies saw three at 60 %.
  double most = 3 * tokens[0] / LARGE;
  printf(
      "# weight of the small domain: exposure %.3f (%.1f epochs, loss %.3f), power %.3f (%.1f, "
      "%.3f)\n",
      weight[0], weight[0] * LARGE / tokens[0], loss[0], weight[1], weight[1] * LARGE / tokens[0],
      loss[1]);
  ck_assert(weight[0] < 1.5 * most && weight[1] > 2 * most && loss[0] < loss[1] - 0.1);
  dataset_done(&data);
}
END_TEST

// At the budget of the runs it predicts what they measured, at a larger one the large run; up to
// one epoch the two are the same.
START_TEST(budgets) {
  rmx_dataset data = repeating_runs(300, 3, 0);
  rmx_regress_options o = options_for("exposure");
  enum { N = 200 };
  double X[N * D], mean[N], truth[N];
  rmx_regressor *r;
  rmx_scores s;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  some_mixtures(X, N, D, 8);
  for (int large = 1; large >= 0; large--) {
    // Repeated tokens are worth less in the fit than in this truth, so the large run is not met as
    // closely.
    for (size_t i = 0; i < N; i++) truth[i] = a_true_loss(X + i * D, large ? LARGE : PROXY);
    if (!large) ck_assert(rmx__regressor_set_budget(r, 0));
    rmx_regressor_predict(r, X, N, mean, NULL);
    rmx_score(truth, mean, N, &s);
    printf("# tokens %g: R2 %.5f, Spearman %.4f\n", large ? LARGE : PROXY, s.r2, s.spearman);
    ck_assert(large ? s.spearman > 0.9 : s.r2 > 0.995);
    gradient_holds(r, D, 1e-4);
    file_holds(r, D);
  }
  double w[D] = {0.04, 0.3, 0.4, 0.26}, y[2];
  rmx_regressor_predict(r, w, 1, &y[0], NULL);
  ck_assert(rmx__regressor_set_budget(r, 1.2 * PROXY));
  rmx_regressor_predict(r, w, 1, &y[1], NULL);
  ck_assert_msg(fabs(y[0] - y[1]) < 1e-3, "%g and %g", y[0], y[1]);
  rmx_regressor_free(r);
  o.power.own = true;
  free(o.regressor);
  o.regressor = rmx_strdup("power");
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  ck_assert(!rmx__regressor_set_budget(r, 1));
  rmx_regressor_free(r);
  options_done(&o);
  dataset_done(&data);
}
END_TEST

// R_j of the file that a fit is written to: lasting (D).
static void lasting_of(const rmx_regressor *r, double *lasting) {
  char path[64];
  json_t *o;
  snprintf(path, sizeof path, "%s/lasting.json", scratch_folder);
  must(rmx_regressor_write(r, path, err));
  must(rmx__json_read(path, &o, err));
  for (size_t d = 0; d < D; d++)
    lasting[d] = exp(json_number_value(json_array_get(json_object_get(o, "log_lasting"), d)));
  json_decref(o);
  unlink(path);
}

// Two small domains, of which the first is worn out by repetition and the second is not.
START_TEST(each_domain_lasts_in_its_own_way) {
  static const double small[D] = {1e6, 1e6, 100e6, 400e6}, lasts[D] = {2, 100, 15.39, 15.39};
  rmx_dataset data = repeating_runs(200, 5, 0);
  rmx_regress_options o = options_for("exposure");
  rmx_regressor *r;
  double lasting[D];
  for (size_t i = 0; i < data.N; i++) {
    double y = 3;
    for (int d = 0; d < D; d++) {
      const double e = data.X[i * D + (size_t)d] * PROXY / small[d],
                   u = e > 1 ? 1 - lasts[d] * expm1(-(e - 1) / lasts[d]) : e;
      y += 0.5 * expm1(-5 * u * small[d] / PROXY);
    }
    ((double *)data.y)[i] = y;
  }
  data.tokens = small;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  lasting_of(r, lasting);
  printf("# epochs that repetition lasts: %.3g (2), %.3g (100), %.3g and %.3g (not repeated)\n",
         lasting[0], lasting[1], lasting[2], lasting[3]);
  ck_assert(lasting[0] < 4 && lasting[1] > 30);
  for (size_t d = 2; d < D; d++) ck_assert_double_eq_tol(lasting[d], 15.39, 0.01);
  gradient_holds(r, D, 1e-4);
  rmx_regressor_free(r);
  options_done(&o);
  dataset_done(&data);
}
END_TEST

// A file of version 0.1.0, which has no R_j, is that of 15.39 for every domain.
START_TEST(an_old_file_is_read) {
  rmx_dataset data = repeating_runs(60, 5, 0);
  data.run_tokens = 1e4;  // repeats nothing
  rmx_regress_options o = options_for("exposure");
  rmx_regressor *r, *old;
  char path[64];
  json_t *tree;
  double w[D] = {0.4, 0.2, 0.2, 0.2}, y[2];
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  snprintf(path, sizeof path, "%s/old.json", scratch_folder);
  must(rmx_regressor_write(r, path, err));
  must(rmx__json_read(path, &tree, err));
  ck_assert(json_object_del(tree, "log_lasting") == 0);
  must(rmx__json_write(path, tree, err));
  must(rmx_regressor_read(path, &old, err));
  rmx_regressor_predict(r, w, 1, &y[0], NULL);
  rmx_regressor_predict(old, w, 1, &y[1], NULL);
  ck_assert_double_eq_tol(y[0], y[1], 1e-9);
  unlink(path);
  json_decref(tree);
  rmx_regressor_free(r);
  rmx_regressor_free(old);
  options_done(&o);
  dataset_done(&data);
}
END_TEST

START_TEST(must_be_told) {
  rmx_dataset data = repeating_runs(20, 5, 0);
  rmx_regress_options o = options_for("exposure");
  rmx_regressor *r;
  static const char *const domains[D] = {"a", "b", "c", "d"};
  double none[D] = {1, 2, 0, 4};
  data.domains = domains;
  data.tokens = NULL;
  must_fail(rmx_regress_fit(&o, &data, 1, NULL, &r, err), "--tokens FILE");
  data.tokens = tokens;
  data.budget = 0;
  must_fail(rmx_regress_fit(&o, &data, 1, NULL, &r, err), "how many the large run will see");
  data.budget = 1;
  data.tokens = none;
  must_fail(rmx_regress_fit(&o, &data, 1, NULL, &r, err), "domain \"c\" has 0 tokens");
  options_done(&o);
  dataset_done(&data);
}
END_TEST

// Through tables: out-of-fold scores are at the runs' own tokens, the fit predicts the large run,
// the folder keeps it.
START_TEST(tables) {
  enum { N = 120 };
  rmx_dataset data = repeating_runs(N, 7, 0.005);
  rmx_regress_options o = options_for("exposure");
  rmx_table X, Y;
  must(rmx_table_make(&X, "run", N, D, err));
  must(rmx_table_make(&Y, "run", N, 1, err));
  for (size_t i = 0; i < N; i++) {
    X.ids[i] = rmx_format("r%zu", i);
    Y.ids[i] = rmx_format("r%zu", i);
    Y.x[i] = data.y[i];
  }
  memcpy(X.x, data.X, N * D * sizeof(double));
  static const char *const names[D] = {"small", "code", "books", "web"}, *const other_order[D] = {
                                                                             "web", "small", "code",
                                                                             "books"};
  for (size_t d = 0; d < D; d++) X.names[d] = rmx_strdup(names[d]);
  Y.names[0] = rmx_strdup("loss");
  double count[D] = {tokens[3], tokens[0], tokens[1], tokens[2]};
  rmx_exposure x = {
      .tokens = count, .domains = other_order, .D = D, .budget = LARGE, .run_tokens = PROXY};
  rmx_fit *f, *again;
  must_fail(rmx_fit_tables(
                &(rmx_fit_tables_request){
                    .options = &o, .mixtures = &X, .metrics = &Y, .seed = 1, .threads = 1},
                &f, err),
            "--budget TOKENS");
  x.D = 3;
  must_fail(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                     .mixtures = &X,
                                                     .metrics = &Y,
                                                     .exposure = &x,
                                                     .seed = 1,
                                                     .threads = 1},
                           &f, err),
            "domain \"books\" has no token count");
  x.D = D;
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .exposure = &x, .seed = 1, .threads = 1},
      &f, err));
  ck_assert_msg(f->cv[0].r2 > 0.98, "out of fold R2 %g", f->cv[0].r2);
  char folder[64];
  snprintf(folder, sizeof folder, "%s/fit", scratch_folder);
  must(rmx_fit_write(f, folder, NULL, err));
  must(rmx_fit_read(folder, &again, err));
  ck_assert(again->budget == LARGE && again->run_tokens == PROXY &&
            memcmp(again->tokens, tokens, sizeof tokens) == 0);
  double w[D] = {0.7, 0.1, 0.1, 0.1}, y[3];
  rmx_regressor_predict(f->regressors[0], w, 1, &y[0], NULL);
  rmx_regressor_predict(again->regressors[0], w, 1, &y[1], NULL);
  ck_assert(y[0] == y[1] && rmx_fit_set_budget(again, 0));
  rmx_regressor_predict(again->regressors[0], w, 1, &y[2], NULL);
  ck_assert_msg(y[2] < y[0] - 0.1, "proxy %g, large %g", y[2], y[0]);
  rmx_fit_free(f);
  rmx_fit_free(again);
  // Where no run repeats anything, that is told.
  forget();
  for (size_t d = 0; d < D; d++) count[d] *= 100;
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &X,
                                                .metrics = &Y,
                                                .exposure = &x,
                                                .seed = 1,
                                                .threads = 1,
                                                .listener = &listener},
                      &f, err));
  ck_assert_msg(said && strstr(said, "the effect of repetition is assumed"), "%s", said);
  forget();
  rmx_fit_free(f);
  must(rmx_remove_tree(folder, err));
  rmx_table_release(&X);
  rmx_table_release(&Y);
  options_done(&o);
  dataset_done(&data);
}
END_TEST

// A score is the mirror image of a loss, for each law: repetition does it harm too.
START_TEST(a_score_is_a_loss_turned_round) {
  enum { N = 100 };
  static const char *const kinds[] = {"exposure", "power", "exp"};
  rmx_dataset data = repeating_runs(100, 1, 0.01);
  double *X = calloc(N * D, sizeof(double)), *y = calloc(2 * N, sizeof(double));
  some_mixtures(X, N, D, 21);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    rmx_regress_options o = options_for(kinds[k]);
    for (int score = 0; score < 2; score++) {
      rmx_regressor *r, *again = NULL;
      data.higher_is_better = score;
      must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
      json_t *file = rmx__regressor_json(r);
      must(rmx__regressor_from_json(file, "file", &again, err));
      rmx_regressor_predict(again, X, N, y + score * N, NULL);
      json_decref(file);
      rmx_regressor_free(again);
      rmx_regressor_free(r);
      for (size_t i = 0; i < data.N; i++) ((double *)data.y)[i] = 5 - data.y[i];
    }
    for (size_t i = 0; i < N; i++)
      ck_assert_msg(fabs(y[i] + y[N + i] - 5) < 1e-6, "%s: %g and %g", kinds[k], y[i], y[N + i]);
    options_done(&o);
  }
  free(X);
  free(y);
  dataset_done(&data);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, a_score_is_a_loss_turned_round);
  tcase_add_test(tc, repetition);
  tcase_add_test(tc, budgets);
  tcase_add_test(tc, each_domain_lasts_in_its_own_way);
  tcase_add_test(tc, an_old_file_is_read);
  tcase_add_test(tc, must_be_told);
  tcase_add_test(tc, tables);
}
