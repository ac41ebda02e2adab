// SPDX-License-Identifier: Apache-2.0
// Both methods find the optimum of functions whose optimum is known, agree, keep every constraint
// or name those that clash, give the same bits on any number of threads, and say when they have
// left what the runs covered.

#include <regmix/mixture.h>
#include <regmix/optimize.h>
#include <unistd.h>

#include "base/json.h"
#include "listening.h"
#include "optimize/search.h"
#include "regress/fit.h"
#include "regress/registry.h"
#include "testing.h"

enum { D = 4 };

// Runs from Dirichlet(1) over the first `covered` domains, with the two metrics
//   bowl = |w - centre|^2 and line = w_0: trees fit the first, ridge the second exactly.
static rmx_fit *make_fit(const char *regressor, size_t n, size_t covered, const double *centre) {
  rmx_table X, Y;
  rmx_fit *f;
  rmx_regress_options o = {0};
  const char *const names[D] = {"a", "b", "c", "d"}, *const metrics[2] = {"bowl_val_loss",
                                                                          "line_val_loss"};
  double alpha[D] = {0};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      regressor, err));
  o.ridge.alpha = 1e-6;
  o.trees.learning_rate = 0.1;
  o.trees.rounds = 300;
  o.trees.min_data_in_leaf = 5;
  must(rmx_table_make(&X, "run", n, D, err));
  must(rmx_table_make(&Y, "run", n, 2, err));
  for (size_t d = 0; d < D; d++) {
    X.names[d] = rmx_strdup(names[d]);
    alpha[d] = d < covered;
  }
  for (size_t m = 0; m < 2; m++) Y.names[m] = rmx_strdup(metrics[m]);
  rmx_rng rng = rmx_rng_make(9, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) {
    X.ids[i] = rmx_format("%zu", i);
    Y.ids[i] = rmx_format("%zu", i);
    rmx_dirichlet(&rng, alpha, D, X.x + i * D);
    for (size_t d = 0; d < D; d++) Y.x[i * 2] += pow(X.x[i * D + d] - centre[d], 2);
    Y.x[i * 2 + 1] = X.x[i * D];
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

static const double centre[D] = {0.4, 0.3, 0.2, 0.1}, uniform[D] = {0.25, 0.25, 0.25, 0.25};
static const rmx_optimize_options
    usual = {.method = "simulate", .samples = 20000, .top = 64, .strength = 4, .starts = 8},
    climb = {.method = "search", .samples = 20000, .top = 64, .strength = 4, .starts = 8};

// A target of one text each (NULL: none), and a question of it around `prior` (NULL: the runs').
static rmx_problem ask(const rmx_fit *f, const char *minimize, const char *maximize,
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

static void cap_all(rmx_problem *q, const rmx_fit *f, const double *cap) {
  must(rmx_constraints_caps(&q->constraints, cap, "the cap of %s", (const char *const *)f->domains,
                            err));
}

static double away(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t d = 0; d < n; d++) sum += fabs(a[d] - b[d]) / 2;
  return sum;
}

// ---- simulation ----

START_TEST(finds_the_bottom) {
  rmx_fit *f = make_fit("trees", 1500, D, centre);
  rmx_problem q = ask(f, "bowl", NULL, uniform);
  rmx_optimum *o;
  ck_assert(q.target.weight[0] == 1 && q.target.weight[1] == 0);
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 2, NULL}, &o, err));
  double sum = 0;
  for (int d = 0; d < D; d++) {
    sum += o->mixture[d];
    ck_assert(o->spread[d] > 0 && o->spread[d] < 0.2);
  }
  ck_assert_msg(away(o->mixture, centre, D) < 0.05, "%g %g %g %g", o->mixture[0], o->mixture[1],
                o->mixture[2], o->mixture[3]);
  ck_assert(fabs(sum - 1) < 1e-12);
  ck_assert(o->score < o->score_prior && o->score == o->predicted[0] &&
            o->score_prior == o->predicted_prior[0]);
  ck_assert(o->best_run_score < o->score_prior && o->distance < 0.1 && o->typical_distance > 0 &&
            !o->outside);
  ck_assert(!o->convex && isnan(o->gap) && o->expected_error > 0 && o->expected_error < 0.05);
  json_t *json = rmx_optimum_json(o, f);
  ck_assert(json_number_value(json_object_get(json_object_get(json, "mixture"), "a")) ==
            o->mixture[0]);
  ck_assert(json_array_size(json_object_get(json, "outside")) == 0);
  ck_assert_str_eq(json_string_value(json_object_get(json, "method")), "simulate");
  ck_assert(json_is_null(json_object_get(json, "gap")) &&
            json_is_false(json_object_get(json, "convex")));
  ck_assert(json_number_value(json_object_get(json, "expected_error")) == o->expected_error);
  json_decref(json);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// The mean of the best samples, which are drawn again here.
START_TEST(simulation_keeps_the_best) {
  enum { SAMPLES = 700, TOP = 23, BLOCK = 512 };
  rmx_fit *f = make_fit("ridge", 40, D, centre);
  rmx_problem q = ask(f, "line", NULL, uniform);
  const rmx_optimize_options few = {
      .method = "simulate", .samples = SAMPLES, .top = TOP, .strength = 4};
  static double X[SAMPLES][D], y[SAMPLES][2], mean[D], alpha[D] = {1, 1, 1, 1};
  static bool taken[SAMPLES];
  rmx_rng rng;
  rmx_optimum *o;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &few, 5, 2, NULL}, &o, err));
  for (size_t i = 0; i < SAMPLES; i++) {
    if (i % BLOCK == 0) rng = rmx_rng_make(5, i / BLOCK, RMX_FOR_SIMULATION);
    rmx_dirichlet(&rng, alpha, D, X[i]);
    rmx_regressor_predict(f->regressors[1], X[i], 1, &y[i][1], NULL);
  }
  for (int k = 0; k < TOP; k++) {
    size_t best = SAMPLES;
    for (size_t i = 0; i < SAMPLES; i++)
      if (!taken[i] && (best == SAMPLES || y[i][1] < y[best][1])) best = i;
    taken[best] = true;
    for (size_t d = 0; d < D; d++) mean[d] += X[best][d] / TOP;
  }
  ck_assert_msg(away(o->mixture, mean, D) < 1e-9, "%g %g", o->mixture[0], mean[0]);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// Where nothing was learnt the prior is the answer, as near as the constraints allow.
START_TEST(the_prior_within_the_constraints) {
  rmx_fit *f = make_fit("ridge", 40, D, centre);
  rmx_problem q = ask(f, "line", NULL, uniform);
  const double cap[D] = {0.1, 1, 1, 1}, wanted[D] = {0.1, 0.3, 0.3, 0.3};
  const rmx_optimum found = {.learnt = true, .r2 = 0.5, .mixtures = 40};
  rmx_optimum *o;
  cap_all(&q, f, cap);
  must(rmx__optimum_at_prior(&(rmx_optimize_request){f, &q, &usual, 1, 2, NULL}, &found, &o, err));
  ck_assert_str_eq(o->method, "prior");
  ck_assert_msg(away(o->mixture, wanted, D) < 1e-9, "%g %g", o->mixture[0], o->mixture[1]);
  ck_assert(fabs(o->predicted[1] - 0.1) < 1e-3 && o->score == o->predicted[1]);
  ck_assert(o->learnt && o->r2 == 0.5 && o->mixtures == 40);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(any_number_of_threads) {
  rmx_fit *f = make_fit("power", 40, D, centre);
  const double cap[D] = {0.3, 1, 1, 0.5};
  const rmx_optimize_options *const methods[2] = {&usual, &climb};
  for (int k = 0; k < 2; k++) {
    rmx_problem q = ask(f, NULL, NULL, uniform);
    rmx_optimum *o[3], *other;
    ck_assert(q.target.weight[0] == 0.5 && q.target.weight[1] == 0.5);
    cap_all(&q, f, cap);
    const int threads[3] = {1, 2, 5};
    for (int i = 0; i < 3; i++)
      must(rmx_optimize(&(rmx_optimize_request){f, &q, methods[k], 7, threads[i], NULL}, &o[i],
                        err));
    for (int i = 1; i < 3; i++) {
      ck_assert(memcmp(o[0]->mixture, o[i]->mixture, D * sizeof(double)) == 0);
      ck_assert(memcmp(o[0]->spread, o[i]->spread, D * sizeof(double)) == 0);
      ck_assert(o[0]->score == o[i]->score && o[0]->projected == o[i]->projected);
    }
    must(rmx_optimize(&(rmx_optimize_request){f, &q, methods[k], 8, 1, NULL}, &other, err));
    ck_assert(k == 1 || memcmp(o[0]->mixture, other->mixture, D * sizeof(double)) != 0);
    for (int i = 0; i < 3; i++) rmx_optimum_free(o[i]);
    rmx_optimum_free(other);
    rmx_problem_release(&q);
  }
  rmx_fit_free(f);
}
END_TEST

START_TEST(keeps_caps) {
  // "line" is w_0, to be high: the optimum stands at the cap of domain a.
  rmx_fit *f = make_fit("ridge", 40, D, centre);
  const double cap[D] = {0.37, 1, 1, 1}, tight[D] = {0.26, 0.26, 0.26, 0.26};
  rmx_optimum *o;
  for (int k = 0; k < 2; k++) {
    rmx_problem q = ask(f, NULL, "line=2", uniform);
    ck_assert(q.target.weight[1] == -2);
    cap_all(&q, f, cap);
    must(rmx_optimize(&(rmx_optimize_request){f, &q, k ? &climb : &usual, 1, 2, NULL}, &o, err));
    ck_assert_msg(o->mixture[0] <= 0.37 + 1e-12 && o->mixture[0] > (k ? 0.37 - 1e-9 : 0.36), "%g",
                  o->mixture[0]);
    ck_assert(fabs(o->score - -2 * o->predicted[1]) < 1e-12);
    ck_assert(o->convex && o->gap < (k ? 1e-9 : 0.02));  // linear
    rmx_optimum_free(o);
    rmx_problem_release(&q);
  }
  // Caps that hardly any draw keeps: samples are projected, and that is told.
  rmx_problem q = ask(f, NULL, "line=2", uniform);
  cap_all(&q, f, tight);
  forget();
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 2, &listener}, &o, err));
  for (int d = 0; d < D; d++) ck_assert(o->mixture[d] <= 0.26 + 1e-9);
  ck_assert(o->projected > usual.samples / 2 && strstr(said, "were moved into the constraints"));
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  forget();
  rmx_fit_free(f);
}
END_TEST

START_TEST(says_when_outside) {
  // No run had any of c and d, so a prior that has much of them leads out.
  rmx_fit *f = make_fit("ridge", 60, 2, centre);
  const double prior[D] = {0.1, 0.1, 0.7, 0.1};
  rmx_problem q = ask(f, NULL, NULL, prior), plain = ask(f, NULL, NULL, NULL);
  rmx_optimum *o;
  rmx_optimize_options options = usual;
  options.top = options.samples = 500;
  forget();
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, &listener}, &o, err));
  ck_assert(o->outside && o->far && !o->guarded && o->outside_domain[2] &&
            strcmp(o->outside_domains, "c, d") == 0);
  ck_assert_msg(strstr(said, "outside the range that the runs covered (c, d)") &&
                    strstr(said, "from the nearest run"),
                "%s", said);
  ck_assert(o->distance > 0.5 && o->typical_distance < 0.1);
  // All samples averaged are the prior, to sampling error.
  for (int d = 0; d < D; d++) ck_assert(fabs(o->mixture[d] - prior[d]) < 0.06);
  rmx_optimum_free(o);
  // The guard holds it where the runs are, by either method.
  for (int k = 0; k < 2; k++) {
    options = k ? climb : usual;
    options.guard = true;
    forget();
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, &listener}, &o, err));
    ck_assert(o->guarded && !o->outside && !o->far && o->mixture[2] < 1e-6 && o->mixture[3] < 1e-6);
    ck_assert(k == 0 || o->unguarded_score <= o->score + 1e-9);
    rmx_optimum_free(o);
  }
  // Constraints that lead out: warned of, and the guard goes no farther than they ask.
  must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "c=0.5", (const char *const *)f->domains,
                             err));
  forget();
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, &listener}, &o, err));
  ck_assert(o->guarded && o->followed && o->outside && fabs(o->mixture[2] - 0.5) < 1e-6 &&
            o->mixture[3] < 1e-6);
  ck_assert_msg(strstr(said, "as far as they ask (c)"), "%s", said);
  rmx_optimum_free(o);
  // A bound on one weight, a share and a divergence leave the guard of the others alone.
  const double corner[D] = {0.05, 0.05, 0.8, 0.1};
  for (int k = 0; k < 3; k++) {
    rmx_problem one = ask(f, NULL, NULL, NULL);
    if (k == 0) {
      one.constraints.low[2] = one.constraints.high[2] = 0.01;
    } else if (k == 1) {
      must(rmx_constraints_share(&one.constraints, "cd=0.3..:c,d", (const char *const *)f->domains,
                                 err));
    } else {
      one.constraints.reference = rmx_calloc(D, sizeof(double));
      memcpy(one.constraints.reference, corner, sizeof corner);
      one.constraints.max_kl = 0.05;
    }
    must(rmx_optimize(&(rmx_optimize_request){f, &one, &options, 1, 1, NULL}, &o, err));
    const double out = o->mixture[2] + o->mixture[3];
    ck_assert(o->guarded && o->followed && o->outside);
    ck_assert_msg(k == 0   ? fabs(out - 0.01) < 1e-6
                  : k == 1 ? fabs(out - 0.3) < 1e-6
                           : rmx__kl(&one.constraints, o->mixture) <= 0.05 + 1e-6,
                  "%d: %g %g", k, o->mixture[2], o->mixture[3]);
    rmx_optimum_free(o);
    rmx_problem_release(&one);
  }
  // Without a prior it is the mean of the runs.
  forget();
  must(rmx_optimize(&(rmx_optimize_request){f, &plain, &usual, 1, 1, &listener}, &o, err));
  ck_assert(!o->outside && o->mixture[2] == 0);
  rmx_optimum_free(o);
  forget();
  rmx_problem_release(&q);
  rmx_problem_release(&plain);
  rmx_fit_free(f);
}
END_TEST

START_TEST(guards_by_distance) {
  // Runs in two clusters; the line is lowest between them and lower still beyond: the answer stays
  // near a run.
  rmx_fit *f = make_fit("ridge", 40, D, centre);
  for (size_t i = 0; i < f->N; i++)
    for (size_t d = 0; d < D; d++)
      f->runs[i * D + d] = (d == i % 2 ? 0.7 : 0.1) + (d == 2   ? 1
                                                       : d == 3 ? -1
                                                                : 0) *
                                                          0.0005 * (double)(i / 2);
  rmx_problem q = ask(f, NULL, NULL, uniform);
  q.target.weight[0] = 0;
  q.target.weight[1] = 1;
  for (int k = 0; k < 2; k++) {
    rmx_optimize_options options = k ? climb : usual;
    options.guard = true;
    options.samples = 100000;
    options.strength = 10;
    rmx_optimum *o;
    rmx_status status =
        rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, NULL}, &o, &test_error);
    if (k == 0 && status != RMX_OK) {  // a ball that small may hold no sample; then it says so
      ck_assert_msg(strstr(test_error.message, "near the runs"), "%s", test_error.message);
      continue;
    }
    ck_assert_int_eq(status, RMX_OK);
    ck_assert_msg(o->guarded && !o->far && o->distance <= 2 * o->typical_distance + 1e-9, "%g %g",
                  o->distance, o->typical_distance);
    // at the ball's edge or the range's
    ck_assert(k == 0 || o->mixture[0] < 0.1 - 0.9 * o->typical_distance);
    rmx_optimum_free(o);
  }
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(refuses) {
  rmx_fit *f = make_fit("ridge", 20, D, centre), *trees = make_fit("trees", 40, D, centre);
  rmx_target other;
  rmx_optimum *o;
  const char *texts[] = {"bowl", "bowl_val_loss=2", "bowl=-1", "bulb", "bowl=x"};
  rmx_strings low[5] = {0}, none = {0};
  for (int i = 0; i < 5; i++) ck_assert(rmx_strings_add(&low[i], texts[i]));
  must_fail(rmx_target_parse(f, &low[0], &low[1], NULL, NULL, &other, err), "a target twice");
  must_fail(rmx_target_parse(f, &low[2], &none, NULL, NULL, &other, err), "must be positive");
  must_fail(rmx_target_parse(f, &low[3], NULL, NULL, NULL, &other, err), "bulb");
  must_fail(rmx_target_parse(f, &low[4], NULL, NULL, NULL, &other, err), "weight of a target");
  const double cap[D] = {0.2, 0.2, 0.2, 0.2}, zero[D] = {0}, bad[D] = {1, NAN, 0, 0};
  rmx_problem capped = ask(f, "bowl", NULL, uniform), nothing = ask(f, "bowl", NULL, zero),
              wrong = ask(f, "bowl", NULL, bad), q = ask(f, "bowl", NULL, uniform);
  cap_all(&capped, f, cap);
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &capped, &usual, 1, 1, NULL}, &o, err),
            "the caps sum to 0.8 < 1");
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &capped, &climb, 1, 1, NULL}, &o, err),
            "the caps sum to 0.8 < 1");
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &nothing, &usual, 1, 1, NULL}, &o, err),
            "the prior is 0");
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &wrong, &usual, 1, 1, NULL}, &o, err),
            "the prior of domain \"b\"");
  must_fail(rmx_optimize(&(rmx_optimize_request){trees, &q, &climb, 1, 1, NULL}, &o, err),
            "use --method simulate");
  rmx_optimize_options options = usual;
  options.top = options.samples + 1;
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, NULL}, &o, err),
            "optimize.top");
  options = usual;
  options.strength = 0;
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, NULL}, &o, err),
            "optimize.strength");
  options = climb;
  options.starts = 0;
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, NULL}, &o, err),
            "optimize.starts");
  options.method = "climb";
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 1, NULL}, &o, err),
            "there are: simulate, search");
  q.target.weight[0] = 0;
  must_fail(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &o, err),
            "no metric with a weight");
  for (int i = 0; i < 5; i++) rmx_strings_release(&low[i]);
  rmx_problem_release(&capped);
  rmx_problem_release(&nothing);
  rmx_problem_release(&wrong);
  rmx_problem_release(&q);
  rmx_fit_free(f);
  rmx_fit_free(trees);
}
END_TEST

// ---- both methods ----

START_TEST(methods_agree) {
  rmx_fit *f = make_fit("gp", 120, D, centre);
  rmx_problem q = ask(f, "bowl", NULL, uniform);
  rmx_optimum *a, *b;
  rmx_optimize_options options = usual;
  options.samples = 100000;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &options, 1, 2, NULL}, &a, err));
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 2, NULL}, &b, err));
  ck_assert_msg(away(a->mixture, b->mixture, D) < 0.02 && away(b->mixture, centre, D) < 0.02,
                "%g %g", away(a->mixture, b->mixture, D), away(b->mixture, centre, D));
  ck_assert(b->score <= a->score && a->score - b->score < 0.001 && b->starts == 8 &&
            a->samples == 100000);
  rmx_optimum_free(a);
  rmx_optimum_free(b);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(targets) {
  rmx_fit *f = make_fit("power", 60, D, centre);
  rmx_strings groups = {0}, all = {0}, again = {0};
  rmx_target t;
  ck_assert(rmx_strings_add(&groups, "both=bowl,line") && rmx_strings_add(&all, "both=3") &&
            rmx_strings_add(&again, "line"));
  must(rmx_target_parse(f, &all, NULL, &groups, NULL, &t, err));
  ck_assert(t.weight[0] == 1.5 && t.weight[1] == 1.5);
  rmx_target_release(&t);
  must_fail(rmx_target_parse(f, &all, &again, &groups, NULL, &t, err), "a target twice");
  // What is known to be a score is raised, and that is said.
  f->higher_is_better = f->higher_is_better ? f->higher_is_better : rmx_calloc(f->M, sizeof(bool));
  f->higher_is_better[1] = true;
  forget();
  must(rmx_target_parse(f, &again, NULL, NULL, &listener, &t, err));
  ck_assert(t.weight[1] == -1 && strstr(said, "\"line_val_loss\" is a score"));
  rmx_target_release(&t);
  // No less of the line than the uniform mixture has, but for 0.01, and no more of the bowl.
  rmx_optimum *o;
  for (int k = 0; k < 2; k++) {
    rmx_problem q = ask(f, NULL, "line", uniform);
    must(rmx_target_no_worse(f, "bowl=0.005", NULL, centre, &q.target, err));
    must(rmx_optimize(&(rmx_optimize_request){f, &q, k ? &climb : &usual, 1, 1, NULL}, &o, err));
    double at_centre;
    rmx_regressor_predict(f->regressors[0], centre, 1, &at_centre, NULL);
    ck_assert_msg(o->predicted[0] <= at_centre + 0.005 + 1e-6, "%g %g", o->predicted[0], at_centre);
    ck_assert(o->mixture[0] > 0.4);
    rmx_optimum_free(o);
    must_fail(rmx_target_no_worse(f, "bowl=-1", NULL, centre, &q.target, err), "0 or more");
    q.target.limit[0] = -5;
    must_fail(
        rmx_optimize(&(rmx_optimize_request){f, &q, k ? &climb : &usual, 1, 1, NULL}, &o, err),
        "allow more slack");
    rmx_problem_release(&q);
  }
  forget();
  rmx_strings_release(&groups);
  rmx_strings_release(&all);
  rmx_strings_release(&again);
  rmx_fit_free(f);
}
END_TEST

// ---- functions given by their parameters ----

static rmx_regressor *from_text(const char *text) {
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

static void add_numbers(rmx_buf *b, const char *key, rmx_rng *rng, size_t n, double low,
                        double high) {
  rmx_buf_printf(b, ", \"%s\": [", key);
  for (size_t i = 0; i < n; i++)
    rmx_buf_printf(b, "%s%.17g", i ? ", " : "", low + (high - low) * rmx_rng_uniform(rng));
  rmx_buf_puts(b, "]");
}

// Power laws with powers up to exp(most_log_g); `seen` wide enough that nothing bends, unless bent.
static rmx_regressor *random_power(rmx_rng *rng, size_t n, double most_log_g, bool bent) {
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

static rmx_regressor *random_exp(rmx_rng *rng, size_t n) {
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
static rmx_fit *hand_fit(rmx_rng *rng, size_t n, size_t M, rmx_regressor **functions) {
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

START_TEST(convexity_is_established) {
  rmx_rng rng = rmx_rng_make(5, 0, RMX_FOR_TEST);
  enum { N = 6 };
  const double alpha[N] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
  int claimed = 0, broken = 0, bending = 0;
  for (int trial = 0; trial < 30; trial++) {
    bool bent = trial % 6 == 4;
    rmx_regressor *r = trial % 3 == 0 ? random_exp(&rng, N)
                                      : random_power(&rng, N, trial % 3 == 1 ? 0 : 0.8, bent);
    double below, y[3], x[3][N];
    bool yes = rmx__regressor_convex(r, 1, &below);
    ck_assert(!rmx__regressor_convex(r, -1, &(double){0}));  // none of them is concave
    ck_assert(yes == (trial % 3 != 2));                      // a power above 1 is not claimed
    claimed += yes;
    bending += yes && isfinite(below);
    ck_assert(bent || !yes || isinf(below));
    for (int i = 0; i < 3000; i++) {
      rmx_dirichlet(&rng, alpha, N, x[0]);
      rmx_dirichlet(&rng, alpha, N, x[1]);
      for (int d = 0; d < N; d++) x[2][d] = (x[0][d] + x[1][d]) / 2;
      rmx_regressor_predict(r, x[0], 3, y, NULL);
      bool hollow = y[2] > (y[0] + y[1]) / 2 + 1e-12;
      if (yes && y[0] <= below && y[1] <= below)
        ck_assert_msg(!hollow, "trial %d: %g %g %g", trial, y[0], y[1], y[2]);
      broken += !yes && hollow;
    }
    rmx_regressor_free(r);
  }
  ck_assert(claimed == 20 && bending > 0 && broken > 0);  // and the test can tell
}
END_TEST

// The lowest score of many mixtures that keep the constraints, each improved by pairwise moves.
static double brute_force(const rmx_fit *f, const rmx_problem *q, const rmx__feasible *r,
                          rmx_rng *rng) {
  double best = INFINITY, w[32], v[32], alpha[32], y[8], score;
  size_t n = f->D;
  for (int i = 0; i < 100; i++) {
    for (size_t d = 0; d < n; d++) alpha[d] = 0.5;
    rmx_dirichlet(rng, alpha, n, w);
    rmx__feasible_project(r, w);
    double here = INFINITY, step = 0.2;
    for (int k = 0; k < 600; k++) {
      memcpy(v, w, sizeof v);
      if (k) {
        size_t a = rmx_rng_below(rng, n), b = rmx_rng_below(rng, n);
        double by = fmin(v[a], step * rmx_rng_uniform(rng));
        v[a] -= by;
        v[b] += by;
        if (!rmx__feasible_contains(r, v)) continue;
      }
      for (size_t m = 0; m < f->M; m++) rmx_regressor_predict(f->regressors[m], v, 1, &y[m], NULL);
      rmx_target_score(&q->target, f->M, y, 1, &score);
      score += q->constraints.kl_penalty * rmx__kl(&q->constraints, v);
      if (k % 100 == 99) step /= 3;
      if (!(score < here)) continue;
      here = score;
      memcpy(w, v, sizeof w);
    }
    best = fmin(best, here);
  }
  return best;
}

// Most domains stay at their bounds, and the quadratic programs leave them out.
START_TEST(many_domains) {
  rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
  enum { N = 50 };
  for (int trial = 0; trial < 4; trial++) {
    rmx_regressor *functions[2] = {random_power(&rng, N, 0, false), random_exp(&rng, N)};
    rmx_fit *f = hand_fit(&rng, N, 2, functions);
    const char *const *names = (const char *const *)f->domains;
    rmx_problem q = ask(f, NULL, NULL, NULL);
    rmx_optimum *o;
    if (trial % 2) must(rmx_constraints_share(&q.constraints, "s=0.3..0.5:a,b", names, err));
    if (trial % 2) must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "more=0.4", names, err));
    if (trial == 3) must(rmx_constraints_order(&q.constraints, "c<d<e", names, err));
    if (trial == 2) rmx_target_worst(f, f->mean_mixture, &q.target);  // is not narrowed
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 2, NULL}, &o, err));
    ck_assert_msg(o->convex && o->gap >= 0 && o->gap < 3e-4, "trial %d: %g", trial, o->gap);
    ck_assert(rmx_constraints_excess(&q.constraints, o->mixture) < 1e-6);
    ck_assert(o->starts == climb.starts && o->score < o->score_prior - 100 * o->gap);
    rmx_optimum_free(o);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

START_TEST(the_gap_bounds) {
  rmx_rng rng = rmx_rng_make(6, 0, RMX_FOR_TEST);
  enum { N = 5 };
  for (int trial = 0; trial < 12; trial++) {
    rmx_regressor *functions[2] = {random_power(&rng, N, 0, false), random_exp(&rng, N)};
    rmx_fit *f = hand_fit(&rng, N, 2, functions);
    const char *const *names = (const char *const *)f->domains;
    rmx_problem q = ask(f, NULL, NULL, NULL);
    rmx_optimum *o, *sim;
    double even[N] = {0.2, 0.2, 0.2, 0.2, 0.2};
    if (trial % 4 == 1) must(rmx_constraints_share(&q.constraints, "s=0.3..0.5:a,b", names, err));
    if (trial % 4 == 1) must(rmx_constraints_share(&q.constraints, "t=..0.4:b,c", names, err));
    if (trial % 3 == 0) must(rmx_constraints_order(&q.constraints, "c<a<e", names, err));
    if (trial % 4 == 2) {
      q.constraints.reference = rmx_calloc(N, sizeof(double));
      for (size_t d = 0; d < N; d++) q.constraints.reference[d] = 0.2;
      q.constraints.max_kl = 0.1;
    }
    if (trial % 4 == 3) rmx_target_worst(f, even, &q.target);
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, &o, err));
    ck_assert_msg(o->convex && o->gap >= 0 && o->gap < 1e-3, "trial %d: %g", trial, o->gap);
    must(rmx_optimize(&(rmx_optimize_request){f, &q, &usual, 1, 1, NULL}, &sim, err));
    rmx__feasible r;
    bool clash;
    must(rmx__feasible_make(&r, f, &q.constraints, false, even, &clash, err));
    double best = brute_force(f, &q, &r, &rng);
    // Constraints are kept to 1e-9, which leaves a little to gain.
    ck_assert_msg(best >= o->score - o->gap - 1e-7, "trial %d: %.9g beats %.9g by more than %g",
                  trial, best, o->score, o->gap);
    ck_assert_msg(o->score <= best + 1e-5, "trial %d: %.9g, search %.9g", trial, best, o->score);
    ck_assert_msg(sim->convex && sim->score - o->score <= sim->gap + 1e-7, "trial %d", trial);
    rmx__feasible_release(&r);
    rmx_optimum_free(o);
    rmx_optimum_free(sim);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

// ---- constraints ----

// Random mixtures are brought into an order by swapping what is wrong, or by making it equal.
START_TEST(orders_are_reached_by_sorting_and_by_levelling) {
  enum { N = 5 };
  static const struct {
    const char *order;
    int chain[4];  // indices; -1: the end
  } cases[] = {{"a<b", {0, 1, -1}},
               {"b<a", {1, 0, -1}},
               {"e<a", {4, 0, -1}},
               {"a<c<e", {0, 2, 4, -1}},
               {"c<b<a", {2, 1, 0, -1}}};
  rmx_rng rng = rmx_rng_make(16, 0, RMX_FOR_TEST);
  double even[N] = {0.2, 0.2, 0.2, 0.2, 0.2}, alpha[N] = {1, 1, 1, 1, 1}, w[N], v[N];
  rmx_regressor *functions[1] = {random_power(&rng, N, 0, false)};
  rmx_fit *f = hand_fit(&rng, N, 1, functions);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    rmx_problem q = ask(f, NULL, NULL, NULL);
    rmx__feasible r;
    bool clash;
    must(rmx_constraints_order(&q.constraints, cases[k].order, (const char *const *)f->domains,
                               err));
    must(rmx__feasible_make(&r, f, &q.constraints, false, even, &clash, err));
    for (int trial = 0; trial < 50; trial++) {
      const int *c = cases[k].chain;
      rmx_dirichlet(&rng, alpha, N, w);
      for (int level = 0; level < 2; level++) {
        double sum = 0, in = 0, out = 0;
        bool held = true;
        memcpy(v, w, sizeof v);
        (level ? rmx__feasible_level : rmx__feasible_sort)(&r, v);
        for (int d = 0; d < N; d++) sum += v[d];
        ck_assert_double_eq_tol(sum, 1, 1e-12);
        for (int i = 0; c[i] >= 0; i++) {
          in += w[c[i]], out += v[c[i]];
          if (i && w[c[i - 1]] > w[c[i]]) held = false;
          if (i)
            ck_assert_msg(v[c[i - 1]] <= v[c[i]] + 1e-9, "%s: %g > %g", cases[k].order, v[c[i - 1]],
                          v[c[i]]);
        }
        ck_assert_double_eq_tol(in, out, 1e-9);  // the others keep their weights
        for (int d = 0; d < N && held; d++) ck_assert_double_eq_tol(v[d], w[d], 1e-12);
        if (!level && c[2] < 0) {  // of two: the same two weights
          ck_assert_double_eq_tol(v[c[0]], fmin(w[c[0]], w[c[1]]), 1e-12);
          ck_assert_double_eq_tol(v[c[1]], fmax(w[c[0]], w[c[1]]), 1e-12);
        }
        if (level && c[2] < 0 && !held) ck_assert_double_eq_tol(v[c[0]], v[c[1]], 1e-12);
      }
    }
    rmx__feasible_release(&r);
    rmx_problem_release(&q);
  }
  rmx_fit_free(f);
}
END_TEST

static void random_constraints(rmx_rng *rng, const rmx_fit *f, rmx_constraints *k) {
  const char *const *names = (const char *const *)f->domains;
  char text[100];
  size_t n = f->D;
  for (int i = (int)rmx_rng_below(rng, 4); i-- > 0;) {
    static const double most[] = {0.5, 1, 0.4};
    rmx_bound kind = (rmx_bound)rmx_rng_below(rng, 3);
    snprintf(text, sizeof text, "%s=%.3f", names[rmx_rng_below(rng, n)],
             most[kind] * rmx_rng_uniform(rng));
    must(rmx_constraints_bound(k, kind, text, names, err));
  }
  for (int i = (int)rmx_rng_below(rng, 3); i-- > 0;) {
    double low = 0.7 * rmx_rng_uniform(rng), high = low + (1 - low) * rmx_rng_uniform(rng);
    size_t a = rmx_rng_below(rng, n);
    snprintf(text, sizeof text, "s%d=%.3f..%.3f:%s,%s,%s", i, low, high, names[a],
             names[(a + 1) % n], names[(a + 3) % n]);
    must(rmx_constraints_share(k, text, names, err));
  }
  for (int i = (int)rmx_rng_below(rng, 3); i-- > 0;) {
    size_t a = rmx_rng_below(rng, n - 2);  // from left to right, so there is no cycle
    snprintf(text, sizeof text, "%s<%s<%s", names[a], names[a + 1], names[n - 1]);
    if (a + 1 < n - 1) must(rmx_constraints_order(k, text, names, err));
  }
  if (rmx_rng_below(rng, 4) == 0) k->drop_below = 0.1 * rmx_rng_uniform(rng);
  if (rmx_rng_below(rng, 3) == 0) {
    k->reference = rmx_calloc(n, sizeof(double));
    double alpha[32];
    for (size_t d = 0; d < n; d++) alpha[d] = 3;
    rmx_dirichlet(rng, alpha, n, k->reference);
    k->max_kl = 0.5 * rmx_rng_uniform(rng);
  }
}

START_TEST(every_constraint_is_kept) {
  rmx_rng rng = rmx_rng_make(7, 0, RMX_FOR_TEST);
  int kept = 0, refused = 0;
  for (int trial = 0; trial < 80; trial++) {
    size_t n = 4 + rmx_rng_below(&rng, 5);
    rmx_regressor *functions[2] = {random_power(&rng, n, 0.3, false), random_exp(&rng, n)};
    rmx_fit *f = hand_fit(&rng, n, 2, functions);
    rmx_problem q = ask(f, NULL, NULL, NULL);
    random_constraints(&rng, f, &q.constraints);
    rmx_optimize_options options[2] = {usual, climb};
    options[0].samples = 1000;
    options[1].starts = 3;
    double alpha[32], w[32], least = INFINITY;
    rmx_status status[2];
    for (int k = 0; k < 2; k++) {
      rmx_optimum *o;
      options[k].guard = trial % 3 == 0;
      status[k] =
          rmx_optimize(&(rmx_optimize_request){f, &q, &options[k], 1, 1, NULL}, &o, &test_error);
      if (status[k] != RMX_OK) {
        const char *why = test_error.message;
        ck_assert_msg(status[k] == RMX_EINPUT, "trial %d: %s", trial, why);
        ck_assert_msg(strstr(why, "--") || strstr(why, "near the runs"), "trial %d: %s", trial,
                      why);
        continue;
      }
      double excess = rmx_constraints_excess(&q.constraints, o->mixture);
      ck_assert_msg(excess <= 1e-6, "trial %d, %s: passed by %g", trial, o->method, excess);
      // What is dropped may leave the range of the runs, but not their balls.
      ck_assert(!o->guarded || o->followed ||
                (!o->far && (!o->outside || q.constraints.drop_below > 0)));
      kept++;
      rmx_optimum_free(o);
    }
    refused += status[1] != RMX_OK;
    // What is refused has no mixture: at least none of many random ones.
    for (size_t d = 0; d < n; d++) alpha[d] = 0.5;
    for (int i = 0; i < 3000 && status[1] != RMX_OK && !(q.constraints.drop_below > 0); i++) {
      rmx_dirichlet(&rng, alpha, n, w);
      least = fmin(least, rmx_constraints_excess(&q.constraints, w));
    }
    ck_assert_msg(least > 1e-9, "trial %d: refused, but a random mixture keeps all", trial);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
  ck_assert_msg(kept > 80 && refused > 5, "%d %d", kept, refused);
}
END_TEST

static double total(const rmx_optimum *o, size_t from, size_t to) {
  double sum = 0;
  for (size_t d = from; d < to; d++) sum += o->mixture[d];
  return sum;
}

// With many domains and metrics one way down from the optimum takes the place of a whole search.
START_TEST(effects_of_many_domains_begin_at_the_optimum) {
  enum { N = 40, METRICS = 26 };
  rmx_rng rng = rmx_rng_make(23, 0, RMX_FOR_TEST);
  rmx_regressor *functions[METRICS];
  for (int m = 0; m < METRICS; m++) functions[m] = random_exp(&rng, N);
  rmx_fit *f = hand_fit(&rng, N, METRICS, functions);
  rmx_problem q = ask(f, NULL, NULL, NULL);
  for (int m = 0; m < METRICS; m++) q.target.weight[m] = 1.0 / METRICS;
  rmx_optimize_options options = climb;
  options.starts = 3;
  const rmx_optimize_request request = {f, &q, &options, 1, 2, NULL};
  rmx_optimum *o;
  rmx_attribution a;
  must(rmx_optimize(&request, &o, err));
  must(rmx_attribution_make(&request, o, &a, err));
  int had = 0;
  for (size_t d = 0; d < N; d++) {
    rmx_optimum *without;
    ck_assert(o->mixture[d] >= 1e-9 || a.loss[d] == 0);
    if (o->mixture[d] < 0.01) continue;
    had++;
    q.constraints.high[d] = 0;
    must(rmx_optimize(&request, &without, err));
    q.constraints.high[d] = 1;
    ck_assert_msg(fabs(a.without[d] - without->score) < 1e-4, "%zu: %g, a search %g", d,
                  a.without[d], without->score);
    rmx_optimum_free(without);
  }
  ck_assert_int_ge(had, 3);
  rmx_attribution_release(&a);
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

// Both methods keep bounds of nodes and orders, and so do their intervals and what is left without
// a domain.
START_TEST(nodes_and_orders_are_kept) {
  static const char *const tree[] = {"web:q0", "web:q1", "web:q2", "code:c", "code:py", "wiki"};
  enum { N = 6 };
  rmx_rng rng = rmx_rng_make(17, 0, RMX_FOR_TEST);
  for (int trial = 0; trial < 6; trial++) {
    rmx_regressor *functions[2] = {random_power(&rng, N, 0.3, false), random_exp(&rng, N)};
    rmx_fit *f = hand_fit(&rng, N, 2, functions);
    for (size_t d = 0; d < N; d++) {
      free(f->domains[d]);
      f->domains[d] = rmx_strdup(tree[d]);
    }
    rmx_problem q = ask(f, NULL, NULL, NULL);
    must(rmx_constraints_bound(&q.constraints, RMX_CAP, "web=0.5", tree, err));
    must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "web=0.3", tree, err));
    must(rmx_constraints_bound(&q.constraints, RMX_FLOOR, "code:=0.2", tree, err));
    must(rmx_constraints_order(&q.constraints, "web:q0<web:q1 <= web:q2", tree, err));
    must(rmx_constraints_order(&q.constraints, "wiki < code", tree, err));
    rmx_optimize_options options[2] = {usual, climb};
    options[0].samples = 2000;
    double score[2];
    for (int k = 0; k < 2; k++) {
      options[k].guard = false;
      const rmx_optimize_request request = {f, &q, &options[k], 1, 1, NULL};
      rmx_optimum *o;
      rmx_attribution a;
      must(rmx_optimize(&request, &o, err));
      ck_assert(rmx_constraints_excess(&q.constraints, o->mixture) <= 1e-6);
      ck_assert(total(o, 0, 3) >= 0.3 - 1e-6 && total(o, 0, 3) <= 0.5 + 1e-6);
      ck_assert(total(o, 3, 5) >= 0.2 - 1e-6 && total(o, 5, 6) <= total(o, 3, 5) + 1e-6);
      ck_assert(o->mixture[0] <= o->mixture[1] + 1e-6 && o->mixture[1] <= o->mixture[2] + 1e-6);
      must(rmx_attribution_make(&request, o, &a, err));
      // Without the best part of the web nothing of the web is allowed, but the floor wants some.
      ck_assert(isnan(a.without[2]));
      rmx_attribution_release(&a);
      score[k] = o->score;
      rmx_optimum_free(o);
    }
    ck_assert_msg(score[1] <= score[0] + 1e-6, "trial %d: %g %g", trial, score[0], score[1]);
    json_t *json = rmx_constraints_json(&q.constraints, tree), *web, *order;
    ck_assert(json_unpack(json, "{s:{s:o}, s:o}", "share", "web", &web, "ordered", &order) == 0);
    ck_assert(json_real_value(json_object_get(web, "low")) == 0.3);
    ck_assert(json_real_value(json_object_get(web, "high")) == 0.5);
    ck_assert_uint_eq(json_array_size(json_object_get(web, "domains")), 3);
    ck_assert_str_eq(json_string_value(json_array_get(order, 2)), "wiki<code");
    json_decref(json);
    rmx_problem_release(&q);
    rmx_fit_free(f);
  }
}
END_TEST

START_TEST(orders_are_checked) {
  static const char *const tree[] = {"web:q0", "web:q1", "web:q2", "wiki"};
  const struct {
    const char *order[3], *message;
  } cases[] = {
      {{"web:q0"}, "--ordered web:q0: wanted two names or more, as A<B<C"},
      {{"web:q0<"}, "a name is missing"},
      {{"web:q0<web:q0"}, "\"web:q0\" is ordered before itself"},
      {{"web<web:q1"}, "\"web\" and \"web:q1\" both contain the domain \"web:q1\""},
      {{"web:q0<wbe"}, "unknown domain or node \"wbe\"; did you mean \"web\"?"},
      {{"web:q0<web:q1<web:q0"}, "the orders web:q0<web:q1, web:q1<web:q0 form a cycle"},
      {{"web:q0<web:q1<web:q2", "web:q2<wiki", "wiki<web:q1"},
       "the orders web:q1<web:q2, web:q2<wiki, wiki<web:q1 form a cycle"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    rmx_constraints k;
    must(rmx_constraints_make(D, &k, err));
    for (int j = 0; j < 3 && cases[i].order[j]; j++) {
      if (j < 2 && cases[i].order[j + 1])
        must(rmx_constraints_order(&k, cases[i].order[j], tree, err));
      else
        must_fail(rmx_constraints_order(&k, cases[i].order[j], tree, err), cases[i].message);
    }
    rmx_constraints_release(&k);
  }
  rmx_constraints k;
  must(rmx_constraints_make(D, &k, err));
  must(rmx_constraints_bound(&k, RMX_CAP, "web:=0.4", tree, err));
  must(rmx_constraints_order(&k, "wiki<web", tree, err));
  must_fail(rmx_constraints_check(&k, tree, err),
            "--cap web:=0.4 and --ordered wiki<web cannot both be kept");
  must_fail(rmx_constraints_share(&k, "wbe=0.1..0.2", tree, err),
            "--share wbe=0.1..0.2: there is no domain or node \"wbe\"; wanted NAME=LOW..HIGH:");
  rmx_constraints_release(&k);
}
END_TEST

START_TEST(clashes_are_named) {
  const char *const names[D] = {"a", "b", "c", "d"};
  const struct {
    const char *floor[3], *cap[4], *fix[2], *share[2], *message, *innocent;
  } cases[] = {
      {{"a=0.6", "b=0.5", "c=0.1"},
       {"d=0.9"},
       {0},
       {0},
       "--floor a=0.6 and --floor b=0.5 sum to 1.1 > 1",
       "c=0.1"},
      {{"a=0.6"},
       {"a=0.5", "b=0.7"},
       {0},
       {0},
       "--floor a=0.6 and --cap a=0.5 cannot both be kept",
       "b=0.7"},
      {{0}, {"a=0.2", "b=0.2", "c=0.2", "d=0.3"}, {0}, {0}, "the caps sum to 0.9 < 1", "floor"},
      {{0},
       {"a=0.1", "b=0.1"},
       {"c=0.05"},
       {"s=0.5..:a,b"},
       "--cap a=0.1, --cap b=0.1 and --share s=0.5.. cannot all be kept",
       "c="},
      {{0},
       {0},
       {"a=0.3"},
       {"s=0.1..0.2:a,b"},
       "--fix a=0.3 and --share s=0.1..0.2 cannot both be kept",
       "floor"},
      {{"d=0.2"},
       {0},
       {0},
       {"s=0.5..:a,b", "t=0.6..0.7:c"},
       "--share s=0.5.. and --share t=0.6..0.7 sum to 1.1 > 1",
       "d=0.2"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    rmx_constraints k;
    must(rmx_constraints_make(D, &k, err));
    for (int j = 0; j < 3 && cases[i].floor[j]; j++)
      must(rmx_constraints_bound(&k, RMX_FLOOR, cases[i].floor[j], names, err));
    for (int j = 0; j < 4 && cases[i].cap[j]; j++)
      must(rmx_constraints_bound(&k, RMX_CAP, cases[i].cap[j], names, err));
    for (int j = 0; j < 2 && cases[i].fix[j]; j++)
      must(rmx_constraints_bound(&k, RMX_FIX, cases[i].fix[j], names, err));
    for (int j = 0; j < 2 && cases[i].share[j]; j++)
      must(rmx_constraints_share(&k, cases[i].share[j], names, err));
    must_fail(rmx_constraints_check(&k, names, err), cases[i].message);
    ck_assert_msg(!strstr(test_error.message, cases[i].innocent), "%s", test_error.message);
    rmx_constraints_release(&k);
  }
  rmx_constraints k;
  must(rmx_constraints_make(D, &k, err));
  must_fail(rmx_constraints_bound(&k, RMX_CAP, "a", names, err), "wanted DOMAIN=WEIGHT");
  must_fail(rmx_constraints_bound(&k, RMX_CAP, "a=2", names, err), "0 to 1");
  must_fail(rmx_constraints_bound(&k, RMX_FLOOR, "z=0.2", names, err),
            "--floor z=0.2: unknown domain \"z\"");
  must_fail(rmx_constraints_share(&k, "s=0.5", names, err), "wanted NAME=LOW..HIGH");
  must_fail(rmx_constraints_share(&k, "s=0.5..0.4:a", names, err), "LOW <= HIGH");
  const double tokens[D] = {1e9, 1e8, 1e7, 1e9};
  must(rmx_constraints_epochs(&k, tokens, 1e10, 4, names, err));
  ck_assert(k.high[0] == 0.4 && fabs(k.high[1] - 0.04) < 1e-15 && fabs(k.high[2] - 0.004) < 1e-15);
  must_fail(rmx_constraints_check(&k, names, err), "the caps sum to 0.844 < 1");
  ck_assert_msg(strstr(test_error.message, "--max-epochs 4 of a"), "%s", test_error.message);
  rmx_constraints_release(&k);
}
END_TEST

START_TEST(worst_case_and_front) {
  rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
  enum { N = 5, POINTS = 6 };
  rmx_regressor *functions[2] = {random_exp(&rng, N), random_exp(&rng, N)};
  rmx_fit *f = hand_fit(&rng, N, 2, functions);
  rmx_problem q = ask(f, NULL, NULL, NULL);
  rmx_optimum *sum, *worst;
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, &sum, err));
  rmx_target_worst(f, f->mean_mixture, &q.target);
  must(rmx_optimize(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, &worst, err));
  double at_sum;
  rmx_target_score(&q.target, 2, sum->predicted, 1, &at_sum);
  ck_assert(worst->score_prior == 0 && worst->score <= 1e-9 && worst->score <= at_sum + 1e-9);
  ck_assert(fabs(worst->score - 0.5 * fmax(worst->predicted[0] - worst->predicted_prior[0],
                                           worst->predicted[1] - worst->predicted_prior[1])) <
            1e-12);
  for (int k = 0; k < 2; k++) {
    rmx_front front;
    must(rmx_pareto(&(rmx_optimize_request){f, &q, k ? &climb : &usual, 1, 1, NULL}, 0, 1, POINTS,
                    &front, err));
    ck_assert_msg(front.n >= (k ? 4 : 2) && front.n <= POINTS, "%zu", front.n);
    for (size_t i = 0; i < front.n; i++)
      for (size_t j = 0; j < front.n; j++)
        ck_assert(i == j || front.predicted[2 * i] < front.predicted[2 * j] ||
                  front.predicted[2 * i + 1] < front.predicted[2 * j + 1]);
    ck_assert(k == 0 || (front.share[0] == 0 && front.share[front.n - 1] == 1));
    json_t *json = rmx_front_json(&front, f);
    ck_assert(json_array_size(json) == front.n &&
              json_object_get(json_array_get(json, 0), "mixture"));
    json_decref(json);
    rmx_front_release(&front);
  }
  rmx_front front;
  must_fail(
      rmx_pareto(&(rmx_optimize_request){f, &q, &climb, 1, 1, NULL}, 1, 1, POINTS, &front, err),
      "two metrics");
  rmx_optimum_free(sum);
  rmx_optimum_free(worst);
  rmx_problem_release(&q);
  rmx_fit_free(f);
}
END_TEST

START_TEST(linear_programs) {
  rmx_rng rng = rmx_rng_make(10, 0, RMX_FOR_TEST);
  int solved = 0;
  for (int trial = 0; trial < 200; trial++) {
    rmx_arena arena = {0};
    rmx__lp lp;
    size_t n = 3 + rmx_rng_below(&rng, 6), m = 1 + rmx_rng_below(&rng, 3);
    must(rmx__lp_make(&lp, n, m, &arena, err));
    double inside[16], x[16], cost, alpha[16];
    for (size_t j = 0; j < n; j++) alpha[j] = 1;
    rmx_dirichlet(&rng, alpha, n, inside);
    for (size_t j = 0; j < n; j++) {
      lp.c[j] = rmx_rng_normal(&rng);
      lp.low[j] = inside[j] * rmx_rng_uniform(&rng);
      lp.high[j] = inside[j] + rmx_rng_uniform(&rng);
      lp.A[j] = 1;
    }
    lp.row_low[0] = lp.row_high[0] = 1;
    for (size_t i = 1; i < m; i++) {
      double at = 0;
      for (size_t j = 0; j < n; j++) at += (lp.A[i * n + j] = rmx_rng_normal(&rng)) * inside[j];
      lp.row_low[i] = rmx_rng_below(&rng, 2) ? -INFINITY : at - 0.1 * rmx_rng_uniform(&rng);
      lp.row_high[i] = at + 0.1 * rmx_rng_uniform(&rng);
    }
    bool feasible;
    must(rmx__lp_solve(&lp, x, &cost, &feasible, err));
    ck_assert_msg(feasible, "trial %d", trial);
    for (size_t i = 0; i < m; i++) {
      double at = 0;
      for (size_t j = 0; j < n; j++) at += lp.A[i * n + j] * x[j];
      ck_assert(at >= lp.row_low[i] - 1e-8 && at <= lp.row_high[i] + 1e-8);
    }
    // With the sum alone, filling up the cheapest first is best.
    if (m == 1) {
      double left = 1, greedy = 0;
      bool full[16] = {0};
      for (size_t j = 0; j < n; j++) {
        left -= lp.low[j];
        greedy += lp.c[j] * lp.low[j];
      }
      for (size_t k = 0; k < n; k++) {
        size_t best = n;
        for (size_t j = 0; j < n; j++)
          if (!full[j] && (best == n || lp.c[j] < lp.c[best])) best = j;
        double by = fmin(left, lp.high[best] - lp.low[best]);
        greedy += by * lp.c[best];
        left -= by;
        full[best] = true;
      }
      ck_assert_msg(fabs(greedy - cost) < 1e-9, "trial %d: %g %g", trial, greedy, cost);
      solved++;
    }
    double there = 0;  // no way from the optimum towards what is inside goes down
    for (size_t j = 0; j < n; j++) there += lp.c[j] * inside[j];
    ck_assert(cost <= there + 1e-9);
    rmx_arena_release(&arena);
  }
  ck_assert(solved > 20);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, finds_the_bottom);
  tcase_add_test(tc, simulation_keeps_the_best);
  tcase_add_test(tc, the_prior_within_the_constraints);
  tcase_add_test(tc, any_number_of_threads);
  tcase_add_test(tc, keeps_caps);
  tcase_add_test(tc, says_when_outside);
  tcase_add_test(tc, guards_by_distance);
  tcase_add_test(tc, refuses);
  tcase_add_test(tc, methods_agree);
  tcase_add_test(tc, targets);
  tcase_add_test(tc, convexity_is_established);
  tcase_add_test(tc, orders_are_reached_by_sorting_and_by_levelling);
  tcase_add_test(tc, the_gap_bounds);
  tcase_add_test(tc, many_domains);
  tcase_add_test(tc, every_constraint_is_kept);
  tcase_add_test(tc, effects_of_many_domains_begin_at_the_optimum);
  tcase_add_test(tc, nodes_and_orders_are_kept);
  tcase_add_test(tc, orders_are_checked);
  tcase_add_test(tc, clashes_are_named);
  tcase_add_test(tc, worst_case_and_front);
  tcase_add_test(tc, linear_programs);
}
