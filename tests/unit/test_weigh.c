// SPDX-License-Identifier: Apache-2.0
// Targets made of noise: the signal to noise of a metric, from equal runs and from the errors of
// the fit; targets weighed by it; metrics that are too weak are left out and named; a target of
// noise alone gives the prior; accuracies are told from bits per byte.

#include <regmix/mixture.h>
#include <regmix/optimize.h>

#include "base/json.h"
#include "listening.h"
#include "regress/fit.h"
#include "testing.h"

enum { D = 3, PAIRS = 30, N = 2 * PAIRS, CLEAN = 0, NOISY, CHANCE, BITS, COUNTS, M };
static const char *const names[M] = {"clean_acc", "noisy_acc", "chance_acc", "code_bpb", "counts"};

// Metrics that are linear in the first weight, with noise of .1, 1, and nothing but noise; bits per
// byte in another unit; right answers out of 40. pairs: two runs of each mixture.
static rmx_fit *make_fit(bool pairs) {
  rmx_table X, Y;
  rmx_fit *f;
  rmx_regress_options o = {0};
  const double alpha[D] = {1, 1, 1};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      "ridge", err));
  o.ridge.alpha = 1e-3;
  must(rmx_table_make(&X, "run", N, D, err));
  must(rmx_table_make(&Y, "run", N, M, err));
  for (size_t d = 0; d < D; d++) X.names[d] = rmx_format("domain%zu", d);
  for (size_t m = 0; m < M; m++) Y.names[m] = rmx_strdup(names[m]);
  rmx_rng rng = rmx_rng_make(5, 0, RMX_FOR_TEST);
  for (size_t i = 0; i < N; i++) {
    X.ids[i] = rmx_format("%zu", i);
    Y.ids[i] = rmx_format("%zu", i);
    double *x = X.x + i * D, *y = Y.x + i * M;
    rmx_dirichlet(&rng, alpha, D, x);
    if (pairs && i % 2) memcpy(x, x - D, D * sizeof(double));
    const double z = x[0] / 0.236;  // of standard deviation 1
    y[CLEAN] = z + 0.1 * rmx_rng_normal(&rng);
    y[NOISY] = z + rmx_rng_normal(&rng);
    y[CHANCE] = rmx_rng_normal(&rng);
    y[BITS] = 100 * (2 - z) + 10 * rmx_rng_normal(&rng);
    y[COUNTS] = floor(40 * x[0]) / 40;
  }
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .seed = 1, .threads = 2},
      &f, err));
  rmx_table_release(&X);
  rmx_table_release(&Y);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  return f;
}

// The target of one text, weighed.
static rmx_target target_of(const rmx_fit *f, const char *text, const char *group, bool by_signal,
                            double min_signal) {
  rmx_strings low = {0}, groups = {0};
  rmx_target t;
  char *list = rmx_strdup(text), *rest = list;
  for (char *part; (part = strsep(&rest, " ")) != NULL;) ck_assert(rmx_strings_add(&low, part));
  if (group) ck_assert(rmx_strings_add(&groups, group));
  must(rmx_target_parse(f, &low, NULL, &groups, NULL, &t, err));
  must(rmx_target_weigh(f, by_signal, min_signal, &listener, &t, err));
  free(list);
  rmx_strings_release(&low);
  rmx_strings_release(&groups);
  return t;
}

START_TEST(signal_to_noise) {
  for (int pairs = 0; pairs < 2; pairs++) {
    rmx_fit *f = make_fit(pairs);
    rmx_diagnostics d[M];
    for (size_t m = 0; m < M; m++) must(rmx_fit_diagnose(f, m, &d[m], err));
    ck_assert_msg(d[CLEAN].signal_to_noise > 7 && d[CLEAN].signal_to_noise < 14, "%g",
                  d[CLEAN].signal_to_noise);
    ck_assert_msg(d[NOISY].signal_to_noise > 0.6 && d[NOISY].signal_to_noise < 1.5, "%g",
                  d[NOISY].signal_to_noise);
    ck_assert_msg(d[CHANCE].signal_to_noise < 0.4, "%g", d[CHANCE].signal_to_noise);
    if (!pairs) ck_assert(!d[NOISY].signal_from_replicates && isnan(d[NOISY].noise));
    if (pairs) {  // by the noise of equal runs
      double mean = 0, square = 0, y;
      for (size_t i = 0; i < N; i++) mean += f->truth[i * M + NOISY] / N;
      for (size_t i = 0; i < N; i++) {
        y = f->truth[i * M + NOISY] - mean;
        square += y * y / N;
      }
      ck_assert(d[NOISY].replicates == PAIRS && d[NOISY].noise < d[NOISY].rmse);
      ck_assert(d[NOISY].signal_from_replicates);
      ck_assert(fabs(d[NOISY].signal_to_noise -
                     sqrt(square - d[NOISY].noise * d[NOISY].noise) / d[NOISY].noise) < 1e-9);
    }
    rmx_fit_free(f);
  }
}
END_TEST

START_TEST(noise_counts_less) {
  rmx_fit *f = make_fit(false);
  rmx_target equal = target_of(f, "clean_acc noisy_acc code_bpb", NULL, false, 0),
             t = target_of(f, "clean_acc noisy_acc code_bpb", NULL, true, 0);
  ck_assert(equal.weight[CLEAN] == -1 && equal.weight[NOISY] == -1 && equal.weight[BITS] == 1);
  // in units of standard deviations: those of bits are a hundred times as large
  const double per_sd = t.weight[BITS] * 100 / -t.weight[CLEAN];
  ck_assert_msg(per_sd > 0.8 && per_sd < 1.2, "%g", per_sd);
  const double noisy = t.weight[NOISY] / t.weight[CLEAN];
  ck_assert_msg(noisy > 0.1 && noisy < 0.6, "%g", noisy);
  ck_assert(t.by_signal && t.weight[CHANCE] == 0 && !t.left_out[NOISY]);
  rmx_target_release(&equal);
  rmx_target_release(&t);
  rmx_fit_free(f);
}
END_TEST

START_TEST(groups_keep_their_share) {
  rmx_fit *f = make_fit(false);
  // The group counts for half, however little of it is signal; a pattern names its members.
  rmx_target t = target_of(f, "tasks=0.5 code_bpb=0.5", "tasks=[cn]*_acc", true, 0);
  double sum = 0;
  for (size_t m = CLEAN; m <= CHANCE; m++) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < N; i++) mean += f->truth[i * M + m] / N;
    for (size_t i = 0; i < N; i++) square += pow(f->truth[i * M + m] - mean, 2) / N;
    sum -= t.weight[m] * sqrt(square);
  }
  ck_assert_msg(fabs(sum - 0.5) < 1e-9, "%g", sum);
  ck_assert(fabs(t.weight[CHANCE]) < fabs(t.weight[NOISY]));
  rmx_target_release(&t);
  t = target_of(f, "tasks", "tasks=*_acc", false, 0.5);  // without the weak one: a mean of two
  ck_assert(t.left_out[CHANCE] && t.weight[CHANCE] == 0);
  ck_assert(fabs(t.weight[CLEAN] + 0.5) < 1e-12 && fabs(t.weight[NOISY] + 0.5) < 1e-12);
  ck_assert_msg(strstr(said,
                       "1 of the 3 metrics of the target is left out: the signal to noise is "
                       "below 0.5 (chance_acc "),
                "%s", said);
  forget();
  rmx_target_release(&t);
  t = target_of(f, "clean_acc=2 chance_acc", NULL, false, 0.5);  // by itself a metric keeps its own
  ck_assert(t.weight[CLEAN] == -2 && t.weight[CHANCE] == 0);
  forget();
  rmx_target_release(&t);
  rmx_strings low = {0}, groups = {0};
  rmx_err err;
  ck_assert(rmx_strings_add(&low, "tasks") && rmx_strings_add(&groups, "tasks=x*"));
  ck_assert(rmx_target_parse(f, &low, NULL, &groups, NULL, &t, &err) == RMX_EINPUT);
  ck_assert_str_eq(err.message,
                   "metric group \"tasks\": pattern \"x*\" matches none of the 5 metrics");
  rmx_strings_release(&low);
  rmx_strings_release(&groups);
  rmx_fit_free(f);
}
END_TEST

START_TEST(noise_alone_gives_the_prior) {
  rmx_fit *f = make_fit(false);
  rmx_problem q;
  rmx_optimum *o;
  must(rmx_problem_make(f, &q, err));
  rmx_target_release(&q.target);
  q.target = target_of(f, "noisy_acc chance_acc", NULL, true, 3);
  ck_assert(q.target.too_weak && q.target.left_out[NOISY] && q.target.weight[NOISY] != 0);
  must(rmx_optimize(&(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1}, &o, err));
  ck_assert_str_eq(rmx_optimum_method(o), "prior");
  ck_assert_str_eq(rmx_optimum_why_not(o),
                   "no metric of the target has a signal to noise of 3 or more");
  for (size_t d = 0; d < D; d++)
    ck_assert(fabs(rmx_optimum_mixture(o)[d] - f->mean_mixture[d]) < 1e-9);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(kinds_of_metrics) {
  static const struct {
    const char *name;
    rmx_metric_kind kind;
  } known[] = {{"hellaswag/acc_norm", RMX_KIND_ACCURACY}, {"gsm8k_exactMatch", RMX_KIND_ACCURACY},
               {"humaneval pass@10", RMX_KIND_ACCURACY},  {"arc:bpb", RMX_KIND_BITS},
               {"mmlu_bits_per_byte", RMX_KIND_BITS},     {"pile_cc_val_loss", RMX_KIND_LOSS},
               {"word_perplexity", RMX_KIND_PERPLEXITY},  {"acc_val_loss", RMX_KIND_LOSS},
               {"acc_stderr", RMX_KIND_UNKNOWN},          {"arc_easy", RMX_KIND_UNKNOWN}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    ck_assert_msg(rmx_kind_by_name(known[i].name) == known[i].kind, "%s", known[i].name);
  rmx_fit *f = make_fit(false);
  ck_assert(rmx_fit_kind(f, COUNTS) == RMX_KIND_ACCURACY);  // by its values
  for (size_t i = 0; i < N; i++) f->truth[i * M + COUNTS] = 0.5 + 1e-4 * (double)(i * i % 97);
  ck_assert(rmx_fit_kind(f, COUNTS) == RMX_KIND_UNKNOWN);
  rmx_target t = target_of(f, "clean_acc noisy_acc code_bpb", NULL, false, 0);
  ck_assert_msg(strstr(said, "(2 accuracy, 1 bits_per_byte)"), "%s", said);
  forget();
  rmx_target_release(&t);
  t = target_of(f, "clean_acc noisy_acc", NULL, false, 0);
  ck_assert(said == NULL);
  rmx_target_release(&t);
  rmx_fit_free(f);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, signal_to_noise);
  tcase_add_test(tc, noise_counts_less);
  tcase_add_test(tc, groups_keep_their_share);
  tcase_add_test(tc, noise_alone_gives_the_prior);
  tcase_add_test(tc, kinds_of_metrics);
}
