// SPDX-License-Identifier: Apache-2.0
// Gaussian processes that share: totals of domains by their names, clusters of metrics, a better
// fit of few runs than alone, its file, threads, and errors out of fold that are honest.

#include "regress/gp/pool.h"
#include "regress/gp/shared.h"

#include "regress/fit.h"
#include "regress/registry.h"
#include "smooth.h"

enum { D = 12, M = 12, N = 40, MORE = 300 };
static const char *const names[D] = {"web:art", "web:law", "web:code", "web:food",
                                     "pdf:art", "pdf:law", "pdf:code", "pdf:food",
                                     "books",   "wiki",    "news",     "mail"};

START_TEST(totals) {
  rmx__features f;
  must(rmx__features_by_name(names, D, &f, err));
  ck_assert_uint_eq(f.Q, 6);  // web, pdf, art, law, code, food
  double w[D], slope[D + 6] = {0};
  for (size_t d = 0; d < D; d++) w[d] = (double)(d + 1);
  static const double wanted[6] = {10, 26, 6, 8, 10, 12};
  for (size_t q = 0; q < 6; q++) ck_assert(rmx__feature(&f, w, D + q) == wanted[q]);
  for (size_t q = 0; q < 6; q++) slope[D + q] = pow(10, (double)q);
  rmx__features_slope(&f, slope);
  ck_assert(slope[0] == 101 && slope[5] == 1010 && slope[8] == 0);
  rmx__features_release(&f);
  const char *const all[] = {"x:a", "x:b"};  // a node of all domains is always 1
  must(rmx__features_by_name(all, 2, &f, err));
  ck_assert_uint_eq(f.Q, 0);
  rmx__features_release(&f);
}
END_TEST

START_TEST(clusters) {
  enum { RUNS = 50, METRICS = 9 };
  double Y[RUNS * METRICS];
  size_t cluster[METRICS];
  bool turned[METRICS] = {false};
  rmx_rng rng = rmx_rng_make(4, 0, RMX_FOR_TEST);
  turned[7] = true;
  for (size_t i = 0; i < RUNS; i++) {
    double of[3];
    for (size_t k = 0; k < 3; k++) of[k] = rmx_rng_normal(&rng);
    for (size_t m = 0; m < METRICS; m++)
      Y[i * METRICS + m] =
          (m == 7 ? -5 : 2) * (of[m % 3] + 0.3 * rmx_rng_normal(&rng)) + 10 * (double)m;
  }
  must(rmx__cluster_metrics(Y, turned, RUNS, METRICS, 3, 1, cluster, err));
  for (size_t m = 0; m < METRICS; m++) ck_assert_uint_eq(cluster[m], cluster[m % 3]);
  ck_assert(cluster[0] != cluster[1] && cluster[1] != cluster[2] && cluster[0] != cluster[2]);
}
END_TEST

// Metrics of two kinds: the first wants code, wherever it comes from, the second wants the web.
static double loss(const double *w, size_t m) {
  double code = w[2] + w[6], web = w[0] + w[1] + w[3], other = w[8 + m % 4];
  double good = m % 2 ? code : web;
  return 3 - sqrt(good + 0.02) - 0.2 * sqrt(other + 0.05) + 0.02 * (double)m * good;
}

static void make_tables(size_t rows, uint64_t seed, rmx_table *X, rmx_table *Y) {
  rmx_rng rng = rmx_rng_make(seed, 0, RMX_FOR_TEST);
  must(rmx_table_make(X, "run", rows, D, err));
  must(rmx_table_make(Y, "run", rows, M, err));
  for (size_t d = 0; d < D; d++) X->names[d] = rmx_strdup(names[d]);
  for (size_t m = 0; m < M; m++) Y->names[m] = rmx_format("task%zu_loss", m);
  for (size_t i = 0; i < rows; i++) {
    double alpha[D], *w = X->x + i * D;
    for (size_t d = 0; d < D; d++) alpha[d] = 0.4;
    rmx_dirichlet(&rng, alpha, D, w);
    X->ids[i] = rmx_format("r%zu", i);
    Y->ids[i] = rmx_format("r%zu", i);
    for (size_t m = 0; m < M; m++) Y->x[i * M + m] = loss(w, m) + 0.08 * rmx_rng_normal(&rng);
  }
}

static rmx_fit *fit_by(const char *regressor, int threads, const rmx_table *X, const rmx_table *Y) {
  rmx_regress_options o = options_for(regressor);
  rmx_fit *f = NULL;
  must(rmx_fit_tables(&(rmx_fit_tables_request){.options = &o,
                                                .mixtures = X,
                                                .metrics = Y,
                                                .seed = 3,
                                                .threads = threads,
                                                .listener = &listener},
                      &f, err));
  options_done(&o);
  return f;
}

// The root of 1 - R2 on other runs, mean over metrics; out of fold too.
static double error_of(const rmx_fit *f, const rmx_table *X, const rmx_table *Y, double *folds) {
  rmx_scores scores[M], mean;
  double sum = 0;
  *folds = 0;
  must(rmx_fit_score_tables(f, X, Y, NULL, scores, &mean, NULL, err));
  for (size_t m = 0; m < M; m++) {
    sum += sqrt(1 - scores[m].r2) / M;
    *folds += sqrt(1 - rmx_fit_cv(f, m)->r2) / M;
  }
  return sum;
}

START_TEST(better_than_alone) {
  rmx_table X, Y, tx, ty;
  make_tables(N, 1, &X, &Y);
  make_tables(MORE, 2, &tx, &ty);
  forget();
  rmx_fit *shared = fit_by("shared", 1, &X, &Y), *again = fit_by("shared", 2, &X, &Y),
          *alone = fit_by("gp", 2, &X, &Y), *chosen = fit_by("auto", 2, &X, &Y);
  ck_assert_msg(strstr(said, "12 metrics share the lengths and warps") != NULL, "%s", said);
  double folds, ignored, error = error_of(shared, &tx, &ty, &folds),
                         own = error_of(alone, &tx, &ty, &ignored),
                         best = error_of(chosen, &tx, &ty, &ignored);
  ck_assert_msg(error < 0.9 * own, "shared %g, alone %g", error, own);
  ck_assert_msg(best < 0.9 * own, "auto %g, alone %g", best, own);
  ck_assert_msg(folds > 0.7 * error && folds < 1.6 * error, "%g out of fold, %g", folds, error);
  for (size_t m = 0; m < M; m++) {
    double a[MORE], b[MORE];
    rmx_regressor_predict(shared->regressors[m], tx.x, MORE, a, NULL);
    rmx_regressor_predict(again->regressors[m], tx.x, MORE, b, NULL);
    ck_assert(memcmp(a, b, sizeof a) == 0);
    gradient_holds(shared->regressors[m], D, 1e-5);
    file_holds(shared->regressors[m], D);
  }
  rmx_fit_free(shared);
  rmx_fit_free(again);
  rmx_fit_free(alone);
  rmx_fit_free(chosen);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  rmx_table_release(&tx);
  rmx_table_release(&ty);
  forget();
}
END_TEST

// The process of metric m of f, which begins with the parameters of metric `like`.
static rmx_regressor *process_like(const rmx_fit *f, size_t m, size_t like, int steps) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  const rmx__process *p = f->regressors[like]->state;
  rmx_dataset data;
  rmx_regressor *r;
  must(rmx__fit_dataset(f, m, &arena, &data, err));
  must(rmx__gp_shared(&data, &p->features, p->theta, p->amplitude, steps, &r, err));
  return r;
}

// The error of a fit of metric m on other runs, which have no noise.
static double error_at(const rmx_regressor *r, const rmx_table *X, size_t m) {
  double y[MORE], square = 0;
  rmx_regressor_predict(r, X->x, MORE, y, NULL);
  for (size_t i = 0; i < MORE; i++) {
    const double off = y[i] - loss(X->x + i * D, m);
    square += off * off / MORE;
  }
  return sqrt(square);
}

// A few steps bring the parameters of another metric nearer to this one, but not far away.
START_TEST(steps_of_its_own) {
  rmx_table X, Y, tx, ty;
  make_tables(N, 1, &X, &Y);
  make_tables(MORE, 2, &tx, &ty);
  rmx_fit *f = fit_by("shared", 2, &X, &Y);
  for (size_t m = 0; m < 2; m++) {
    rmx_regressor *as_is = process_like(f, m, !m, 0), *nearer = process_like(f, m, !m, 12);
    const rmx__process *a = as_is->state, *b = nearer->state;
    double most = 0;
    for (size_t k = 0; k < GP_N_PARAMETERS(a->F); k++)
      most = fmax(most, fabs(a->theta[k] - b->theta[k]));
    ck_assert_msg(most > 0.1 && most < 2, "moved by %g", most);
    const double before = error_at(as_is, &tx, m), after = error_at(nearer, &tx, m);
    ck_assert_msg(after < before, "%g, before %g", after, before);
    rmx_regressor_free(as_is);
    rmx_regressor_free(nearer);
  }
  rmx_fit_free(f);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  rmx_table_release(&tx);
  rmx_table_release(&ty);
  forget();
}
END_TEST

// A weighted sum of all metrics at once, among them one of another kind, is what one by one gives.
START_TEST(evaluated_together) {
  rmx_table X, Y;
  make_tables(N, 1, &X, &Y);
  rmx_fit *f = fit_by("shared", 2, &X, &Y), *other = fit_by("ridge", 2, &X, &Y);
  for (size_t m = 3; m < M; m++) {  // three sets of lengths, each of four metrics
    rmx_regressor *alike = process_like(f, m, m % 3, 0);
    rmx_regressor_free(f->regressors[m]);
    f->regressors[m] = alike;
  }
  rmx_regressor *of_shared = f->regressors[3];
  f->regressors[3] = other->regressors[3];
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  rmx__pool p;
  size_t used[M - 1];
  double weight[M], y[M], g[D];
  for (size_t m = 0; m < M; m++) {
    weight[m] = m % 3 ? (double)m : -0.5;
    if (m) used[m - 1] = m;
    y[m] = 7;
  }
  must(rmx__pool_make(f->regressors, used, M - 1, &arena, &p, err));
  ck_assert_msg(p.n == M - 1 && p.groups > 1 && p.groups < M - 1, "%zu groups", p.groups);
  for (size_t i = 0; i < N; i += 7) {
    const double *w = X.x + i * D;
    double sum[D] = {0}, mean[M], one[D];
    ck_assert(rmx__pool_evaluate(&p, w, weight, mean, NULL));
    ck_assert(rmx__pool_evaluate(&p, w, weight, y, g) && y[0] == 7);
    for (size_t m = 1; m < M; m++) {
      double value;
      ck_assert(rmx__regressor_evaluate(f->regressors[m], w, &value, one));
      ck_assert(fabs(value - y[m]) < 1e-9 && mean[m] == y[m]);
      for (size_t d = 0; d < D; d++) sum[d] += weight[m] * one[d];
    }
    for (size_t d = 0; d < D; d++)
      ck_assert_msg(fabs(sum[d] - g[d]) < 1e-8 * (1 + fabs(g[d])), "%g %g", sum[d], g[d]);
  }
  f->regressors[3] = of_shared;
  rmx_fit_free(f);
  rmx_fit_free(other);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  forget();
}
END_TEST

// A metric with a gap is fitted alone, a constant one too; a single one may be asked for.
START_TEST(alone_where_it_must) {
  rmx_table X, Y;
  make_tables(N, 5, &X, &Y);
  Y.x[7 * M + 2] = NAN;
  for (size_t i = 0; i < N; i++) Y.x[i * M + 4] = 2;
  rmx_regress_options o = options_for("shared");
  o.skip_missing = true;
  rmx_fit *f = NULL;
  forget();
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .seed = 3, .listener = &listener},
      &f, err));
  ck_assert_msg(strstr(said, "10 metrics share") != NULL, "%s", said);
  for (size_t m = 0; m < M; m++) ck_assert(m == 4 || rmx_fit_cv(f, m)->r2 > 0.1);
  rmx_fit_free(f);
  options_done(&o);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  forget();
}
END_TEST

// How the columns of the metrics are ordered is no property of them.
START_TEST(any_order_of_metrics) {
  rmx_table X, Y;
  make_tables(N, 6, &X, &Y);
  rmx_fit *f = fit_by("shared", 1, &X, &Y);
  for (size_t m = 0; m < M / 2; m++) {
    char *name = Y.names[m];
    Y.names[m] = Y.names[M - 1 - m];
    Y.names[M - 1 - m] = name;
    for (size_t i = 0; i < N; i++) {
      const double y = Y.x[i * M + m];
      Y.x[i * M + m] = Y.x[i * M + M - 1 - m];
      Y.x[i * M + M - 1 - m] = y;
    }
  }
  rmx_fit *reversed = fit_by("shared", 1, &X, &Y);
  for (size_t m = 0; m < M; m++)
    ck_assert_double_eq(rmx_fit_cv(f, m)->r2, rmx_fit_cv(reversed, M - 1 - m)->r2);
  rmx_fit_free(f);
  rmx_fit_free(reversed);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  forget();
}
END_TEST

// One metric that depends on totals of the tree alone. Without the names it is hard to learn.
START_TEST(one_metric_of_a_tree) {
  enum { TREE = 6, LEAVES = 6, WIDE = TREE * LEAVES, RUNS = 36 };
  double error[2] = {0};
  for (int named = 0; named < 2; named++) {
    rmx_table X, Y;
    rmx_rng rng = rmx_rng_make(8, 0, RMX_FOR_TEST);
    must(rmx_table_make(&X, "run", RUNS, WIDE, err));
    must(rmx_table_make(&Y, "run", RUNS, 1, err));
    Y.names[0] = rmx_strdup("a_loss");
    for (size_t d = 0; d < WIDE; d++)
      X.names[d] = rmx_format(named ? "s%zu:t%zu" : "s%zut%zu", d / LEAVES, d);
    for (size_t i = 0; i < RUNS; i++) {
      double alpha[WIDE], total[TREE] = {0}, *w = X.x + i * WIDE;
      for (size_t d = 0; d < WIDE; d++) alpha[d] = 0.1;
      rmx_dirichlet(&rng, alpha, WIDE, w);
      for (size_t d = 0; d < WIDE; d++) total[d / LEAVES] += w[d];
      X.ids[i] = rmx_format("r%zu", i);
      Y.ids[i] = rmx_format("r%zu", i);
      Y.x[i] = 3 - total[0] - sqrt(total[1] + 0.01) + total[2] * total[2];
    }
    rmx_fit *f = fit_by("auto", 2, &X, &Y);
    ck_assert(named == (strstr(said, "the totals of 6 nodes of the tree") != NULL));
    error[named] = sqrt(1 - fmin(rmx_fit_cv(f, 0)->r2, 1));
    rmx_fit_free(f);
    rmx_table_release(&X);
    rmx_table_release(&Y);
    forget();
  }
  ck_assert_msg(error[1] < 0.6 * error[0], "%g with the tree, %g without", error[1], error[0]);
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, totals);
  tcase_add_test(tc, clusters);
  tcase_add_test(tc, better_than_alone);
  tcase_add_test(tc, steps_of_its_own);
  tcase_add_test(tc, evaluated_together);
  tcase_add_test(tc, alone_where_it_must);
  tcase_add_test(tc, any_order_of_metrics);
  tcase_add_test(tc, one_metric_of_a_tree);
}
