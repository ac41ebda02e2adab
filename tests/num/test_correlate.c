// SPDX-License-Identifier: Apache-2.0
// Correlations of losses with scores: held against rmx_spearman, and what is said of noise.
#include <regmix/correlate.h>
#include <regmix/regress.h>

#include "testing.h"

enum { N = 60, D = 5 };
static const char *const names[D] = {"a_val_loss", "b_val_loss", "c_val_loss", "quiz_acc",
                                     "quiz/bits_per_byte"};

// The accuracy falls with a, and the bits rise with it; b is noise; c is a constant.
static void make(rmx_table *t) {
  rmx_rng r = rmx_rng_make(7, 0, RMX_FOR_TEST);
  must(rmx_table_make(t, "run", N, D, err));
  for (size_t d = 0; d < D; d++) t->names[d] = rmx_strdup(names[d]);
  for (size_t i = 0; i < N; i++) {
    const double a = rmx_rng_normal(&r);
    double *x = t->x + i * D;
    t->ids[i] = rmx_format("r%zu", i);
    x[0] = 3 + a;
    x[1] = 3 + rmx_rng_normal(&r);
    x[2] = 2;
    x[3] = 0.01 * floor(30 - 10 * a + 3 * rmx_rng_normal(&r));  // with ties
    x[4] = i % 10 == 3 ? NAN : 2 + a + 0.5 * rmx_rng_normal(&r);
  }
}

static double spearman(const rmx_table *t, size_t a, size_t b, size_t *n) {
  double x[N], y[N];
  *n = 0;
  for (size_t i = 0; i < N; i++) {
    if (isnan(t->x[i * D + a]) || isnan(t->x[i * D + b])) continue;
    x[*n] = t->x[i * D + a];
    y[(*n)++] = t->x[i * D + b];
  }
  return rmx_spearman(x, y, *n);
}

START_TEST(numbers) {
  rmx_table t;
  rmx_correlations c, again;
  rmx_correlate_options o = {.replicates = 500, .seed = 1, .threads = 2};
  make(&t);
  must(rmx_correlate(&t, &o, &c, err));
  ck_assert(c.L == 3 && c.S == 2 && c.runs == N);
  for (size_t l = 0; l < 2; l++)
    for (size_t s = 0; s < 2; s++) {
      size_t n;
      const rmx_correlation *p = &c.pairs[l * 2 + s];
      ck_assert_double_eq_tol(p->rho, spearman(&t, l, 3 + s, &n), 1e-12);
      ck_assert_uint_eq(p->n, n);
      ck_assert(p->low <= p->rho && p->rho <= p->high);
    }
  ck_assert(c.pairs[0].rho < -0.8 && c.pairs[0].agreement > 0.8 && c.pairs[0].clear);
  ck_assert(c.pairs[1].rho > 0.7 && c.pairs[1].agreement == c.pairs[1].rho && c.pairs[1].clear);
  ck_assert(!c.pairs[2].clear && !c.pairs[3].clear);
  ck_assert(isnan(c.pairs[4].rho) && isnan(c.pairs[4].low) && !c.pairs[4].told);
  ck_assert(c.tests == 4 && c.best[0] == 0 && c.best[1] == 0);
  o.threads = 1;
  must(rmx_correlate(&t, &o, &again, err));
  ck_assert_mem_eq(c.pairs, again.pairs, 4 * sizeof *c.pairs);
  rmx_correlations_release(&again);
  rmx_correlations_release(&c);
  rmx_table_release(&t);
}
END_TEST

// Of losses and scores that have nothing to do with each other, an interval contains 0 mostly, and
// no pair is clear.
START_TEST(noise_tells_nothing) {
  enum { L = 20, S = 10 };
  rmx_rng r = rmx_rng_make(11, 0, RMX_FOR_TEST);
  rmx_table t;
  rmx_correlations c;
  const rmx_correlate_options o = {.replicates = 400, .seed = 1, .threads = 2};
  must(rmx_table_make(&t, "run", 50, L + S, err));
  for (size_t d = 0; d < L + S; d++)
    t.names[d] = rmx_format(d < L ? "d%zu_val_loss" : "task%zu_acc", d);
  for (size_t i = 0; i < 50; i++) {
    t.ids[i] = rmx_format("r%zu", i);
    for (size_t d = 0; d < L + S; d++) t.x[i * (L + S) + d] = rmx_rng_normal(&r);
  }
  must(rmx_correlate(&t, &o, &c, err));
  size_t told = 0, clear = 0;
  for (size_t i = 0; i < L * S; i++) told += c.pairs[i].told, clear += c.pairs[i].clear;
  ck_assert_msg(told >= 1 && told < 30 && clear == 0, "%zu told, %zu clear", told, clear);
  rmx_buf text = {0};
  rmx_correlations_text(&c, &text);
  ck_assert_ptr_nonnull(strstr(text.data, "of 200 intervals do not contain 0"));
  ck_assert_ptr_nonnull(strstr(text.data, "for all pairs, 0 are clear"));
  rmx_buf_release(&text);
  rmx_correlations_release(&c);
  rmx_table_release(&t);
}
END_TEST

START_TEST(what_is_refused) {
  rmx_table t;
  rmx_correlations c;
  char *patterns[] = {"*_acc", "z*"};
  rmx_correlate_options o = {.replicates = 100, .scores = {.items = patterns, .n = 1}};
  make(&t);
  must(rmx_correlate(&t, &o, &c, err));
  ck_assert(c.S == 1 && c.L == 3);
  rmx_correlations_release(&c);
  o.scores = (rmx_strings){.items = patterns + 1, .n = 1};
  must_fail(rmx_correlate(&t, &o, &c, err), "no metric matches \"z*\"");
  o.scores = (rmx_strings){0};
  t.D = 0;
  must_fail(rmx_correlate(&t, &o, &c, err), "is a validation loss");
  t.D = D;
  for (size_t d = 3; d < D; d++) free(t.names[d]), t.names[d] = rmx_format("x%zu_loss", d);
  must_fail(rmx_correlate(&t, &o, &c, err), "eval.tasks in the config measures scores");
  // Few runs: nothing is known.
  free(t.names[4]);
  t.names[4] = rmx_strdup("quiz");
  t.N = 4;
  must(rmx_correlate(&t, &o, &c, err));
  rmx_buf text = {0};
  rmx_correlations_text(&c, &text);
  ck_assert(c.tests == 0 && strstr(text.data, "Nothing is known"));
  rmx_buf_release(&text);
  rmx_correlations_release(&c);
  t.N = N;
  rmx_table_release(&t);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, numbers);
  tcase_add_test(tc, noise_tells_nothing);
  tcase_add_test(tc, what_is_refused);
}
