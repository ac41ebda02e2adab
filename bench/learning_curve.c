// SPDX-License-Identifier: Apache-2.0
// bench_learning_curve [regressor [noise [repetitions]]]: is the gain promised for as many runs
// again what they bring? On synthetic functions of 4 and 10 domains: N runs are fitted,
// rmx_learning_curve_make() promises, N more are added, and the functions' true values at the two
// optima found (`search`, within its guard) are compared. Both in units of the runs' standard
// deviation, means over the repetitions; at the end the median of promised / kept over functions
// and N. noise: sd of the runs', in the same unit: 0.1.

#include <math.h>
#include <regmix/mixture.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_D = 10, KINDS = 5, SIZES = 3, REPETITIONS = 12 };
static const size_t all_D[] = {4, 10}, all_N[SIZES] = {24, 48, 128};
static const char *const kind_names[KINDS] = {"power law", "bowl", "line", "cross-entropy",
                                              "wiggly"};

typedef struct truth {
  int kind;
  size_t D;
  double p[MOST_D], q[MOST_D], r[MOST_D];
} truth;

static double value(const truth *f, const double *w) {
  double sum = 0;
  for (size_t d = 0; d < f->D; d++) switch (f->kind) {
      case 0:
        sum += exp(f->p[d]) * pow(w[d] + 1e-3, 0.5 * exp(0.4 * f->q[d]));
        break;
      case 1:
        sum += 2 * (w[d] - f->p[d]) * (w[d] - f->p[d]);
        break;
      case 2:
        sum += 0.5 * f->q[d] * w[d];
        break;
      case 3:
        sum -= 0.5 * f->p[d] * log(w[d] + 0.02);
        break;
      default:
        sum += 0.075 * sin(8 * w[d] + 5 * f->q[d]) - 0.5 * f->p[d] * log(w[d] + 0.02);
    }
  if (f->kind != 0) return 3 + sum;
  sum = 3 + 1.5 / sqrt(0.2 + sum);
  for (size_t d = 0; d < f->D; d++) sum += 0.3 * f->r[d] * w[d];
  return sum;
}

static void fail(const char *what) {
  fprintf(stderr, "bench_learning_curve: %s\n", what);
  exit(EXIT_FAILURE);
}

static rmx_err err;
static void must(rmx_status status) {
  if (status != RMX_OK) fail(err.message);
}

static rmx_fit *make_fit(const char *regressor, size_t n, size_t D, const double *X,
                         const double *y) {
  rmx_table a, b;
  rmx_regress_options o = {0};
  rmx_fit *f;
  must(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &o, &err));
  must(rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, &o, "fit.regressor",
                      regressor, &err));
  must(rmx_table_make(&a, "run", n, D, &err));
  must(rmx_table_make(&b, "run", n, 1, &err));
  for (size_t d = 0; d < D; d++) a.names[d] = rmx_format("d%zu", d);
  b.names[0] = rmx_strdup("x_loss");
  memcpy(a.x, X, n * D * sizeof(double));
  memcpy(b.x, y, n * sizeof(double));
  for (size_t i = 0; i < n; i++) {
    a.ids[i] = rmx_format("%zu", i);
    b.ids[i] = rmx_format("%zu", i);
  }
  must(rmx_fit_tables(
      &(rmx_fit_tables_request){
          .options = &o, .mixtures = &a, .metrics = &b, .seed = 1, .threads = rmx_processors()},
      &f, &err));
  rmx_table_release(&a);
  rmx_table_release(&b);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  return f;
}

static double true_at_optimum(const rmx_fit *fit, const truth *f) {
  rmx_problem q;
  rmx_optimum *o;
  char search[] = "search";
  const rmx_optimize_options how = {.method = search,
                                    .samples = 2000,
                                    .top = 16,
                                    .strength = 1,
                                    .starts = 16,
                                    .guard = true,
                                    .level = 0.9};
  must(rmx_problem_make(fit, &q, &err));
  q.target.weight[0] = 1;
  must(rmx_optimize(&(rmx_optimize_request){fit, &q, &how, 1, rmx_processors(), NULL}, &o, &err));
  double y = value(f, rmx_optimum_mixture(o));
  rmx_optimum_free(o);
  rmx_problem_release(&q);
  return y;
}

// One repetition: promised and kept are added to.
static void repeat(const char *regressor, truth *f, size_t N, double noise, uint64_t seed,
                   double *promised, double *kept) {
  size_t D = f->D;
  double alpha[MOST_D], *X = rmx_calloc(2 * N, D * sizeof(double)),
                        *y = rmx_calloc(2 * N, sizeof(double));
  double mean = 0, square = 0;
  if (!X || !y) fail("no memory");
  rmx_rng rng = rmx_rng_make(seed, (uint64_t)f->kind * 100 + D, RMX_FOR_TEST);
  for (size_t d = 0; d < D; d++) {
    alpha[d] = 1;
    f->q[d] = rmx_rng_normal(&rng);
    f->r[d] = rmx_rng_normal(&rng);
  }
  rmx_dirichlet(&rng, alpha, D, f->p);
  for (size_t d = 0; d < D && f->kind == 0; d++) f->p[d] = rmx_rng_normal(&rng);
  for (size_t i = 0; i < 2 * N; i++) {
    double strength = 0.5 * pow(10, rmx_rng_uniform(&rng));
    for (size_t d = 0; d < D; d++) alpha[d] = strength * 2 / (double)D;
    rmx_dirichlet(&rng, alpha, D, X + i * D);
    mean += (y[i] = value(f, X + i * D)) / (double)(2 * N);
  }
  for (size_t i = 0; i < 2 * N; i++) square += (y[i] - mean) * (y[i] - mean) / (double)(2 * N);
  for (size_t i = 0; i < 2 * N; i++) y[i] += noise * sqrt(square) * rmx_rng_normal(&rng);
  rmx_fit *now = make_fit(regressor, N, D, X, y), *then = make_fit(regressor, 2 * N, D, X, y);
  rmx_problem q;
  rmx_learning_curve c;
  must(rmx_problem_make(now, &q, &err));
  q.target.weight[0] = 1;
  must(rmx_learning_curve_make(
      &(rmx_optimize_request){.fit = now, .problem = &q, .seed = 1, .threads = rmx_processors()}, 0,
      &c, &err));
  *promised += c.expected_gain / sqrt(square);
  *kept += (true_at_optimum(now, f) - true_at_optimum(then, f)) / sqrt(square);
  rmx_learning_curve_release(&c);
  rmx_problem_release(&q);
  rmx_fit_free(now);
  rmx_fit_free(then);
  free(X);
  free(y);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  const char *regressor = argc > 1 ? argv[1] : "ensemble";
  double noise = argc > 2 ? atof(argv[2]) : 0.1, ratio[2 * KINDS * SIZES];
  int repetitions = argc > 3 ? atoi(argv[3]) : REPETITIONS;
  size_t n = 0;
  if (repetitions < 1 || !(noise >= 0)) fail("wanted [regressor [noise [repetitions]]]");
  printf("%s, noise %g\n%-14s %3s %4s %10s %10s\n", regressor, noise, "function", "D", "N",
         "promised", "kept");
  for (int k = 0; k < 2; k++)
    for (int kind = 0; kind < KINDS; kind++)
      for (int s = 0; s < SIZES; s++) {
        double promised = 0, kept = 0;
        truth f = {.kind = kind, .D = all_D[k]};
        for (int r = 0; r < repetitions; r++)
          repeat(regressor, &f, all_N[s], noise, (uint64_t)r, &promised, &kept);
        printf("%-14s %3zu %4zu %10.4f %10.4f\n", kind_names[kind], f.D, all_N[s],
               promised / repetitions, kept / repetitions);
        fflush(stdout);
        ratio[n++] = kept > 0 ? promised / kept : INFINITY;
      }
  qsort(ratio, n, sizeof(double), by_size);
  printf("promised / kept: median %.2f, quartiles %.2f and %.2f\n",
         (ratio[n / 2] + ratio[n / 2 - 1]) / 2, ratio[n / 4], ratio[3 * n / 4]);
  return 0;
}
