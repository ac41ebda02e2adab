// SPDX-License-Identifier: Apache-2.0
#include "testing.h"

static const char *const domains[] = {"train_the_pile_arxiv", "train_the_pile_pile_cc", "train_the_pile_github", "train_the_pile_pubmed_abstracts"};
static const char *const metrics[] = {"metric/the_pile_arxiv_val_loss", "metric/the_pile_pile_cc_val_loss", "metric/the_pile_github_val_loss"};
static const char *const plain[] = {"c", "python", "cc", "fortunes_val_loss", "c_val_loss"};

static size_t find(const char *name, const char *const *names, size_t n) {
  size_t index = 99;
  must(rmx_find_name("name", name, names, n, &index, err));
  return index;
}

START_TEST(finds_what_people_type) {
  ck_assert_uint_eq(find("pile_cc", domains, 4), 1);
  ck_assert_uint_eq(find("train_the_pile_pile_cc", domains, 4), 1);
  ck_assert_uint_eq(find("pile_cc", metrics, 3), 1);
  ck_assert_uint_eq(find("the_pile_github", metrics, 3), 2);
  ck_assert_uint_eq(find("metric/the_pile_arxiv_val_loss", metrics, 3), 0);
  ck_assert_uint_eq(find("metric/the_pile_arxiv_val_loss", domains, 4), 0);
  ck_assert_uint_eq(find("c", plain, 5), 0);
  ck_assert_uint_eq(find("fortunes", plain, 5), 3);
  // One metric alone, as fitted by --metric; and two that share more words than people leave out.
  static const char *const alone[] = {"metric/the_pile_pile_cc_val_loss"};
  ck_assert_uint_eq(find("pile_cc", alone, 1), 0);
  static const char *const pair[] = {"metric/the_pile_pile_cc_val_loss", "metric/the_pile_pile_x_val_loss"};
  ck_assert_uint_eq(find("pile_x", pair, 2), 1);
  ck_assert_uint_eq(find("x", pair, 2), 1);
}
END_TEST

START_TEST(refuses_with_advice) {
  size_t index;
  must_fail(rmx_find_name("metric", "pile_dd", metrics, 3, &index, err), "did you mean \"metric/the_pile_pile_cc_val_loss\"");
  must_fail(rmx_find_name("domain", "zzzzzzzz", domains, 4, &index, err), "there are: train_the_pile_arxiv");
  static const char *const only[] = {"metric/the_pile_pile_cc_val_loss"};
  must_fail(rmx_find_name("metric", "e_cc", only, 1, &index, err), "there are: metric/the_pile_pile_cc_val_loss");
  static const char *const others[] = {"metric/a_cc_val_loss", "metric/b_dd_val_loss"};
  must_fail(rmx_find_name("metric", "cc", others, 2, &index, err), "unknown metric");
  static const char *const twins[] = {"train_web", "valid_web"};
  must_fail(rmx_find_name("domain", "web", twins, 2, &index, err), "ambiguous");
}
END_TEST

START_TEST(nearest_is_near) {
  static const char *const keys[] = {"proxy.tokens", "proxy.lr", "sample.runs"};
  ck_assert_int_eq(rmx_nearest("proxy.token", keys, 3), 0);
  ck_assert_int_eq(rmx_nearest("sampel.runs", keys, 3), 2);
  ck_assert_int_eq(rmx_nearest("entirely other", keys, 3), -1);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, finds_what_people_type);
  tcase_add_test(tc, refuses_with_advice);
  tcase_add_test(tc, nearest_is_near);
}
