// SPDX-License-Identifier: Apache-2.0
// Intervals of an optimum from functions drawn from the posterior: uncertainty.h describes how, and
// regress/gp/posterior.c where the functions come from. bench/coverage.c measures how often the
// intervals are right.
//
// Replicates are independent and keyed by their number; they are worked out side by side, a wave at
// a time.

#include "optimize/search.h"

#include <math.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "base/order.h"
#include "regress/gp/posterior.h"
#include "regress/name_order.h"

enum { WAVE = 8, MIN_GROUPS = 5, OWN_STARTS = 2, STARTS = OWN_STARTS + 1, CANDIDATES = 24 };

static const double WITHIN_90 = 1.6449;  // standard deviations of a normal distribution

typedef struct bootstrap {
  const rmx_fit *fit;
  const rmx_target *target;
  const double *than, *before;  // (D) (M) of the target: see rmx__target_by(); than may be NULL
  // What an answer may be, held where the runs are; and what the best mixture of a draw may be,
  // which may well lie beyond the runs.
  const rmx__feasible *set, *beyond;
  const double *prior, *optimum;  // (D)
  const rmx_versus *versus;       // (n_versus)
  size_t n_versus;
  size_t *order;               // (M) the metrics by their names
  size_t *rank;                // (M) places in it; their random numbers are keyed by them
  rmx__posterior **posterior;  // (M), NULL where the target does not ask for the metric
  rmx_dataset *data;           // (M)
  rmx__common *common;         // (M) what their errors have in common
  double *candidates;          // (n_candidates, D)
  size_t n_candidates;
  uint64_t seed, first;  // number of the wave's first replicate
  double *best;          // (replicates, D)
  double *wrong;         // (replicates, n_versus) promised less real gain
  bool *failed;          // (replicates) no mixture kept the target's limits
  rmx_status *status;    // of each job: (M) or (WAVE)
  rmx_err *err;
} bootstrap;

static double score_at(const rmx_fit *fit, const rmx_target *t, const double *w, double *y) {
  double score;
  rmx__plain_scores(fit, t, w, 1, y, &score);
  return score;
}

// Appends the candidate with the lowest score to the common starts.
static void add_best_runs(const bootstrap *b, const rmx_fit *fit, const rmx_target *t,
                          double *score, double *y, double *starts) {
  size_t D = fit->D;
  rmx__plain_scores(fit, t, b->candidates, b->n_candidates, y, score);
  for (size_t k = OWN_STARTS; k < STARTS; k++) {
    size_t lowest = 0;
    for (size_t i = 1; i < b->n_candidates; i++)
      if (score[i] < score[lowest]) lowest = i;
    memcpy(starts + k * D, b->candidates + lowest * D, D * sizeof(double));
    score[lowest] = INFINITY;
  }
}

// The runs predicted best; the best run of a draw is nearly always among them: b->candidates
// (CANDIDATES, D).
static rmx_status find_candidates(bootstrap *b, rmx_arena *arena, rmx_err *err) {
  const rmx_fit *f = b->fit;
  size_t D = f->D;
  double *score = rmx_arena_alloc(arena, f->N, sizeof(double)),
         *y = rmx_arena_alloc(arena, f->M, sizeof(double));
  b->candidates = rmx_arena_alloc(arena, CANDIDATES, D * sizeof(double));
  if (!score || !y || !b->candidates)
    return rmx_fail_memory(err, CANDIDATES * D * sizeof(double), "intervals");
  for (size_t i = 0; i < f->N; i++) score[i] = score_at(f, b->target, f->runs + i * D, y);
  for (; b->n_candidates < CANDIDATES && b->n_candidates < f->N; b->n_candidates++) {
    size_t lowest = 0;
    for (size_t i = 1; i < f->N; i++)
      if (score[i] < score[lowest]) lowest = i;
    memcpy(b->candidates + b->n_candidates * D, f->runs + lowest * D, D * sizeof(double));
    score[lowest] = INFINITY;
  }
  return RMX_OK;
}

// `like` with the regressors of the target replaced: its draws or refits.
static void begin_fit(const rmx_fit *like, rmx_regressor **regressors, rmx_fit *out) {
  *out = *like;
  out->regressors = regressors;
  memcpy(regressors, like->regressors, like->M * sizeof(*regressors));
}

static void end_fit(const bootstrap *b, rmx_fit *f) {
  for (size_t m = 0; m < f->M; m++)
    if (f->regressors[m] != b->fit->regressors[m]) rmx_regressor_free(f->regressors[m]);
}

// Runs as a draw would have given them, fitted. at_runs: of each metric, what the draw is at its
// runs, to which the noise is added.
static rmx_status refit(const bootstrap *b, uint64_t number, double *const *at_runs, rmx_fit *out,
                        rmx_err *err) {
  rmx_status status = RMX_OK;
  for (size_t m = 0; m < b->fit->M && status == RMX_OK; m++) {
    if (b->posterior[m] == NULL) continue;
    rmx_dataset again = b->data[m];
    // Numbers of their own, apart from those of the draws.
    rmx_rng rng = rmx_rng_make(b->seed + b->rank[m], number, RMX_FOR_NOISE);
    double noise = rmx__posterior_noise(b->posterior[m], number);
    const rmx__common *c = &b->common[m];
    for (size_t i = 0; i < again.N; i++) {
      double e = rmx_rng_normal(&rng);
      if (c->K) e = c->own * e + rmx__common_normal(c, number, RMX_FOR_NOISE, c->run[i]);
      at_runs[m][i] += noise * e;
    }
    again.y = at_runs[m];
    status = rmx__posterior_refit(b->posterior[m], &b->fit->options, &again, b->seed + number,
                                  &out->regressors[m], err);
  }
  return status;
}

static rmx_status replicate(const bootstrap *b, uint64_t number, rmx_err *err) {
  if (rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while working out intervals");
  size_t D = b->fit->D, M = b->fit->M;
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  rmx_regressor **drawn = rmx_arena_alloc(&arena, M, sizeof(*drawn)),
                **fitted = rmx_arena_alloc(&arena, M, sizeof(*fitted));
  double **at_runs = rmx_arena_alloc(&arena, M, sizeof(*at_runs));
  double *starts = rmx_arena_alloc(&arena, STARTS, D * sizeof(double)),
         *score = rmx_arena_alloc(&arena, CANDIDATES, sizeof(double));
  double *y = rmx_arena_alloc(&arena, CANDIDATES * M, sizeof(double)),
         *chosen = rmx_arena_alloc(&arena, D, sizeof(double)),
         *values = rmx_arena_alloc(&arena, 4 * M, sizeof(double));
  double *best = b->best + number * D, *wrong = b->wrong + number * b->n_versus;
  if (!drawn || !fitted || !at_runs || !starts || !score || !y || !chosen || !values) {
    rmx_arena_release(&arena);
    return rmx_fail_memory(err, M * sizeof(double), "intervals");
  }
  rmx_fit truth, again;
  rmx_target true_target = {.limit = values, .base = values + M},
             target = {.limit = values + 2 * M, .base = values + 3 * M};
  begin_fit(b->fit, drawn, &truth);
  begin_fit(b->fit, fitted, &again);
  for (size_t m = 0; m < M && status == RMX_OK; m++)
    if (b->posterior[m]) {
      if (!(at_runs[m] = rmx_arena_alloc(&arena, b->data[m].N, sizeof(double))))
        status = rmx_fail_memory(err, b->data[m].N * sizeof(double), "intervals");
      else
        status = rmx__posterior_draw(b->posterior[m], number, &b->common[m], at_runs[m],
                                     &truth.regressors[m], err);
    }
  memcpy(starts, b->optimum, D * sizeof(double));
  memcpy(starts + D, b->prior, D * sizeof(double));
  if (status == RMX_OK) {
    rmx__target_by(b->target, &truth, b->than, b->before, &true_target);
    add_best_runs(b, &truth, &true_target, score, y, starts);
    status = rmx__search(&truth, &true_target, b->beyond, starts, STARTS, best, NULL, err);
  }
  if (status == RMX_OK) status = refit(b, number, at_runs, &again, err);
  if (status == RMX_OK) {
    memcpy(starts + D, best, D * sizeof(double));
    rmx__target_by(b->target, &again, b->than, b->before, &target);
    add_best_runs(b, &again, &target, score, y, starts);
    status = rmx__search(&again, &target, b->set, starts, STARTS, chosen, NULL, err);
  }
  if (status == RMX_OK) {
    double promised = score_at(&again, &target, chosen, y),
           real = score_at(&truth, &true_target, chosen, y);
    // Of the optimum itself, beside what the same fit found for another question.
    const double here =
        score_at(&again, &target, b->optimum, y) - score_at(&truth, &true_target, b->optimum, y);
    for (size_t k = 0; k < b->n_versus; k++)
      wrong[k] = score_at(&again, &target, b->versus[k].mixture, y) -
                 score_at(&truth, &true_target, b->versus[k].mixture, y) -
                 (b->versus[k].found ? here : promised - real);
  }
  end_fit(b, &truth);
  end_fit(b, &again);
  rmx_arena_release(&arena);
  if (status != RMX_EINPUT && status != RMX_ENUMERIC) return status;
  b->failed[number] = true;
  return RMX_OK;
}

static void do_replicate(void *context, size_t i) {
  bootstrap *b = context;
  b->status[i] = replicate(b, b->first + i, &b->err[i]);
}

// What the fit seems to explain of metric m out of fold, it may explain by luck. With the
// correlation r that its R2 stands for, and the lower end r_low of the interval of r (90 %,
// Fisher's), it surely explains the part r_low^2 / r^2. The mean square error may be noise, or the
// fit had too few runs. The part 1 - r_low^2 of it is taken for noise.
static rmx__found find_out(const rmx_fit *f, size_t m) {
  double n = 0, mean = 0, square = 0, error = 0, mixtures = 0;
  for (size_t i = 0; f->out_of_fold && f->truth && i < f->N; i++) {
    const double y = f->truth[i * f->M + m], off = f->out_of_fold[i * f->M + m] - y;
    if (!isfinite(y) || !isfinite(off)) continue;
    n++;
    mixtures += !f->groups || f->groups[i] == (int)i;
    error += off * off;
    square += (y - mean) * (y - mean) * (n - 1) / n;
    mean += (y - mean) / n;
  }
  if (!(square > 0)) return (rmx__found){0, 1};
  const double r = sqrt(fmin(fmax(1 - error / square, 0), 1 - 1e-12));
  const double low = tanh(fmax(atanh(r) - WITHIN_90 / sqrt(fmax(mixtures - 3, 1)), 0));
  return (rmx__found){sqrt(fmin(error, square) / n * (1 - low * low)),
                      r > 0 ? low * low / (r * r) : 0};
}

static void make_posterior(void *context, size_t m) {
  bootstrap *b = context;
  b->status[m] = RMX_OK;
  if (b->data[m].N)  // seeds of their own for each metric
    b->status[m] = rmx__posterior_make(&b->fit->options, b->fit->regressors[m], &b->data[m],
                                       find_out(b->fit, m), b->seed + 1000 * (b->rank[m] + 1),
                                       &b->posterior[m], &b->err[m]);
}

static rmx_status first_failure(const bootstrap *b, size_t n, rmx_err *err) {
  for (size_t i = 0; i < n; i++)
    if (b->status[i] != RMX_OK) {
      *err = b->err[i];
      return b->status[i];
    }
  return RMX_OK;
}

static rmx_status rank_metrics(const rmx_fit *fit, size_t *order, size_t *rank, rmx_err *err) {
  RMX_TRY(rmx__name_order((const char *const *)fit->metrics, fit->M, order, err));
  for (size_t k = 0; k < fit->M; k++) rank[order[k]] = k;
  return RMX_OK;
}

// The runs of the fit that have a value of metric m.
static size_t *runs_of(const rmx_fit *f, size_t m, rmx_arena *arena) {
  size_t *run = rmx_arena_alloc(arena, f->N, sizeof *run), n = 0;
  for (size_t i = 0; run && i < f->N; i++)
    if (isfinite(f->truth[i * f->M + m])) run[n++] = i;
  return run;
}

// What the errors of the target's metrics have in common, by their errors out of fold.
static rmx_status find_common(bootstrap *b, rmx_arena *arena, rmx_err *err) {
  const rmx_fit *f = b->fit;
  const size_t N = f->N, M = f->M;
  const uint64_t seed = b->seed + 1000 * (M + 1);  // beyond those of the metrics
  rmx__common_errors found;
  double *errors = rmx_arena_alloc(arena, N * M, sizeof *errors);
  size_t *used = rmx_arena_alloc(arena, M, sizeof *used), n = 0;
  b->common = rmx_arena_alloc(arena, M, sizeof *b->common);
  if (!errors || !used || !b->common)
    return rmx_fail_memory(err, N * M * sizeof *errors, "errors in common");
  memset(b->common, 0, M * sizeof *b->common);
  if (!f->out_of_fold || !f->truth) return RMX_OK;
  for (size_t k = 0; k < N * M; k++) errors[k] = f->truth[k] - f->out_of_fold[k];
  for (size_t k = 0; k < M; k++)
    if (b->data[b->order[k]].N) used[n++] = b->order[k];
  RMX_TRY(rmx__common_errors_make(errors, N, M, used, n, arena, &found, err));
  for (size_t k = 0; k < n && found.K; k++) {
    const size_t m = used[k];
    b->common[m] =
        (rmx__common){found.K, found.share + m * found.K, found.own[m], seed, runs_of(f, m, arena)};
    if (!b->common[m].run) return rmx_fail_memory(err, N * sizeof(size_t), "errors in common");
  }
  return RMX_OK;
}

static rmx_status run(bootstrap *b, uint64_t replicates, int threads, const rmx_listener *listener,
                      rmx_err *err) {
  rmx_parallel(threads, b->fit->M, make_posterior, b);
  RMX_TRY(first_failure(b, b->fit->M, err));
  for (b->first = 0; b->first < replicates; b->first += WAVE) {
    if (rmx_interrupted())
      return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while working out intervals");
    size_t n = replicates - b->first < WAVE ? (size_t)(replicates - b->first) : WAVE;
    rmx_parallel(threads, n, do_replicate, b);
    RMX_TRY(first_failure(b, n, err));
    rmx_progress(listener, "intervals", (double)(b->first + n), (double)replicates, "replicates",
                 NULL);
  }
  return RMX_OK;
}

// ---- what they say ----

// The draws are rougher than most functions of mixtures, so their spread is too wide. Each end of
// an interval leaves out this many times what its level says (docs/results/optimum.md).
static const double TOO_WIDE = 1.4;

// The interval of `level` by x (n), which is sorted. With out = TOO_WIDE (1 - level) / 2, its ends
// are the out (n + 1)-th smallest and largest.
static void quantiles(double *x, size_t n, double level, double *low, double *high) {
  qsort(x, n, sizeof(*x), rmx__ascending);
  const double out = fmin(TOO_WIDE * (1 - level) / 2, 0.5);
  const double at = fmax(out * (double)(n + 1) - 1, 0), part = at - floor(at);
  const size_t k = (size_t)at, next = k + 1 < n ? k + 1 : k;
  *low = x[k] + part * (x[next] - x[k]);
  *high = x[n - 1 - k] + part * (x[n - 1 - next] - x[n - 1 - k]);
}

// Moves what is known of a gain.
static void correct_by(rmx_versus *v, double more, double *x, size_t n) {
  for (size_t i = 0; i < n; i++) x[i] += more;
  v->low += more;
  v->high += more;
  v->estimate += more;
}

// A weight is printed to half a tenth of a percent.
static const double PRINTED = 5e-4;

// What the guard cuts off the intervals.
static void find_cuts(const bootstrap *b, size_t replicates, rmx_uncertainty *u) {
  size_t n = 0, held = 0;
  for (size_t i = 0; i < replicates; i++) {
    if (b->failed[i]) continue;
    held += rmx__held_by_distance(b->set, b->best + i * u->D);
    n++;
  }
  u->at_distance_limit = n ? (double)held / (double)n : 0;
  for (size_t d = 0; d < u->D; d++) {
    u->cut_low[d] = rmx__held_by_range(b->set, d, u->low[d], PRINTED) < 0;
    u->cut_high[d] = rmx__held_by_range(b->set, d, u->high[d], PRINTED) > 0;
  }
}

static rmx_status summarise(const bootstrap *b, size_t replicates, const rmx_optimum *optimum,
                            rmx_uncertainty *u, rmx_err *err) {
  size_t D = u->D, n = 0;
  double *x = rmx_calloc(replicates, sizeof(double));
  if (x == NULL) return rmx_fail_memory(err, replicates * sizeof(double), "intervals");
  for (size_t d = 0; d < D; d++) {
    n = 0;
    for (size_t i = 0; i < replicates; i++)
      if (!b->failed[i]) x[n++] = b->best[i * D + d];
    if (2 * n < replicates) break;
    quantiles(x, n, u->level, &u->low[d], &u->high[d]);
    u->low[d] = fmin(u->low[d], optimum->mixture[d]);
    u->high[d] = fmax(u->high[d], optimum->mixture[d]);
  }
  u->replicates = (int64_t)n;
  find_cuts(b, replicates, u);
  for (size_t k = 0; k < u->n_versus && 2 * n >= replicates; k++) {
    rmx_versus *v = &u->versus[k];
    // Against itself nothing was chosen, so nothing was promised: all of it stays 0.
    v->same = rmx__total_variation(v->mixture, optimum->mixture, D) < 1e-9;
    if (v->same) continue;
    size_t m = 0, above = 0;
    for (size_t i = 0; i < replicates; i++)
      if (!b->failed[i]) x[m++] = v->gain - b->wrong[i * u->n_versus + k];
    quantiles(x, m, u->level, &v->low, &v->high);
    v->estimate = 0.5 * (x[(m - 1) / 2] + x[m / 2]);
    if (v->found) correct_by(v, v->gain - v->estimate, x, m);
    for (size_t i = 0; i < m; i++) above += x[i] > 0;
    v->probability = (double)above / (double)m;
  }
  free(x);
  n = 0;
  for (size_t i = 0; i < replicates; i++)
    if (!b->failed[i]) memcpy(u->best + n++ * D, b->best + i * D, D * sizeof *u->best);
  if (2 * n < replicates)
    return rmx_fail(
        err, RMX_EINPUT,
        "intervals: for %zu of %zu functions drawn from the posterior no mixture keeps the "
        "target's limits: loosen them",
        replicates - n, replicates);
  return RMX_OK;
}

static rmx_status begin(const rmx_fit *fit, const rmx_problem *q, const rmx_optimum *optimum,
                        const double *prior, const rmx_rival *against, size_t n, size_t replicates,
                        rmx_uncertainty *u, rmx_err *err) {
  const rmx_rival first = {"prior", prior, false};
  size_t D = fit->D;
  RMX_OWNED double *y = rmx_calloc(fit->M, sizeof(double));
  u->best = rmx_calloc(replicates, D * sizeof(double));
  u->low = rmx_calloc(D, sizeof(double));
  u->high = rmx_calloc(D, sizeof(double));
  u->cut_low = rmx_calloc(D, sizeof(bool));
  u->cut_high = rmx_calloc(D, sizeof(bool));
  u->versus = rmx_calloc(n + 1, sizeof(*u->versus));
  bool failed = !y || !u->best || !u->low || !u->high || !u->cut_low || !u->cut_high || !u->versus;
  double best = failed ? 0 : score_at(fit, &q->target, optimum->mixture, y);
  for (size_t k = 0; k <= n && !failed; k++) {
    rmx_versus *v = &u->versus[u->n_versus++];
    const rmx_rival *rival = k ? &against[k - 1] : &first;
    v->name = rmx_strdup(rival->name);
    v->mixture = rmx_calloc(D, sizeof(double));
    if ((failed = !v->name || !v->mixture)) break;
    memcpy(v->mixture, rival->mixture, D * sizeof(double));
    v->found = rival->found;
    v->score = score_at(fit, &q->target, v->mixture, y);
    v->gain = v->score - best;
  }
  return failed ? rmx_fail_memory(err, D * sizeof(double), "intervals") : RMX_OK;
}

static rmx_status check_runs(const rmx_fit *fit, const rmx_optimize_options *o, rmx_err *err) {
  if (!(o->level > 0 && o->level < 1) || o->replicates < RMX__FEWEST_REPLICATES)
    return rmx_fail(
        err, RMX_EINPUT,
        "intervals of level %g from %lld replicates: wanted a level between 0 and 1, and 20 "
        "replicates or more",
        o->level, (long long)o->replicates);
  size_t groups = 0;
  for (size_t i = 0; fit->groups && i < fit->N; i++) groups += fit->groups[i] == (int)i;
  if (fit->groups && groups < MIN_GROUPS)
    return rmx_fail(err, RMX_EINPUT, "intervals need at least %d different mixtures, got %zu",
                    MIN_GROUPS, groups);
  return RMX_OK;
}

rmx_status rmx_uncertainty_make(const rmx_optimize_request *request, const rmx_optimum *optimum,
                                const rmx_rival *against, size_t n, rmx_uncertainty *out,
                                rmx_err *err) {
  const rmx_fit *fit = request->fit;
  const rmx_problem *q = request->problem;
  const rmx_optimize_options *options = rmx__options_of(request);
  RMX_TRY(check_runs(fit, options, err));
  const double *prior = q->prior ? q->prior : fit->mean_mixture;
  size_t D = fit->D, M = fit->M, B = (size_t)options->replicates, jobs = M > WAVE ? M : WAVE;
  rmx_arena arena = {0};
  rmx__feasible set = {0}, beyond = {0};
  rmx_uncertainty u = {.D = D, .level = options->level};
  bootstrap b = {.fit = fit,
                 .target = &q->target,
                 .set = &set,
                 .beyond = &beyond,
                 .prior = prior,
                 .optimum = optimum->mixture,
                 .seed = request->seed};
  rmx_status status = begin(fit, q, optimum, prior, against, n, B, &u, err);
  b.versus = u.versus;
  b.n_versus = u.n_versus;
  b.posterior = rmx_arena_alloc(&arena, M, sizeof(*b.posterior));
  b.data = rmx_arena_alloc(&arena, M, sizeof(*b.data));
  b.rank = rmx_arena_alloc(&arena, M, sizeof(*b.rank));
  b.order = rmx_arena_alloc(&arena, M, sizeof(*b.order));
  b.best = rmx_arena_alloc(&arena, B, D * sizeof(double));
  b.wrong = rmx_arena_alloc(&arena, B, (n + 1) * sizeof(double));
  b.failed = rmx_arena_alloc(&arena, B, sizeof(bool));
  b.status = rmx_arena_alloc(&arena, jobs, sizeof(*b.status));
  b.err = rmx_arena_alloc(&arena, jobs, sizeof(*b.err));
  if (status == RMX_OK && (!b.posterior || !b.data || !b.rank || !b.order || !b.best || !b.wrong ||
                           !b.failed || !b.status || !b.err))
    status = rmx_fail_memory(err, B * D * sizeof(double), "intervals");
  if (status != RMX_OK) goto done;
  RMX_TRY_GOTO(rmx__feasible_make(&set, fit, &q->constraints, optimum->guarded, prior, NULL, err),
               done);
  if (optimum->reached) rmx__feasible_reach(&set, optimum->reached);
  set.coarse = true;
  RMX_TRY_GOTO(rmx__feasible_copy(&beyond, &set, err), done);
  rmx__feasible_double(&beyond, fit);
  RMX_TRY_GOTO(rank_metrics(fit, b.order, b.rank, err), done);
  for (size_t m = 0; m < M; m++)
    if (q->target.weight[m] != 0 || isfinite(q->target.limit[m]))
      RMX_TRY_GOTO(rmx__fit_dataset(fit, m, &arena, &b.data[m], err), done);
  double *before = rmx_arena_alloc(&arena, M, sizeof(double));
  if (!before) {
    status = rmx_fail_memory(err, M * sizeof(double), "intervals");
    goto done;
  }
  for (size_t m = 0; m < M && q->than; m++)
    rmx_regressor_predict(fit->regressors[m], q->than, 1, &before[m], NULL);
  b.than = q->than;
  b.before = before;
  RMX_TRY_GOTO(find_common(&b, &arena, err), done);
  RMX_TRY_GOTO(find_candidates(&b, &arena, err), done);
  RMX_TRY_GOTO(run(&b, B, request->threads, request->listener, err), done);
  RMX_TRY_GOTO(summarise(&b, B, optimum, &u, err), done);
done:
  for (size_t m = 0; b.posterior && m < M; m++) rmx__posterior_free(b.posterior[m]);
  rmx__feasible_release(&set);
  rmx__feasible_release(&beyond);
  rmx_arena_release(&arena);
  if (status != RMX_OK) {
    rmx_uncertainty_release(&u);
    return status;
  }
  *out = u;
  return RMX_OK;
}

const char *rmx_versus_verdict(const rmx_versus *v) {
  if (v->same) return "the same mixture";
  return v->low > 0 ? "better" : v->high < 0 ? "worse" : "not clearly better";
}

void rmx_uncertainty_release(rmx_uncertainty *u) {
  for (size_t k = 0; k < u->n_versus; k++) {
    free(u->versus[k].name);
    free(u->versus[k].mixture);
  }
  free(u->versus);
  free(u->low);
  free(u->high);
  free(u->cut_low);
  free(u->cut_high);
  free(u->best);
  *u = (rmx_uncertainty){0};
}

rmx_status rmx_uncertainty_totals(const rmx_uncertainty *u, const double *w, const double *share,
                                  size_t n, double *low, double *high, rmx_err *err) {
  const size_t B = (size_t)u->replicates, D = u->D;
  RMX_OWNED double *x = rmx_calloc(B, sizeof *x);
  if (!x) return rmx_fail_memory(err, B * sizeof *x, "intervals");
  for (size_t k = 0; k < n; k++) {
    const double *part = share + k * D, optimum = rmx__dot(part, w, D);
    for (size_t i = 0; i < B; i++) x[i] = rmx__dot(part, u->best + i * D, D);
    quantiles(x, B, u->level, &low[k], &high[k]);
    low[k] = fmin(low[k], optimum);
    high[k] = fmax(high[k], optimum);
  }
  return RMX_OK;
}

static json_t *names_where(const bool *which, const rmx_fit *fit) {
  json_t *names = json_array();
  for (size_t d = 0; d < fit->D; d++)
    if (which[d]) json_array_append_new(names, json_string(fit->domains[d]));
  return names;
}

rmx_status rmx_uncertainty_json(const rmx_uncertainty *u, const rmx_fit *fit, json_t *into,
                                rmx_err *err) {
  json_t *interval = json_object(), *versus = json_object();
  bool failed = !interval || !versus;
  for (size_t d = 0; d < u->D && !failed; d++)
    failed = json_object_set_new(interval, fit->domains[d],
                                 json_pack("[f, f]", u->low[d], u->high[d])) != 0;
  for (size_t k = 0; k < u->n_versus && !failed; k++) {
    const rmx_versus *v = &u->versus[k];
    failed = json_object_set_new(
                 versus, v->name,
                 json_pack("{s:f, s:f, s:f, s:[f, f], s:f, s:s}", "score", v->score, "gain",
                           v->gain, "estimate", v->estimate, "interval", v->low, v->high,
                           "probability", v->probability, "verdict", rmx_versus_verdict(v))) != 0;
  }
  const rmx_versus *prior = &u->versus[0];
  failed =
      failed || json_object_set_new(into, "level", json_real(u->level)) != 0 ||
      json_object_set_new(into, "replicates", json_integer(u->replicates)) != 0 ||
      json_object_set(into, "interval", interval) != 0 ||
      json_object_set_new(
          into, "interval_cut",
          json_pack("{s:o, s:o, s:f}", "low", names_where(u->cut_low, fit), "high",
                    names_where(u->cut_high, fit), "distance", u->at_distance_limit)) != 0 ||
      json_object_set(into, "versus", versus) != 0 ||
      json_object_set_new(into, "gain",
                          json_pack("{s:f, s:f, s:[f, f]}", "predicted", prior->gain, "estimate",
                                    prior->estimate, "interval", prior->low, prior->high)) != 0;
  json_decref(interval);
  json_decref(versus);
  return failed ? rmx_fail_memory(err, u->D * 64, "intervals") : RMX_OK;
}
