// SPDX-License-Identifier: Apache-2.0
// Domains that come, go, split and merge: which runs stay, with which weights, and what is said of
// the others.
#include <regmix/mixture.h>

#include "testing.h"

enum { RUNS = 5, DOMAINS = 3 };
static const double swarm[RUNS][DOMAINS] = {
    {0.2, 0.3, 0.5},      // a : b is 0.4 : 0.6
    {0.5, 0.5, 0},        // is 0.5 : 0.5
    {0, 0, 1},            // neither
    {0.042, 0.058, 0.9},  // 0.42 : 0.58, the tolerance exactly
    {0.0421, 0.0579, 0.9},
};

static rmx_table table(void) {
  rmx_table t;
  must(rmx_table_make(&t, "run", RUNS, DOMAINS, err));
  static const char *const names[] = {"train_a", "train_b", "train_c"};
  for (int d = 0; d < DOMAINS; d++) t.names[d] = rmx_strdup(names[d]);
  for (int i = 0; i < RUNS; i++) t.ids[i] = rmx_format("r%d", i + 1);
  memcpy(t.x, swarm, sizeof swarm);
  return t;
}

static const rmx_redomain_options usual = {.tolerance = 0.02};

static size_t column(const rmx_table *t, const char *name) {
  for (size_t d = 0; d < t->D; d++)
    if (strcmp(t->names[d], name) == 0) return d;
  ck_abort_msg("no column %s", name);
  return 0;
}
static double at(const rmx_table *t, const char *id, const char *name) {
  for (size_t i = 0; i < t->N; i++)
    if (strcmp(t->ids[i], id) == 0) return t->x[i * t->D + column(t, name)];
  ck_abort_msg("no run %s", id);
  return 0;
}
static void sums_to_one(const rmx_table *t) {
  for (size_t i = 0; i < t->N; i++) {
    double sum = 0;
    for (size_t d = 0; d < t->D; d++) sum += t->x[i * t->D + d];
    ck_assert_double_eq_tol(sum, 1, 1e-12);
  }
}

START_TEST(split_keeps_all_runs_on_a_hyperplane) {
  rmx_table t = table();
  rmx_redomain_report r = {0};
  size_t rank;
  must(rmx_mixture_rank(&t, &rank, err));
  ck_assert_uint_eq(rank, 2);
  must(rmx_redomain(&t, RMX_DOMAIN_SPLIT, "c=c_en:0.3,c_de:0.6,c_fr:0.1", &usual, &r, err));
  ck_assert_uint_eq(t.N, RUNS);
  ck_assert_uint_eq(t.D, 5);
  ck_assert_str_eq(t.names[2], "c_en");  // in the old one's place
  ck_assert(at(&t, "r3", "c_de") == 0.6 && at(&t, "r1", "train_a") == 0.2);
  ck_assert_double_eq_tol(at(&t, "r4", "c_fr"), 0.09, 1e-15);
  sums_to_one(&t);
  ck_assert_uint_eq(r.redo.n, 0);
  ck_assert_uint_eq(r.unseen.n, 2);
  ck_assert_str_eq(r.unseen.items[0], "c_en compared with c_de: every run drew them 0.3 : 0.6");
  ck_assert_uint_eq(r.measure.n, 3);
  must(rmx_mixture_rank(&t, &rank, err));
  ck_assert_uint_eq(rank, 2);  // of 4: the two that are unseen
  // And back: every run kept to the proportions, so all stay and are what they were.
  must(rmx_redomain(&t, RMX_DOMAIN_MERGE, "train_c=c_en:0.3,c_de:0.6,c_fr:0.1", &usual, &r, err));
  ck_assert_uint_eq(t.N, RUNS);
  for (int i = 0; i < RUNS * DOMAINS; i++)
    ck_assert_double_eq_tol(t.x[i], (&swarm[0][0])[i], 1e-15);
  rmx_redomain_report_release(&r);
  rmx_table_release(&t);
}
END_TEST

START_TEST(merge_keeps_the_honest_runs) {
  rmx_table t = table();
  rmx_redomain_report r = {0};
  must(rmx_redomain(&t, RMX_DOMAIN_MERGE, "ab=a:0.4,b:0.6", &usual, &r, err));
  ck_assert_uint_eq(t.N, 3);
  ck_assert_uint_eq(t.D, 2);
  ck_assert(at(&t, "r1", "ab") == 0.5 && at(&t, "r3", "ab") == 0);
  ck_assert_double_eq_tol(at(&t, "r4", "ab"), 0.1, 1e-15);
  sums_to_one(&t);
  ck_assert_uint_eq(r.redo.n, 2);
  ck_assert_str_eq(r.redo.items[0], "r2");
  ck_assert_str_eq(r.redo.items[1], "r5");
  ck_assert_str_eq(r.why.items[0], "0.5 of its ab was a; the natural share is 0.4");
  ck_assert_uint_eq(r.unseen.n, 0);
  rmx_redomain_report_release(&r);
  rmx_table_release(&t);
  t = table();
  must(rmx_redomain(&t, RMX_DOMAIN_MERGE, "train_a=a:0.4,b:0.6",
                    &(rmx_redomain_options){.tolerance = 0.5}, &r, err));
  ck_assert_uint_eq(t.N, RUNS);  // under the name of a part, which is free again
  ck_assert(at(&t, "r2", "train_a") == 1);
  rmx_redomain_report_release(&r);
  rmx_table_release(&t);
}
END_TEST

START_TEST(add_says_nothing_of_the_new_one) {
  rmx_table t = table();
  rmx_redomain_report r = {0};
  size_t rank;
  must(rmx_redomain(&t, RMX_DOMAIN_ADD, "math", &usual, &r, err));
  ck_assert_uint_eq(t.D, 4);
  for (size_t i = 0; i < t.N; i++) ck_assert(t.x[i * 4 + 3] == 0);
  sums_to_one(&t);
  ck_assert_uint_eq(r.redo.n, 0);
  ck_assert_ptr_nonnull(strstr(r.unseen.items[0], "math compared with all"));
  must(rmx_mixture_rank(&t, &rank, err));
  ck_assert_uint_eq(rank, 2);
  must_fail(rmx_redomain(&t, RMX_DOMAIN_ADD, "math", &usual, &r, err),
            "a domain \"math\" already exists");
  ck_assert_uint_eq(t.D, 4);
  rmx_redomain_report_release(&r);
  rmx_table_release(&t);
}
END_TEST

START_TEST(remove_keeps_or_drops) {
  rmx_table t = table();
  rmx_redomain_report r = {0};
  must(rmx_redomain(&t, RMX_DOMAIN_REMOVE, "c", &usual, &r, err));
  ck_assert_uint_eq(t.N, RUNS);
  ck_assert_uint_eq(t.D, 3);  // runs used it: it stays, to be held at 0
  ck_assert_uint_eq(r.fix.n, 1);
  ck_assert_str_eq(r.fix.items[0], "train_c");
  rmx_redomain_report_release(&r);
  must(rmx_redomain(&t, RMX_DOMAIN_REMOVE, "c", &(rmx_redomain_options){.drop = true}, &r, err));
  ck_assert_uint_eq(t.N, 1);
  ck_assert_uint_eq(t.D, 2);
  ck_assert_str_eq(t.ids[0], "r2");
  ck_assert_uint_eq(r.redo.n, 4);
  ck_assert_str_eq(r.why.items[1], "1 of its tokens were train_c");
  ck_assert_uint_eq(r.fix.n, 0);
  rmx_redomain_report_release(&r);
  // Nobody used it: the column goes, nothing is lost.
  must(rmx_redomain(&t, RMX_DOMAIN_ADD, "x", &usual, &r, err));
  must(rmx_redomain(&t, RMX_DOMAIN_REMOVE, "x", &usual, &r, err));
  ck_assert_uint_eq(t.D, 2);
  ck_assert_uint_eq(r.fix.n + r.redo.n, 0);
  rmx_redomain_report_release(&r);
  rmx_table_release(&t);
}
END_TEST

START_TEST(rename_moves_nothing) {
  rmx_table t = table();
  rmx_redomain_report r = {0};
  must(rmx_redomain(&t, RMX_DOMAIN_RENAME, "b=books", &usual, &r, err));
  ck_assert_str_eq(t.names[1], "books");
  ck_assert_mem_eq(t.x, swarm, sizeof swarm);
  ck_assert_uint_eq(r.redo.n + r.unseen.n + r.measure.n, 0);
  must_fail(rmx_redomain(&t, RMX_DOMAIN_RENAME, "books=train_a", &usual, &r, err),
            "a domain \"train_a\" already exists");
  rmx_redomain_report_release(&r);
  rmx_table_release(&t);
}
END_TEST

START_TEST(what_does_not_read) {
  static const struct {
    rmx_redomain_kind kind;
    const char *text, *message;
  } wrong[] = {
      {RMX_DOMAIN_SPLIT, "c", "a name is missing; wanted P=A:0.3,B:0.7"},
      {RMX_DOMAIN_SPLIT, "c=", "a name is missing"},
      {RMX_DOMAIN_SPLIT, "c=x:1", "a share is a number between 0 and 1"},
      {RMX_DOMAIN_SPLIT, "c=x:0.5", "a single part"},
      {RMX_DOMAIN_SPLIT, "c=x,y:0.5", "a part is NAME:SHARE"},
      {RMX_DOMAIN_SPLIT, "c=x:0.5,:0.5", "a part is NAME:SHARE"},
      {RMX_DOMAIN_SPLIT, "c=x:0.5,y:", "a share is a number"},
      {RMX_DOMAIN_SPLIT, "c=x:0.5,y:nan", "a share is a number"},
      {RMX_DOMAIN_SPLIT, "c=x:0.5,y:-0.5", "a share is a number"},
      {RMX_DOMAIN_SPLIT, "c=x:0.5,y:0.4", "must sum to 1"},
      {RMX_DOMAIN_SPLIT, "c=x:0.5,x:0.5", "a part is given twice"},
      {RMX_DOMAIN_SPLIT, "zebra=x:0.5,y:0.5", "unknown domain \"zebra\""},
      {RMX_DOMAIN_SPLIT, "c=train_a:0.5,y:0.5", "a domain \"train_a\" already exists"},
      {RMX_DOMAIN_MERGE, "p=a:0.5,train_a:0.5", "\"train_a\" is given twice"},
      {RMX_DOMAIN_MERGE, "train_c=a:0.5,b:0.5", "a domain \"train_c\" already exists"},
      {RMX_DOMAIN_MERGE, "p=a:0.5,zebra:0.5", "unknown domain \"zebra\""},
      {RMX_DOMAIN_REMOVE, "zebra", "unknown domain \"zebra\""},
      {RMX_DOMAIN_ADD, "", "a name is missing"},
      {RMX_DOMAIN_RENAME, "=x", "a name is missing"},
  };
  rmx_table t = table();
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    rmx_redomain_report r = {0};
    must_fail(rmx_redomain(&t, wrong[i].kind, wrong[i].text, &usual, &r, err), wrong[i].message);
    rmx_redomain_report_release(&r);
  }
  ck_assert_mem_eq(t.x, swarm, sizeof swarm);  // none of them touched it
  // A part may be called what the whole was called, and a name may have a colon.
  rmx_redomain_report r = {0};
  must(rmx_redomain(&t, RMX_DOMAIN_SPLIT, "c=train_c:0.5,s3://x:0.5", &usual, &r, err));
  ck_assert_str_eq(t.names[3], "s3://x");
  rmx_redomain_report_release(&r);
  rmx_table_release(&t);
}
END_TEST

START_TEST(rank_of_rows_that_round) {
  rmx_table t = table();
  size_t rank;
  for (size_t i = 0; i < t.N * t.D; i++) t.x[i] *= 1.003;  // what rows sum to is no direction
  must(rmx_mixture_rank(&t, &rank, err));
  ck_assert_uint_eq(rank, 2);
  for (size_t i = 0; i < t.N; i++) memcpy(t.x + i * t.D, swarm[0], sizeof swarm[0]);
  must(rmx_mixture_rank(&t, &rank, err));
  ck_assert_uint_eq(rank, 0);
  rmx_table_release(&t);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, split_keeps_all_runs_on_a_hyperplane);
  tcase_add_test(tc, merge_keeps_the_honest_runs);
  tcase_add_test(tc, add_says_nothing_of_the_new_one);
  tcase_add_test(tc, remove_keeps_or_drops);
  tcase_add_test(tc, rename_moves_nothing);
  tcase_add_test(tc, what_does_not_read);
  tcase_add_test(tc, rank_of_rows_that_round);
}
