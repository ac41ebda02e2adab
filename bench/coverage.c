// SPDX-License-Identifier: Apache-2.0
// How often are the intervals right? Functions whose best mixture is known, runs with noise,
// `auto`, the search, and its 90 % intervals, again and again: the share of repetitions in which
// the interval of a weight holds the weight of the true best mixture (mean over domains; then over
// those whose best weight is above 0), and in which the interval of the gain holds what the
// proposed mixture truly gains on the prior.
//
//   bench_coverage [REPETITIONS (100)] [FUNCTION] [NOISE] [DOMAINS (6)]
//   bench_coverage REPETITIONS FOLDER METRIC
//
// The second form has a real swarm as its truth: the function that was fitted to METRIC in the fit
// FOLDER. The mixtures are those of its runs, and the noise is the error of that fit out of fold.
#include <math.h>
#include <regmix/mixture.h>
#include <regmix/optimize.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/fit.h"

enum { KINDS = 6, MOST = 64, N = 64, SIGNAL_SAMPLES = 4000, GRID = 400000, REPLICATES = 40 };
static int D = KINDS;  // domains; beyond six, the kinds of domains repeat

// ---- the functions ----

// Each domain has a need of its own, best met by all of them together.
static double interior(const double *w) {
  double sum = 0;
  for (int d = 0; d < D; d++) sum += (0.3 + 0.2 * d / D) * pow(w[d] + 0.05, -0.35);
  return sum;
}

// Three useful domains of very different worth, three that harm: the best weights of those are 0.
static double boundary(const double *w) {
  static const double worth[KINDS] = {3, 1.2, 0.5, 0.02, 0.02, 0.02};
  double use = 0.2, harm = 0;
  for (int d = 0; d < D; d++) {
    use += worth[d % KINDS] * sqrt(w[d] + 1e-3);
    if (d % KINDS >= 3) harm += 0.3 * w[d];
  }
  return 2 / sqrt(use) + harm;
}

// The worst of three needs, and two domains that help each other: a crease no regressor here has.
static double crease(const double *w) {
  static const double need[3] = {1, 0.9, 1.1};
  double worst = -INFINITY;
  for (int k = 0; k < 3; k++) {
    double use = 0.03;
    for (int d = 0; d < D; d++) use += (d % 3 == k ? 1 : 0.15) * (d % KINDS < 3 ? 1 : 0.4) * w[d];
    worst = fmax(worst, need[k] / sqrt(use));
  }
  return worst - w[0] * w[1];
}

// A bowl with its least value on an edge, where it is level: no law of diminishing returns.
static double bowl(const double *w) {
  static const double at[MOST] = {0.6, 0.4};
  double sum = 0;
  for (int d = 0; d < D; d++) sum += (1 + d % 3) * (w[d] - at[d]) * (w[d] - at[d]);
  return sum;
}

// What was fitted to a real swarm.
static const rmx_fit *swarm;
static size_t metric;
static double fitted(const double *w) {
  double y;
  rmx_regressor_predict(rmx_fit_regressor(swarm, metric), w, 1, &y, NULL);
  return rmx_fit_higher_is_better(swarm, metric) ? -y : y;
}

static const struct {
  const char *name;
  double (*f)(const double *w);
} functions[] = {
    {"interior", interior}, {"boundary", boundary}, {"crease", crease}, {"bowl", bowl}};
enum { FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

// ---- one repetition ----

typedef struct task {
  double (*f)(const double *w);
  double noise, best[MOST], best_value;  // noise: its standard deviation
  double prior[MOST];
  double *weights, *above, *gain, *regret, *width;  // (repetitions)
  double *simulated;                                // (repetitions) regret of the recipe's search
  bool *below;
  rmx_regress_options regress;
} task;

static void die(const rmx_err *err) {
  fprintf(stderr, "bench_coverage: %s\n", err->message);
  exit(1);
}

// One of the swarm's; else Dirichlet with strengths as the recipe's, around the uniform mixture.
static void draw_mixture(rmx_rng *rng, double *w) {
  if (swarm) {
    const double *runs = swarm->runs;
    memcpy(w, runs + rmx_rng_below(rng, rmx_fit_n_runs(swarm)) * (size_t)D, (size_t)D * sizeof *w);
    return;
  }
  double alpha[MOST], strength = D * 0.05 * exp(rmx_rng_uniform(rng) * log(30));
  for (int d = 0; d < D; d++) alpha[d] = strength / D;
  rmx_dirichlet(rng, alpha, D, w);
}

static void repeat(void *context, size_t i) {
  task *t = context;
  rmx_err err;
  rmx_table x = {0}, y = {0};
  rmx_fit *fit = NULL;
  rmx_problem q = {0};
  rmx_optimum *o = NULL, *other = NULL;
  rmx_uncertainty u = {0};
  rmx_rng rng = rmx_rng_make(2026, i, RMX_FOR_TEST);
  char name[32];
  if (rmx_table_make(&x, "run", N, (size_t)D, &err) || rmx_table_make(&y, "run", N, 1, &err))
    die(&err);
  for (int d = 0; d < D; d++) {
    snprintf(name, sizeof name, "domain%d", d);
    x.names[d] = rmx_strdup(name);
  }
  y.names[0] = rmx_strdup("loss");
  for (size_t k = 0; k < N; k++) {
    snprintf(name, sizeof name, "%zu", k);
    x.ids[k] = rmx_strdup(name);
    y.ids[k] = rmx_strdup(name);
    draw_mixture(&rng, x.x + k * (size_t)D);
    y.x[k] = t->f(x.x + k * (size_t)D) + t->noise * rmx_rng_normal(&rng);
  }
  const rmx_optimize_options search = {.method = "search",
                                       .starts = 16,
                                       .guard = true,
                                       .replicates = REPLICATES,
                                       .level = 0.9,
                                       .samples = 20000,
                                       .top = 64,
                                       .strength = 1};
  rmx_optimize_options simulate = search;
  simulate.method = "simulate";
  if (rmx_fit_tables(
          &(rmx_fit_tables_request){
              .options = &t->regress, .mixtures = &x, .metrics = &y, .seed = i, .threads = 1},
          &fit, &err))
    die(&err);
  if (rmx_problem_make(fit, &q, &err)) die(&err);
  q.target.weight[0] = 1;
  q.prior = rmx_calloc((size_t)D, sizeof(double));
  memcpy(q.prior, t->prior, (size_t)D * sizeof(double));
  if (rmx_optimize(&(rmx_optimize_request){fit, &q, &search, i, 1, NULL}, &o, &err)) die(&err);
  if (rmx_optimize(&(rmx_optimize_request){fit, &q, &simulate, i, 1, NULL}, &other, &err))
    die(&err);
  if (rmx_uncertainty_make(&(rmx_optimize_request){fit, &q, &search, i, 1, NULL}, o, NULL, 0, &u,
                           &err))
    die(&err);
  double real = t->f(t->prior) - t->f(rmx_optimum_mixture(o));
  int inside = 0;
  for (int d = 0; d < D; d++) inside += t->best[d] > 1e-3;
  for (int d = 0; d < D; d++) {
    bool holds = t->best[d] >= u.low[d] - 1e-3 && t->best[d] <= u.high[d] + 1e-3;
    t->weights[i] += holds / (double)D;
    if (t->best[d] > 1e-3) t->above[i] += holds / (double)inside;
    t->width[i] += (u.high[d] - u.low[d]) / D;
  }
  t->gain[i] = real >= u.versus[0].low && real <= u.versus[0].high;
  t->below[i] = real < u.versus[0].low;
  t->regret[i] = t->f(rmx_optimum_mixture(o)) - t->best_value;
  t->simulated[i] = t->f(rmx_optimum_mixture(other)) - t->best_value;
  rmx_uncertainty_release(&u);
  rmx_optimum_free(o);
  rmx_optimum_free(other);
  rmx_problem_release(&q);
  rmx_fit_free(fit);
  rmx_table_release(&x);
  rmx_table_release(&y);
}

// The true best mixture: many random ones, then smaller and smaller random steps from the best.
static void find_best(task *t) {
  rmx_rng rng = rmx_rng_make(1, 0, RMX_FOR_TEST);
  double w[MOST];
  t->best_value = INFINITY;
  for (int k = 0; k < GRID; k++) {
    if (k < GRID / 8) {
      draw_mixture(&rng, w);
    } else {  // moves weight from one domain to another
      int from = (int)rmx_rng_below(&rng, (uint64_t)D), to = (int)rmx_rng_below(&rng, (uint64_t)D);
      double step = fmin(t->best[from], 0.3 * pow(10, -5 * rmx_rng_uniform(&rng)));
      memcpy(w, t->best, sizeof w);
      w[from] -= step;
      w[to] += step;
    }
    double value = t->f(w);
    if (value < t->best_value) {
      t->best_value = value;
      memcpy(t->best, w, sizeof w);
    }
  }
}

static double mean(const double *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += x[i] / (double)n;
  return sum;
}

// Measures one cell, and prints its row. noise: over the signal; of a swarm, in its own unit.
static void measure(const char *name, double (*f)(const double *w), double noise,
                    size_t repetitions) {
  rmx_err err;
  task t = {.f = f, .noise = noise};
  double sum = 0, square = 0, w[MOST];
  rmx_rng rng = rmx_rng_make(3, 0, RMX_FOR_TEST);
  for (int i = 0; i < SIGNAL_SAMPLES; i++) {
    draw_mixture(&rng, w);
    double value = t.f(w);
    sum += value / SIGNAL_SAMPLES;
    square += value * value / SIGNAL_SAMPLES;
    for (int d = 0; d < D; d++) t.prior[d] += swarm ? w[d] / SIGNAL_SAMPLES : 0;
  }
  const double signal = sqrt(square - sum * sum);
  if (!swarm) t.noise *= signal;
  for (int d = 0; d < D && !swarm; d++) t.prior[d] = 1.0 / D;
  find_best(&t);
  t.weights = rmx_calloc(6 * repetitions, sizeof(double));
  t.below = rmx_calloc(repetitions, sizeof(bool));
  if (!t.weights || !t.below ||
      rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, &t.regress, &err))
    die(&err);
  t.regress.folds = 3;  // the dearest part by far, and nothing here looks at it but the choice
  t.gain = t.weights + repetitions;
  t.regret = t.gain + repetitions;
  t.width = t.regret + repetitions;
  t.simulated = t.width + repetitions;
  t.above = t.simulated + repetitions;
  double began = rmx_now(), below = 0;
  rmx_parallel(rmx_processors(), repetitions, repeat, &t);
  for (size_t i = 0; i < repetitions; i++) below += t.below[i] / (double)repetitions;
  const double most = t.f(t.prior) - t.best_value;
  printf(
      "| %s, %d domains | %.0f %% | %.1f %% | %.1f %% | %.1f %% (%.1f %%) | %.3f | %.4f (%.0f %% "
      "of "
      "the prior's) | %.4f | %.2f |\n",
      name, D, 100 * t.noise / signal, 100 * mean(t.weights, repetitions),
      100 * mean(t.above, repetitions), 100 * mean(t.gain, repetitions), 100 * below,
      mean(t.width, repetitions), mean(t.regret, repetitions),
      100 * mean(t.regret, repetitions) / most, mean(t.simulated, repetitions),
      (rmx_now() - began) * rmx_processors() / (double)repetitions);
  fflush(stdout);
  free(t.weights);
  free(t.below);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &t.regress);
}

static void measure_swarm(const char *folder, const char *name, size_t repetitions) {
  rmx_err err;
  rmx_fit *fit;
  rmx_diagnostics errors;
  if (rmx_fit_read(folder, &fit, &err) ||
      rmx_find_name("metric", name, rmx_fit_metrics(fit), rmx_fit_n_metrics(fit), &metric, &err) ||
      rmx_fit_diagnose(fit, metric, &errors, &err))
    die(&err);
  if (rmx_fit_n_domains(fit) > MOST) {
    fprintf(stderr, "bench_coverage: %zu domains, at most %d\n", rmx_fit_n_domains(fit), MOST);
    exit(1);
  }
  swarm = fit;
  D = (int)rmx_fit_n_domains(fit);
  measure(rmx_fit_metrics(fit)[metric], fitted, errors.rmse, repetitions);
  rmx_fit_free(fit);
}

int main(int argc, char **argv) {
  size_t repetitions = argc > 1 ? strtoul(argv[1], NULL, 10) : 100;
  static const double noises[] = {0.1, 0.5};
  if (argc > 4) D = atoi(argv[4]);
  if (D < 2 || D > MOST || repetitions < 1) {
    fprintf(stderr, "bench_coverage [REPETITIONS] [FUNCTION] [NOISE] [DOMAINS, 2 to %d]\n", MOST);
    return 2;
  }
  printf("%zu repetitions, %d runs, auto, search, %d replicates, 90 %% intervals\n\n", repetitions,
         N, REPLICATES);
  printf(
      "| function | noise / signal | weights covered | of those above 0 | gain covered (real gain "
      "below) | width of a weight's | regret of search | of simulate | seconds each |\n");
  printf("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
  if (argc == 4 && strchr(argv[2], '/')) {
    measure_swarm(argv[2], argv[3], repetitions);
    return 0;
  }
  for (size_t k = 0; k < FUNCTIONS; k++)
    for (size_t n = 0; n < 2; n++)
      if ((argc <= 2 || strcmp(argv[2], functions[k].name) == 0) &&
          (argc <= 3 || strtod(argv[3], NULL) == noises[n]))
        measure(functions[k].name, functions[k].f, noises[n], repetitions);
  return 0;
}
