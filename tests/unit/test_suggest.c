// SPDX-License-Identifier: Apache-2.0
// The next runs: a conditioned Gaussian process is consistent, the best of a list is found, what no
// run tried is covered first, constraints and names are kept, any number of threads gives the same;
// a learning curve says what it should.

#include <regmix/mixture.h>
#include <regmix/optimize.h>

#include "optimize/suggest.h"
#include "testing.h"

enum { D = 5 };
static const double centre[D] = {0.4, 0.3, 0.15, 0.1, 0.05};
static const char *const domains[D] = {"a", "b", "c", "d", "e"};

static double bowl(const double *w) {
  double sum = 3;
  for (int d = 0; d < D; d++) sum += 2 * pow(w[d] - centre[d], 2);
  return sum;
}

// e in no run; d and e always in the proportion 1 : 3
typedef enum shape { WHOLE, NO_E, SPLIT_D_E } shape;

static void draw(size_t n, uint64_t seed, shape s, double *X) {
  double alpha[D] = {1, 1, 1, 1, 1};
  if (s == NO_E) alpha[4] = 0;
  rmx_rng rng = rmx_rng_make(seed, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) {
    double *w = X + i * D;
    rmx_dirichlet(&rng, alpha, D, w);
    if (s != SPLIT_D_E) continue;
    double both = w[3] + w[4];
    w[3] = both / 4;
    w[4] = both * 3 / 4;
  }
}

// Metrics bowl_val_loss and line_val_loss = w_0, with noise of that sd; runs p001, p002, ...
static rmx_fit *make_fit(const char *regressor, size_t n, shape s, double noise) {
  rmx_table X, Y;
  rmx_fit *f;
  rmx_regress_options o = {0};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      regressor, err));
  must(rmx_table_make(&X, "run", n, D, err));
  must(rmx_table_make(&Y, "run", n, 2, err));
  for (int d = 0; d < D; d++) X.names[d] = rmx_strdup(domains[d]);
  Y.names[0] = rmx_strdup("bowl_val_loss");
  Y.names[1] = rmx_strdup("line_val_loss");
  draw(n, 3, s, X.x);
  rmx_rng rng = rmx_rng_make(4, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) {
    X.ids[i] = rmx_format("p%03zu", i + 1);
    Y.ids[i] = rmx_format("p%03zu", i + 1);
    Y.x[2 * i] = bowl(X.x + i * D) + noise * rmx_rng_normal(&rng);
    Y.x[2 * i + 1] = X.x[i * D];
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

static rmx_problem problem_on(const rmx_fit *f, double bowl_weight, double line_weight) {
  rmx_problem q;
  must(rmx_problem_make(f, &q, err));
  free(q.prior);
  q.prior = NULL;
  q.target.weight[0] = bowl_weight;
  q.target.weight[1] = line_weight;
  return q;
}

static double apart(const double *a, const double *b) {
  double sum = 0;
  for (int d = 0; d < D; d++) sum += fabs(a[d] - b[d]) / 2;
  return sum;
}

START_TEST(expected_improvement) {
  ck_assert(fabs(rmx__expected_improvement(0, 1, 0) - 0.3989422804014327) < 1e-15);
  ck_assert(rmx__expected_improvement(2, 0, 3) == 1 && rmx__expected_improvement(4, 0, 3) == 0);
  const double mean = 0.7, sd = 0.3, best = 0.5;
  double sum = 0, step = 1e-4;
  for (double u = -8; u < 8; u += step)
    sum += step * fmax(best - mean - sd * u, 0) * exp(-u * u / 2) / sqrt(2 * M_PI);
  ck_assert(fabs(rmx__expected_improvement(mean, sd, best) - sum) < 1e-6);
  ck_assert(rmx__expected_improvement(100, 1, 0) == 0);
}
END_TEST

START_TEST(conditioned_gp_is_consistent) {
  rmx_fit *f = make_fit("gp", 30, WHOLE, 0.02);
  const rmx_regressor *r = f->regressors[0];
  enum { n = 12 };
  double X[n * D], mean[n], sd[n], cov[n], back[n];
  draw(n, 77, WHOLE, X);
  rmx__conditioned b;
  must(rmx__conditioned_make(&b, r, X, n, D, 3, err));
  rmx_regressor_predict(r, X, n, mean, sd);
  for (int i = 0; i < n; i++) {
    ck_assert_msg(fabs(b.mean[i] - mean[i]) < 1e-12 && fabs(sqrt(b.variance[i]) - sd[i]) < 1e-6,
                  "%g %g", sqrt(b.variance[i]), sd[i]);
    rmx__conditioned_covariance(&b, (size_t)i, cov);
    ck_assert(fabs(cov[i] - b.variance[i]) < 1e-9);
    rmx__conditioned_covariance(&b, (size_t)(i + 1) % n, back);
    ck_assert(fabs(cov[(i + 1) % n] - back[i]) < 1e-9);
  }
  // A run tells of its mixture what two measurements of one thing tell: 1 / v' = 1 / v + 1 / noise.
  double v = b.variance[5], before = b.mean[5], v2 = b.variance[7], c2;
  rmx__conditioned_covariance(&b, 5, cov);
  c2 = cov[7];
  rmx__conditioned_add(&b, 5, 1.5);
  ck_assert(fabs(1 / b.variance[5] - 1 / v - 1 / b.noise) < 1e-6 / v);
  ck_assert(fabs(b.mean[5] - before - 1.5 * v / sqrt(v + b.noise)) < 1e-12);
  ck_assert(fabs(b.variance[7] - (v2 - c2 * c2 / (v + b.noise))) < 1e-9);
  // Turned round and doubled.
  double m = b.mean[3], s = b.variance[3];
  rmx__conditioned_scale(&b, -2);
  ck_assert(b.mean[3] == -2 * m && b.variance[3] == 4 * s);
  rmx__conditioned_release(&b);
  rmx_fit *ridge = make_fit("ridge", 30, WHOLE, 0);
  must_fail(rmx__conditioned_make(&b, ridge->regressors[0], X, n, D, 3, err),
            "no Gaussian process");
  ck_assert(rmx__has_gp(r) && !rmx__has_gp(ridge->regressors[0]));
  rmx_fit_free(ridge);
  rmx_fit_free(f);
}
END_TEST

START_TEST(finds_the_best_of_a_list) {
  rmx_fit *f = make_fit("gp", 24, WHOLE, 0);
  enum { n = 400, k = 8 };
  double X[n * D];
  draw(n, 5, WHOLE, X);
  size_t best = 0, chosen[k], n_chosen, tries = 0;
  for (size_t i = 1; i < n; i++)
    if (bowl(X + i * D) < bowl(X + best * D)) best = i;
  rmx_arena arena = {0};
  rmx_dataset known;
  must(rmx__fit_dataset(f, 0, &arena, &known, err));
  must(rmx__suggest_among(f->regressors[0], &known, X, n, k, chosen, &n_chosen, err));
  ck_assert(n_chosen == k);
  for (size_t i = 0; i < k; i++) {
    tries += chosen[i] == best;
    for (size_t j = 0; j < i; j++) ck_assert(chosen[i] != chosen[j]);
  }
  ck_assert_msg(tries == 1, "the best is not among the first %d", k);
  must(rmx__suggest_among(f->regressors[0], &known, X, 3, k, chosen, &n_chosen, err));
  ck_assert(n_chosen == 3);
  rmx_arena_release(&arena);
  rmx_fit_free(f);
}
END_TEST

// rmx_suggest of `how` with the rest filled in.
static rmx_status ask(const rmx_suggest_request *how, const rmx_fit *f, const rmx_problem *q,
                      const double *pending, size_t n_pending, uint64_t seed, int threads,
                      rmx_suggestion *out, rmx_err *e) {
  rmx_suggest_request r = *how;
  r.fit = f, r.domains = domains, r.problem = q;
  r.pending = pending, r.n_pending = n_pending, r.seed = seed, r.threads = threads;
  return rmx_suggest(&r, out, e);
}

START_TEST(suggests_near_the_bottom) {
  const char *const regressors[] = {"gp", "ensemble", "trees", "ridge"};
  for (int r = 0; r < 4; r++) {
    rmx_fit *f = make_fit(regressors[r], 40, WHOLE, 0);
    rmx_problem q = problem_on(f, 1, 0);
    rmx_suggestion s[3];
    rmx_suggest_request o = {0};
    o.runs = 6;
    const char *const taken[] = {"p041", "p043"};
    for (int t = 0; t < 3; t++) {
      rmx_suggest_request named = o;
      named.taken = taken, named.n_taken = 2;
      must(ask(&named, f, &q, NULL, 0, t == 2 ? 9 : 1, t ? 3 : 1, &s[t], err));
    }
    // Threads make no difference, the seed does.
    ck_assert(memcmp(s[0].mixtures, s[1].mixtures, 6 * D * sizeof(double)) == 0);
    ck_assert(memcmp(s[0].mixtures, s[2].mixtures, 6 * D * sizeof(double)) != 0);
    ck_assert_msg(apart(s[0].mixtures, centre) < 0.1, "%s: %g", regressors[r],
                  apart(s[0].mixtures, centre));
    ck_assert(s[0].runs == 40 && s[0].untried == 0 && s[0].why[0] == RMX_SUGGEST_IMPROVES);
    ck_assert(fabs(s[0].predicted[0] - bowl(s[0].mixtures)) < 0.05);
    for (size_t i = 0; i < 6; i++) {
      double sum = 0;
      for (int d = 0; d < D; d++) {
        double w = s[0].mixtures[i * D + (size_t)d];
        ck_assert(w >= 0 && fabs(w * 5000 - round(w * 5000)) < 1e-6);
        sum += w;
      }
      ck_assert(fabs(sum - 1) < 1e-12);
      for (size_t k = 0; k < f->N; k++)
        ck_assert(apart(s[0].mixtures + i * D, f->runs + k * D) > 1e-9);
      for (size_t k = 0; k < i; k++)
        ck_assert(apart(s[0].mixtures + i * D, s[0].mixtures + k * D) > 0.0099);
    }
    ck_assert_str_eq(s[0].ids[0], "p044");
    ck_assert_str_eq(s[0].ids[5], "p049");
    json_t *json = rmx_suggestion_json(&s[0], domains);
    ck_assert(json_array_size(json_object_get(json, "suggestions")) == 6);
    json_decref(json);
    // Pending mixtures are not suggested again, and what is near them promises less.
    rmx_suggestion later;
    must(ask(&o, f, &q, s[0].mixtures, 6, 1, 2, &later, err));
    for (size_t i = 0; i < 6; i++)
      for (size_t k = 0; k < 6; k++)
        ck_assert(apart(later.mixtures + i * D, s[0].mixtures + k * D) > 1e-9);
    ck_assert(later.improvement[0] <= s[0].improvement[0]);
    rmx_suggestion_release(&later);
    for (int t = 0; t < 3; t++) rmx_suggestion_release(&s[t]);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

START_TEST(several_metrics_and_constraints) {
  rmx_fit *f = make_fit("gp", 40, WHOLE, 0);
  // bowl - w_0: the bottom has more of a; held down by a cap, a floor and a fixed weight off the
  // grid.
  rmx_problem q = problem_on(f, 1, -1);
  must(rmx_constraints_bound(&q.constraints, RMX_CAP, "a=0.3", domains, err));
  must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "e=0.1", domains, err));
  must(rmx_constraints_bound(&q.constraints, RMX_FIX, "c=0.12345", domains, err));
  rmx_suggestion s;
  rmx_suggest_request o = {0};
  must(ask(&o, f, &q, NULL, 0, 1, 2, &s, err));
  for (size_t i = 0; i < s.K; i++) {
    const double *w = s.mixtures + i * D;
    ck_assert(rmx_constraints_excess(&q.constraints, w) <= 1e-6);
    ck_assert(w[0] <= 0.3 + 1e-9 && w[4] >= 0.1 - 1e-9 && fabs(w[2] - 0.12345) < 1e-9);
  }
  ck_assert_msg(s.mixtures[0] > 0.25, "%g", s.mixtures[0]);
  ck_assert(isnan(s.best));  // no run keeps them
  rmx_suggestion_release(&s);
  // A metric that must not rise: line at most 0.2.
  rmx_problem_release(&q);
  q = problem_on(f, 1, 0);
  q.target.limit[1] = 0.2;
  must(ask(&o, f, &q, NULL, 0, 1, 2, &s, err));
  ck_assert_msg(s.mixtures[0] < 0.21 && s.mixtures[0] > 0.1, "%g", s.mixtures[0]);
  rmx_suggestion_release(&s);
  o.runs = -1;
  must_fail(ask(&o, f, &q, NULL, 0, 1, 2, &s, err), "-1 runs to suggest");
  o = (rmx_suggest_request){0};
  o.grid = 0.3;
  must_fail(ask(&o, f, &q, NULL, 0, 1, 2, &s, err), "must divide 1");
  o = (rmx_suggest_request){0};
  must_fail(ask(&o, NULL, &q, NULL, 0, 1, 2, &s, err), "none is given");
  rmx_problem_release(&q);
  q = problem_on(f, 1, 0);
  must(rmx_constraints_bound(&q.constraints, RMX_CAP, "a=0.001", domains, err));
  for (int d = 1; d < D - 1; d++) {
    q.constraints.low[d] = 0.2;
    q.constraints.high[d] = 0.2;
  }
  must_fail(ask(&o, f, &q, NULL, 0, 1, 2, &s, err), "loosen the constraints");
  rmx_problem_release(&q);
  double *truth = f->truth;
  f->truth = NULL;
  q = problem_on(f, 1, 0);
  must_fail(ask(&o, f, &q, NULL, 0, 1, 2, &s, err), "older regmix");
  rmx_learning_curve c;
  must_fail(
      rmx_learning_curve_make(
          &(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1, .threads = 1}, 0, &c, err),
      "older regmix");
  f->truth = truth;
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(covers_what_no_run_tried) {
  const shape shapes[] = {NO_E, SPLIT_D_E};
  const char *const said[] = {"e", "d with e"};
  for (int k = 0; k < 2; k++) {
    rmx_fit *f = make_fit("ensemble", 40, shapes[k], 0.01);
    rmx_problem q = problem_on(f, 1, 0);
    rmx_suggestion s;
    rmx_suggest_request o = {0};
    o.runs = 1;
    must(ask(&o, f, &q, NULL, 0, 1, 2, &s, err));
    ck_assert(s.untried == 1 && s.why[0] == RMX_SUGGEST_UNTRIED);
    ck_assert_str_eq(s.untried_domains, said[k]);
    const double *w = s.mixtures;
    double off = k == 0 ? w[4] : fabs(w[4] - 3 * w[3]);
    ck_assert_msg(off > 0.05, "%g", off);
    // With it done, nothing is left.
    rmx_suggestion next;
    must(ask(&o, f, &q, w, 1, 1, 2, &next, err));
    ck_assert(next.untried == 0 && next.why[0] == RMX_SUGGEST_IMPROVES);
    rmx_suggestion_release(&next);
    // Nor where the direction is closed.
    if (k == 0) {
      q.constraints.high[4] = 0;
      must(ask(&o, f, &q, NULL, 0, 1, 2, &next, err));
      ck_assert(next.untried == 0 && next.mixtures[4] == 0);
      rmx_suggestion_release(&next);
    }
    rmx_suggestion_release(&s);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

// What is unknown of n mixtures, after K of another list were run.
static double left_unknown(const double *runs, size_t K, const double *X, size_t n) {
  double *all = malloc((K + n) * D * sizeof(double)), sum = 0;
  memcpy(all, runs, K * D * sizeof(double));
  memcpy(all + K * D, X, n * D * sizeof(double));
  rmx__conditioned b;
  must(rmx__conditioned_make(&b, NULL, all, K + n, D, K, err));
  for (size_t i = 0; i < K; i++) rmx__conditioned_add(&b, i, 0);
  for (size_t i = K; i < K + n; i++) sum += b.variance[i] / (double)n;
  rmx__conditioned_release(&b);
  free(all);
  return sum;
}

START_TEST(spreads_the_first_ones) {
  enum { n = 300, K = 8 };
  double X[n * D], prior[D] = {0.2, 0.2, 0.2, 0.2, 0.2};
  const rmx_sample_options sampler = {.runs = n,
                                      .temper = 0.5,
                                      .min_strength = 0.1,
                                      .max_strength = 5,
                                      .strengths = 15,
                                      .tries = 100,
                                      .grid = 2e-4,
                                      .cap_ratio = 15};
  const double cap[D] = {1, 1, 1, 1, 1};
  must(rmx_sample_mixtures(&sampler, prior, cap, domains, D, 21, X, err));
  rmx_fit *f = make_fit("gp", 3, WHOLE, 0);
  rmx_problem q = problem_on(f, 1, 0);
  q.prior = malloc(sizeof prior);
  memcpy(q.prior, prior, sizeof prior);
  rmx_suggestion s;
  rmx_suggest_request o = {0};
  o.runs = K;
  must(ask(&o, NULL, &q, NULL, 0, 1, 2, &s, err));
  ck_assert(s.why[0] == RMX_SUGGEST_SPREADS && isnan(s.predicted[0]) && s.runs == 0);
  ck_assert_str_eq(s.ids[0], "0001");
  double chosen = left_unknown(s.mixtures, K, X, n), random = INFINITY;
  for (size_t k = 0; k < 20; k++) random = fmin(random, left_unknown(X + k * K * D, K, X, n));
  ck_assert_msg(chosen < random, "%g of the chosen, %g of the best of 20 random batches", chosen,
                random);
  rmx_suggestion_release(&s);
  // Three runs are as good as none for telling where the best is, but they are known.
  must(ask(&o, f, &q, NULL, 0, 1, 2, &s, err));
  ck_assert(s.why[0] == RMX_SUGGEST_SPREADS && s.runs == 3);
  ck_assert_str_eq(s.ids[0], "p004");
  for (size_t i = 0; i < K; i++)
    for (size_t k = 0; k < 3; k++) ck_assert(apart(s.mixtures + i * D, f->runs + k * D) > 0.02);
  rmx_suggestion_release(&s);
  rmx_learning_curve c;
  must(rmx_learning_curve_make(
      &(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1, .threads = 1}, 0, &c, err));
  ck_assert_str_eq(c.sentence, "Too few runs to tell (3; at least 20 are needed)");
  ck_assert(c.n == 0 && isnan(c.expected_gain) && !c.enough);
  json_t *json = rmx_learning_curve_json(&c);
  ck_assert(json_is_null(json));
  json_decref(json);
  rmx_learning_curve_release(&c);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(learning_curves) {
  double gain[2];
  for (int k = 0; k < 2; k++) {
    rmx_fit *f = make_fit("gp", k ? 160 : 24, WHOLE, 0.05);
    rmx_problem q = problem_on(f, 1, 0);
    rmx_learning_curve c, other;
    must(rmx_learning_curve_make(
        &(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1, .threads = 1}, 0, &c, err));
    must(rmx_learning_curve_make(
        &(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1, .threads = 3}, 0, &other, err));
    ck_assert(c.n == other.n && c.expected_gain == other.expected_gain);
    ck_assert(memcmp(c.rmse, other.rmse, c.n * sizeof(double)) == 0);
    ck_assert(c.more_runs == (int64_t)f->N && c.runs_now == (int64_t)f->N);
    for (size_t i = 0; i < c.n; i++)
      ck_assert(c.rmse[i] > 0.02 && c.regret[i] >= 0 && c.spearman[i] <= 1);
    ck_assert(c.rmse[c.n - 1] < c.rmse[0] && c.rmse_more <= c.rmse_now);
    if (k) ck_assert_msg(fabs(c.rmse_now - 0.05) < 0.02, "%g", c.rmse_now);  // down to the noise
    ck_assert(strstr(c.sentence, "nats"));
    gain[k] = c.expected_gain;
    json_t *json = rmx_learning_curve_json(&c);
    const char *const keys[] = {"runs",      "rmse",          "spearman", "regret",
                                "more_runs", "expected_gain", "sentence"};
    for (int i = 0; i < 7; i++) ck_assert(json_object_get(json, keys[i]) != NULL);
    json_decref(json);
    rmx_learning_curve_release(&other);
    rmx_learning_curve_release(&c);
    must_fail(
        rmx_learning_curve_make(
            &(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1, .threads = 1}, -1, &c, err),
        "-1 more runs");
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
  ck_assert_msg(gain[1] < gain[0] / 2, "24 runs: %g; 160: %g", gain[0], gain[1]);
}
END_TEST

// Without noise the bottom of the bowl is known from 200 runs; more gain nothing.
START_TEST(enough_is_enough) {
  rmx_fit *f = make_fit("gp", 200, WHOLE, 0);
  rmx_problem q = problem_on(f, 1, 0);
  rmx_learning_curve c;
  must(rmx_learning_curve_make(
      &(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1, .threads = 2}, 0, &c, err));
  ck_assert_msg(c.enough && c.expected_gain > 0, "%s", c.sentence);
  ck_assert_str_eq(
      c.sentence,
      "There are enough runs: doubling them would be expected to gain less than 0.001 nats");
  rmx_learning_curve_release(&c);
  for (size_t i = 0; i < f->N; i++) f->truth[2 * i] = 4;
  must(rmx_learning_curve_make(
      &(rmx_optimize_request){.fit = f, .problem = &q, .seed = 1, .threads = 2}, 50, &c, err));
  ck_assert(strstr(c.sentence, "the same in all 200 runs") && c.more_runs == 50);
  rmx_learning_curve_release(&c);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

static double gain_of_more(const rmx_fit *f, const rmx_problem *q, bool guard) {
  rmx_optimize_options o = rmx_optimize_defaults;
  o.guard = guard;
  rmx_learning_curve c;
  must(rmx_learning_curve_make(
      &(rmx_optimize_request){.fit = f, .problem = q, .options = &o, .seed = 1, .threads = 2}, 0,
      &c, err));
  const double gain = c.expected_gain;
  json_t *json = rmx_learning_curve_json(&c);
  ck_assert(json_is_object(json));
  ck_assert_int_eq(json_is_null(json_object_get(json, "expected_gain")), isnan(gain));
  ck_assert_int_eq(strstr(c.sentence, "not known") != NULL, isnan(gain));
  json_decref(json);
  rmx_learning_curve_release(&c);
  return gain;
}

// More runs are good for what the search may propose, and for nothing else.
START_TEST(more_runs_gain_within_the_constraints) {
  rmx_fit *f = make_fit("gp", 24, WHOLE, 0.05);
  rmx_problem q = problem_on(f, 1, 0);
  const double free_gain = gain_of_more(f, &q, true);
  for (int d = 0; d < D; d++) q.constraints.low[d] = 0.18, q.constraints.high[d] = 0.22;
  const double narrow = gain_of_more(f, &q, true);
  ck_assert_msg(narrow > 0 && narrow < free_gain / 4, "%g of %g", narrow, free_gain);
  for (int d = 0; d < D; d++) q.constraints.low[d] = q.constraints.high[d] = 0.2;
  ck_assert(gain_of_more(f, &q, true) < 1e-12);
  ck_assert(gain_of_more(f, &q, false) < 1e-12);
  rmx_problem_release(&q);
  // No mixture has less than nothing of a; half of it is no limit for the bottom of the bowl.
  q = problem_on(f, 1, 0);
  q.target.limit[1] = -1;
  ck_assert(isnan(gain_of_more(f, &q, true)));
  q.target.limit[1] = 0.9;
  const double limited = gain_of_more(f, &q, true);
  ck_assert_msg(fabs(limited - free_gain) < 0.01 * free_gain, "%g of %g", limited, free_gain);
  rmx_problem_release(&q);
  rmx_fit_free(f);
  // New runs are like the old ones, which all keep an order of two domains.
  f = make_fit("gp", 24, SPLIT_D_E, 0.05);
  q = problem_on(f, 1, 0);
  const double apart_gain = gain_of_more(f, &q, true);
  double factor[D] = {0, 0, 0, 3, -1};
  rmx_share share = {.factor = factor};
  q.constraints.shares = &share;
  q.constraints.n_shares = 1;
  const double together = gain_of_more(f, &q, true);
  q.constraints.shares = NULL;
  q.constraints.n_shares = 0;
  ck_assert_msg(together > 0 && together < apart_gain, "%g of %g", together, apart_gain);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, expected_improvement);
  tcase_add_test(tc, conditioned_gp_is_consistent);
  tcase_add_test(tc, finds_the_best_of_a_list);
  tcase_add_test(tc, suggests_near_the_bottom);
  tcase_add_test(tc, several_metrics_and_constraints);
  tcase_add_test(tc, covers_what_no_run_tried);
  tcase_add_test(tc, spreads_the_first_ones);
  tcase_add_test(tc, learning_curves);
  tcase_add_test(tc, enough_is_enough);
  tcase_add_test(tc, more_runs_gain_within_the_constraints);
}
