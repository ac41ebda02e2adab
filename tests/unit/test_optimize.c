// SPDX-License-Identifier: Apache-2.0
// Both methods find the optimum of functions whose optimum is known, agree, give the same bits on
// any number of threads, and say when they have left what the runs covered.
#include <unistd.h>

#include "base/json.h"
#include "listening.h"
#include "optimize/search.h"
#include "optimum_asks.h"

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

static void cap_all(rmx_problem *q, const rmx_fit *f, const double *cap) {
  must(rmx_constraints_caps(&q->constraints, cap, "the cap of %s", (const char *const *)f->domains,
                            err));
}

static double away(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t d = 0; d < n; d++) sum += fabs(a[d] - b[d]) / 2;
  return sum;
}

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

static void add_tests(TCase *tc) {
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
}
