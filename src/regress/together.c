// SPDX-License-Identifier: Apache-2.0
// The metrics of a fit, and their cross-validation, with Gaussian processes that share lengths and
// warps (gp/shared.c). Features are the weights and the totals that the names of the domains
// suggest.
//
// With up to 128 runs every fold deals clusters and finds lengths from the beginning. With more,
// it keeps the clusters and improves the lengths that all runs gave; without that its errors would
// come out too small.
//
// Cost: a fit and one for each fold; O(N^3) for each metric and fold to predict.

#include "together.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"
#include "fit.h"
#include "folds.h"
#include "name_order.h"
#include "registry.h"

enum {
  MIN_METRICS = 4,
  MIN_DOMAINS = 8,
  MOST_RUNS = 16,  // for each domain; with more, a metric knows its own lengths
  FRESH = 128,
  LAWS_WORTH = 512  // metrics x domains: laws of more would take minutes
};

void rmx__all_together_release(rmx__all_together *a) {
  rmx__features_release(&a->features);
  rmx__shared_release(&a->shared);
  free(a->place);
  free(a->out);
  free(a->fold);
  *a = (rmx__all_together){0};
}

bool rmx__together_part(const rmx__all_together *a, size_t N, size_t m, rmx__together *out) {
  if (!a->place || a->place[m] == SIZE_MAX) return false;
  *out = (rmx__together){.shared = &a->shared,
                         .features = &a->features,
                         .at = a->place[m],
                         .out = a->out + a->place[m] * N,
                         .fold = a->fold,
                         .folds = a->folds,
                         .laws = a->laws,
                         .few = a->shared.M < MIN_METRICS};
  return true;
}

rmx_status rmx__together_process(const rmx__together *t, const rmx_dataset *data,
                                 rmx_regressor **out, rmx_err *err) {
  return rmx__shared_process(t->shared, t->features, t->at, data, out, err);
}

rmx_status rmx__only_shared(const rmx_dataset *data, const rmx__together *given,
                            rmx_regressor **out, rmx_err *err) {
  rmx_regressor *r;
  RMX_TRY(rmx__together_process(given, data, &r, err));
  r->out_of_fold = rmx_calloc(data->N, sizeof(double));
  r->fold = rmx_calloc(data->N, sizeof(int));
  if (!r->out_of_fold || !r->fold) {
    rmx_regressor_free(r);
    return rmx_fail_memory(err, data->N * sizeof(double), "a fit");
  }
  memcpy(r->out_of_fold, given->out, data->N * sizeof(double));
  memcpy(r->fold, given->fold, data->N * sizeof(int));
  r->N = data->N;
  r->folds = given->folds;
  *out = r;
  return RMX_OK;
}

// ---- the fit ----

typedef struct work {
  const rmx_fit *f;
  rmx__all_together *a;
  const rmx_dataset *data;  // (metrics) each with all runs
  const rmx__shared *shared;
  int now;             // the fold that is left out
  rmx_status *status;  // (metrics)
  rmx_err *err;
} work;

// Places the metrics that have every value and are not constant, in the order of their names, so
// that clusters do not depend on how the columns are ordered; *n: how many.
static rmx_status place_metrics(const rmx_fit *f, size_t *place, size_t *n, rmx_err *err) {
  RMX_OWNED size_t *order = rmx_calloc(f->M, sizeof *order);
  if (!order) return rmx_fail_memory(err, f->M * sizeof *order, "a fit");
  RMX_TRY(rmx__name_order((const char *const *)f->metrics, f->M, order, err));
  *n = 0;
  for (size_t k = 0; k < f->M; k++) {
    const size_t m = order[k];
    bool whole = true, varies = false;
    for (size_t i = 0; i < f->N; i++) {
      whole &= isfinite(f->truth[i * f->M + m]);
      varies |= f->truth[i * f->M + m] != f->truth[m];
    }
    place[m] = whole && varies ? (*n)++ : SIZE_MAX;
  }
  return RMX_OK;
}

// Four metrics have something to share. If the names of the domains form a tree, so has one: the
// totals of its nodes are features that no other regressor has.
static bool worth_it(const rmx_fit *f, const rmx_regress_options *options, size_t metrics,
                     const rmx__features *features) {
  size_t groups = 0;
  for (size_t i = 0; i < f->N; i++) groups += f->groups[i] == (int)i;
  if (f->scales || metrics == 0 || groups < (size_t)options->folds || groups < MIN_DOMAINS)
    return false;
  if (strcmp(options->regressor, rmx__shared_kind.name) == 0) return true;
  return strcmp(options->regressor, rmx__auto.name) == 0 &&
         (metrics >= MIN_METRICS || features->Q > 0) && f->D >= MIN_DOMAINS &&
         f->N <= MOST_RUNS * f->D;
}

// The runs outside of fold `without` (-1: all), in the arena.
static rmx_status take_runs(const work *w, int without, rmx_arena *arena, rmx__shared_runs *out,
                            rmx_err *err) {
  const rmx_fit *f = w->f;
  size_t M = w->a->shared.M, n = 0;
  double *X = rmx_arena_alloc(arena, f->N, f->D * sizeof(double)),
         *Y = rmx_arena_alloc(arena, f->N, M * sizeof(double));
  bool *turned = rmx_arena_alloc(arena, M, sizeof(bool));
  if (!X || !Y || !turned) return rmx_fail_memory(err, f->N * (f->D + M) * sizeof(double), "a fit");
  for (size_t i = 0; i < f->N; i++) {
    if (w->a->fold[i] == without) continue;
    memcpy(X + n * f->D, f->runs + i * f->D, f->D * sizeof(double));
    for (size_t m = 0; m < f->M; m++)
      if (w->a->place[m] != SIZE_MAX) Y[n * M + w->a->place[m]] = f->truth[i * f->M + m];
    n++;
  }
  for (size_t m = 0; m < f->M; m++)
    if (w->a->place[m] != SIZE_MAX) turned[w->a->place[m]] = rmx_fit_higher_is_better(f, m);
  out->N = n;
  out->D = f->D;
  out->M = M;
  out->X = X;
  out->Y = Y;
  out->turned = turned;
  out->features = &w->a->features;
  return RMX_OK;
}

// Predicts the runs of the fold that is left out.
static void predict_fold(void *context, size_t m) {
  work *w = context;
  const rmx_dataset *data = &w->data[m];
  rmx_arena arena = {0};
  rmx_dataset train;
  rmx_regressor *r = NULL;
  rmx_status status = rmx__without_fold(data, w->a->fold, w->now, &arena, &train, &w->err[m]);
  if (status == RMX_OK)
    status = rmx__shared_process(w->shared, &w->a->features, m, &train, &r, &w->err[m]);
  for (size_t i = 0; i < data->N && status == RMX_OK; i++)
    if (w->a->fold[i] == w->now)
      rmx_regressor_predict(r, data->X + i * data->D, 1, &w->a->out[m * data->N + i], NULL);
  rmx_regressor_free(r);
  rmx_arena_release(&arena);
  w->status[m] = status;
}

static rmx_status cross_validate(work *w, uint64_t seed, int threads, const rmx_listener *listener,
                                 rmx_err *err) {
  rmx__all_together *a = w->a;
  size_t M = a->shared.M;
  for (w->now = 0; w->now < (int)a->folds; w->now++) {
    RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
    rmx__shared_runs runs = {.threads = threads};
    rmx__shared shared = {0};
    RMX_TRY(take_runs(w, w->now, &arena, &runs, err));
    RMX_TRY(rmx__shared_fit(&runs, w->f->N > FRESH ? &a->shared : NULL, seed + 1 + (uint64_t)w->now,
                            &shared, err));
    w->shared = &shared;
    rmx_parallel(threads, M, predict_fold, w);
    rmx__shared_release(&shared);
    for (size_t m = 0; m < M; m++) {
      if (w->status[m] == RMX_OK) continue;
      *err = w->err[m];
      return w->status[m];
    }
    rmx_progress(listener, "fit", (double)(w->now + 2), (double)(a->folds + 1), "folds", NULL);
  }
  return RMX_OK;
}

static rmx_status fit_all(work *w, const rmx_regress_options *options, uint64_t seed, int threads,
                          size_t metrics, const rmx_listener *listener, rmx_err *err) {
  const rmx_fit *f = w->f;
  rmx__all_together *a = w->a;
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  rmx_dataset *data = rmx_arena_alloc(&arena, metrics, sizeof *data);
  w->status = rmx_arena_alloc(&arena, metrics, sizeof *w->status);
  w->err = rmx_arena_alloc(&arena, metrics, sizeof *w->err);
  a->out = rmx_calloc(metrics, f->N * sizeof(double));
  a->fold = rmx_calloc(f->N, sizeof(int));
  if (!data || !w->status || !w->err || !a->out || !a->fold)
    return rmx_fail_memory(err, metrics * f->N * sizeof(double), "a fit");
  RMX_TRY(rmx__blas_ready(err));
  for (size_t m = 0; m < f->M; m++)
    if (a->place[m] != SIZE_MAX) RMX_TRY(rmx__fit_dataset(f, m, &arena, &data[a->place[m]], err));
  w->data = data;
  a->laws = metrics * f->D <= LAWS_WORTH;
  a->folds = rmx__folds(f->groups, f->N, (size_t)options->folds, seed, a->fold);
  rmx__shared_runs runs = {.threads = threads};
  a->shared.M = metrics;
  RMX_TRY(take_runs(w, -1, &arena, &runs, err));
  RMX_TRY(rmx__shared_fit(&runs, NULL, seed, &a->shared, err));
  return cross_validate(w, seed, threads, listener, err);
}

rmx_status rmx__fit_together(const rmx_fit *f, const rmx_regress_options *options, uint64_t seed,
                             int threads, const rmx_listener *listener, rmx__all_together *out,
                             rmx_err *err) {
  rmx__all_together a = {0};
  *out = a;
  a.place = rmx_calloc(f->M, sizeof(size_t));
  if (!a.place) return rmx_fail_memory(err, f->M * sizeof(size_t), "a fit");
  size_t metrics = 0;
  rmx_status status = place_metrics(f, a.place, &metrics, err);
  if (status == RMX_OK)
    status = rmx__features_by_name((const char *const *)f->domains, f->D, &a.features, err);
  if (status != RMX_OK || !worth_it(f, options, metrics, &a.features)) {
    rmx__all_together_release(&a);
    return status;
  }
  work w = {.f = f, .a = &a};
  status = fit_all(&w, options, seed, threads, metrics, listener, err);
  if (status != RMX_OK) rmx__all_together_release(&a);
  if (status != RMX_OK && status != RMX_ENUMERIC) return status;
  if (status == RMX_OK && metrics == 1)
    rmx_note(listener, "the totals of %zu node%s of the tree of domains help to predict the metric",
             a.features.Q, rmx_s(a.features.Q));
  else if (status == RMX_OK)
    rmx_note(
        listener,
        "%zu metrics share the lengths and warps of their Gaussian processes, in %zu cluster%s",
        metrics, a.shared.K, rmx_s(a.shared.K));
  *out = a;
  return RMX_OK;
}
