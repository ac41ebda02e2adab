// SPDX-License-Identifier: Apache-2.0
// Boosted trees: LightGBM's own text models letter for letter, its predictions, a small case
// searched by brute force, files written, read, and broken in every way.

#include <unistd.h>

#include "published.h"

static rmx_regress_options tree_options(void) {
  rmx_regress_options o = {0};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      "trees", err));
  return o;
}

static void done(rmx_regress_options *o) {
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, o);
}

static const char *scratch(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", scratch_folder, name);
  return path;
}

static char *said;
static void hear(void *context, const char *text) {
  (void)context;
  free(said);
  said = rmx_strdup(text);
}
static const rmx_listener listener = {.note = hear, .warn = hear};

START_TEST(lightgbm) {
  published p;
  if (!published_read(&p, "lightgbm", "golden/lightgbm/rounds1000_predictions_train512.csv"))
    return;
  rmx_regress_options o = tree_options();
  rmx_table golden[2];
  read_table(shared_folder(), "golden/lightgbm/rounds1000_predictions_train512.csv", &golden[0]);
  read_table(shared_folder(), "golden/lightgbm/rounds1000_predictions_unseen256.csv", &golden[1]);
  const rmx_table *X[2] = {&p.train_x, &p.unseen_x};
  for (size_t m = 0; m < (FEW_CASES ? 1 : golden[0].D); m++) {
    double *y = column_of(&p.train_y, golden[0].names[m]), *mean = calloc(512, sizeof(double));
    rmx_dataset data = {.N = 512, .D = 17, .X = p.train_x.x, .y = y, .own_domain = -1};
    rmx_regressor *r, *again;
    must(rmx_regress_fit(&o, &data, 42, NULL, &r, err));
    for (int part = 0; part < 2; part++) {
      rmx_regressor_predict(r, X[part]->x, X[part]->N, mean, NULL);
      for (size_t i = 0; i < X[part]->N; i++) {
        double off = fabs(mean[i] - golden[part].x[i * golden[part].D + m]);
        ck_assert_msg(off < 1e-12, "%s, row %zu: off by %g", golden[0].names[m], i, off);
      }
    }
    // The text is the same up to the parameters.
    char path[4096], *ours, *theirs;
    size_t n, n_theirs;
    snprintf(path, sizeof path, "%s/golden/lightgbm/rounds1000_%s.txt", shared_folder(),
             golden[0].names[m]);
    if (rmx_exists(path)) {
      must(rmx_regressor_write(r, scratch("model.txt"), err));
      must(rmx_read_file(scratch("model.txt"), &ours, &n, err));
      must(rmx_read_file(path, &theirs, &n_theirs, err));
      const char *end = strstr(theirs, "\nparameters:\n");
      ck_assert(end != NULL && n > (size_t)(end - theirs));
      ck_assert_msg(memcmp(ours, theirs, (size_t)(end - theirs)) == 0, "%s: the text differs",
                    golden[0].names[m]);
      free(ours);
      // LightGBM's file, read by us and written again, is the same to the last letter.
      must(rmx_regressor_read(path, &again, err));
      must(rmx_regressor_write(again, scratch("model.txt"), err));
      must(rmx_read_file(scratch("model.txt"), &ours, &n, err));
      ck_assert(n == n_theirs && memcmp(ours, theirs, n) == 0);
      rmx_regressor_predict(again, p.unseen_x.x, 256, mean, NULL);
      for (size_t i = 0; i < 256; i++)
        ck_assert(fabs(mean[i] - golden[1].x[i * golden[1].D + m]) < 1e-12);
      rmx_regressor_free(again);
      free(ours);
      free(theirs);
    }
    if (strcmp(golden[0].names[m], "pile_cc") == 0) {
      rmx_scores s;
      double *unseen = column_of(&p.unseen_y, "pile_cc");
      rmx_regressor_predict(r, p.unseen_x.x, 256, mean, NULL);
      rmx_score(unseen, mean, 256, &s);
      ck_assert_msg(fabs(100 * s.spearman - 99.04) < 0.005 && fabs(s.mse - 0.00271) < 5e-6,
                    "%.4f %.6f", 100 * s.spearman, s.mse);
      free(unseen);
    }
    rmx_regressor_free(r);
    free(y);
    free(mean);
  }
  rmx_table_release(&golden[0]);
  rmx_table_release(&golden[1]);
  published_release(&p);
  done(&o);
  unlink(scratch("model.txt"));
}
END_TEST

// One round, one split, full step: the split of least squared error of all there are, found by
// trying every one.
START_TEST(brute_force) {
  enum { N = 60, D = 4 };
  double X[N * D], y[N], weights[N];
  rmx_regress_options o = tree_options();
  o.trees.rounds = 1;
  o.trees.leaves = 2;
  o.trees.learning_rate = 1;
  o.trees.min_data_in_leaf = 7;
  o.trees.min_data_in_bin = 1;
  for (int weighted = 0; weighted < 2; weighted++) {
    for (uint64_t trial = 0; trial < 20; trial++) {
      rmx_rng rng = rmx_rng_make(trial, (uint64_t)weighted, RMX_FOR_TEST);
      for (int i = 0; i < N; i++) {
        for (int d = 0; d < D; d++) X[i * D + d] = (double)rmx_rng_below(&rng, 12) / 16;
        y[i] = (double)(float)(X[i * D] - X[i * D + 2] + rmx_rng_normal(&rng));
        weights[i] = weighted ? (double)(float)(0.5 + rmx_rng_uniform(&rng)) : 1;
      }
      double best = INFINITY, value[2] = {0, 0}, bound = 0;
      int domain = -1;
      for (int d = 0; d < D; d++)
        for (int cut = 0; cut < 12; cut++) {
          double sum[2] = {0}, mass[2] = {0}, error = 0;
          int n[2] = {0};
          for (int i = 0; i < N; i++) {
            int side = X[i * D + d] > (double)cut / 16;
            sum[side] += weights[i] * y[i];
            mass[side] += weights[i];
            n[side]++;
          }
          if (n[0] < 7 || n[1] < 7) continue;
          for (int i = 0; i < N; i++) {
            int side = X[i * D + d] > (double)cut / 16;
            error += weights[i] * pow(y[i] - sum[side] / mass[side], 2);
          }
          if (error < best) {
            best = error;
            domain = d;
            bound = (double)cut / 16;
            value[0] = sum[0] / mass[0];
            value[1] = sum[1] / mass[1];
          }
        }
      rmx_dataset data = {.N = N,
                          .D = D,
                          .X = X,
                          .y = y,
                          .row_weights = weighted ? weights : NULL,
                          .own_domain = -1};
      rmx_regressor *r;
      double mean[N];
      must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
      rmx_regressor_predict(r, X, N, mean, NULL);
      for (int i = 0; i < N; i++) {
        double wanted = value[X[i * D + domain] > bound];
        ck_assert_msg(fabs(mean[i] - wanted) < 1e-5, "trial %d row %d: %g, wanted %g", (int)trial,
                      i, mean[i], wanted);
      }
      rmx_regressor_free(r);
    }
  }
  done(&o);
}
END_TEST

static void make_data(size_t n, size_t D, double *X, double *y) {
  rmx_rng rng = rmx_rng_make(5, n, RMX_FOR_TEST);
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (size_t d = 0; d < D; d++)
      sum += X[i * D + d] = rmx_rng_below(&rng, 3) ? rmx_rng_uniform(&rng) : d == 0 ? 0.1 : 0;
    y[i] = 3;
    for (size_t d = 0; d < D; d++) {
      X[i * D + d] /= sum;
      y[i] -= sqrt(X[i * D + d]) * (double)d / (double)D;
    }
  }
}

START_TEST(options) {
  enum { N = 200, D = 5 };
  double X[N * D], y[N], mean[N], spread[N];
  make_data(N, D, X, y);
  rmx_dataset data = {.N = N, .D = D, .X = X, .y = y, .metric = "m", .own_domain = -1};
  rmx_regress_options o = tree_options();
  rmx_regressor *r;
  // A tree has no gradient; it has no standard deviation.
  must(rmx_regress_fit(&o, &data, 1, &listener, &r, err));
  ck_assert(!rmx_regressor_gradient(r, X, mean));
  rmx_regressor_predict(r, X, N, mean, spread);
  ck_assert(isnan(spread[0]));
  rmx_scores all, few;
  rmx_score(y, mean, N, &all);
  ck_assert_msg(all.r2 > 0.95, "r2 %g", all.r2);
  rmx_regressor_free(r);
  // Depth 1: sums of functions of one domain, so differences in one domain do not depend on
  // another.
  o.trees.max_depth = 1;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  double corner[4][D] = {{0, 0, 0, 0, 0},
                         {0.9, 0, 0, 0, 0},
                         {0, 0, 0, 0, 0.9},
                         {0.9, 0, 0, 0, 0.9}},
         at[4];
  rmx_regressor_predict(r, &corner[0][0], 4, at, NULL);
  ck_assert(fabs(at[3] - at[2] - (at[1] - at[0])) < 1e-9 && fabs(at[1] - at[0]) > 1e-6);
  rmx_regressor_free(r);
  o.trees.max_depth = -1;
  // Penalties shrink.
  o.trees.lambda_l2 = 1e9;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  rmx_regressor_predict(r, X, N, mean, NULL);
  rmx_score(y, mean, N, &few);
  ck_assert(fabs(few.r2) < 0.01);
  rmx_regressor_free(r);
  o.trees.lambda_l2 = 0;
  o.trees.lambda_l1 = 1e9;
  must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
  rmx_regressor_predict(r, X, N, mean, NULL);
  for (int i = 1; i < N; i++) ck_assert(mean[i] == mean[0]);
  rmx_regressor_free(r);
  o.trees.lambda_l1 = 0;
  // Rounds chosen inside the runs are told, and fewer bins still fit.
  o.trees.rounds = 0;
  o.trees.max_bin = 15;
  must(rmx_regress_fit(&o, &data, 1, &listener, &r, err));
  ck_assert_msg(strstr(said, "rounds of trees, by cross-validation") != NULL, "%s", said);
  rmx_regressor_predict(r, X, N, mean, NULL);
  rmx_score(y, mean, N, &all);
  ck_assert(all.r2 > 0.8);
  rmx_regressor_free(r);
  done(&o);
}
END_TEST

START_TEST(too_few_and_constant) {
  enum { N = 30, D = 3 };
  double X[N * D], y[N], mean[N], sum = 0;
  make_data(N, D, X, y);
  rmx_dataset data = {.N = N, .D = D, .X = X, .y = y, .metric = "m", .own_domain = -1};
  rmx_regress_options o = tree_options();
  rmx_regressor *r, *again;
  must(rmx_regress_fit(&o, &data, 1, &listener, &r, err));
  ck_assert_msg(strstr(said, "30 runs cannot be split into leaves of 20") != NULL, "%s", said);
  rmx_regressor_predict(r, X, N, mean, NULL);
  for (int i = 0; i < N; i++) sum += y[i] / N;
  ck_assert(fabs(mean[3] - sum) < 1e-6);
  must(rmx_regressor_write(r, scratch("one.txt"), err));
  must(rmx_regressor_read(scratch("one.txt"), &again, err));
  rmx_regressor_predict(again, X, 1, &sum, NULL);
  ck_assert(sum == mean[0]);
  rmx_regressor_free(again);
  rmx_regressor_free(r);
  o.trees.min_data_in_leaf = 2;
  for (int i = 0; i < N; i++) y[i] = 1.1;
  must(rmx_regress_fit(&o, &data, 1, &listener, &r, err));
  ck_assert_msg(strstr(said, "\"m\" is 1.1 in all 30 runs") != NULL, "%s", said);
  rmx_regressor_predict(r, X, N, mean, NULL);
  for (int i = 0; i < N; i++) ck_assert(mean[i] == 1.1);
  rmx_regressor_free(r);
  done(&o);
  unlink(scratch("one.txt"));
}
END_TEST

// A model of three trees as text.
static char *small_model(rmx_regressor **out, double *X, size_t N, size_t D, double *y,
                         size_t *size) {
  make_data(N, D, X, y);
  const char *const names[] = {"wiki en", "books", "code", "maths"};
  rmx_dataset data = {
      .N = N, .D = D, .X = X, .y = y, .domains = names, .metric = "m", .own_domain = -1};
  rmx_regress_options o = tree_options();
  char *text;
  o.trees.rounds = 3;
  must(rmx_regress_fit(&o, &data, 1, NULL, out, err));
  must(rmx_regressor_write(*out, scratch("small.txt"), err));
  must(rmx_read_file(scratch("small.txt"), &text, size, err));
  done(&o);
  return text;
}

START_TEST(round_trip) {
  enum { N = 120, D = 4 };
  double X[N * D], y[N], a[N], b[N];
  size_t size;
  rmx_regressor *r, *again;
  char *text = small_model(&r, X, N, D, y, &size);
  ck_assert(strstr(text, "feature_names=wiki_en books code maths\n") != NULL);
  must(rmx_regressor_read(scratch("small.txt"), &again, err));
  ck_assert(rmx_regressor_domains(again) == D && strcmp(rmx_regressor_name(again), "trees") == 0);
  rmx_regressor_predict(r, X, N, a, NULL);
  rmx_regressor_predict(again, X, N, b, NULL);
  ck_assert(memcmp(a, b, sizeof a) == 0);
  // Rows one by one and all at once are the same, and a weight on a threshold goes left.
  for (int i = 0; i < N; i++) {
    double one;
    rmx_regressor_predict(r, X + i * D, 1, &one, NULL);
    ck_assert(one == a[i]);
  }
  rmx_regressor_free(r);
  rmx_regressor_free(again);
  free(text);
}
END_TEST

static void try_text(const char *text, size_t size, const char *message) {
  rmx_regressor *r;
  rmx_err err;
  ck_assert_int_eq(rmx_write_file(scratch("broken.txt"), text, size, &err), RMX_OK);
  must_fail(rmx_regressor_read(scratch("broken.txt"), &r, err), message);
}

// The model with the first `from` replaced.
static void with(const char *text, const char *from, const char *to, const char *message) {
  const char *at = strstr(text, from);
  ck_assert_msg(at != NULL, "no %s", from);
  char *changed = rmx_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
  try_text(changed, strlen(changed), message);
  free(changed);
}

START_TEST(broken_files) {
  enum { N = 120, D = 4 };
  double X[N * D], y[N];
  size_t size;
  rmx_regressor *r;
  char *text = small_model(&r, X, N, D, y, &size);
  rmx_regressor_free(r);
  try_text("", 0, "broken.txt");
  try_text("tree", 4, "max_feature_idx");
  try_text("wood\n", 5, "its first line is not \"tree\"");
  const char *end = strstr(text, "end of trees");
  for (const char *cut = text; cut < end; cut += 97)
    try_text(text, (size_t)(cut - text), "broken.txt");
  with(text, "max_feature_idx=3", "max_feature_idx=99999999", "wanted 0 to 65534");
  with(text, "max_feature_idx=3", "max_feature_idx=1", "features or children are impossible");
  with(text, "max_feature_idx=3", "max_feature_idx=8", "4 words, wanted 9");
  with(text, "num_class=1", "num_class=3", "one output");
  with(text, "objective=regression", "objective=binary sigmoid:1", "objective");
  with(text, "num_cat=0", "num_cat=1", "categories");
  with(text, "is_linear=0", "is_linear=1", "linear leaves");
  with(text, "num_leaves=", "num_leaves=9999999", "broken.txt:13");
  with(text, "num_leaves=", "num_leaves=-", "broken.txt:13");
  with(text, "left_child=1", "left_child=0", "impossible");
  with(text, "left_child=1", "left_child=2", "impossible");
  with(text, "left_child=1", "left_child=99", "impossible");
  with(text, "left_child=1", "left_child=-99", "impossible");
  with(text, "split_feature=", "split_feature=7 ", "more than");
  with(text, "threshold=", "threshold=nan ", "not a number");
  with(text, "leaf_value=", "leaf_value=x ", "not a number");
  with(text, "leaf_value=", "leaf_worth=", "lacks one of");
  with(text, "decision_type=2", "decision_type=1", "categories");
  with(text, "decision_type=2", "decision_type=6", "zero as missing");
  with(text, "Tree=1", "Trunk=1", "wanted a line Tree=");
  with(text, "end of trees", "", "wanted a line Tree=");
  free(text);
  unlink(scratch("broken.txt"));
  unlink(scratch("small.txt"));
}
END_TEST

static char *fitted_text(const rmx_regress_options *o, const rmx_dataset *data, size_t *size,
                         rmx_regressor **out) {
  char *text;
  must(rmx_regress_fit(o, data, 1, NULL, out, err));
  must(rmx_regressor_write(*out, scratch("same.txt"), err));
  must(rmx_read_file(scratch("same.txt"), &text, size, err));
  return text;
}

// Rows that weigh 1 each are summed in histograms, rows without weights in lists, eight, four or
// one at a time: the same trees to the last letter and the same predictions to the last bit.
START_TEST(same_either_way) {
  enum { D = 7, MOST = 1100 };
  static const char *const levels[] = {"ref", "avx2", "avx512"};
  static const size_t sizes[] = {40, 61, 200, 511, 512, 513, MOST};
  static double X[MOST * D], y[MOST], weights[MOST], mean[2][MOST];
  for (int i = 0; i < MOST; i++) weights[i] = 1;
  for (uint64_t trial = 0; trial < (FEW_CASES ? 7 : 42); trial++) {
    const size_t N = sizes[trial % 7];
    rmx_rng rng = rmx_rng_make(trial, 3, RMX_FOR_TEST);
    for (size_t i = 0; i < N; i++) {
      y[i] = 0;
      for (size_t d = 0; d < D; d++) {  // few values, many, mostly absent, negative too
        const uint64_t levels = d < 2 ? 5 : d < 4 ? 40 : 1000000;
        X[i * D + d] =
            (double)rmx_rng_below(&rng, (uint32_t)levels) / (double)levels - (d == 3 ? 0.5 : 0);
        if (d > 4 && rmx_rng_below(&rng, 10)) X[i * D + d] = 0;
        y[i] += X[i * D + d] * (double)d;
      }
      y[i] += rmx_rng_normal(&rng);
      if (trial % 5 == 4) y[i] = rint(y[i]);  // many ties
    }
    // Sums that double cannot hold: lists do not do, and this is seen.
    if (trial % 6 == 5) y[0] = 1e12, y[1] = -1e12, y[2] = 1e-13;
    rmx_regress_options o = tree_options();
    o.trees.rounds = 20;
    o.trees.leaves = trial % 3 ? 31 : 60;
    o.trees.min_data_in_leaf = trial % 2 ? 20 : trial % 8 ? 17 : 5;
    o.trees.lambda_l2 = trial % 4 == 1 ? 3 : 0;
    o.trees.min_gain = trial % 4 == 2 ? 0.1 : 0;
    o.trees.max_depth = trial % 4 == 3 ? 4 : -1;
    o.trees.max_bin = trial % 3 == 1 ? 20 : 255;
    rmx_dataset data = {.N = N, .D = D, .X = X, .y = y, .row_weights = weights, .own_domain = -1};
    size_t size, size_here;
    rmx_regressor *r, *here;
    char *text = fitted_text(&o, &data, &size, &r);
    data.row_weights = NULL;
    for (int level = 0; level < 3; level++) {
      setenv("REGMIX_ISA", levels[level], 1);
      char *again = fitted_text(&o, &data, &size_here, &here);
      ck_assert_msg(size == size_here && memcmp(text, again, size) == 0,
                    "trial %d, %zu rows, %s: other trees", (int)trial, N, levels[level]);
      const double kept = X[trial];
      X[trial] = NAN;
      for (size_t i = 0; i < N; i++) rmx_regressor_predict(r, X + i * D, 1, &mean[0][i], NULL);
      rmx_regressor_predict(here, X, N, mean[1], NULL);
      ck_assert_msg(memcmp(mean[0], mean[1], N * sizeof(double)) == 0,
                    "trial %d, %s: other predictions", (int)trial, levels[level]);
      X[trial] = kept;
      unsetenv("REGMIX_ISA");
      rmx_regressor_free(here);
      free(again);
    }
    rmx_regressor_free(r);
    free(text);
    done(&o);
  }
  unlink(scratch("same.txt"));
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, same_either_way);
  tcase_add_test(tc, lightgbm);
  tcase_add_test(tc, brute_force);
  tcase_add_test(tc, options);
  tcase_add_test(tc, too_few_and_constant);
  tcase_add_test(tc, round_trip);
  tcase_add_test(tc, broken_files);
}
