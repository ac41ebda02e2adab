// SPDX-License-Identifier: Apache-2.0
// Questions of other languages: options by name, tables in memory, answers as JSON.
#include <regmix/ask.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "testing.h"

enum { RUNS = 24, DOMAINS = 3 };

static void make(rmx_table *t, const char *path, size_t D) {
  char text[32];
  rmx_err err;
  ck_assert_int_eq(rmx_table_make(t, "run", RUNS, D, &err), RMX_OK);
  t->path = rmx_strdup(path);
  for (size_t i = 0; i < RUNS; i++) {
    snprintf(text, sizeof text, "r%zu", i);
    t->ids[i] = rmx_strdup(text);
  }
  for (size_t d = 0; d < D; d++) {
    snprintf(text, sizeof text, "%s%zu", D == DOMAINS ? "d" : "loss", d);
    t->names[d] = rmx_strdup(text);
  }
}

// A loss that is lowest at (0.5, 0.3, 0.2).
static void fill(rmx_table *mixtures, rmx_table *metrics) {
  rmx_rng r = rmx_rng_make(1, 0, RMX_FOR_TEST);
  make(mixtures, "mixtures", DOMAINS);
  make(metrics, "metrics", 1);
  for (size_t i = 0; i < RUNS; i++) {
    double *w = mixtures->x + i * DOMAINS, sum = 0;
    const double best[DOMAINS] = {0.5, 0.3, 0.2};
    for (size_t d = 0; d < DOMAINS; d++) sum += w[d] = rmx_rng_gamma(&r, 1);
    metrics->x[i] = 2;
    for (size_t d = 0; d < DOMAINS; d++) {
      w[d] /= sum;
      metrics->x[i] += (w[d] - best[d]) * (w[d] - best[d]);
    }
  }
}

static char *ask_fit(const char *out, const rmx_table *mixtures, const rmx_table *metrics,
                     rmx_status wanted, rmx_err *err) {
  rmx_ask *a;
  char *json = NULL;
  ck_assert_int_eq(rmx_ask_new("fit", &a, err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "out", out, err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "regressor", "gp", err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "set", "seed=3", err), RMX_OK);
  ck_assert_int_eq(rmx_ask_tables(a, mixtures, metrics, err), RMX_OK);
  ck_assert_int_eq(rmx_ask_answer(a, NULL, &json, err), wanted);
  rmx_ask_free(a);
  return json;
}

START_TEST(a_fit_of_memory_is_asked) {
  rmx_table mixtures, metrics;
  rmx_err err;
  rmx_ask *a;
  char *fitted, *again, *json;
  fill(&mixtures, &metrics);
  rmx_remove_tree("ask-fit", &err);
  fitted = ask_fit("ask-fit", &mixtures, &metrics, RMX_OK, &err);
  ck_assert_ptr_nonnull(strstr(fitted, "\"loss0\""));
  // What a fit answered is answered again of its folder.
  ck_assert_int_eq(rmx_ask_new("scores", &a, &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "fit", "ask-fit", &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_answer(a, NULL, &again, &err), RMX_OK);
  ck_assert_str_eq(fitted, again);
  rmx_ask_free(a);
  // Options of the search and of the problem.
  ck_assert_int_eq(rmx_ask_new("optimize", &a, &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "fit", "ask-fit", &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "target", "loss0", &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "cap", "d0=0.25", &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "replicates", "0", &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_answer(a, NULL, &json, &err), RMX_OK);
  ck_assert_ptr_nonnull(strstr(json, "\"d0\": 0.25"));
  ck_assert_ptr_null(strstr(json, "\"versus\""));
  rmx_ask_free(a);
  rmx_remove_tree("ask-fit", &err);
  free(fitted), free(again), free(json);
  rmx_table_release(&mixtures);
  rmx_table_release(&metrics);
}
END_TEST

static void keep_text(void *context, const char *message) {
  snprintf(context, 100, "%s", message);
}

// A file of another kind is kept, with a warning, and nothing of it stays with the thread.
START_TEST(what_out_names_is_kept) {
  rmx_err err;
  rmx_ask *a;
  char said[100] = "", *json, *text;
  size_t size;
  const rmx_listener listener = {.context = said, .warn = keep_text};
  ck_assert_int_eq(rmx_write_file("ask-prior.csv", "domain,weight\na,0.5\nb,0.5\n", 26, &err),
                   RMX_OK);
  ck_assert_int_eq(rmx_write_file("ask-out", "mine", 4, &err), RMX_OK);
  remove("ask-out~");
  ck_assert_int_eq(rmx_ask_new("sample", &a, &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "out", "", &err), RMX_EUSAGE);
  ck_assert_int_eq(rmx_ask_set(a, "out", "ask-out", &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "prior", "ask-prior.csv", &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_answer(a, &listener, &json, &err), RMX_OK);
  ck_assert_str_eq(said, "the file that was there is kept as ask-out~");
  ck_assert_uint_eq(rmx_kept_others()->n, 0);
  rmx_ask_free(a);
  ck_assert_int_eq(rmx_read_file("ask-out~", &text, &size, &err), RMX_OK);
  ck_assert_str_eq(text, "mine");
  free(json), free(text);
  remove("ask-prior.csv"), remove("ask-out"), remove("ask-out~");
}
END_TEST

START_TEST(wrong_questions) {
  rmx_err err;
  rmx_ask *a = NULL;
  char *json = NULL;
  ck_assert_int_eq(rmx_ask_new("bake", &a, &err), RMX_EUSAGE);
  ck_assert_int_eq(rmx_ask_new("optimize", &a, &err), RMX_OK);
  ck_assert_int_eq(rmx_ask_set(a, "targte", "x", &err), RMX_EUSAGE);
  ck_assert_ptr_nonnull(strstr(err.message, "target"));
  ck_assert_int_eq(rmx_ask_set(a, "level", "7", &err), RMX_EUSAGE);
  ck_assert_int_eq(rmx_ask_answer(a, NULL, &json, &err), RMX_EUSAGE);
  ck_assert_ptr_null(json);
  rmx_ask_free(a);
  rmx_ask_free(NULL);
  ck_assert_ptr_null(rmx_ask_options("bake"));
}
END_TEST

// Each option of a kind has a name: a table with fewer rows than its header counts has none.
START_TEST(options_are_whole) {
  static const char *const kinds[] = {"fit",     "score",  "scores", "optimize",
                                      "suggest", "sample", "report", "export"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char *options = rmx_ask_options(kinds[i]);
    ck_assert_msg(options != NULL, "%s", kinds[i]);
    ck_assert_ptr_nonnull(strstr(options, "\"help\""));
    free(options);
  }
}
END_TEST

START_TEST(work_goes_on_after_an_interrupt) {
  rmx_table mixtures, metrics;
  rmx_err err;
  fill(&mixtures, &metrics);
  rmx_interrupt();
  ck_assert_ptr_null(ask_fit("ask-fit2", &mixtures, &metrics, RMX_EINTERRUPTED, &err));
  rmx_uninterrupt();
  free(ask_fit("ask-fit2", &mixtures, &metrics, RMX_OK, &err));
  rmx_remove_tree("ask-fit2", &err);
  rmx_table_release(&mixtures);
  rmx_table_release(&metrics);
}
END_TEST

static void add_tests(TCase *c) {
  tcase_add_test(c, a_fit_of_memory_is_asked);
  tcase_add_test(c, what_out_names_is_kept);
  tcase_add_test(c, wrong_questions);
  tcase_add_test(c, options_are_whole);
  tcase_add_test(c, work_goes_on_after_an_interrupt);
}
