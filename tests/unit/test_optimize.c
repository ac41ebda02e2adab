// SPDX-License-Identifier: Apache-2.0
// The simulation finds the optimum of functions whose optimum is known, keeps caps, gives the same bits on
// any number of threads, and says when it has left what the runs covered.

#include <regmix/mixture.h>
#include <regmix/optimize.h>

#include "testing.h"

enum { D = 4 };

static char *said;
static void hear(void *context, const char *text) {
  (void)context;
  char *more = rmx_format("%s%s\n", said ? said : "", text);
  free(said);
  said = more;
}
static const rmx_listener listener = {.note = hear, .warn = hear};
static void forget(void) {
  free(said);
  said = NULL;
}

// Runs from Dirichlet(1) over the first `covered` domains, with the two metrics
//   bowl = |w - centre|^2 and line = w_0: trees fit the first, ridge the second exactly.
static rmx_fit *make_fit(const char *regressor, size_t n, size_t covered, const double *centre) {
  rmx_table X, Y;
  rmx_fit *f;
  rmx_regress_options o = {0};
  const char *const names[D] = {"a", "b", "c", "d"}, *const metrics[2] = {"bowl_val_loss", "line_val_loss"};
  double alpha[D] = {0};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor", regressor,
                      err));
  o.ridge.alpha = 1e-6;
  o.trees.learning_rate = 0.1;
  o.trees.rounds = 300;
  o.trees.min_data_in_leaf = 5;
  must(rmx_table_make(&X, "run", n, D, err));
  must(rmx_table_make(&Y, "run", n, 2, err));
  for (size_t d = 0; d < D; d++) {
    X.names[d] = rmx_strdup(names[d]);
    alpha[d] = d < covered;
  }
  for (size_t m = 0; m < 2; m++) Y.names[m] = rmx_strdup(metrics[m]);
  rmx_rng rng = rmx_rng_make(9, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) {
    X.ids[i] = rmx_format("%zu", i);
    Y.ids[i] = rmx_format("%zu", i);
    rmx_dirichlet(&rng, alpha, D, X.x + i * D);
    for (size_t d = 0; d < D; d++) Y.x[i * 2] += pow(X.x[i * D + d] - centre[d], 2);
    Y.x[i * 2 + 1] = X.x[i * D];
  }
  must(rmx_fit_tables(&o, &X, &Y, NULL, 0, false, 1, 2, NULL, &f, NULL, err));
  rmx_table_release(&X);
  rmx_table_release(&Y);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  return f;
}

static const double centre[D] = {0.4, 0.3, 0.2, 0.1}, uniform[D] = {0.25, 0.25, 0.25, 0.25};
static const rmx_optimize_options usual = {.samples = 20000, .top = 64, .strength = 4};

START_TEST(finds_the_bottom) {
  rmx_fit *f = make_fit("trees", 1500, D, centre);
  rmx_target t;
  rmx_optimum o;
  const char *bowl[] = {"bowl"};
  must(rmx_target_parse(f, bowl, 1, NULL, 0, &t, err));
  ck_assert(t.weight[0] == 1 && t.weight[1] == 0);
  must(rmx_optimize_simulate(f, &t, uniform, NULL, &usual, 1, 2, NULL, &o, err));
  double off = 0, sum = 0;
  for (int d = 0; d < D; d++) {
    off += fabs(o.mixture[d] - centre[d]) / 2;
    sum += o.mixture[d];
    ck_assert(o.spread[d] > 0 && o.spread[d] < 0.2);
  }
  ck_assert_msg(off < 0.05, "%g %g %g %g", o.mixture[0], o.mixture[1], o.mixture[2], o.mixture[3]);
  ck_assert(fabs(sum - 1) < 1e-12);
  ck_assert(o.score < o.score_prior && o.score == o.predicted[0] && o.score_prior == o.predicted_prior[0]);
  ck_assert(o.best_run_score < o.score_prior && o.distance < 0.1 && o.typical_distance > 0 && !o.outside);
  json_t *json = rmx_optimum_json(&o, f);
  ck_assert(json_number_value(json_object_get(json_object_get(json, "mixture"), "a")) == o.mixture[0]);
  ck_assert(json_array_size(json_object_get(json, "outside")) == 0);
  json_decref(json);
  rmx_optimum_release(&o);
  rmx_target_release(&t);
  rmx_fit_free(f);
}
END_TEST

START_TEST(any_number_of_threads) {
  rmx_fit *f = make_fit("ridge", 40, D, centre);
  rmx_target t;
  rmx_optimum o[3], other;
  must(rmx_target_parse(f, NULL, 0, NULL, 0, &t, err));
  ck_assert(t.weight[0] == 0.5 && t.weight[1] == 0.5);
  const double cap[D] = {0.3, 1, 1, 0.5};
  for (int i = 0; i < 3; i++)
    must(rmx_optimize_simulate(f, &t, uniform, cap, &usual, 7,
                               i == 0   ? 1
                               : i == 1 ? 2
                                        : 5,
                               NULL, &o[i], err));
  for (int i = 1; i < 3; i++) {
    ck_assert(memcmp(o[0].mixture, o[i].mixture, D * sizeof(double)) == 0);
    ck_assert(memcmp(o[0].spread, o[i].spread, D * sizeof(double)) == 0);
    ck_assert(o[0].score == o[i].score && o[0].projected == o[i].projected);
  }
  must(rmx_optimize_simulate(f, &t, uniform, cap, &usual, 8, 1, NULL, &other, err));
  ck_assert(memcmp(o[0].mixture, other.mixture, D * sizeof(double)) != 0);
  for (int i = 0; i < 3; i++) rmx_optimum_release(&o[i]);
  rmx_optimum_release(&other);
  rmx_target_release(&t);
  rmx_fit_free(f);
}
END_TEST

START_TEST(keeps_caps) {
  // "line" is w_0, to be high: the optimum stands at the cap of domain a.
  rmx_fit *f = make_fit("ridge", 40, D, centre);
  rmx_target t;
  rmx_optimum o;
  const char *line[] = {"line=2"};
  must(rmx_target_parse(f, NULL, 0, line, 1, &t, err));
  ck_assert(t.weight[1] == -2);
  const double cap[D] = {0.37, 1, 1, 1}, tight[D] = {0.26, 0.26, 0.26, 0.26};
  must(rmx_optimize_simulate(f, &t, uniform, cap, &usual, 1, 2, NULL, &o, err));
  ck_assert_msg(o.mixture[0] <= 0.37 + 1e-12 && o.mixture[0] > 0.36, "%g", o.mixture[0]);
  ck_assert(fabs(o.score - -2 * o.predicted[1]) < 1e-12);
  rmx_optimum_release(&o);
  // Caps that hardly any draw keeps: samples are projected, and that is told.
  forget();
  must(rmx_optimize_simulate(f, &t, uniform, tight, &usual, 1, 2, &listener, &o, err));
  for (int d = 0; d < D; d++) ck_assert(o.mixture[d] <= 0.26 + 1e-12);
  ck_assert(o.projected > usual.samples / 2 && strstr(said, "were brought under the caps"));
  rmx_optimum_release(&o);
  forget();
  rmx_target_release(&t);
  rmx_fit_free(f);
}
END_TEST

START_TEST(says_when_outside) {
  // No run had any of c and d, so a prior that has much of them leads out.
  rmx_fit *f = make_fit("ridge", 60, 2, centre);
  rmx_target t;
  rmx_optimum o;
  const double prior[D] = {0.1, 0.1, 0.7, 0.1};
  rmx_optimize_options options = usual;
  options.top = options.samples = 500;
  must(rmx_target_parse(f, NULL, 0, NULL, 0, &t, err));
  forget();
  must(rmx_optimize_simulate(f, &t, prior, NULL, &options, 1, 1, &listener, &o, err));
  ck_assert(o.outside && o.far && o.outside_domain[2] && strcmp(o.outside_domains, "c, d") == 0);
  ck_assert_msg(strstr(said, "outside what the runs covered (c, d)") && strstr(said, "from the nearest run"),
                "%s", said);
  ck_assert(o.distance > 0.5 && o.typical_distance < 0.1);
  // All samples averaged are the prior, to sampling error.
  for (int d = 0; d < D; d++) ck_assert(fabs(o.mixture[d] - prior[d]) < 0.06);
  rmx_optimum_release(&o);
  // Without a prior it is the mean of the runs.
  forget();
  must(rmx_optimize_simulate(f, &t, NULL, NULL, &options, 1, 1, &listener, &o, err));
  ck_assert(!o.outside && o.mixture[2] == 0);
  rmx_optimum_release(&o);
  forget();
  rmx_target_release(&t);
  rmx_fit_free(f);
}
END_TEST

START_TEST(refuses) {
  rmx_fit *f = make_fit("ridge", 20, D, centre);
  rmx_target t, other;
  rmx_optimum o;
  const char *bowl[] = {"bowl"}, *twice[] = {"bowl", "bowl_val_loss=2"}, *negative[] = {"bowl=-1"},
             *unknown[] = {"bulb"}, *word[] = {"bowl=x"};
  must_fail(rmx_target_parse(f, twice, 2, NULL, 0, &other, err), "a target twice");
  must_fail(rmx_target_parse(f, bowl, 1, bowl, 1, &other, err), "a target twice");
  must_fail(rmx_target_parse(f, negative, 1, NULL, 0, &other, err), "must be positive");
  must_fail(rmx_target_parse(f, unknown, 1, NULL, 0, &other, err), "bulb");
  must_fail(rmx_target_parse(f, word, 1, NULL, 0, &other, err), "weight of a target");
  must(rmx_target_parse(f, bowl, 1, NULL, 0, &t, err));
  const double cap[D] = {0.2, 0.2, 0.2, 0.2}, none[D] = {0}, bad[D] = {1, NAN, 0, 0};
  must_fail(rmx_optimize_simulate(f, &t, uniform, cap, &usual, 1, 1, NULL, &o, err),
            "the caps sum to 0.8 < 1");
  must_fail(rmx_optimize_simulate(f, &t, none, NULL, &usual, 1, 1, NULL, &o, err), "the prior is 0");
  must_fail(rmx_optimize_simulate(f, &t, bad, NULL, &usual, 1, 1, NULL, &o, err),
            "the prior of domain \"b\"");
  rmx_optimize_options options = usual;
  options.top = options.samples + 1;
  must_fail(rmx_optimize_simulate(f, &t, uniform, NULL, &options, 1, 1, NULL, &o, err), "optimize.top");
  options = usual;
  options.strength = 0;
  must_fail(rmx_optimize_simulate(f, &t, uniform, NULL, &options, 1, 1, NULL, &o, err), "optimize.strength");
  t.weight[0] = 0;
  must_fail(rmx_optimize_simulate(f, &t, uniform, NULL, &usual, 1, 1, NULL, &o, err),
            "no metric with a weight");
  rmx_target_release(&t);
  rmx_fit_free(f);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, finds_the_bottom);
  tcase_add_test(tc, any_number_of_threads);
  tcase_add_test(tc, keeps_caps);
  tcase_add_test(tc, says_when_outside);
  tcase_add_test(tc, refuses);
}
