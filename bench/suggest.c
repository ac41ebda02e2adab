// SPDX-License-Identifier: Apache-2.0
// bench_suggest [-i] [starts]: the published runs (512 + 256, of 17 domains) replayed. From 16
// random ones, the next 8 are chosen again and again among the rest, until the one of lowest true
// target has been taken. How many runs that took, median over the random starts: by
// rmx__suggest_among, by the lowest prediction, and in random order; for two targets, Pile-CC and
// the mean of the 13 metrics.
//
//   -i   inner: the 512 alone
//
// REGMIX_SHARED: the folder of the data (data/regmix-paper). REGRESSOR: gp, or ensemble, the
// default.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/suggest.h"

enum { D = 17, M = 13, FIRST = 16, BATCH = 8, STARTS = 20 };
static const double CLOSE = 0.01;  // nats

typedef enum how { SUGGEST, MEAN, RANDOM, N_HOW } how;
static const char *const names[N_HOW] = {"suggest", "lowest prediction", "random order"};

typedef struct replay {
  const double *X, *y;  // (N, D) (N)
  size_t N;
  const char *regressor;
  how by;
  size_t starts;
  double *runs, *runs_close;  // (starts): until the best, until one within CLOSE of it
  rmx_err *err;               // (starts)
} replay;

static _Noreturn void fail(const char *what) {
  fprintf(stderr, "bench_suggest: %s\n", what);
  exit(EXIT_FAILURE);
}

static rmx_status next(const replay *p, const size_t *order, size_t known, size_t *place, size_t *n,
                       rmx_err *err) {
  size_t rest = p->N - known;
  double *X = rmx_calloc(p->N, D * sizeof(double)), *y = rmx_calloc(p->N, sizeof(double));
  double *mean = rmx_calloc(p->N, sizeof(double));
  rmx_regressor *r = NULL;
  rmx_regress_options o = {0};
  rmx_status status =
      X && y && mean ? RMX_OK : rmx_fail_memory(err, p->N * D * sizeof(double), "a replay");
  if (status == RMX_OK)
    status = rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, err);
  if (status == RMX_OK)
    status = rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o,
                            "fit.regressor", p->regressor, err);
  if (status != RMX_OK) goto done;
  for (size_t i = 0; i < p->N; i++) {
    memcpy(X + i * D, p->X + order[i] * D, D * sizeof(double));
    y[i] = p->y[order[i]];
  }
  rmx_dataset data = {.N = known, .D = D, .X = X, .y = y, .metric = "target", .own_domain = -1};
  RMX_TRY_GOTO(rmx_regress_fit(&o, &data, 1, NULL, &r, err), done);
  if (p->by == SUGGEST) {
    RMX_TRY_GOTO(rmx__suggest_among(r, &data, X + known * D, rest, BATCH, place, n, err), done);
  } else {
    rmx_regressor_predict(r, X + known * D, rest, mean, NULL);
    for (*n = 0; *n < BATCH && *n < rest; ++*n) {
      size_t lowest = rest;
      for (size_t i = 0; i < rest; i++)
        if (!isnan(mean[i]) && (lowest == rest || mean[i] < mean[lowest])) lowest = i;
      mean[lowest] = NAN;
      place[*n] = lowest;
    }
  }
done:
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  rmx_regressor_free(r);
  free(X);
  free(y);
  free(mean);
  return status;
}

static void do_start(void *context, size_t start) {
  const replay *p = context;
  size_t *order = rmx_calloc(p->N, sizeof(size_t)), best = 0, known = FIRST, looked = 0;
  if (!order) return;
  for (size_t i = 0; i < p->N; i++) {
    order[i] = i;
    if (p->y[i] < p->y[best]) best = i;
  }
  rmx_rng rng = rmx_rng_make(start, 0, RMX_FOR_TEST);
  rmx_rng_shuffle(&rng, order, p->N);
  if (p->by == RANDOM) known = p->N;
  p->runs[start] = p->runs_close[start] = NAN;
  for (;;) {
    for (; looked < known; looked++) {
      double y = p->y[order[looked]];
      if (isnan(p->runs_close[start]) && y <= p->y[best] + CLOSE)
        p->runs_close[start] = (double)looked + 1;
      if (order[looked] == best) p->runs[start] = (double)looked + 1;
    }
    if (!isnan(p->runs[start])) break;
    size_t place[BATCH], n;
    if (next(p, order, known, place, &n, &p->err[start]) != RMX_OK) break;
    // The chosen change places with the first of the rest, in the order they were chosen.
    for (size_t i = 0; i < n; i++) {
      size_t from = known + place[i], to = known + i, kept = order[to];
      order[to] = order[from];
      order[from] = kept;
      for (size_t k = i + 1; k < n; k++)
        if (known + place[k] == to) place[k] = place[i];
    }
    known += n;
  }
  free(order);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(double *x, size_t n, double q) {
  qsort(x, n, sizeof(double), by_size);
  double at = q * (double)(n - 1), part = at - floor(at);
  size_t i = (size_t)at;
  return part > 0 ? x[i] * (1 - part) + x[i + 1] * part : x[i];
}

static rmx_table load(const char *folder, const char *name) {
  rmx_err err;
  rmx_table t;
  char *path = rmx_path_in(folder, name);
  if (!path || rmx_csv_read(path, &t, &err) != RMX_OK) fail(path ? err.message : "no memory");
  free(path);
  return t;
}

int main(int argc, char **argv) {
  bool inner = argc > 1 && strcmp(argv[1], "-i") == 0;
  const char *folder = getenv("REGMIX_SHARED"),
             *regressor = getenv("REGRESSOR") ? getenv("REGRESSOR") : "ensemble";
  size_t starts = argc > 1 + inner ? (size_t)atoi(argv[1 + inner]) : STARTS;
  if (!folder) fail("REGMIX_SHARED must name the folder of the data");
  if (starts < 1 || starts > 1000) fail("starts: 1 to 1000");
  rmx_table t[4] = {load(folder, "data/regmix-paper/train_mixture_1m.csv"),
                    load(folder, "data/regmix-paper/train_pile_loss_1m.csv"),
                    load(folder, "data/regmix-paper/test_mixture_1m.csv"),
                    load(folder, "data/regmix-paper/test_pile_loss_1m.csv")};
  size_t n = t[0].N, N = inner ? n : n + t[2].N, cc = 0;
  double *X = rmx_calloc(N, D * sizeof(double)), *y = rmx_calloc(N, sizeof(double));
  replay p = {.N = N, .X = X, .y = y, .regressor = regressor, .starts = starts};
  p.runs = rmx_calloc(starts, sizeof(double));
  p.runs_close = rmx_calloc(starts, sizeof(double));
  p.err = rmx_calloc(starts, sizeof(rmx_err));
  if (!X || !y || !p.runs || !p.runs_close || !p.err) fail("no memory");
  for (size_t m = 0; m < M; m++)
    if (strstr(t[1].names[m], "pile_cc")) cc = m;
  for (size_t i = 0; i < N; i++)
    memcpy(X + i * D, i < n ? t[0].x + i * D : t[2].x + (i - n) * D, D * sizeof(double));
  printf(
      "%zu runs, from %d, by %d, %zu starts: runs until the best (10 %% .. 90 %% of the starts), "
      "and until "
      "within %g\n",
      N, FIRST, BATCH, starts, CLOSE);
  for (int target = 0; target < 2; target++) {
    for (size_t i = 0; i < N; i++) {
      const double *row = i < n ? t[1].x + i * M : t[3].x + (i - n) * M;
      y[i] = row[cc];
      if (target == 0) continue;
      y[i] = 0;
      for (size_t m = 0; m < M; m++) y[i] += row[m] / M;
    }
    double random = NAN;
    for (int by = N_HOW; by-- > 0;) {
      p.by = (how)by;
      double start = rmx_now();
      rmx_parallel(rmx_processors(), starts, do_start, &p);
      for (size_t i = 0; i < starts; i++)
        if (isnan(p.runs[i])) fail(p.err[i].message);
      double median = quantile(p.runs, starts, 0.5), close = quantile(p.runs_close, starts, 0.5);
      if (by == RANDOM) random = median;
      printf("%-10s %-18s %6.1f (%.0f .. %.0f)  %4.0f %% fewer   close: %6.1f   %.1f s\n",
             target ? "mean of 13" : "Pile-CC", names[by], median, quantile(p.runs, starts, 0.1),
             quantile(p.runs, starts, 0.9), 100 * (1 - median / random), close, rmx_now() - start);
      fflush(stdout);
    }
  }
  for (int i = 0; i < 4; i++) rmx_table_release(&t[i]);
  free(X);
  free(y);
  free(p.runs);
  free(p.runs_close);
  free(p.err);
  return 0;
}
