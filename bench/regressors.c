// SPDX-License-Identifier: Apache-2.0
// bench_regressors [-i | --speed] [regressor[:option=value...]]...: the published runs (17 domains,
// 13 metrics) fitted on N = 32, 64, 80, 128 (five random subsets) and 512 of the 512, scored on the
// 256 unseen ones: Spearman x 100 of Pile-CC and mean of the 13 metrics, Pile-CC's mean squared
// error at 80 and 512, seconds of one fit and of 13 with their cross-validation.
//
//   --speed   only the boosted trees on one thread: milliseconds to fit Pile-CC on the 512, 1000
//             rounds, and seconds to predict 1,000,000 mixtures through 613 trees; medians of
//             processor time. REGMIX_ISA (avx512, avx2, ref) bounds what the processor may use.
//   -i   inner: instead of the unseen runs, those of the 512 that are not in the subset; at 512
//        five folds
//
// REGMIX_SHARED: the folder of the data (data/regmix-paper, golden/subset_permutations.csv).

#include <math.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { D = 17, M = 13, N_ALL = 512, SUBSETS = 5, SIZES = 5 };
static const size_t sizes[] = {32, 64, 80, 128, 512};

typedef struct task {
  const rmx_regress_options *options;
  const rmx_table *X, *Y, *test_x, *test_y;
  const size_t *rows;  // (N)
  size_t N;
  uint64_t seed;
  int own[M];
  double rho[M], mse[M], seconds[M];
  rmx_err err[M];
} task;

static void do_metric(void *context, size_t m) {
  task *t = context;
  double *X = rmx_calloc(t->N * D, sizeof(double)), *y = rmx_calloc(t->N, sizeof(double));
  double *truth = rmx_calloc(t->test_x->N, sizeof(double)),
         *mean = rmx_calloc(t->test_x->N, sizeof(double));
  t->rho[m] = NAN;
  if (X && y && truth && mean) {
    for (size_t i = 0; i < t->N; i++) {
      memcpy(X + i * D, t->X->x + t->rows[i] * D, D * sizeof(double));
      y[i] = t->Y->x[t->rows[i] * M + m];
    }
    for (size_t i = 0; i < t->test_x->N; i++) truth[i] = t->test_y->x[i * M + m];
    rmx_dataset data = {
        .N = t->N, .D = D, .X = X, .y = y, .metric = t->Y->names[m], .own_domain = t->own[m]};
    rmx_regressor *r = NULL;
    double start = rmx_now();
    if (rmx_regress_fit(t->options, &data, t->seed, NULL, &r, &t->err[m]) == RMX_OK) {
      t->seconds[m] = rmx_now() - start;
      rmx_scores s;
      rmx_regressor_predict(r, t->test_x->x, t->test_x->N, mean, NULL);
      rmx_score(truth, mean, t->test_x->N, &s);
      t->rho[m] = 100 * s.spearman;
      t->mse[m] = s.mse;
      rmx_regressor_free(r);
    }
  }
  free(X);
  free(y);
  free(truth);
  free(mean);
}

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "bench_regressors: %s\n", what);
  exit(EXIT_FAILURE);
}

static rmx_table load(const char *folder, const char *name) {
  rmx_err err;
  rmx_table t;
  char *path = rmx_path_in(folder, name);
  if (!path || rmx_csv_read(path, &t, &err) != RMX_OK) fail(path ? err.message : "no memory");
  free(path);
  return t;
}

// "power:power.own=false"
static void set(rmx_regress_options *o, const char *text) {
  rmx_err err;
  char *copy = rmx_strdup(text), *rest = NULL;
  if (!copy ||
      rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, o, &err) != RMX_OK)
    fail("no memory");
  const char *key = "fit.regressor";
  for (char *word = strtok_r(copy, ":", &rest); word; word = strtok_r(NULL, ":", &rest)) {
    char *value = strchr(word, '=');
    if (value) {
      *value++ = 0;
      key = word;
    }
    if (rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, o, key,
                       value ? value : word, &err) != RMX_OK)
      fail(err.message);
  }
  free(copy);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double spent(void) {  // processor time of this thread: others may load the machine
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void speed(const rmx_table *X, const rmx_table *Y) {
  enum { TIMES = 15, MIXTURES = 1000000 };
  rmx_regress_options o = {0};
  rmx_regressor *r = NULL;
  rmx_err err;
  double y[N_ALL], seconds[TIMES], *w = rmx_calloc((size_t)MIXTURES * D, sizeof(double)),
                                   *mean = rmx_calloc(MIXTURES, sizeof(double));
  if (!w || !mean) fail("no memory");
  set(&o, "trees");
  for (size_t m = 0; m < M; m++)
    if (strstr(Y->names[m], "pile_cc"))
      for (size_t i = 0; i < N_ALL; i++) y[i] = Y->x[i * M + m];
  rmx_dataset data = {.N = N_ALL, .D = D, .X = X->x, .y = y, .own_domain = -1};
  for (int k = 0; k <= TIMES; k++) {  // the last for prediction
    if (k == TIMES) o.trees.rounds = 613;
    const double start = spent();
    if (rmx_regress_fit(&o, &data, 42, NULL, &r, &err) != RMX_OK) fail(err.message);
    if (k == TIMES) break;
    seconds[k] = spent() - start;
    rmx_regressor_free(r);
  }
  qsort(seconds, TIMES, sizeof(double), by_size);
  printf("trees: fit of 512 runs, 1000 rounds: %.1f ms", 1e3 * seconds[TIMES / 2]);
  rmx_rng rng = rmx_rng_make(1, 1, RMX_FOR_TEST);
  for (size_t i = 0; i < MIXTURES; i++) {
    double sum = 0;
    for (size_t d = 0; d < D; d++) sum += w[i * D + d] = pow(rmx_rng_uniform(&rng), 4);
    for (size_t d = 0; d < D; d++) w[i * D + d] /= sum;
  }
  for (int k = 0; k < TIMES; k++) {
    const double start = spent();
    rmx_regressor_predict(r, w, MIXTURES, mean, NULL);
    seconds[k] = spent() - start;
  }
  qsort(seconds, TIMES, sizeof(double), by_size);
  printf("; %d mixtures through 613 trees: %.3f s\n", MIXTURES, seconds[TIMES / 2]);
  rmx_regressor_free(r);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  free(w);
  free(mean);
}

int main(int argc, char **argv) {
  bool inner = argc > 1 && strcmp(argv[1], "-i") == 0;
  const char *const usual[] = {"ridge:ridge.sqrt=true:ridge.alpha=0.01",
                               "exp",
                               "trees",
                               "power:power.own=false",
                               "power",
                               "gp",
                               "ensemble",
                               "auto"};
  const char *const *wanted = usual, *folder = getenv("REGMIX_SHARED");
  size_t n_wanted = sizeof usual / sizeof usual[0];
  if (argc > 1 + inner) {
    wanted = (const char *const *)argv + 1 + inner;
    n_wanted = (size_t)(argc - 1 - inner);
  }
  if (!folder) fail("REGMIX_SHARED must name the folder of the data");
  rmx_table X = load(folder, "data/regmix-paper/train_mixture_1m.csv"),
            Y = load(folder, "data/regmix-paper/train_pile_loss_1m.csv");
  if (argc > 1 && strcmp(argv[1], "--speed") == 0) {
    speed(&X, &Y);
    rmx_table_release(&X);
    rmx_table_release(&Y);
    return 0;
  }
  rmx_table ux = load(folder, "data/regmix-paper/test_mixture_1m.csv"),
            uy = load(folder, "data/regmix-paper/test_pile_loss_1m.csv");
  // Its first column is no name of a row, so it is read here.
  char *path = rmx_path_in(folder, "golden/subset_permutations.csv"), *text = NULL;
  size_t size = 0, order[SUBSETS][N_ALL];
  rmx_err err;
  if (!path || rmx_read_file(path, &text, &size, &err) != RMX_OK)
    fail("golden/subset_permutations.csv");
  const char *at = strchr(text, '\n');
  for (size_t i = 0; i < N_ALL; i++)
    for (size_t k = 0; k < SUBSETS; k++) {
      char *end;
      if (!at) fail("golden/subset_permutations.csv: too short");
      order[k][i] = (size_t)strtoul(at + 1, &end, 10);
      if (order[k][i] >= N_ALL) fail("golden/subset_permutations.csv: no row of 512");
      at = end;
    }
  free(text);
  free(path);
  task t = {.X = &X, .Y = &Y};
  size_t cc = 0;
  for (size_t m = 0; m < M; m++) {
    size_t own;
    if (strstr(Y.names[m], "pile_cc")) cc = m;
    t.own[m] =
        rmx_find_name("domain", Y.names[m], (const char *const *)X.names, D, &own, &err) == RMX_OK
            ? (int)own
            : -1;
  }
  printf("%-38s %38s  %7s %7s  %38s  %6s %6s\n", "", "Pile-CC: 32     64     80    128    512",
         "MSE 80", "MSE 512", "13 metrics: 32  64     80    128    512", "s 32", "s 512");
  for (size_t c = 0; c < n_wanted; c++) {
    rmx_regress_options o = {0};
    set(&o, wanted[c]);
    double one[SIZES] = {0}, all[SIZES] = {0}, mse[SIZES] = {0}, seconds[SIZES] = {0};
    for (size_t s = 0; s < SIZES; s++) {
      size_t times = sizes[s] == N_ALL && !inner ? 1 : SUBSETS;
      for (size_t k = 0; k < times; k++) {
        rmx_table rest_x = {0}, rest_y = {0};
        t.options = &o;
        t.N = sizes[s];
        t.rows = order[k];
        size_t folded[N_ALL], split = t.N;
        if (inner && t.N == N_ALL) {  // fold k of subset0's order last
          size_t first = k * N_ALL / SUBSETS, end = (k + 1) * N_ALL / SUBSETS;
          split = t.N = N_ALL - (end - first);
          for (size_t i = 0, a = 0, b = t.N; i < N_ALL; i++)
            folded[i < first || i >= end ? a++ : b++] = order[0][i];
          t.rows = folded;
        }
        t.seed = k;
        t.test_x = &ux;
        t.test_y = &uy;
        if (inner) {
          size_t n = N_ALL - split;
          if (rmx_table_make(&rest_x, "i", n, D, &err) != RMX_OK ||
              rmx_table_make(&rest_y, "i", n, M, &err) != RMX_OK)
            fail(err.message);
          for (size_t i = 0; i < n; i++) {
            memcpy(rest_x.x + i * D, X.x + t.rows[split + i] * D, D * sizeof(double));
            memcpy(rest_y.x + i * M, Y.x + t.rows[split + i] * M, M * sizeof(double));
          }
          t.test_x = &rest_x;
          t.test_y = &rest_y;
        }
        rmx_parallel(rmx_processors(), M, do_metric, &t);
        for (size_t m = 0; m < M; m++) {
          all[s] += t.rho[m] / (double)(M * times);
          seconds[s] += t.seconds[m] / (double)(M * times);
        }
        one[s] += t.rho[cc] / (double)times;
        mse[s] += t.mse[cc] / (double)times;
        if (inner) rmx_table_release(&rest_x), rmx_table_release(&rest_y);
      }
    }
    printf("%-38s", wanted[c]);
    for (size_t s = 0; s < SIZES; s++) printf(" %s%6.2f", s ? "" : "   ", one[s]);
    printf("  %7.5f %7.5f ", mse[2], mse[SIZES - 1]);
    for (size_t s = 0; s < SIZES; s++) printf(" %s%6.2f", s ? "" : "   ", all[s]);
    printf("  %6.3f %6.3f\n", seconds[0], seconds[SIZES - 1]);
    fflush(stdout);
    rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  }
  rmx_table_release(&X);
  rmx_table_release(&Y);
  rmx_table_release(&ux);
  rmx_table_release(&uy);
  return 0;
}
