// SPDX-License-Identifier: Apache-2.0
// What M more runs are worth: the value of sample information (Raiffa & Schlaifer 1961; of a batch
// under a Gaussian process: Wu & Frazier 2016, eq. 3.3). Whoever trains at the lowest mean m of
// what is known gains, by knowing more first,
//   gain = min_w m_N(w) - E[min_w m_{N+M}(w)],
// since what is expected of w now is m_N(w), and then m_{N+M}(w). Before the runs are made m_{N+M}
// is itself normal about m_N: m_N + sum_k c_k z_k, where c_k is the row that run k adds
// (regress/gp/conditioned.h) and z is normal. The mean over draws of z needs no further fit.
//
// Why not the measured regrets, extrapolated: among a few held-out runs the regret is 0 most of the
// time and says nothing of mixtures between the runs; and why not c rmse^2: c, the curvature at the
// optimum, is not known.
//
// The new runs are drawn around the mean of those there are, as the sampler draws them. The minimum
// is over mixtures drawn so, near the best runs and near the lowest predictions: the first within
// the guard that the search keeps to now, the second within the one that the new runs widen, which
// is half of what they are good for where the optimum is at the edge. Cost: O(n M (N + M)) for n
// mixtures, n M numbers a draw.

#include "expected_gain.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "candidates.h"
#include "regress/fit.h"
#include "regress/gp/conditioned.h"

enum { AROUND = 512, NEAR = 512, CENTRES = 8, DRAWS = 256, MAX_MORE = 1024 };

typedef struct draws {
  const double *mean, *C;  // (n) (M, n)
  size_t n, M;
  uint64_t seed;
  double lowest[DRAWS];
} draws;

static void do_draw(void *context, size_t k) {
  draws *d = context;
  double *mean = rmx_calloc(d->n, sizeof(double)), *z = rmx_calloc(d->M, sizeof(double));
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
  free(mean);
  free(z);
}

static void lowest(const rmx__score_model *model, const rmx__candidates *c, const rmx__feasible *in,
                   double *mean, double *centres, size_t *n) {
  rmx_regressor_predict(model->r, c->X, c->n, mean, NULL);
  for (size_t i = 0; i < c->n; i++)
    if (!rmx__feasible_contains(in, c->X + i * c->D)) mean[i] = NAN;
  for (*n = 0; *n < CENTRES && *n < c->n; ++*n) {
    size_t best = c->n;
    for (size_t i = 0; i < c->n; i++)
      if (!isnan(mean[i]) && (best == c->n || model->scale * mean[i] < model->scale * mean[best]))
        best = i;
    if (best == c->n) break;
    memcpy(centres + *n * c->D, c->X + best * c->D, c->D * sizeof(double));
    mean[best] = NAN;
  }
}

rmx_status rmx__expected_gain(const rmx_fit *fit, const rmx_target *target,
                              const rmx_dataset *scored, size_t more, uint64_t seed, int threads,
                              double *gain, rmx_err *err) {
  size_t D = fit->D, n_centres = 0, first;
  size_t M = more < MAX_MORE ? more : MAX_MORE;
  rmx_constraints anything = {0};
  rmx__feasible anywhere = {0}, now_in = {0}, then_in = {0};
  bool infeasible;  // there are no constraints to clash with
  double *runs = NULL;
  rmx__candidates list = {0};
  rmx__score_model model = {0};
  rmx__conditioned b = {0};
  double *prior = rmx_calloc(D, sizeof(double)), *centres = rmx_calloc(CENTRES, D * sizeof(double)),
         *C = NULL, *mean = NULL;
  draws *d = rmx_calloc(1, sizeof(*d));
  rmx_status status = RMX_OK;
  if (!prior || !centres || !d) {
    status = rmx_fail_memory(err, CENTRES * D * sizeof(double), "the gain of more runs");
    goto done;
  }
  memcpy(prior, fit->mean_mixture, D * sizeof(double));
  RMX_TRY_GOTO(rmx_mixture_normalise(prior, D, err), done);
  RMX_TRY_GOTO(rmx_constraints_make(D, &anything, err), done);
  RMX_TRY_GOTO(rmx__feasible_make(&anywhere, fit, &anything, false, prior, &infeasible, err), done);
  RMX_TRY_GOTO(rmx__feasible_make(&now_in, fit, &anything, true, prior, &infeasible, err), done);
  RMX_TRY_GOTO(rmx__score_model_make(&model, fit, target, scored, seed, err), done);
  RMX_TRY_GOTO(rmx__candidates_make(&list, D, fit->N + M + AROUND + 2 * NEAR, seed, err), done);
  mean = rmx_calloc(list.room, sizeof(double));
  runs = rmx_calloc(fit->N + M, D * sizeof(double));
  if (!mean || !runs) {
    status = rmx_fail_memory(err, list.room * D * sizeof(double), "the gain of more runs");
    goto done;
  }
  // The new runs come first in the list.
  RMX_TRY_GOTO(rmx__candidates_around_prior(&list, prior, &anywhere, 0, M, threads, err), done);
  first = list.n;
  memcpy(runs, fit->runs, fit->N * D * sizeof(double));
  memcpy(runs + fit->N * D, list.X, first * D * sizeof(double));
  rmx_fit with_more = *fit;
  with_more.runs = runs;
  with_more.N = fit->N + first;
  RMX_TRY_GOTO(rmx__feasible_make(&then_in, &with_more, &anything, true, prior, &infeasible, err),
               done);
  for (size_t i = 0; i < scored->N; i++) rmx__candidates_add(&list, scored->X + i * D);
  RMX_TRY_GOTO(rmx__candidates_around_prior(&list, prior, &then_in, 0, AROUND, threads, err), done);
  for (int time = 0; time < 4; time++) {
    const rmx__feasible *in = time % 2 ? &then_in : &now_in;
    lowest(&model, &list, in, mean, centres, &n_centres);
    RMX_TRY_GOTO(
        rmx__candidates_near(&list, centres, n_centres, prior, in, 0, NEAR / 2, threads, err),
        done);
  }
  C = rmx_calloc(first, list.n * sizeof(double));
  if (C == NULL) {
    status = rmx_fail_memory(err, first * list.n * sizeof(double), "the gain of more runs");
    goto done;
  }
  RMX_TRY_GOTO(rmx__conditioned_make(&b, model.r, list.X, list.n, D, first, err), done);
  rmx__conditioned_scale(&b, model.scale);
  for (size_t m = 0; m < first; m++) {
    rmx__conditioned_add(&b, m, 0);
    memcpy(C + m * list.n, b.last_row, list.n * sizeof(double));
  }
  *d = (draws){.mean = b.mean, .C = C, .n = list.n, .M = first, .seed = seed};
  rmx_parallel(threads, DRAWS, do_draw, d);
  double now = INFINITY, then = 0;
  for (size_t i = 0; i < list.n; i++)
    if (rmx__feasible_contains(&now_in, list.X + i * D)) now = fmin(now, b.mean[i]);
  for (size_t k = 0; k < DRAWS; k++) then += d->lowest[k] / DRAWS;
  *gain = fmax(now - then, 0);
  if (isnan(then)) status = rmx_fail_memory(err, list.n * sizeof(double), "the gain of more runs");
done:
  rmx_constraints_release(&anything);
  rmx__feasible_release(&anywhere);
  rmx__feasible_release(&now_in);
  rmx__feasible_release(&then_in);
  rmx__candidates_release(&list);
  rmx__score_model_release(&model);
  rmx__conditioned_release(&b);
  free(prior);
  free(centres);
  free(runs);
  free(mean);
  free(C);
  free(d);
  return status;
}
