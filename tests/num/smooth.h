// SPDX-License-Identifier: Apache-2.0
// What every smooth regressor must keep: its gradient, its file, sense with few runs, the same fit
// on any number of threads, and its scores on the published runs.
#ifndef RMX_TESTS_NUM_SMOOTH_H
#define RMX_TESTS_NUM_SMOOTH_H

#include <regmix/mixture.h>
#include <unistd.h>

#include "published.h"
#include "regress/fit.h"

#include "listening.h"

static inline rmx_regress_options options_for(const char *regressor) {
  rmx_regress_options o = {0};
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      regressor, err));
  return o;
}

static inline void options_done(rmx_regress_options *o) {
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, o);
}

// N mixtures of D domains into X, sparse as a swarm's are.
static inline void some_mixtures(double *X, size_t N, size_t D, uint64_t seed) {
  rmx_rng rng = rmx_rng_make(seed, 3, RMX_FOR_TEST);
  double *alpha = calloc(D, sizeof(double));
  for (size_t i = 0; i < N; i++) {
    for (size_t d = 0; d < D; d++) alpha[d] = i % 2 ? 1 : 0.3;
    rmx_dirichlet(&rng, alpha, D, X + i * D);
  }
  free(alpha);
}

// A loss as a small model has it: falls with its own domain (0) and a little with the next, plus
// noise.
static inline double a_loss(const double *w, size_t D) {
  return 3 + 1.2 * pow(0.05 + w[0] + (D > 1 ? 0.2 * w[1] : 0), -0.35) + (D > 2 ? 0.3 * w[2] : 0);
}

static inline rmx_dataset a_dataset(size_t N, size_t D, uint64_t seed, double noise) {
  double *X = calloc(N * D, sizeof(double)), *y = calloc(N, sizeof(double));
  rmx_rng rng = rmx_rng_make(seed, 4, RMX_FOR_TEST);
  some_mixtures(X, N, D, seed);
  for (size_t i = 0; i < N; i++) y[i] = a_loss(X + i * D, D) + noise * rmx_rng_normal(&rng);
  return (rmx_dataset){.N = N, .D = D, .X = X, .y = y, .metric = "m", .own_domain = 0};
}

static inline void dataset_done(rmx_dataset *data) {
  free((double *)data->X);
  free((double *)data->y);
}

// The gradient against differences, at mixtures inside.
static inline void gradient_holds(const rmx_regressor *r, size_t D, double tolerance) {
  double *X = calloc(8 * D, sizeof(double)), *g = calloc(D, sizeof(double));
  some_mixtures(X, 8, D, 77);
  for (size_t i = 1; i < 8; i += 2) {
    double *w = X + i * D, largest = 1e-3;
    for (size_t d = 0; d < D; d++) w[d] = 0.5 * w[d] + 0.5 / (double)D;
    ck_assert(rmx_regressor_gradient(r, w, g));
    for (size_t d = 0; d < D; d++) largest = fmax(largest, fabs(g[d]));
    for (size_t d = 0; d < D; d++) {
      double up, down, keep = w[d], h = 1e-5;
      w[d] = keep + h;
      rmx_regressor_predict(r, w, 1, &up, NULL);
      w[d] = keep - h;
      rmx_regressor_predict(r, w, 1, &down, NULL);
      w[d] = keep;
      ck_assert_msg(fabs((up - down) / (2 * h) - g[d]) < tolerance * largest,
                    "d%zu: %g, differences say %g", d, g[d], (up - down) / (2 * h));
    }
  }
  free(X);
  free(g);
}

// Written and read again it predicts the same bits and writes the same file.
static inline void file_holds(const rmx_regressor *r, size_t D) {
  enum { N = 50 };
  char path[128], path2[128];
  rmx_regressor *again;
  double *X = calloc(N * D, sizeof(double)), p[N], q[N], sp[N], sq[N],
         *g = calloc(2 * D, sizeof(double));
  snprintf(path, sizeof path, "%s/one.json", scratch_folder);
  snprintf(path2, sizeof path2, "%s/two.json", scratch_folder);
  some_mixtures(X, N, D, 5);
  must(rmx_regressor_write(r, path, err));
  must(rmx_regressor_read(path, &again, err));
  must(rmx_regressor_write(again, path2, err));
  ck_assert_str_eq(rmx_regressor_name(again), rmx_regressor_name(r));
  ck_assert_uint_eq(rmx_regressor_domains(again), D);
  rmx_regressor_predict(r, X, N, p, sp);
  rmx_regressor_predict(again, X, N, q, sq);
  ck_assert(memcmp(p, q, sizeof p) == 0);
  for (size_t i = 0; i < N; i++) ck_assert(sp[i] == sq[i] || (isnan(sp[i]) && isnan(sq[i])));
  bool has = rmx_regressor_gradient(r, X, g);
  ck_assert(has == rmx_regressor_gradient(again, X, g + D));
  if (has) ck_assert(memcmp(g, g + D, D * sizeof(double)) == 0);
  char *text, *text2;
  size_t size, size2;
  must(rmx_read_file(path, &text, &size, err));
  must(rmx_read_file(path2, &text2, &size2, err));
  ck_assert(size == size2 && memcmp(text, text2, size) == 0);
  // Cut anywhere or with a number made text it is refused, and not with a crash.
  for (size_t cut = 0; cut + 2 < size; cut += 1 + size / 97) {
    rmx_regressor *broken;
    must(rmx_write_file(path2, text, cut, err));
    must_fail(rmx_regressor_read(path2, &broken, err), path2);
  }
  for (char *c = text; (c = strstr(c, "0.")) != NULL; c++) {
    rmx_regressor *broken;
    rmx_err why;
    char keep = *c;
    *c = '"';
    must(rmx_write_file(path2, text, size, err));
    ck_assert(rmx_regressor_read(path2, &broken, &why) != RMX_OK);
    *c = keep;
    if (c - text > 4000) break;
  }
  rmx_regressor_free(again);
  free(text);
  free(text2);
  unlink(path);
  unlink(path2);
  free(X);
  free(g);
}

// One run, two, as few as the demo's, one domain; equal metrics; one outlier: predictions are
// finite and stay near what was seen, everywhere on the simplex.
static inline void sane_with_few_runs(const char *regressor) {
  static const size_t runs[] = {1, 2, 3, 5, 8, 16, 24, 32}, domains[] = {1, 2, 3, 6, 17};
  rmx_regress_options o = options_for(regressor);
  for (size_t a = 0; a < sizeof(runs) / sizeof(runs[0]); a++)
    for (size_t b = 0; b < sizeof domains / sizeof domains[0]; b++) {
      size_t N = runs[a], D = domains[b];
      rmx_dataset data = a_dataset(N, D, 10 * a + b, 0.01);
      double low = INFINITY, high = -INFINITY, *X = calloc(200 * D, sizeof(double)), y[200];
      for (size_t i = 0; i < N; i++) {
        low = fmin(low, data.y[i]);
        high = fmax(high, data.y[i]);
      }
      some_mixtures(X, 200, D, 9);
      for (size_t d = 0; d < D && d < 20; d++)  // corners
        for (size_t e = 0; e < D; e++) X[d * D + e] = d == e;
      rmx_regressor *r;
      must(rmx_regress_fit(&o, &data, 1, NULL, &r, err));
      rmx_regressor_predict(r, X, 200, y, NULL);
      double room = 1.2 * (high - low) + 1e-9;
      for (size_t i = 0; i < 200; i++)
        ck_assert_msg(y[i] >= low - room && y[i] <= high + room,
                      "%zu runs, %zu domains: %g, seen %g to %g", N, D, y[i], low, high);
      rmx_regressor_free(r);
      free(X);
      dataset_done(&data);
    }
  // Equal metrics.
  rmx_dataset data = a_dataset(20, 4, 3, 0);
  for (size_t i = 0; i < 20; i++) ((double *)data.y)[i] = 2.5;
  rmx_regressor *r;
  double y[20], g[4];
  forget();
  data.metric = "loss of web";
  must(rmx_regress_fit(&o, &data, 1, &listener, &r, err));
  ck_assert_msg(
      said && strstr(said, "metric \"loss of web\" is 2.5 in all 20 runs: a constant is predicted"),
      "%s", said);
  rmx_regressor_predict(r, data.X, 20, y, NULL);
  for (size_t i = 0; i < 20; i++) ck_assert_msg(fabs(y[i] - 2.5) < 1e-12, "%g", y[i]);
  if (rmx_regressor_gradient(r, data.X, g))
    for (size_t d = 0; d < 4; d++) ck_assert_msg(fabs(g[d]) < 1e-12, "%g", g[d]);
  file_holds(r, 4);
  rmx_regressor_free(r);
  forget();
  dataset_done(&data);
  options_done(&o);
}

// The fit of tables is the same on one thread and on three.
static inline void threads_do_not_matter(const char *regressor) {
  enum { N = 30, D = 4, M = 3 };
  rmx_regress_options o = options_for(regressor);
  rmx_table X, Y;
  rmx_dataset data = a_dataset(N, D, 21, 0.01);
  must(rmx_table_make(&X, "run", N, D, err));
  must(rmx_table_make(&Y, "run", N, M, err));
  for (size_t i = 0; i < N; i++) {
    X.ids[i] = rmx_format("r%zu", i);
    Y.ids[i] = rmx_format("r%zu", i);
    memcpy(X.x + i * D, data.X + i * D, D * sizeof(double));
    for (size_t m = 0; m < M; m++) Y.x[i * M + m] = data.y[i] + (double)m * data.X[i * D + m];
  }
  for (size_t d = 0; d < D; d++) X.names[d] = rmx_format("domain_%c", (char)('a' + (int)d));
  for (size_t m = 0; m < M; m++)
    Y.names[m] = rmx_format("domain_%c_val_loss", (char)('a' + (int)m));
  rmx_fit *one, *three;
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .seed = 7, .threads = 1},
      &one, err));
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &X, .metrics = &Y, .seed = 7, .threads = 3},
      &three, err));
  ck_assert(memcmp(one->out_of_fold, three->out_of_fold, N * M * sizeof(double)) == 0);
  for (size_t m = 0; m < M; m++) {
    double p[N], q[N];
    rmx_regressor_predict(one->regressors[m], data.X, N, p, NULL);
    rmx_regressor_predict(three->regressors[m], data.X, N, q, NULL);
    ck_assert(memcmp(p, q, sizeof p) == 0);
    ck_assert_msg(one->cv[m].spearman > 0.9, "cross-validation: %g", one->cv[m].spearman);
  }
  rmx_fit_free(one);
  rmx_fit_free(three);
  rmx_table_release(&X);
  rmx_table_release(&Y);
  dataset_done(&data);
  options_done(&o);
}

// Spearman x 100 on the unseen published runs of a fit to the first N of the 512; the mean squared
// error too.
static inline double published_score(const published *p, const rmx_regress_options *o,
                                     const char *metric, size_t N, double *mse) {
  double *y = column_of(&p->train_y, metric), *truth = column_of(&p->unseen_y, metric), mean[256];
  size_t own = 0;
  must(rmx_find_name("domain", metric, (const char *const *)p->train_x.names, p->train_x.D, &own,
                     err));
  rmx_dataset data = {
      .N = N, .D = 17, .X = p->train_x.x, .y = y, .metric = metric, .own_domain = (int)own};
  rmx_regressor *r;
  rmx_scores s;
  must(rmx_regress_fit(o, &data, 42, NULL, &r, err));
  rmx_regressor_predict(r, p->unseen_x.x, 256, mean, NULL);
  rmx_score(truth, mean, 256, &s);
  rmx_regressor_free(r);
  free(y);
  free(truth);
  if (mse) *mse = s.mse;
  return 100 * s.spearman;
}

#endif
