// SPDX-License-Identifier: Apache-2.0
// The recipe's sampler keeps all it promises: caps, grid, distinctness, coverage, and errors that
// say which bound to loosen.

#include <regmix/mixture.h>

#include "testing.h"

enum { D = 17, N = 512 };
// clang-format off
static const char *const names[D] = {
    "arxiv", "freelaw", "nih_exporter", "pubmed_central", "wikipedia_en", "dm_mathematics",
    "github", "philpapers", "stackexchange", "enron_emails", "gutenberg_pg_19", "pile_cc",
    "ubuntu_irc", "europarl", "hackernews", "pubmed_abstracts", "uspto_backgrounds",
};
// clang-format on
// The Pile's 17 domains: shares of tokens as the RegMix authors give them.
static const double pile[D] = {.113285273, .079608651, .003913491, .185375901, .051081359,
                               .015962925, .101750772, .003707518, .066529351, .001750772,
                               .027085479, .236869207, .01184346,  .007929969, .008032956,
                               .038825953, .046446962};

static rmx_sample_options recipe(void) {
  return (rmx_sample_options){.runs = N,
                              .temper = 0.5,
                              .min_strength = 0.1,
                              .max_strength = 5,
                              .strengths = 15,
                              .tries = 100,
                              .grid = 2e-4,
                              .cap_ratio = 15,
                              .max_epochs = 4,
                              .min_coverage = 0.1};
}

static void check_rows(const rmx_sample_options *o, const double *prior, const double *cap,
                       size_t n_domains, const double *X) {
  size_t n = (size_t)o->runs;
  bool excluded[D];
  rmx_sample_excluded(o, prior, cap, n_domains, excluded);
  for (size_t d = 0; d < n_domains; d++) {
    size_t present = 0;
    for (size_t i = 0; i < n; i++) present += X[i * n_domains + d] > 0;
    if (excluded[d])
      ck_assert_uint_eq(present, 0);
    else
      ck_assert_msg((double)present >= o->min_coverage * (double)n, "domain %zu is in %zu of %zu",
                    d, present, n);
  }
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (size_t d = 0; d < n_domains; d++) {
      double w = X[i * n_domains + d], units = w / o->grid;
      ck_assert_msg(w <= cap[d] + 1e-12, "row %zu: domain %zu has %g over its cap %g", i, d, w,
                    cap[d]);
      ck_assert(fabs(units - round(units)) < 1e-6);
      sum += w;
    }
    ck_assert(fabs(sum - 1) < 1e-9);
    for (size_t j = 0; j < i; j++) {
      double apart = 0;
      for (size_t d = 0; d < n_domains; d++)
        apart += fabs(X[i * n_domains + d] - X[j * n_domains + d]);
      ck_assert_msg(apart > 1e-5, "rows %zu and %zu are the same", i, j);
    }
  }
}

START_TEST(the_recipe) {
  rmx_sample_options o = recipe();
  double cap[D], *X = calloc(N * D, sizeof(double)), *Y = calloc(N * D, sizeof(double));
  rmx_sample_caps(&o, pile, NULL, 0, D, cap);
  ck_assert(fabs(cap[9] - 15 * .001750772) < 1e-15 && cap[11] == 1);
  must(rmx_sample_mixtures(&o, pile, cap, names, D, 42, X, err));
  check_rows(&o, pile, cap, D, X);
  // The mean leans towards the tempered prior: large domains above small ones, none far above its
  // share.
  double mean[D] = {0}, tempered[D];
  rmx_mixture_temper(pile, D, 0.5, tempered);
  for (size_t i = 0; i < N * D; i++) mean[i % D] += X[i] / N;
  ck_assert(mean[11] > mean[9] && mean[3] > mean[7]);
  for (size_t d = 0; d < D; d++)
    ck_assert_msg(mean[d] < 1.6 * tempered[d] + 0.01, "mean of %zu is %g", d, mean[d]);
  must(rmx_sample_mixtures(&o, pile, cap, names, D, 42, Y, err));
  ck_assert(memcmp(X, Y, N * D * sizeof(double)) == 0);
  must(rmx_sample_mixtures(&o, pile, cap, names, D, 43, Y, err));
  ck_assert(memcmp(X, Y, N * D * sizeof(double)) != 0);
  free(X);
  free(Y);
}
END_TEST

START_TEST(tiny_domains) {
  // Of three tiny domains one is under the grid even at its cap; the other two appear as often as
  // asked.
  const double prior[5] = {0.9, 0.0999, 5e-5, 2e-5, 1e-7};
  rmx_sample_options o = recipe();
  o.runs = 64;
  o.min_coverage = 0.25;
  double cap[5], X[64 * 5];
  bool excluded[5];
  rmx_sample_caps(&o, prior, NULL, 0, 5, cap);
  ck_assert_uint_eq(rmx_sample_excluded(&o, prior, cap, 5, excluded), 1);
  ck_assert(excluded[4] && !excluded[3]);
  must(rmx_sample_mixtures(&o, prior, cap, names, 5, 1, X, err));
  check_rows(&o, prior, cap, 5, X);
}
END_TEST

// Domains of a row that have a weight.
static double in_use(const double *X, size_t rows, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < rows * n; i++) sum += X[i] > 0;
  return sum / (double)rows;
}

START_TEST(follows_the_tree) {
  // Two sources with eight topics each, and one domain without a source.
  enum { T = 17, R = 400 };
  char *grown[T];
  double prior[T], cap[T], *X = calloc(R * T, sizeof(double)), *Y = calloc(R * T, sizeof(double));
  for (size_t d = 0; d < T; d++) {
    prior[d] = d < 8 ? 0.6 / 8 : d < 16 ? 0.3 / 8 : 0.1;
    grown[d] = d == 16 ? rmx_strdup("wiki")
                       : rmx_format("%s:topic%zu%s", d < 8 ? "web" : "pdf", d % 8 / 2,
                                    d % 2 ? ":q1" : ":q0");
  }
  const char *const *tree = (const char *const *)grown;
  rmx_sample_options o = recipe();
  o.runs = R;
  o.min_coverage = 0;
  o.cap_ratio = 1000;  // caps and equal rows would shift the means
  o.min_strength = 1;
  rmx_sample_caps(&o, prior, NULL, 0, T, cap);
  must(rmx_sample_mixtures(&o, prior, cap, tree, T, 7, X, err));
  o.tree = true;
  must(rmx_sample_mixtures(&o, prior, cap, tree, T, 7, Y, err));
  check_rows(&o, prior, cap, T, Y);
  // Sources vary around their tempered shares, and each has more topics than without the tree.
  double web = 0, most = 0, a = sqrt(0.6) / (sqrt(0.6) + sqrt(0.3) + sqrt(0.1));
  for (size_t i = 0; i < R; i++) {
    double row = 0;
    for (size_t d = 0; d < 8; d++) row += Y[i * T + d];
    web += row / R;
    most += (row > 0.95) / (double)R;
  }
  ck_assert_msg(fabs(web - a) < 0.06, "%g, wanted %g", web, a);
  ck_assert_msg(most > 0.02, "%g of the rows are nearly all web", most);
  ck_assert_msg(in_use(Y, R, T) > 1.2 * in_use(X, R, T), "%g %g", in_use(Y, R, T), in_use(X, R, T));
  // Flat names, and one source of all, are drawn as without the tree.
  must(rmx_sample_mixtures(&o, pile, cap, names, D, 7, X, err));
  o.tree = false;
  must(rmx_sample_mixtures(&o, pile, cap, names, D, 7, Y, err));
  ck_assert(memcmp(X, Y, R * D * sizeof(double)) == 0);
  ck_assert(!rmx_names_form_a_tree(tree + 16, 1) && !rmx_names_form_a_tree(names, D));
  ck_assert(rmx_names_form_a_tree(tree, T) && rmx_names_form_a_tree(tree + 14, 3));
  for (size_t d = 0; d < T; d++) free(grown[d]);
  free(X);
  free(Y);
}
END_TEST

START_TEST(tight_budget) {
  // Caps that sum to 1.05: nearly every free draw is over one, and still there are as many mixtures
  // as asked.
  const double prior[4] = {0.4, 0.3, 0.2, 0.1}, tokens[4] = {40, 30, 20, 10};
  rmx_sample_options o = recipe();
  o.runs = 100;
  o.max_epochs = 1.05;
  double cap[4], X[400];
  rmx_sample_caps(&o, prior, tokens, 100, 4, cap);
  must(rmx_sample_mixtures(&o, prior, cap, names, 4, 5, X, err));
  check_rows(&o, prior, cap, 4, X);
}
END_TEST

START_TEST(full_coverage) {
  rmx_sample_options o = recipe();
  o.runs = 40;
  o.min_coverage = 1;
  double cap[D], X[40 * D];
  rmx_sample_caps(&o, pile, NULL, 0, D, cap);
  must(rmx_sample_mixtures(&o, pile, cap, names, D, 1, X, err));
  check_rows(&o, pile, cap, D, X);
}
END_TEST

START_TEST(says_what_to_loosen) {
  const double prior[3] = {0.5, 0.3, 0.2}, tokens[3] = {50, 30, 20};
  rmx_sample_options o = recipe();
  o.runs = 8;
  double cap[3], X[3 * 64];
  rmx_sample_caps(&o, prior, tokens, 482, 3, cap);  // 4 * 100 / 482 = 0.83
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err),
            "raise sample.max_epochs from 4 to at least 4.9 or lower large.tokens");
  o.cap_ratio = 0.5;
  rmx_sample_caps(&o, prior, NULL, 0, 3, cap);
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err),
            "raise sample.cap_ratio from 0.5 to at least 1.0");
  o = recipe();
  rmx_sample_caps(&o, prior, NULL, 0, 3, cap);
  o.runs = 64;
  o.grid = 0.2;
  // Five steps to three domains: C(7, 2) = 21 mixtures.
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "only 21 different mixtures");
  o.runs = 2;
  o.grid = 0.5;
  o.min_coverage = 1;
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "sample.min_coverage");
  o = recipe();
  o.grid = 0.3;
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "that divides 1");
  o = recipe();
  o.min_strength = 0;
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "sample.min_strength");
  o = recipe();
  o.runs = 0;
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "sample.runs");
  o = recipe();
  o.min_coverage = 2;
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "sample.min_coverage is 2");
  o = recipe();
  o.tries = 0;
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "sample.tries");
  const double bad[3] = {0.5, -0.1, 0.6}, none[3] = {0, 0, 0};
  o = recipe();
  must_fail(rmx_sample_mixtures(&o, bad, cap, names, 3, 1, X, err), "\"freelaw\" is -0.1");
  must_fail(rmx_sample_mixtures(&o, none, cap, names, 3, 1, X, err),
            "every cap is below one grid step");
  // Strengths so weak that nearly all draws are the same corners: the tries run out.
  o.runs = 64;
  o.tries = 1;
  o.min_strength = o.max_strength = 1e-9;
  must_fail(rmx_sample_mixtures(&o, prior, cap, names, 3, 1, X, err), "raise sample.max_strength");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, the_recipe);
  tcase_add_test(tc, tiny_domains);
  tcase_add_test(tc, follows_the_tree);
  tcase_add_test(tc, tight_budget);
  tcase_add_test(tc, full_coverage);
  tcase_add_test(tc, says_what_to_loosen);
}
