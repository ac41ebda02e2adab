// SPDX-License-Identifier: Apache-2.0
// What M more runs are worth: the value of sample information (Raiffa & Schlaifer 1961; of a batch
// under a Gaussian process: Wu & Frazier 2016, eq. 3.3). Whoever trains at the lowest mean m of
// what is known gains, by knowing more first,
//   gain = min_w m_N(w) - E[min_w m_{N+M}(w)],
// since what is expected of w now is m_N(w), and then m_{N+M}(w). Before the runs are made m_{N+M}
// is itself normal about m_N: m_N + sum_k c_k z_k, c_k the row that run k adds
// (regress/gp/conditioned.h), z normal. The mean over draws of z needs no further fit.
//
// Why not the measured regrets, extrapolated: among a few held-out runs the regret is 0 most of the
// time and does not cover mixtures between the runs; and why not c rmse^2: c, the curvature at the
// optimum, is not known.
//
// The new runs are drawn around the mean of those there are, as the sampler draws them: they keep
// the constraints that all runs keep, such as the shares of phases. The minimum is over the
// mixtures that the search may propose, drawn so, near the best runs and near the lowest
// predictions. Before the new runs it is taken within the present guard, after them within the
// wider guard that they make. That is half of their value where the optimum is at the edge. Cost:
// O(n M (N + M)) for n mixtures, n M numbers a draw.

#include "optimize/suggest.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

static const double KEPT = 1e-6;  // how far raw mixtures may be off
enum { AROUND = 512, NEAR = 512, CENTRES = 8, DRAWS = 256, MAX_MORE = 1024 };

typedef struct draws {
  const double *mean, *C;  // (n), INFINITY where not allowed; (M, n)
  size_t n, M;
  uint64_t seed;
  double lowest[DRAWS];
} draws;

static void do_draw(void *context, size_t k) {
  draws *d = context;
  RMX_OWNED double *mean = rmx_calloc(d->n, sizeof(double)), *z = rmx_calloc(d->M, sizeof(double));
  d->lowest[k] = NAN;
  if (mean && z) {
    // In pairs of opposite sign, which takes out what is odd in z.
    rmx_rng rng = rmx_rng_make(d->seed, k / 2, RMX_FOR_SIMULATION);
    for (size_t m = 0; m < d->M; m++) z[m] = (k % 2 ? -1 : 1) * rmx_rng_normal(&rng);
    memcpy(mean, d->mean, d->n * sizeof(double));
    for (size_t m = 0; m < d->M; m++)
      for (size_t i = 0; i < d->n; i++) mean[i] += z[m] * d->C[m * d->n + i];
    d->lowest[k] = INFINITY;
    for (size_t i = 0; i < d->n; i++) d->lowest[k] = fmin(d->lowest[k], mean[i]);
  }
}

typedef struct valuation {
  const rmx_fit *fit;
  const rmx_problem *problem;
  const rmx_dataset *scored;
  bool guard;       // the search keeps to where the runs are
  size_t new_runs;  // wanted, then drawn: they come first in the list
  uint64_t seed;
  int threads;
  double *prior;                                  // (D)
  double *runs;                                   // (N + new_runs, D) of the guard_then
  rmx_constraints of_runs;                        // the problem's that all runs keep
  rmx__feasible anywhere, guard_now, guard_then;  // where the runs are now, and with the new ones
  rmx__candidates list;
  rmx__score_model model;
  rmx__conditioned belief;  // of the list
} valuation;

static bool all_runs_keep(const rmx_fit *f, const double *factor, double low, double high) {
  for (size_t i = 0; i < f->N; i++) {
    double sum = 0;
    for (size_t d = 0; d < f->D; d++) sum += factor[d] * f->runs[i * f->D + d];
    if (sum < low - KEPT || sum > high + KEPT) return false;
  }
  return true;
}

// v->of_runs: bounds and shares of the problem that all runs keep. Each share is borrowed.
static rmx_status find_common(valuation *v, rmx_err *err) {
  const rmx_constraints *c = &v->problem->constraints;
  RMX_OWNED double *one = rmx_calloc(v->fit->D, sizeof *one);
  if (!one) return rmx_fail_memory(err, v->fit->D * sizeof *one, "the gain of more runs");
  RMX_TRY(rmx_constraints_make(v->fit->D, &v->of_runs, err));
  for (size_t d = 0; d < v->fit->D; d++) {
    one[d] = 1;
    if (all_runs_keep(v->fit, one, c->low[d], c->high[d]))
      v->of_runs.low[d] = c->low[d], v->of_runs.high[d] = c->high[d];
    one[d] = 0;
  }
  if (!c->n_shares) return RMX_OK;
  v->of_runs.shares = rmx_calloc(c->n_shares, sizeof *c->shares);
  if (!v->of_runs.shares) return rmx_fail_memory(err, c->n_shares * sizeof *c->shares, "shares");
  for (size_t i = 0; i < c->n_shares; i++)
    if (all_runs_keep(v->fit, c->shares[i].factor, c->shares[i].low, c->shares[i].high))
      v->of_runs.shares[v->of_runs.n_shares++] = c->shares[i];
  return RMX_OK;
}

// Where a search that knows `runs` may go.
static rmx_status make_guard(const valuation *v, const rmx_fit *runs, rmx__feasible *out,
                             rmx_err *err) {
  return rmx__feasible_make(out, runs, &v->problem->constraints, v->guard, v->prior, NULL, err);
}

static rmx_status prepare(valuation *v, rmx_err *err) {
  const rmx_fit *fit = v->fit;
  size_t D = fit->D, room = fit->N + v->new_runs + AROUND + 2 * NEAR;
  v->prior = rmx_calloc(D, sizeof(double));
  if (!v->prior) return rmx_fail_memory(err, D * sizeof(double), "the gain of more runs");
  memcpy(v->prior, fit->mean_mixture, D * sizeof(double));
  RMX_TRY(rmx_mixture_normalise(v->prior, D, err));
  RMX_TRY(find_common(v, err));
  RMX_TRY(rmx__feasible_make(&v->anywhere, fit, &v->of_runs, false, v->prior, NULL, err));
  RMX_TRY(make_guard(v, fit, &v->guard_now, err));
  RMX_TRY(rmx__score_model_make(&v->model, fit, &v->problem->target, v->scored, v->seed, err));
  return rmx__candidates_make(&v->list, D, room, v->seed, err);
}

// Draws the new runs into the list, and makes the guard of all runs.
static rmx_status draw_new_runs(valuation *v, rmx_err *err) {
  const rmx_fit *fit = v->fit;
  size_t D = fit->D;
  rmx__draw how = {.prior = v->prior, .set = &v->anywhere, .threads = v->threads};
  RMX_TRY(rmx__candidates_around_prior(&v->list, &how, v->new_runs, err));
  v->new_runs = v->list.n;
  double *runs = v->runs = rmx_calloc(fit->N + v->new_runs, D * sizeof(double));
  if (!runs) return rmx_fail_memory(err, fit->N * D * sizeof(double), "the gain of more runs");
  memcpy(runs, fit->runs, fit->N * D * sizeof(double));
  memcpy(runs + fit->N * D, v->list.X, v->new_runs * D * sizeof(double));
  rmx_fit with_more = *fit;
  with_more.runs = runs;
  with_more.N = fit->N + v->new_runs;
  return make_guard(v, &with_more, &v->guard_then, err);
}

// The candidates in the set with the lowest predicted scores: centres (CENTRES, D), *n of them.
static void find_lowest(const valuation *v, const rmx__feasible *set, double *mean, double *centres,
                        size_t *n) {
  const rmx__candidates *c = &v->list;
  double scale = v->model.scale;
  rmx_regressor_predict(v->model.r, c->X, c->n, mean, NULL);
  for (size_t i = 0; i < c->n; i++)
    if (!rmx__feasible_contains(set, c->X + i * c->D)) mean[i] = NAN;
  for (*n = 0; *n < CENTRES && *n < c->n; ++*n) {
    size_t best = c->n;
    for (size_t i = 0; i < c->n; i++)
      if (!isnan(mean[i]) && (best == c->n || scale * mean[i] < scale * mean[best])) best = i;
    if (best == c->n) break;
    memcpy(centres + *n * c->D, c->X + best * c->D, c->D * sizeof(double));
    mean[best] = NAN;
  }
}

// Fills the list: the runs, mixtures around the prior, mixtures near the lowest predictions.
static rmx_status draw_candidates(valuation *v, rmx_err *err) {
  size_t D = v->fit->D, n_centres = 0;
  RMX_OWNED double *mean = rmx_calloc(v->list.room, sizeof(double)),
                   *centres = rmx_calloc(CENTRES, D * sizeof(double));
  rmx__draw how = {.prior = v->prior, .set = &v->guard_then, .threads = v->threads};
  if (!mean || !centres)
    return rmx_fail_memory(err, v->list.room * sizeof(double), "the gain of more runs");
  for (size_t i = 0; i < v->scored->N; i++) rmx__candidates_add(&v->list, v->scored->X + i * D);
  RMX_TRY(rmx__candidates_around_prior(&v->list, &how, AROUND, err));
  for (int time = 0; time < 4; time++) {
    how.set = time % 2 ? &v->guard_then : &v->guard_now;
    find_lowest(v, how.set, mean, centres, &n_centres);
    RMX_TRY(rmx__candidates_near(&v->list, &how, centres, n_centres, NEAR / 2, err));
  }
  return RMX_OK;
}

// INFINITY into the means of candidates that the search may propose neither now nor then, and the
// problem's penalty onto the others. *now: the lowest of those that it may propose now.
static rmx_status allow(const valuation *v, double *mean, double *now, rmx_err *err) {
  const rmx_target *t = &v->problem->target;
  const rmx_constraints *c = &v->problem->constraints;
  const size_t n = v->list.n;
  RMX_OWNED double *y = rmx_calloc(n, sizeof *y);
  if (!y) return rmx_fail_memory(err, n * sizeof *y, "the gain of more runs");
  for (size_t m = 0; m < v->fit->M; m++) {
    if (!(t->limit[m] < INFINITY)) continue;
    rmx_regressor_predict(v->fit->regressors[m], v->list.X, n, y, NULL);
    for (size_t i = 0; i < n; i++)
      if (!(t->sign[m] * y[i] <= t->limit[m])) mean[i] = INFINITY;
  }
  *now = INFINITY;
  for (size_t i = 0; i < n; i++) {
    const double *w = v->list.X + i * v->list.D;
    const bool in_now = rmx__feasible_contains(&v->guard_now, w);
    if (c->kl_penalty > 0) mean[i] += c->kl_penalty * rmx__kl_above(c, w, 1e-300);
    if (in_now) *now = fmin(*now, mean[i]);
    if (!in_now && !rmx__feasible_contains(&v->guard_then, w)) mean[i] = INFINITY;
  }
  return RMX_OK;
}

static rmx_status value(valuation *v, double *gain, rmx_err *err) {
  size_t D = v->fit->D, n = v->list.n, M = v->new_runs;
  rmx__conditioned *b = &v->belief;
  RMX_OWNED double *C = rmx_calloc(M, n * sizeof(double));
  double now = INFINITY, then = 0;
  RMX_OWNED draws *d = rmx_calloc(1, sizeof(*d));
  if (!C || !d) return rmx_fail_memory(err, M * n * sizeof(double), "the gain of more runs");
  RMX_TRY(rmx__conditioned_make(b, v->model.r, v->list.X, n, D, M, err));
  rmx__conditioned_scale(b, v->model.scale);
  for (size_t m = 0; m < M; m++) {
    rmx__conditioned_add(b, m, 0);
    memcpy(C + m * n, b->last_row, n * sizeof(double));
  }
  *d = (draws){.mean = b->mean, .C = C, .n = n, .M = M, .seed = v->seed};
  RMX_TRY(allow(v, b->mean, &now, err));
  rmx_parallel(v->threads, DRAWS, do_draw, d);
  for (size_t k = 0; k < DRAWS; k++) then += d->lowest[k] / DRAWS;
  *gain = isfinite(now) ? fmax(now - then, 0) : NAN;
  if (isnan(then)) return rmx_fail_memory(err, n * sizeof(double), "the gain of more runs");
  return RMX_OK;
}

rmx_status rmx__expected_gain(const rmx_optimize_request *request, const rmx_dataset *scored,
                              size_t more, double *gain, rmx_err *err) {
  const rmx_optimize_options *o = request->options ? request->options : &rmx_optimize_defaults;
  valuation v = {.fit = request->fit,
                 .problem = request->problem,
                 .scored = scored,
                 .guard = o->guard,
                 .new_runs = rmx__min(more, MAX_MORE),
                 .seed = request->seed,
                 .threads = request->threads};
  rmx_status status = prepare(&v, err);
  if (status == RMX_OK) status = draw_new_runs(&v, err);
  if (status == RMX_OK) status = draw_candidates(&v, err);
  if (status == RMX_OK) status = value(&v, gain, err);
  free(v.of_runs.shares);  // which are the problem's
  v.of_runs.shares = NULL, v.of_runs.n_shares = 0;
  rmx_constraints_release(&v.of_runs);
  rmx__feasible_release(&v.anywhere);
  rmx__feasible_release(&v.guard_now);
  rmx__feasible_release(&v.guard_then);
  rmx__candidates_release(&v.list);
  rmx__score_model_release(&v.model);
  rmx__conditioned_release(&v.belief);
  free(v.prior);
  free(v.runs);
  return status;
}
