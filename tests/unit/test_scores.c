// SPDX-License-Identifier: Apache-2.0
// Scores against values worked out by hand; folds that keep replicates together.

#include <regmix/regress.h>

#include "base/json.h"
#include "regress/diagnostics.h"
#include "regress/folds.h"
#include "testing.h"

START_TEST(spearman) {
  const double a[] = {1, 2, 3, 4, 5}, same[] = {10, 20, 30, 40, 50}, back[] = {5, 4, 3, 2, 1},
               flat[] = {2, 2, 2, 2, 2};
  ck_assert(fabs(rmx_spearman(a, same, 5) - 1) < 1e-15);
  ck_assert(fabs(rmx_spearman(a, back, 5) + 1) < 1e-15);
  ck_assert(isnan(rmx_spearman(a, flat, 5)));
  ck_assert(isnan(rmx_spearman(a, a, 0)));
  // Ranks 1 2.5 2.5 4 against 1 3 2 4: covariance sum 4.5, squares 4.5 and 5.
  const double tied[] = {1, 2, 2, 3}, other[] = {10, 30, 20, 40};
  ck_assert(fabs(rmx_spearman(tied, other, 4) - 4.5 / sqrt(4.5 * 5)) < 1e-15);
  // No ties: 1 - 6 sum d^2 / (n (n^2 - 1)) with rank differences 1 1 0 1 1.
  const double x[] = {1, 2, 3, 4, 5}, y[] = {2, 1, 3, 6, 4};
  ck_assert(fabs(rmx_spearman(x, y, 5) - (1 - 6.0 * 4 / 120)) < 1e-15);
}
END_TEST

START_TEST(errors) {
  const double truth[] = {1, 2, 3, 6}, predicted[] = {1, 3, 3, 4};
  rmx_scores s;
  rmx_score(truth, predicted, 4, &s);
  ck_assert_uint_eq(s.n, 4);
  ck_assert(s.mse == 5.0 / 4 && s.mae == 3.0 / 4);
  ck_assert(fabs(s.r2 - (1 - 5.0 / 14)) < 1e-15);
  json_t *json = rmx__scores_json(&s);
  ck_assert(json_number_value(json_object_get(json, "mse")) == 1.25);
  json_decref(json);
  const double flat[] = {2, 2, 2, 2};
  rmx_score(flat, predicted, 4, &s);
  ck_assert(isnan(s.r2) && isnan(s.spearman));
  json = rmx__scores_json(&s);
  ck_assert(json_is_null(json_object_get(json, "spearman")));
  json_decref(json);
}
END_TEST

// By hand: 8 runs, two of them of one mixture; the lowest predicted is run 1, whose truth is 0.4
// above the best.
START_TEST(diagnostics) {
  const double truth[] = {1.0, 1.4, 1.2, 2, 3, 4, 5, 5.2},
               predicted[] = {1.3, 1.1, 1.2, 2, 3, 4, 5, 5};
  const int groups[] = {0, 1, 2, 3, 4, 5, 6, 6};
  rmx_diagnostics d, back;
  must(rmx__diagnose(truth, predicted, groups, 8, false, &d, err));
  ck_assert_uint_eq(d.n, 8);
  ck_assert(fabs(d.rmse - sqrt((0.09 + 0.09 + 0.04) / 8)) < 1e-12);
  ck_assert(fabs(d.regret_at_1 - 0.4) < 1e-12);
  ck_assert_msg(fabs(d.optimism - (0.3 + 0 - 0.3) / 3) < 1e-12, "%g", d.optimism);
  ck_assert(d.replicates == 1 && fabs(d.noise - sqrt(0.02)) < 1e-12);
  // The same runs as scores, higher is better: the sides turn.
  double up[8], up_predicted[8];
  for (int i = 0; i < 8; i++) {
    up[i] = -truth[i];
    up_predicted[i] = -predicted[i];
  }
  must(rmx__diagnose(up, up_predicted, groups, 8, true, &back, err));
  ck_assert(fabs(back.regret_at_1 - d.regret_at_1) < 1e-12 &&
            fabs(back.optimism - d.optimism) < 1e-12);
  must(rmx__diagnose(up, up_predicted, groups, 8, false, &back, err));
  ck_assert(fabs(back.regret_at_1) < 1e-12 || back.regret_at_1 > 0);
  ck_assert(fabs(back.optimism - d.optimism) > 1e-3);
  // No replicates, too few runs for a tail: null.
  must(rmx__diagnose(truth, predicted, NULL, 2, false, &d, err));
  ck_assert(d.replicates == 0 && isnan(d.noise) && isnan(d.optimism));
  json_t *o = json_object();
  ck_assert(rmx__diagnostics_add(&d, o));
  ck_assert(
      json_is_null(json_object_get(o, "noise")) && json_is_null(json_object_get(o, "optimism")) &&
      json_integer_value(json_object_get(o, "replicates")) == 0 &&
      json_is_real(json_object_get(o, "rmse")) && json_is_real(json_object_get(o, "regret_at_1")));
  json_decref(o);
}
END_TEST

START_TEST(folds_keep_groups) {
  int groups[60], fold[60], again[60], size[5] = {0};
  for (int i = 0; i < 60; i++) groups[i] = i % 20 * 7;  // 20 groups of three
  ck_assert_uint_eq(rmx__folds(groups, 60, 5, 1, fold), 5);
  ck_assert_uint_eq(rmx__folds(groups, 60, 5, 1, again), 5);
  ck_assert(memcmp(fold, again, sizeof fold) == 0);
  for (int i = 0; i < 60; i++) {
    ck_assert_int_eq(fold[i], fold[i % 20]);
    size[fold[i]]++;
  }
  for (int k = 0; k < 5; k++) ck_assert_int_eq(size[k], 12);
  rmx__folds(groups, 60, 5, 2, again);
  ck_assert(memcmp(fold, again, sizeof fold) != 0);
  for (int i = 0; i < 60; i++) groups[i] = i % 3;
  ck_assert_uint_eq(rmx__folds(groups, 60, 5, 1, fold), 3);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, spearman);
  tcase_add_test(tc, errors);
  tcase_add_test(tc, diagnostics);
  tcase_add_test(tc, folds_keep_groups);
}
