// SPDX-License-Identifier: Apache-2.0
// Runs of several sizes and lengths: a known function of mixture, size and tokens, fitted at two
// sizes and judged at a third.

#include "regress/registry.h"
#include "regress/scales.h"
#include "smooth.h"

enum { D = 4, MIXTURES = 30, LENGTHS = 4 };
static const double SIZES[] = {5e7, 1.2e8}, TARGET = 4e8;
static double noise = 0.001;  // of the runs
static double bend;           // what the level of larger models has beside its law
static const double *anchor;  // the mixture of the anchors, or NULL: one of the swarm's

// Its best mixture moves with the size: domain 2 helps larger models more.
static double truth(const double *w, double size, double tokens) {
  const double level = 1.8 + 0.4 * pow(size / 1e8, -0.3) + 0.5 * pow(tokens / 1e10, -0.4) +
                       (size > SIZES[1] ? bend : 0);
  return level + 0.3 * pow(0.05 + w[0] + 0.3 * w[1], -0.3) -
         (0.2 + 0.05 * log(size / 1e8)) * sqrt(w[2]);
}

// anchors: further runs at the target size. sizes: how many of SIZES.
static rmx_table a_table(size_t sizes, size_t anchors) {
  rmx_table t = {0};
  const size_t N = (MIXTURES * sizes + anchors) * LENGTHS;
  double X[MIXTURES * D];
  some_mixtures(X, MIXTURES, D, 7);
  rmx_rng rng = rmx_rng_make(3, 5, RMX_FOR_TEST);
  must(rmx_table_make(&t, "run", N, D + 1, err));
  t.sizes = calloc(N, sizeof(double));
  t.tokens = calloc(N, sizeof(double));
  for (size_t i = 0; i < N; i++) {
    const size_t run = i / LENGTHS;
    const double *w = run >= MIXTURES * sizes && anchor ? anchor : X + run % MIXTURES * D;
    t.ids[i] = rmx_format("r%zu", i);
    t.sizes[i] = run < MIXTURES * sizes ? SIZES[run / MIXTURES] : TARGET;
    t.tokens[i] = 5e9 * (double)(i % LENGTHS + 1);
    memcpy(t.x + i * (D + 1), w, D * sizeof(double));
    t.x[i * (D + 1) + D] = truth(w, t.sizes[i], t.tokens[i]) + noise * rmx_rng_normal(&rng);
  }
  for (size_t d = 0; d <= D; d++) t.names[d] = rmx_format(d < D ? "w%zu" : "a_loss", d);
  return t;
}

// The first or the last columns of a table, which is released.
static rmx_table part(const rmx_table *t, size_t from, size_t to) {
  rmx_table out = {0};
  must(rmx_table_make(&out, "run", t->N, to - from, err));
  for (size_t i = 0; i < t->N; i++) {
    out.ids[i] = rmx_strdup(t->ids[i]);
    memcpy(out.x + i * (to - from), t->x + i * t->D + from, (to - from) * sizeof(double));
  }
  for (size_t d = from; d < to; d++) out.names[d - from] = rmx_strdup(t->names[d]);
  return out;
}

static rmx_fit *fit_of(const char *regressor, size_t sizes, size_t anchors) {
  rmx_table t = a_table(sizes, anchors), mixtures = part(&t, 0, D), metrics = part(&t, D, D + 1);
  rmx_regress_options o = options_for(regressor);
  rmx_fit *f = NULL;
  metrics.sizes = t.sizes;
  metrics.tokens = t.tokens;
  t.sizes = t.tokens = NULL;
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = &mixtures,
                                                .metrics = &metrics,
                                                .size_column = "size",
                                                .tokens_column = "tokens",
                                                .seed = 1,
                                                .threads = 1,
                                                .listener = &listener},
                      &f, err));
  rmx_table_release(&t);
  rmx_table_release(&mixtures);
  rmx_table_release(&metrics);
  options_done(&o);
  return f;
}

// Error of the level and rank correlation on new mixtures at a scale; the mean stated sd.
static void judge(rmx_fit *f, rmx_scale at, double *level, double *rank, double *sd) {
  enum { NEW = 60 };
  double X[NEW * D], y[NEW], p[NEW], s[NEW];
  some_mixtures(X, NEW, D, 99);
  rmx__regressor_set_scale(f->regressors[0], at);
  rmx_regressor_predict(f->regressors[0], X, NEW, p, s);
  *level = *sd = 0;
  for (int i = 0; i < NEW; i++) {
    y[i] = truth(X + i * D, at.size, at.tokens);
    *level += (p[i] - y[i]) / NEW;
    *sd += s[i] / NEW;
  }
  *rank = rmx_spearman(y, p, NEW);
}

START_TEST(a_third_size_is_predicted) {
  rmx_fit *f = fit_of("scaling", 2, 0), *with_anchor = fit_of("scaling", 2, 2);
  double level, rank, sd, near_level, near_rank, near_sd, anchored, ignored, anchored_sd;
  judge(f, (rmx_scale){SIZES[1], 2e10}, &near_level, &near_rank, &near_sd);
  judge(f, (rmx_scale){TARGET, 2e10}, &level, &rank, &sd);
  judge(with_anchor, (rmx_scale){TARGET, 2e10}, &anchored, &ignored, &anchored_sd);
  ck_assert_double_gt(near_rank, 0.98);
  ck_assert_double_gt(rank, 0.97);
  ck_assert_double_lt(fabs(near_level), 0.01);
  ck_assert_double_lt(fabs(level), 3 * sd);
  ck_assert_double_gt(sd, 1.5 * near_sd);  // the interval widens with the distance
  ck_assert_double_lt(fabs(anchored), 0.01);
  ck_assert_double_lt(anchored_sd, sd);
  ck_assert_double_gt(rmx_fit_cv(f, 0)->spearman, 0.97);
  ck_assert_uint_eq(rmx_fit_cv(f, 0)->n, MIXTURES);  // the largest size at its last length
  rmx_fit_free(f);
  rmx_fit_free(with_anchor);
  forget();
}
END_TEST

// Root mean square error on new mixtures at the target, and the share inside 90 % intervals.
static void judge_values(rmx_fit *f, double *rmse, double *covered) {
  enum { NEW = 60 };
  double X[NEW * D], p[NEW], s[NEW], square = 0;
  some_mixtures(X, NEW, D, 99);
  rmx__regressor_set_scale(f->regressors[0], (rmx_scale){TARGET, 2e10});
  rmx_regressor_predict(f->regressors[0], X, NEW, p, s);
  *covered = 0;
  for (int i = 0; i < NEW; i++) {
    const double off = p[i] - truth(X + i * D, TARGET, 2e10);
    square += off * off / NEW;
    *covered += (fabs(off) < 1.645 * s[i]) / (double)NEW;
  }
  *rmse = sqrt(square);
}

// A run of a new mixture at the target tells how its level differs from the law, less what the
// mixture differs from the others: an honest run does no harm and repairs a law that is wrong.
START_TEST(a_run_of_a_new_mixture_corrects_the_level) {
  enum { ANCHORS = 6 };
  static const double lone[ANCHORS][D] = {{0.05, 0.05, 0.1, 0.8},   {0.7, 0.1, 0.1, 0.1},
                                          {0.25, 0.25, 0.25, 0.25}, {0.05, 0.05, 0.85, 0.05},
                                          {0.03, 0.7, 0.02, 0.25},  {0.4, 0.1, 0.4, 0.1}};
  bend = _i ? 0.1 : 0;
  rmx_fit *f = fit_of("scaling", 2, 0);
  double without, with, covered, share = 0;
  judge_values(f, &without, &covered);
  const double mse = rmx_fit_cv(f, 0)->mse;
  rmx_fit_free(f);
  for (size_t k = 0; k < ANCHORS; k++) {
    anchor = lone[k];
    f = fit_of("scaling", 2, 1);
    judge_values(f, &with, &covered);
    ck_assert_double_lt(with, _i ? 0.4 * without : without + 0.004);
    ck_assert_double_lt(rmx_fit_cv(f, 0)->mse, 1.2 * mse);
    share += covered / ANCHORS;
    rmx_fit_free(f);
  }
  ck_assert_double_gt(share, _i ? 0.75 : 0.85);
  anchor = NULL;
  bend = 0;
  forget();
}
END_TEST

static const char *const kinds[] = {"scaling", "additive-law", "full-law"};

// A step of a third is small, but what a size is worth is not known so well.
START_TEST(a_near_size_is_not_a_measured_one) {
  rmx_fit *f = fit_of("scaling", 2, 0);
  double level, rank, there, near;
  judge(f, (rmx_scale){SIZES[1], 2e10}, &level, &rank, &there);
  judge(f, (rmx_scale){SIZES[1] * 1.3, 2e10}, &level, &rank, &near);
  const double slope = 0.4 * 0.3 * pow(SIZES[1] / 1e8, -0.3);
  ck_assert_double_gt(near * near - there * there, 0.05 * 0.05 * slope * slope);
  rmx_fit_free(f);
}
END_TEST

// Of noisy runs whose sizes are near each other the slopes are not known, and so not what a third
// size changes.
START_TEST(the_doubt_has_what_the_slopes_leave_unknown) {
  double doubts[2];
  const double form = hypot(0.075, 0.08 * log(10 * TARGET / SIZES[1]));
  for (int k = 0; k < 2; k++) {
    noise = k ? 0.02 : 0.001;
    rmx_fit *f = fit_of("scaling", 2, 0);
    rmx_regressor *r = f->regressors[0];
    rmx__regressor_set_scale(r, (rmx_scale){SIZES[1], 2e10});
    ck_assert_double_eq_tol(rmx__regressor_doubt(r), 0.075, 1e-9);
    rmx__regressor_set_scale(r, (rmx_scale){10 * TARGET, 2e10});
    doubts[k] = rmx__regressor_doubt(r);
    rmx_fit_free(f);
  }
  noise = 0.001;
  ck_assert_double_gt(doubts[0], form);
  ck_assert_double_gt(doubts[1], 1.05 * doubts[0]);
}
END_TEST

START_TEST(the_gradient_is_the_slope) {
  rmx_fit *f = fit_of(kinds[_i], 2, 0);
  const double w[D] = {0.2, 0.3, 0.1, 0.4}, step = 1e-6;
  double g[D];
  rmx__regressor_set_scale(f->regressors[0], (rmx_scale){TARGET, 3e10});
  ck_assert(rmx_regressor_gradient(f->regressors[0], w, g));
  for (int d = 0; d < D; d++) {
    double up[D], down[D], high, low;
    memcpy(up, w, sizeof up);
    memcpy(down, w, sizeof down);
    up[d] += step;
    down[d] -= step;
    rmx_regressor_predict(f->regressors[0], up, 1, &high, NULL);
    rmx_regressor_predict(f->regressors[0], down, 1, &low, NULL);
    ck_assert_double_eq_tol(g[d], (high - low) / (2 * step), 1e-5);
  }
  rmx_fit_free(f);
  forget();
}
END_TEST

START_TEST(the_file_holds_it_all) {
  char folder[64];
  rmx_fit *f = fit_of(kinds[_i], 2, 1), *again = NULL;
  snprintf(folder, sizeof folder, "%s/fit-%d", scratch_folder, _i);
  must(rmx_fit_write(f, folder, NULL, err));
  must(rmx_fit_read(folder, &again, err));
  ck_assert_str_eq(rmx_fit_size_column(again), "size");
  ck_assert_str_eq(rmx_fit_tokens_column(again), "tokens");
  const rmx_scale at[] = {{TARGET, 2e10}, {SIZES[0], 1e10}, {1e9, 1e11}, {7e7, 1.3e10}};
  for (size_t k = 0; k < sizeof at / sizeof *at; k++) {
    double w[D] = {0.25, 0.25, 0.3, 0.2}, mean[2], sd[2];
    rmx__regressor_set_scale(f->regressors[0], at[k]);
    rmx__regressor_set_scale(again->regressors[0], at[k]);
    rmx_regressor_predict(f->regressors[0], w, 1, &mean[0], &sd[0]);
    rmx_regressor_predict(again->regressors[0], w, 1, &mean[1], &sd[1]);
    ck_assert_double_eq_tol(mean[0], mean[1], 1e-9);
    ck_assert_double_eq_tol(sd[0], sd[1], 1e-9);
  }
  rmx_fit_free(f);
  rmx_fit_free(again);
  must(rmx_remove_tree(folder, err));
  forget();
}
END_TEST

START_TEST(a_fit_at_one_scale_has_a_run_for_each_mixture) {
  rmx_fit *f = fit_of("scaling", 2, 0);
  rmx_err err;
  ck_assert_uint_eq(rmx_fit_n_runs(f), 2 * MIXTURES * LENGTHS);
  ck_assert_int_eq(rmx_fit_for(f, (rmx_scale){-1, 2e10}, &err), RMX_EUSAGE);
  must(rmx_fit_for(f, (rmx_scale){TARGET, 2e10}, err));
  ck_assert_uint_eq(rmx_fit_n_runs(f), MIXTURES);
  ck_assert(!rmx_fit_has_scales(f));
  for (size_t i = 0; i < f->N; i++)
    ck_assert_double_eq_tol(f->truth[i], truth(f->runs + i * D, TARGET, 2e10), 0.06);
  ck_assert_int_eq(rmx_fit_for(f, (rmx_scale){TARGET, 2e10}, &err), RMX_EUSAGE);
  rmx_fit_free(f);
  forget();
}
END_TEST

// The fold of the only run of a size knows nothing of its level, so its error is not counted.
START_TEST(the_level_of_a_lone_anchor_is_no_error) {
  rmx_fit *f = fit_of("scaling", 2, 1);
  must(rmx_fit_for(f, (rmx_scale){TARGET, 2e10}, err));
  size_t unknown = 0;
  for (size_t i = 0; i < f->N; i++) unknown += isnan(f->out_of_fold[i]);
  ck_assert_uint_eq(unknown, 1);
  rmx_fit_free(f);
  f = fit_of("scaling", 2, 8);
  must(rmx_fit_for(f, (rmx_scale){TARGET, 2e10}, err));
  for (size_t i = 0; i < f->N; i++) ck_assert(isfinite(f->out_of_fold[i]));
  rmx_fit_free(f);
  forget();
}
END_TEST

START_TEST(auto_weighs_left_out_mixtures_and_sizes) {
  rmx_fit *f = fit_of("auto", 2, 0);
  const json_t *choice = f->regressors[0]->choice;
  const char *chosen = json_string_value(json_object_get(choice, "chosen"));
  ck_assert_str_eq(chosen, rmx_regressor_name(f->regressors[0]));
  ck_assert_double_eq(json_number_value(json_object_get(choice, "left_out_size")), SIZES[1]);
  for (size_t k = 0; k < 3; k++) {
    ck_assert(json_is_real(json_object_get(json_object_get(choice, "rmse"), kinds[k])));
    ck_assert(
        json_is_real(json_object_get(json_object_get(choice, "rmse_left_out_size"), kinds[k])));
  }
  ck_assert_double_gt(rmx_fit_cv(f, 0)->spearman, 0.97);
  rmx_fit_free(f);
  forget();
}
END_TEST

START_TEST(laws_rank_a_third_size) {
  rmx_fit *f = fit_of(kinds[_i], 2, 0);
  double level, rank, sd;
  judge(f, (rmx_scale){TARGET, 2e10}, &level, &rank, &sd);
  ck_assert_double_gt(rank, 0.9);
  ck_assert_double_lt(fabs(level), 0.1);
  rmx_fit_free(f);
  forget();
}
END_TEST

// An interval for a larger model is wider, also where the law itself is the same for all sizes.
START_TEST(laws_doubt_what_they_cannot_see) {
  rmx_fit *f = fit_of(kinds[_i], 2, 0);
  rmx_regressor *r = f->regressors[0];
  double near, far, farther;
  rmx__regressor_set_scale(r, (rmx_scale){SIZES[1], 2e10});
  near = rmx__regressor_doubt(r);
  rmx__regressor_set_scale(r, (rmx_scale){TARGET, 2e10});
  far = rmx__regressor_doubt(r);
  rmx__regressor_set_scale(r, (rmx_scale){10 * TARGET, 2e10});
  farther = rmx__regressor_doubt(r);
  ck_assert_double_gt(near, 0.05);
  ck_assert_double_gt(far, 1.5 * near);
  ck_assert_double_gt(farther, 1.5 * far);
  rmx_fit_free(f);
  forget();
}
END_TEST

START_TEST(other_regressors_refuse_scales) {
  const char *const others[] = {"ridge", "gp", "power"};
  for (size_t k = 0; k < 3; k++) {
    const double X[] = {0.5, 0.5, 0.2, 0.8, 0.9, 0.1}, y[] = {1, 2, 3};
    const rmx_scale scales[] = {{1e6, 1e9}, {1e6, 1e9}, {2e6, 1e9}};
    const rmx_dataset data = {.N = 3, .D = 2, .X = X, .y = y, .own_domain = -1, .scales = scales};
    rmx_regress_options o = options_for(others[k]);
    rmx_regressor *r = NULL;
    rmx_err err;
    ck_assert_int_eq(rmx_regress_fit(&o, &data, 1, NULL, &r, &err), RMX_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.message, "scaling"));
    options_done(&o);
  }
}
END_TEST

static void add_tests(TCase *t) {
  tcase_add_test(t, a_third_size_is_predicted);
  tcase_add_loop_test(t, a_run_of_a_new_mixture_corrects_the_level, 0, 2);
  tcase_add_test(t, a_near_size_is_not_a_measured_one);
  tcase_add_test(t, the_doubt_has_what_the_slopes_leave_unknown);
  tcase_add_loop_test(t, the_gradient_is_the_slope, 0, 3);
  tcase_add_loop_test(t, the_file_holds_it_all, 0, 3);
  tcase_add_loop_test(t, laws_rank_a_third_size, 1, 3);
  tcase_add_loop_test(t, laws_doubt_what_they_cannot_see, 1, 3);
  tcase_add_test(t, the_level_of_a_lone_anchor_is_no_error);
  tcase_add_test(t, auto_weighs_left_out_mixtures_and_sizes);
  tcase_add_test(t, a_fit_at_one_scale_has_a_run_for_each_mixture);
  tcase_add_test(t, other_regressors_refuse_scales);
}
