// SPDX-License-Identifier: Apache-2.0
// Draws have the mean, spread and slope they should; intervals hold a known optimum, shrink with
// the noise, keep the constraints and do not depend on threads; what each domain does to a linear
// metric is known exactly.

#include <regmix/mixture.h>
#include <regmix/optimize.h>

#include "base/json.h"
#include "optimize/search.h"
#include "regress/gp/fourier.h"
#include "regress/gp/posterior.h"
#include "testing.h"

enum { D = 3 };
static const double centre[D] = {0.5, 0.3, 0.2}, uniform[D] = {1.0 / 3, 1.0 / 3, 1.0 / 3};

static const rmx__found sure = {0, 1};
static bool turned = false;  // the columns of the tables that are fitted

// The columns of X (n, D) and of Y (n, 2) change places, names and all.
static void turn_columns(rmx_table *X, rmx_table *Y) {
  for (size_t i = 0; i < X->N; i++) {
    double *w = X->x + i * D, first = w[0], *y = Y->x + i * 2, bowl = y[0];
    memmove(w, w + 1, (D - 1) * sizeof *w);
    w[D - 1] = first;
    y[0] = y[1];
    y[1] = bowl;
  }
  char *first = X->names[0], *bowl = Y->names[0];
  memmove(X->names, X->names + 1, (D - 1) * sizeof first);
  X->names[D - 1] = first;
  Y->names[0] = Y->names[1];
  Y->names[1] = bowl;
}

// Runs from Dirichlet(1) with metrics bowl = |w - centre|^2 + noise, line = w_0.
static rmx_fit *make_fit(const char *regressor, size_t n, double noise) {
  rmx_table X, Y;
  rmx_fit *f;
  rmx_regress_options o = {0};
  const double alpha[D] = {1, 1, 1};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      regressor, err));
  o.ridge.alpha = 1e-7;
  must(rmx_table_make(&X, "run", n, D, err));
  must(rmx_table_make(&Y, "run", n, 2, err));
  for (size_t d = 0; d < D; d++) X.names[d] = rmx_format("d%zu", d);
  Y.names[0] = rmx_strdup("bowl");
  Y.names[1] = rmx_strdup("line");
  rmx_rng rng = rmx_rng_make(4, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) {
    X.ids[i] = rmx_format("%zu", i);
    Y.ids[i] = rmx_format("%zu", i);
    rmx_dirichlet(&rng, alpha, D, X.x + i * D);
    for (size_t d = 0; d < D; d++) Y.x[i * 2] += pow(X.x[i * D + d] - centre[d], 2);
    Y.x[i * 2] += noise * rmx_rng_normal(&rng);
    Y.x[i * 2 + 1] = X.x[i * D];
  }
  if (turned) turn_columns(&X, &Y);
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .seed = 1, .threads = 1},
      &f, err));
  rmx_table_release(&X);
  rmx_table_release(&Y);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  return f;
}

static const rmx_optimize_options usual = {.method = "search",
                                           .starts = 8,
                                           .samples = 4000,
                                           .top = 32,
                                           .strength = 3,
                                           .replicates = 60,
                                           .level = 0.9};

static rmx_problem ask(const rmx_fit *f, double bowl, double line) {
  rmx_problem q;
  must(rmx_problem_make(f, &q, err));
  q.target.weight[0] = bowl;
  q.target.weight[1] = line;
  q.prior = rmx_calloc(D, sizeof(double));
  memcpy(q.prior, uniform, sizeof uniform);
  return q;
}

// More runs than are walked, so every draw has the parameters of the fit, whose sd is then theirs.
START_TEST(draws_are_the_posterior) {
  enum { DRAWS = 1000, POINTS = 3 };
  rmx_fit *f = make_fit("gp", 210, 0.1);
  rmx_arena arena = {0};
  rmx_dataset data;
  rmx__posterior *posterior;
  const double X[POINTS][D] = {{0.2, 0.2, 0.6}, {1, 0, 0}, {0.5, 0.3, 0.2}};
  double mean[POINTS], sd[POINTS], sum[POINTS] = {0}, square[POINTS] = {0}, y[POINTS];
  must(rmx__fit_dataset(f, 0, &arena, &data, err));
  must(rmx__posterior_make(&f->options, f->regressors[0], &data, sure, 7, &posterior, err));
  rmx_regressor_predict(f->regressors[0], X[0], POINTS, mean, sd);
  for (uint64_t b = 0; b < DRAWS; b++) {
    rmx_regressor *r;
    must(rmx__posterior_draw(posterior, b, NULL, NULL, &r, err));
    rmx_regressor_predict(r, X[0], POINTS, y, NULL);
    for (int p = 0; p < POINTS; p++) {
      sum[p] += y[p] / DRAWS;
      square[p] += y[p] * y[p] / DRAWS;
    }
    rmx_regressor_free(r);
  }
  for (int p = 0; p < POINTS; p++) {
    double spread = sqrt(square[p] - sum[p] * sum[p]);
    ck_assert_double_eq_tol(sum[p], mean[p], 4 * sd[p] / sqrt(DRAWS));
    // A draw of random features has heavier tails than a normal one, which its variance shows.
    ck_assert_double_eq_tol(spread / sd[p], 1, 0.12);
  }
  ck_assert_double_eq_tol(rmx__posterior_noise(posterior, 3), 0.1, 0.015);
  rmx__posterior_free(posterior);
  rmx_arena_release(&arena);
  rmx_fit_free(f);
}
END_TEST

// Of every kind of fit; trees have draws of a process alone.
START_TEST(draws_have_slopes) {
  static const char *const kinds[] = {"gp", "ensemble", "power", "ridge", "trees"};
  for (size_t k = 0; k < 5; k++) {
    rmx_fit *f = make_fit(kinds[k], 48, 0.02);
    rmx_arena arena = {0};
    rmx_dataset data;
    rmx__posterior *posterior;
    must(rmx__fit_dataset(f, 0, &arena, &data, err));
    must(rmx__posterior_make(&f->options, f->regressors[0], &data, sure, 7, &posterior, err));
    for (uint64_t b = 0; b < 6; b++) {
      rmx_regressor *r, *same;
      must(rmx__posterior_draw(posterior, b, NULL, NULL, &r, err));
      must(rmx__posterior_draw(posterior, b, NULL, NULL, &same, err));
      const double step = 1e-6, w[D] = {0.3, 0.25, 0.45};
      double g[D], at[D], up, down, again;
      ck_assert(rmx_regressor_gradient(r, w, g));
      // The value beside the gradient is the prediction.
      double slope[D];
      ck_assert(rmx__regressor_evaluate(r, w, &up, slope));
      rmx_regressor_predict(r, w, 1, &down, NULL);
      ck_assert_double_eq_tol(up, down, 1e-9 * (1 + fabs(down)));
      ck_assert_mem_eq(slope, g, sizeof g);
      for (int d = 0; d < D; d++) {
        memcpy(at, w, sizeof at);
        at[d] += step;
        rmx_regressor_predict(r, at, 1, &up, NULL);
        at[d] -= 2 * step;
        rmx_regressor_predict(r, at, 1, &down, NULL);
        ck_assert_double_eq_tol(g[d], (up - down) / (2 * step), 1e-5 * (1 + fabs(g[d])));
      }
      rmx_regressor_predict(r, at, 1, &up, NULL);
      rmx_regressor_predict(same, at, 1, &again, NULL);
      ck_assert(up == again);
      rmx_regressor_free(r);
      rmx_regressor_free(same);
    }
    rmx_regressor *refit;
    must(rmx__posterior_refit(posterior, &f->options, &data, 1, &refit, err));
    ck_assert_str_eq(rmx_regressor_name(refit), k == 4 ? "gp" : kinds[k]);
    rmx_regressor_free(refit);
    rmx__posterior_free(posterior);
    rmx_arena_release(&arena);
    rmx_fit_free(f);
  }
}
END_TEST

// What a draw says of the runs it was conditioned on, without a sum over them, is what it predicts
// there: noisy runs, and also too many runs for a walk over parameters.
START_TEST(draws_at_the_runs) {
  static const char *const kinds[] = {"gp", "ensemble", "ridge", "trees"};
  for (size_t k = 0; k < 5; k++) {
    rmx_fit *f = make_fit(kinds[k % 4], k == 4 ? 210 : 48, 0.1);
    rmx_arena arena = {0};
    rmx_dataset data;
    rmx__posterior *posterior;
    double at_runs[210], predicted[210], apart = 0;
    must(rmx__fit_dataset(f, 0, &arena, &data, err));
    must(rmx__posterior_make(&f->options, f->regressors[0], &data, sure, 7, &posterior, err));
    for (uint64_t b = 0; b < 3; b++) {
      rmx_regressor *r;
      must(rmx__posterior_draw(posterior, b, NULL, at_runs, &r, err));
      rmx_regressor_predict(r, data.X, data.N, predicted, NULL);
      for (size_t i = 0; i < data.N; i++) {
        ck_assert_double_eq_tol(at_runs[i], predicted[i], 1e-8);
        apart += fabs(predicted[i] - data.y[i]) / (3 * (double)data.N);
      }
      rmx_regressor_free(r);
    }
    ck_assert(apart > 0.02);  // it is not the measured values
    rmx__posterior_free(posterior);
    // Of other runs than it was fitted to it says so.
    data.N--;
    rmx__posterior *none;
    if (k == 0)
      ck_assert_int_eq(
          rmx__posterior_make(&f->options, f->regressors[0], &data, sure, 7, &none, &(rmx_err){0}),
          RMX_EINPUT);
    rmx_arena_release(&arena);
    rmx_fit_free(f);
  }
}
END_TEST

// Against libm: angles of many turns too, and the slope.
START_TEST(fourier_features) {
  enum { W = RMX__FEATURES };
  double omega[2 * W], phase[W], a[W], slope[2], z[2];
  rmx_rng rng = rmx_rng_make(11, 0, RMX_FOR_TEST);
  for (int time = 0; time < 200; time++) {
    double far = pow(10, 4 * rmx_rng_uniform(&rng) - 1), sum = 0, by[2] = {3, -2};
    for (int i = 0; i < W; i++) {
      omega[i] = far * rmx_rng_normal(&rng);
      omega[W + i] = rmx_rng_normal(&rng);
      phase[i] = 7 * rmx_rng_uniform(&rng);
      a[i] = rmx_rng_normal(&rng);
    }
    z[0] = rmx_rng_normal(&rng);
    z[1] = rmx_rng_normal(&rng);
    for (int i = 0; i < W; i++) {
      double angle = phase[i] + omega[i] * z[0] + omega[W + i] * z[1];
      sum += a[i] * cos(angle);
      for (int d = 0; d < 2; d++) by[d] -= a[i] * sin(angle) * omega[d * W + i];
    }
    slope[0] = 3;  // it is added to
    slope[1] = -2;
    ck_assert_double_eq_tol(rmx__fourier_sum(omega, phase, a, 2, z, slope), sum, 1e-12);
    for (int d = 0; d < 2; d++) ck_assert_double_eq_tol(slope[d], by[d], 1e-12 * (1 + far) * W);
    ck_assert(rmx__fourier_sum(omega, phase, a, 2, z, NULL) ==
              rmx__fourier_sum(omega, phase, a, 2, z, slope));
  }
}
END_TEST

static double width(const rmx_uncertainty *u) {
  double sum = 0;
  for (int d = 0; d < D; d++) sum += u->high[d] - u->low[d];
  return sum;
}

START_TEST(intervals_hold_the_truth) {
  double before = 0;
  for (int k = 0; k < 2; k++) {
    rmx_fit *f = make_fit("gp", 60, k ? 0.1 : 0.005);
    rmx_problem q = ask(f, 1, 0);
    rmx_optimum *o;
    rmx_uncertainty u, other;
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &o, err));
    const double corner[D] = {0, 0, 1};
    const rmx_rival against[] = {{"corner", corner, false},
                                 {"itself", rmx_optimum_mixture(o), false}};
    must(rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, o, against, 2, &u,
                              err));
    must(rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &usual, 1, 3, NULL}, o, against, 2,
                              &other, err));
    ck_assert_int_eq(u.replicates, usual.replicates);
    ck_assert_mem_eq(u.low, other.low, sizeof centre);
    ck_assert_mem_eq(u.high, other.high, sizeof centre);
    // Of totals: what is alone keeps its interval, the rest is what that leaves, all is all.
    const double alone[2 * D] = {1, 0, 0, 0, 1, 1}, whole[D] = {1, 1, 1}, half[D] = {0.5, 0, 0};
    double low[2], high[2];
    must(rmx_uncertainty_totals(&u, rmx_optimum_mixture(o), alone, 2, low, high, err));
    ck_assert(low[0] == u.low[0] && high[0] == u.high[0]);
    ck_assert_double_eq_tol(low[1], 1 - high[0], 1e-9);
    ck_assert_double_eq_tol(high[1], 1 - low[0], 1e-9);
    must(rmx_uncertainty_totals(&u, rmx_optimum_mixture(o), whole, 1, low, high, err));
    ck_assert_double_eq_tol(low[0], 1, 1e-9);
    must(rmx_uncertainty_totals(&u, rmx_optimum_mixture(o), half, 1, low, high, err));
    ck_assert(low[0] == u.low[0] / 2 && high[0] == u.high[0] / 2);
    double real = 0;
    for (int d = 0; d < D; d++) {
      ck_assert(u.low[d] <= rmx_optimum_mixture(o)[d] && rmx_optimum_mixture(o)[d] <= u.high[d]);
      double slack = (u.high[d] - u.low[d]) / 4;  // one in ten is let down by a bare interval
      ck_assert(u.low[d] <= centre[d] + slack && centre[d] - slack <= u.high[d]);
      real += pow(uniform[d] - centre[d], 2) - pow(rmx_optimum_mixture(o)[d] - centre[d], 2);
    }
    ck_assert_uint_eq(u.n_versus, 3);
    ck_assert_str_eq(u.versus[0].name, "prior");
    ck_assert_str_eq(u.versus[1].name, "corner");
    ck_assert(u.versus[0].low == other.versus[0].low && u.versus[0].high == other.versus[0].high);
    ck_assert(u.versus[0].low <= real + 0.01 && real - 0.01 <= u.versus[0].high);
    ck_assert_double_eq_tol(u.versus[0].gain, u.versus[0].score - rmx_optimum_score(o), 1e-12);
    ck_assert_double_gt(u.versus[1].probability, 0.99);
    for (size_t j = 0; j < u.n_versus; j++)
      ck_assert(u.versus[j].low <= u.versus[j].estimate &&
                u.versus[j].estimate <= u.versus[j].high);
    ck_assert_str_eq(rmx_versus_verdict(&u.versus[1]), "better");
    ck_assert_str_eq(rmx_versus_verdict(&u.versus[2]), "the same mixture");
    ck_assert_double_eq_tol(u.versus[2].gain, 0, 1e-12);
    if (k)
      ck_assert_double_gt(width(&u), 2 * before);
    else
      before = width(&u);
    rmx_uncertainty_release(&u);
    rmx_uncertainty_release(&other);
    rmx_optimum_free(o);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

// Random numbers belong to the names of domains and metrics, not to their columns.
START_TEST(intervals_do_not_depend_on_the_order_of_columns) {
  rmx_uncertainty u[2];
  for (int k = 0; k < 2; k++) {
    turned = k;
    rmx_fit *f = make_fit("gp", 40, 0.02);
    rmx_problem q = ask(f, k ? 0.1 : 1, k ? 1 : 0.1);
    rmx_optimum *o;
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &o, err));
    must(rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &usual, 1, 2, NULL}, o, NULL, 0, &u[k],
                              err));
    rmx_optimum_free(o);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
  turned = false;
  for (size_t d = 0; d < D; d++) {
    ck_assert_double_eq_tol(u[0].low[d], u[1].low[(d + D - 1) % D], 1e-4);
    ck_assert_double_eq_tol(u[0].high[d], u[1].high[(d + D - 1) % D], 1e-4);
  }
  ck_assert_double_eq_tol(u[0].versus[0].low, u[1].versus[0].low, 1e-4);
  ck_assert_double_eq_tol(u[0].versus[0].high, u[1].versus[0].high, 1e-4);
  rmx_uncertainty_release(&u[0]);
  rmx_uncertainty_release(&u[1]);
}
END_TEST

// A mixture that the fit found itself, beside the optimum: noise moved both alike, so the gain is
// as predicted. Of one that was given the optimum promises too much.
START_TEST(what_the_fit_found_is_compared_fairly) {
  rmx_fit *f = make_fit("gp", 30, 0.1);
  rmx_problem q = ask(f, 1, 0);
  rmx_optimum *o;
  rmx_uncertainty u;
  double w[D];
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &o, err));
  for (int d = 0; d < D; d++) w[d] = 0.9 * rmx_optimum_mixture(o)[d] + 0.1 * uniform[d];
  const rmx_rival against[] = {{"given", w, false}, {"found", w, true}};
  must(rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, o, against, 2, &u,
                            err));
  const rmx_versus *given = &u.versus[1], *found = &u.versus[2];
  ck_assert(given->gain == found->gain && found->gain > 0);
  ck_assert_double_eq_tol(found->estimate, found->gain, 1e-15);
  ck_assert_double_lt(given->estimate, found->gain / 2);
  ck_assert(found->low < found->estimate && found->estimate < found->high);
  ck_assert_double_ge(found->probability, 0.5);
  rmx_uncertainty_release(&u);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(intervals_keep_the_constraints) {
  rmx_fit *f = make_fit("ensemble", 40, 0.02);
  rmx_problem q = ask(f, 1, 0.1);
  rmx_optimum *o;
  rmx_uncertainty u;
  const char *const domains[D] = {"d0", "d1", "d2"};
  must(rmx_constraints_bound(&q.constraints, RMX_FIX, "d1=0.25", domains, err));
  must(rmx_constraints_bound(&q.constraints, RMX_CAP, "d0=0.4", domains, err));
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 2, NULL}, &o, err));
  must(rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &usual, 1, 2, NULL}, o, NULL, 0, &u,
                            err));
  ck_assert_double_eq_tol(u.low[1], 0.25, 1e-6);
  ck_assert_double_eq_tol(u.high[1], 0.25, 1e-6);
  ck_assert_double_le(u.high[0], 0.4 + 1e-6);
  json_t *tree = json_object();
  must(rmx_uncertainty_json(&u, f, tree, err));
  ck_assert(json_is_array(json_object_get(json_object_get(tree, "interval"), "d2")));
  ck_assert(json_is_number(
      json_object_get(json_object_get(json_object_get(tree, "versus"), "prior"), "probability")));
  json_decref(tree);
  rmx_uncertainty_release(&u);
  rmx_optimize_options bad = usual;
  bad.replicates = 3;
  must_fail(
      rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &bad, 1, 2, NULL}, o, NULL, 0, &u, err),
      "replicates");
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(too_few_runs_have_none) {
  rmx_fit *f = make_fit("ridge", 4, 0);
  rmx_problem q = ask(f, 0, 1);
  rmx_optimum *o;
  rmx_uncertainty u;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &o, err));
  must_fail(
      rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, o, NULL, 0, &u, err),
      "at least 5");
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// Where each run has a tenth of each domain, a mixture without one lies outside of the guard, where
// no run backs a prediction. The least there is takes its place.
START_TEST(what_is_left_out_keeps_the_guard) {
  rmx_fit *f = make_fit("ridge", 30, 0);
  for (size_t i = 0; i < f->N * D; i++) f->runs[i] = 0.1 + 0.7 * f->runs[i];
  rmx_problem q = ask(f, 0, -1);
  rmx_optimum *o;
  rmx_attribution a;
  rmx_optimize_options guarded = usual;
  guarded.guard = true;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &guarded, 1, 1, NULL}, &o, err));
  ck_assert(o->guarded);
  must(rmx_attribution_make(&(rmx_optimize_request){f, &q, &guarded, 1, 2, NULL}, o, &a, err));
  double least[D] = {1, 1, 1};
  for (size_t i = 0; i < f->N * D; i++) least[i % D] = fmin(least[i % D], f->runs[i]);
  ck_assert_double_eq_tol(a.without[0], -least[0], 0.01);
  for (int d = 0; d < D; d++) ck_assert_double_ge(a.loss[d], 0);
  rmx_attribution_release(&a);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// line = w_0, to be raised: all goes to d0, and without it all is lost.
START_TEST(effects_of_a_line) {
  rmx_fit *f = make_fit("ridge", 30, 0);
  rmx_problem q = ask(f, 0, -1);
  rmx_optimum *o;
  rmx_attribution a;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &o, err));
  ck_assert_double_eq_tol(rmx_optimum_mixture(o)[0], 1, 1e-4);
  must(rmx_attribution_make(&(rmx_optimize_request){f, &q, &usual, 1, 2, NULL}, o, &a, err));
  for (int d = 0; d < D; d++) {
    ck_assert_double_eq_tol(a.at_prior[D + d], 0.01 * ((d == 0) - uniform[0]), 1e-5);
    ck_assert_double_eq_tol(a.at_optimum[D + d], 0.01 * ((d == 0) - rmx_optimum_mixture(o)[0]),
                            1e-5);
  }
  ck_assert_double_eq_tol(a.loss[0], 1, 1e-3);
  ck_assert_double_eq_tol(a.loss[1], 0, 1e-4);
  json_t *tree = rmx_attribution_json(&a, f);
  ck_assert(json_is_number(
      json_object_get(json_object_get(json_object_get(tree, "optimum"), "line"), "d2")));
  ck_assert(json_is_number(
      json_object_get(json_object_get(json_object_get(tree, "without"), "d0"), "loss")));
  json_decref(tree);
  rmx_attribution_release(&a);
  // A domain that must be there cannot be left out.
  const char *const domains[D] = {"d0", "d1", "d2"};
  must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "d0=0.2", domains, err));
  must(rmx_attribution_make(&(rmx_optimize_request){f, &q, &usual, 1, 2, NULL}, o, &a, err));
  ck_assert(isnan(a.without[0]));
  rmx_attribution_release(&a);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// Two metrics with opposite errors, and a third with errors of its own.
START_TEST(common_errors_are_found) {
  enum { N = 400, M = 4 };
  RMX_OWNED double *errors = rmx_calloc(N, M * sizeof *errors);
  const size_t used[] = {2, 0, 3};  // metric 1 does not matter
  rmx_arena arena = {0};
  rmx__common_errors c;
  rmx_rng rng = rmx_rng_make(8, 1, RMX_FOR_TEST);
  for (size_t i = 0; i < N; i++) {
    errors[i * M] = rmx_rng_normal(&rng);
    errors[i * M + 1] = NAN;
    errors[i * M + 2] = -3 * errors[i * M];
    errors[i * M + 3] = rmx_rng_normal(&rng);
  }
  must(rmx__common_errors_make(errors, N, M, used, 3, &arena, &c, err));
  for (size_t a = 0; a < 3; a++)
    for (size_t b = 0; b < 3; b++) {
      const size_t m = used[a], n = used[b];
      double sum = m == n ? c.own[m] * c.own[m] : 0;
      for (size_t k = 0; k < c.K; k++) sum += c.share[m * c.K + k] * c.share[n * c.K + k];
      ck_assert_double_eq_tol(sum, m == n ? 1 : m == 3 || n == 3 ? 0 : -1, m == n ? 1e-9 : 0.1);
    }
  ck_assert_double_eq_tol(c.own[0], 0, 1e-3);
  ck_assert_double_eq(c.own[1], 1);
  must(rmx__common_errors_make(errors, N, M, used, 1, &arena, &c, err));
  ck_assert_uint_eq(c.K, 0);  // one metric has none to share with
  rmx_arena_release(&arena);
}
END_TEST

// What a metric's errors have in common with others, and of their own: their squares sum to 1.
static double whole(const rmx__common_errors *c, size_t m) {
  double sum = c->own[m] * c->own[m];
  for (size_t k = 0; k < c->K; k++) sum += c->share[m * c->K + k] * c->share[m * c->K + k];
  return sum;
}

// More metrics than there are shares keep errors of their own. Two that few runs have both tell
// nothing of each other.
START_TEST(errors_that_are_not_common) {
  enum { N = 400, M = RMX__COMMON + 3 };
  RMX_OWNED double *errors = rmx_calloc(N, M * sizeof *errors);
  size_t used[M], own = 0;
  rmx_arena arena = {0};
  rmx__common_errors c;
  rmx_rng rng = rmx_rng_make(9, 1, RMX_FOR_TEST);
  for (size_t m = 0; m < M; m++) used[m] = m;
  for (size_t i = 0; i < N * M; i++) errors[i] = rmx_rng_normal(&rng);
  must(rmx__common_errors_make(errors, N, M, used, M, &arena, &c, err));
  for (size_t m = 0; m < M; m++) own += c.own[m] > 0.8;
  ck_assert_uint_eq(own, M - RMX__COMMON);
  for (size_t i = 0; i < N; i++)  // alike, but only 3 runs have both
    errors[i * M + 1] = i < 3 ? errors[i * M] : NAN;
  must(rmx__common_errors_make(errors, N, M, used, 2, &arena, &c, err));
  for (size_t k = 0; k < c.K; k++) ck_assert_double_eq(c.share[k] * c.share[c.K + k], 0);
  rmx_arena_release(&arena);
}
END_TEST

// Of three metrics each pair is known on other runs, so their correlations are those of nothing:
// 0.9, 0.9 and -0.9.
START_TEST(correlations_of_nothing) {
  enum { N = 300, M = 3 };
  RMX_OWNED double *errors = rmx_calloc(N, M * sizeof *errors);
  const size_t used[] = {0, 1, 2};
  rmx_arena arena = {0};
  rmx__common_errors c;
  rmx_rng rng = rmx_rng_make(10, 1, RMX_FOR_TEST);
  for (size_t i = 0; i < N * M; i++) errors[i] = NAN;
  for (size_t i = 0; i < N; i++) {
    const size_t a = i % 3, b = (a + 1) % 3;
    const double x = rmx_rng_normal(&rng), y = 0.9 * x + sqrt(0.19) * rmx_rng_normal(&rng);
    errors[i * M + a] = x;
    errors[i * M + b] = a == 2 ? -y : y;
  }
  must(rmx__common_errors_make(errors, N, M, used, 3, &arena, &c, err));
  for (size_t m = 0; m < M; m++) ck_assert_double_eq_tol(whole(&c, m), 1, 1e-9);
  rmx_arena_release(&arena);
}
END_TEST

// Normal numbers: of variance 1, others for each draw and for each place in it.
START_TEST(common_numbers) {
  enum { N = 4000 };
  const double share[] = {0.6, 0.8};
  const rmx__common c = {.seed = 5, .share = share, .K = 2};
  double square = 0, along = 0, across = 0;
  for (uint64_t n = 0; n < N; n++) {
    const double x = rmx__common_normal(&c, n, RMX_FOR_TEST, 0);
    square += x * x;
    along += x * rmx__common_normal(&c, n, RMX_FOR_TEST, 1);
    across += x * rmx__common_normal(&c, n + 1, RMX_FOR_TEST, 0);
  }
  ck_assert_double_eq_tol(square / N, 1, 0.1);
  ck_assert_double_eq_tol(along / N, 0, 0.1);
  ck_assert_double_eq_tol(across / N, 0, 0.1);
}
END_TEST

// The draws of two posteriors over one metric, which have other seeds: the same with all errors in
// common, opposite ones with opposite errors, unlike without.
START_TEST(draws_err_together) {
  rmx_fit *f = make_fit("gp", 210, 0.1);  // too many runs for a walk over parameters
  rmx_arena arena = {0};
  rmx_dataset data;
  rmx__posterior *p[2];
  const double share[] = {1, -1}, w[D] = {0.2, 0.5, 0.3};
  must(rmx__fit_dataset(f, 0, &arena, &data, err));
  for (uint64_t k = 0; k < 2; k++)
    must(rmx__posterior_make(&f->options, f->regressors[0], &data, sure, 7 + k, &p[k], err));
  for (int of = 0; of < 3; of++) {
    double y[2], mean;
    for (int k = 0; k < 2; k++) {
      const rmx__common common = {1, of == 1 && k ? share + 1 : share, 0, 99, NULL};
      rmx_regressor *r;
      must(rmx__posterior_draw(p[k], 3, of == 2 ? NULL : &common, NULL, &r, err));
      rmx_regressor_predict(r, w, 1, &y[k], NULL);
      rmx_regressor_free(r);
    }
    rmx_regressor_predict(f->regressors[0], w, 1, &mean, NULL);
    if (of == 2)
      ck_assert_double_gt(fabs(y[0] - y[1]), 1e-4);
    else
      ck_assert_double_eq_tol(y[0] - mean, of ? mean - y[1] : y[1] - mean, 1e-6);
  }
  for (int k = 0; k < 2; k++) rmx__posterior_free(p[k]);
  rmx_arena_release(&arena);
  rmx_fit_free(f);
}
END_TEST

// Of a process that finds no noise the caller knows better, and then the draws are further from the
// runs. So it is at parameters that were walked to, and at those of the fit.
START_TEST(noise_is_not_too_small) {
  for (int many = 0; many < 2; many++) {
    rmx_fit *f = make_fit(many ? "ensemble" : "gp", many ? 210 : 40, 0.001);
    rmx_arena arena = {0};
    rmx_dataset data;
    double off[2] = {0}, at_runs[210];
    must(rmx__fit_dataset(f, 0, &arena, &data, err));
    for (int k = 0; k < 2; k++) {
      rmx__posterior *p;
      must(rmx__posterior_make(&f->options, f->regressors[0], &data, (rmx__found){k ? 0.05 : 0, 1},
                               7, &p, err));
      for (uint64_t b = 0; b < 30; b++) {
        rmx_regressor *r;
        must(rmx__posterior_draw(p, b, NULL, at_runs, &r, err));
        if (k) ck_assert_double_ge(rmx__posterior_noise(p, b), 0.05 - 1e-9);
        for (size_t i = 0; i < data.N; i++) off[k] += fabs(at_runs[i] - data.y[i]);
        rmx_regressor_free(r);
      }
      rmx__posterior_free(p);
    }
    ck_assert_double_gt(off[1], 1.5 * off[0]);
    rmx_arena_release(&arena);
    rmx_fit_free(f);
  }
}
END_TEST

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// With 99 draws, the fifth smallest and largest are the ends of an interval of 90 %.
// A 90 % interval leaves out 7 % of the draws at each end: of 99, six.
START_TEST(intervals_end_where_they_should) {
  enum { B = 99 };
  rmx_fit *f = make_fit("gp", 30, 0.1);
  rmx_problem q = ask(f, 1, 0);
  rmx_optimum *o;
  rmx_uncertainty u;
  rmx_optimize_options how = usual;
  how.replicates = B;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &how, 1, 1, NULL}, &o, err));
  must(rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &how, 1, 2, NULL}, o, NULL, 0, &u, err));
  for (int d = 0; d < D; d++) {
    double x[B];
    for (int b = 0; b < B; b++) x[b] = u.best[b * D + d];
    qsort(x, B, sizeof *x, ascending);
    ck_assert_double_eq_tol(u.low[d], fmin(x[6], rmx_optimum_mixture(o)[d]), 1e-9);
    ck_assert_double_eq_tol(u.high[d], fmax(x[B - 7], rmx_optimum_mixture(o)[d]), 1e-9);
  }
  rmx_uncertainty_release(&u);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// The guard holds the answer where the runs are, but the best weight may be beyond.
START_TEST(intervals_go_beyond_the_guard) {
  rmx_fit *f = make_fit("gp", 20, 0.1);
  rmx_problem q = ask(f, 0, -1);  // the most of domain 0
  rmx_optimum *o;
  rmx_uncertainty u;
  rmx_optimize_options how = usual;
  how.guard = true;
  double low, most;
  rmx__covered_range(f, 0, &low, &most);
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &how, 1, 1, NULL}, &o, err));
  must(rmx_uncertainty_make(&(rmx_optimize_request){f, &q, &how, 1, 2, NULL}, o, NULL, 0, &u, err));
  ck_assert_double_lt(most, 0.99);
  ck_assert_double_le(rmx_optimum_mixture(o)[0], most + 1e-9);
  ck_assert_double_gt(u.high[0], most + 0.005);
  rmx_uncertainty_release(&u);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, draws_are_the_posterior);
  tcase_add_test(tc, draws_have_slopes);
  tcase_add_test(tc, draws_at_the_runs);
  tcase_add_test(tc, fourier_features);
  tcase_add_test(tc, intervals_hold_the_truth);
  tcase_add_test(tc, intervals_do_not_depend_on_the_order_of_columns);
  tcase_add_test(tc, what_the_fit_found_is_compared_fairly);
  tcase_add_test(tc, intervals_keep_the_constraints);
  tcase_add_test(tc, too_few_runs_have_none);
  tcase_add_test(tc, effects_of_a_line);
  tcase_add_test(tc, what_is_left_out_keeps_the_guard);
  tcase_add_test(tc, common_errors_are_found);
  tcase_add_test(tc, errors_that_are_not_common);
  tcase_add_test(tc, correlations_of_nothing);
  tcase_add_test(tc, common_numbers);
  tcase_add_test(tc, draws_err_together);
  tcase_add_test(tc, noise_is_not_too_small);
  tcase_add_test(tc, intervals_end_where_they_should);
  tcase_add_test(tc, intervals_go_beyond_the_guard);
}
