// SPDX-License-Identifier: Apache-2.0
// Widths of Student's t against a printed table, and what is said of differences.
#include "testing.h"

START_TEST(widths_are_those_of_the_table) {
  static const struct {
    double level, df, t;
  } table[] = {{0.95, 1, 12.7062},  {0.95, 2, 4.30265},   {0.95, 4, 2.77645},
               {0.95, 30, 2.04227}, {0.9, 2, 2.91999},    {0.99, 9, 3.24984},
               {0.5, 1, 1.0},       {0.95, 1e6, 1.95997}, {0.999, 3, 12.9240}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    ck_assert_double_eq_tol(rmx_student_width(table[i].level, table[i].df) / table[i].t, 1, 1e-5);
  ck_assert(isnan(rmx_student_width(1, 2)) && isnan(rmx_student_width(0.9, 0)));
}
END_TEST

static json_t *judged(double mean, double se, int n) {
  json_t *o = json_pack("{s:o, s:o, s:i}", "mean", isfinite(mean) ? json_real(mean) : json_null(),
                        "se", isfinite(se) ? json_real(se) : json_null(), "n", n);
  must(rmx__verdict_add(o, "optimum", err));
  return o;
}

static void says(double mean, double se, int n, const char *verdict) {
  json_t *o = judged(mean, se, n);
  ck_assert_str_eq(json_string_value(json_object_get(o, "verdict")), verdict);
  ck_assert_int_eq(json_is_null(json_object_get(o, "low")), n < 3);
  json_decref(o);
}

START_TEST(three_standard_errors_of_three_seeds_are_not_clear) {
  says(0.3, 0.1, 3, "no clear difference");
  says(0.5, 0.1, 3, "optimum better");
  says(-0.5, 0.1, 3, "optimum worse");
  says(0.3, 0.1, 5, "optimum better");
  json_t *o = judged(0.3, 0.1, 3);
  ck_assert_double_eq_tol(json_number_value(json_object_get(o, "low")), 0.3 - 0.430265, 1e-5);
  ck_assert_double_eq_tol(json_number_value(json_object_get(o, "high")), 0.3 + 0.430265, 1e-5);
  ck_assert_int_eq(json_integer_value(json_object_get(o, "df")), 2);
  ck_assert_double_eq(json_number_value(json_object_get(o, "level")), 0.95);
  json_decref(o);
}
END_TEST

START_TEST(two_seeds_have_no_verdict) {
  says(9, 0.001, 2, "too few seeds to tell");
  says(9, NAN, 1, "too few seeds to tell");
  says(NAN, NAN, 0, "too few seeds to tell");
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, widths_are_those_of_the_table);
  tcase_add_test(tc, three_standard_errors_of_three_seeds_are_not_clear);
  tcase_add_test(tc, two_seeds_have_no_verdict);
}
