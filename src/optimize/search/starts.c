// SPDX-License-Identifier: Apache-2.0
// Where searches begin. A quarter each: the runs with the best predictions; the best of simulated
// mixtures, the prior first; corners of the feasible set, downhill from the prior and from the best
// run; and random mixtures, with strengths from sparse to even. Each number of a start has random
// numbers of its own.

#include "optimize/search.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "mixture/dirichlet.h"

enum { SIMULATED_EACH = 500 };  // for one start that is the best of them

typedef struct scored {
  double score;
  size_t number;
} scored;

static int best_first(const void *a, const void *b) {
  const scored *x = a, *y = b;
  if (x->score != y->score) return x->score < y->score ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

// Numbers of X (N, D) by predicted score, lowest first; what has none last.
static rmx_status rank(const rmx__task *a, const double *X, size_t N, scored *order, rmx_err *err) {
  size_t M = a->fit->M;
  RMX_OWNED double *score = rmx_calloc(N * (M + 1), sizeof(double));
  if (!score) return rmx_fail_memory(err, N * (M + 1) * sizeof(double), "predictions");
  rmx__plain_scores(a->fit, &a->problem->target, X, N, score + N, score);
  for (size_t i = 0; i < N; i++) order[i] = (scored){isnan(score[i]) ? INFINITY : score[i], i};
  qsort(order, N, sizeof(*order), best_first);
  return RMX_OK;
}

static rmx_status best_of(const rmx__task *a, const double *X, size_t N, size_t n, double *out,
                          size_t *made, rmx_err *err) {
  size_t D = a->fit->D;
  RMX_OWNED scored *order = rmx_calloc(N, sizeof(*order));
  if (!order) return rmx_fail_memory(err, N * sizeof(*order), "starts");
  RMX_TRY(rank(a, X, N, order, err));
  for (size_t i = 0; i < n && i < N; i++, (*made)++)
    memcpy(out + *made * D, X + order[i].number * D, D * sizeof(double));
  return RMX_OK;
}

static rmx_status simulated(const rmx__task *a, const rmx__feasible *set, size_t n, double *out,
                            size_t *made, rmx_err *err) {
  size_t D = a->fit->D, N = SIMULATED_EACH * n;
  if (n == 0) return RMX_OK;
  RMX_OWNED double *X = rmx_calloc(N, D * sizeof(double)), *alpha = rmx_calloc(D, sizeof(double));
  if (!X || !alpha) return rmx_fail_memory(err, N * D * sizeof(double), "starts");
  for (size_t d = 0; d < D; d++) alpha[d] = a->options->strength * a->prior[d];
  rmx_rng rng = rmx_rng_make(a->seed, 0, RMX_FOR_STARTS);
  for (size_t i = 0; i < N; i++) {
    rmx__dirichlet_in(&rng, alpha, set->order, D, X + i * D);
    rmx__feasible_project_convex(set, X + i * D);
  }
  return best_of(a, X, N, n, out, made, err);
}

// The corner of bounds and shares that is lowest on the tangent at w.
static rmx_status corner(const rmx__task *a, const rmx__feasible *set, const double *w, double *out,
                         bool *found, rmx_err *err) {
  const rmx_target *t = &a->problem->target;
  size_t D = a->fit->D;
  rmx_arena arena = {0};
  rmx__lp lp;
  rmx_status status = rmx__feasible_lp(set, 0, 0, &arena, &lp, err);
  double *g = rmx_arena_alloc(&arena, D, sizeof(double));
  if (status == RMX_OK && !g) status = rmx_fail_memory(err, D * sizeof(double), "a start");
  *found = status == RMX_OK;
  for (size_t m = 0; m < a->fit->M && *found; m++) {
    if (t->weight[m] == 0) continue;
    *found = rmx_regressor_gradient(a->fit->regressors[m], w, g);
    for (size_t d = 0; d < D; d++) lp.c[d] += t->weight[m] * g[d];
  }
  if (*found) status = rmx__lp_solve(&lp, out, NULL, found, err);
  rmx_arena_release(&arena);
  return status;
}

rmx_status rmx__starts(const rmx__task *a, const rmx__feasible *set, size_t n, double *starts,
                       rmx_err *err) {
  size_t D = a->fit->D, made = 0, part = (n + 3) / 4;
  memcpy(starts, a->prior, D * sizeof(double));
  made = 1;
  if (a->fit->N)
    RMX_TRY(
        best_of(a, a->fit->runs, a->fit->N, part < n - made ? part : n - made, starts, &made, err));
  RMX_TRY(simulated(a, set, part < n - made ? part : n - made, starts, &made, err));
  for (size_t k = 0; k < 2 && made < n; k++) {
    bool found = false;
    RMX_TRY(corner(a, set, starts + k * D, starts + made * D, &found, err));
    made += found;
  }
  RMX_OWNED double *alpha = rmx_calloc(D, sizeof(double));
  if (!alpha) return rmx_fail_memory(err, D * sizeof(double), "a start");
  for (; made < n; made++) {
    rmx_rng rng = rmx_rng_make(a->seed, made, RMX_FOR_STARTS);
    double strength = exp(log(0.2) + rmx_rng_uniform(&rng) * log(25));
    for (size_t d = 0; d < D; d++) alpha[d] = set->high[d] > 0 ? strength : 0;
    rmx__dirichlet_in(&rng, alpha, set->order, D, starts + made * D);
  }
  return RMX_OK;
}
