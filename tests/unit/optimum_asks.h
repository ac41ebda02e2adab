// SPDX-License-Identifier: Apache-2.0
// optimum_asks.h: checks that the tests of the search and of the simulation share, and fits whose
// functions are written by hand.
#ifndef RMX_TESTS_UNIT_OPTIMUM_ASKS_H
#define RMX_TESTS_UNIT_OPTIMUM_ASKS_H

#include <regmix/mixture.h>
#include <regmix/optimize.h>

#include "regress/fit.h"
#include "regress/registry.h"
#include "testing.h"

enum { D = 4 };  // domains

static const rmx_optimize_options
    usual = {.method = "simulate", .samples = 20000, .top = 64, .strength = 4, .starts = 8},
    climb = {.method = "search", .samples = 20000, .top = 64, .strength = 4, .starts = 8};

// A target of one text each (NULL: none), and a question of it around `prior` (NULL: the runs').
static inline rmx_problem ask(const rmx_fit *f, const char *minimize, const char *maximize,
                              const double *prior) {
  rmx_problem q;
  rmx_strings low = {0}, high = {0};
  if (minimize) ck_assert(rmx_strings_add(&low, minimize));
  if (maximize) ck_assert(rmx_strings_add(&high, maximize));
  must(rmx_problem_make(f, &q, err));
  rmx_target_release(&q.target);
  must(rmx_target_parse(f, &low, &high, NULL, NULL, &q.target, err));
  if (prior) {
    q.prior = rmx_calloc(f->D, sizeof(double));
    memcpy(q.prior, prior, f->D * sizeof(double));
  }
  rmx_strings_release(&low);
  rmx_strings_release(&high);
  return q;
}

static inline rmx_regressor *from_text(const char *text) {
  char path[] = "/tmp/test_optimize_XXXXXX";
  int file = mkstemp(path);
  ck_assert(file >= 0);
  close(file);
  rmx_regressor *r;
  must(rmx_write_file(path, text, strlen(text), err));
  must(rmx_regressor_read(path, &r, err));
  unlink(path);
  return r;
}

static inline void add_numbers(rmx_buf *b, const char *key, rmx_rng *rng, size_t n, double low,
                               double high) {
  rmx_buf_printf(b, ", \"%s\": [", key);
  for (size_t i = 0; i < n; i++)
    rmx_buf_printf(b, "%s%.17g", i ? ", " : "", low + (high - low) * rmx_rng_uniform(rng));
  rmx_buf_puts(b, "]");
}

// Power laws with powers up to exp(most_log_g); `seen` wide enough that nothing bends, unless bent.
static inline rmx_regressor *random_power(rmx_rng *rng, size_t n, double most_log_g, bool bent) {
  rmx_buf b = {0};
  rmx_buf_printf(
      &b,
      "{\"regressor\": \"power\", \"version\": 1, \"domains\": null, \"strength\": 1e-3, "
      "\"shift\": 3, \"scale\": 1, "
      "\"seen\": [%s], \"E\": 0.0, \"a\": %.17g, \"log_b\": %.17g, \"t0\": -2.0",
      bent ? "2.5, 3.2" : "0, 100", 0.5 * rmx_rng_normal(rng), -0.5 + 0.3 * rmx_rng_normal(rng));
  add_numbers(&b, "tau", rng, n, -2, 1);
  add_numbers(&b, "log_g", rng, n, most_log_g - 1.5, most_log_g);
  add_numbers(&b, "v", rng, n, -0.5, 0.5);
  rmx_buf_puts(&b, "}");
  rmx_regressor *r = from_text(b.data);
  rmx_buf_release(&b);
  return r;
}

static inline rmx_regressor *random_exp(rmx_rng *rng, size_t n) {
  rmx_buf b = {0};
  rmx_buf_puts(
      &b,
      "{\"regressor\": \"exp\", \"version\": 1, \"domains\": null, \"terms\": 2, \"strength\": "
      "1e-3, \"shift\": 3, "
      "\"scale\": 1, \"seen\": [0, 100]");
  add_numbers(&b, "parameters", rng, 1 + 2 * (1 + n), -2, 2);
  rmx_buf_puts(&b, "}");
  rmx_regressor *r = from_text(b.data);
  rmx_buf_release(&b);
  return r;
}

// A fit of M functions, with runs from Dirichlet(1).
static inline rmx_fit *hand_fit(rmx_rng *rng, size_t n, size_t M, rmx_regressor **functions) {
  rmx_fit *f = rmx_calloc(1, sizeof *f);
  *f = (rmx_fit){.D = n, .M = M, .N = 40};
  f->domains = rmx_calloc(n, sizeof(char *));
  f->metrics = rmx_calloc(M, sizeof(char *));
  f->regressors = rmx_calloc(M, sizeof(rmx_regressor *));
  f->cv = rmx_calloc(M, sizeof(rmx_scores));
  f->mean_mixture = rmx_calloc(n, sizeof(double));
  f->runs = rmx_calloc(f->N * n, sizeof(double));
  double alpha[64];
  for (size_t d = 0; d < n; d++) {
    f->domains[d] =
        d < 26 ? rmx_format("%c", (char)('a' + d)) : rmx_format("more:%c", (char)('a' + d - 26));
    f->mean_mixture[d] = 1 / (double)n;
    alpha[d] = 1;
  }
  for (size_t m = 0; m < M; m++) {
    f->metrics[m] = rmx_format("m%zu", m);
    f->regressors[m] = functions[m];
  }
  for (size_t i = 0; i < f->N; i++) rmx_dirichlet(rng, alpha, n, f->runs + i * n);
  return f;
}

#endif
