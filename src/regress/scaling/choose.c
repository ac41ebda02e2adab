// SPDX-License-Identifier: Apache-2.0
// `auto` for runs of several sizes and lengths: the scaling process, unless a scaling law has an
// error that is smaller by 5 % or more. The error is the mean square over left-out mixtures (folds)
// plus that over the largest size, left out whole, less the square of its mean error. Both count
// the runs by which a fit is judged (scales.h). The mean error is one number for a metric, which
// depends on luck with the law's exponents, and one run of that size removes it; so it does not
// count.
//
// Cost: a fit of each candidate to all runs, to the smaller sizes, and in each fold. The folds are
// used again by the cross-validation of the fit.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "choose.h"
#include "regress/folds.h"
#include "regress/registry.h"
#include "regress/scales.h"

enum { CANDIDATES = 3 };
static const double MARGIN = 0.95;

struct candidate {
  const rmx__regressor_kind *kind;
  rmx_regressor *fitted;
  double *out;                 // (N) predictions out of fold
  double by_mixture, by_size;  // mean square errors; INFINITY: it failed
};

struct choice {
  const rmx_regress_options *options;
  const rmx_dataset *data;
  uint64_t seed;
  int *fold;     // (N)
  bool *judged;  // (N)
  size_t k;      // folds
  double size;   // of the judged runs
  size_t below;  // how many sizes are smaller
};

// Predicts the runs of one part by a fit to the others.
static rmx_status predict_part(const struct choice *c, struct candidate *a, const int *part, int f,
                               uint64_t seed, double *out, rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  rmx_dataset train;
  rmx_regressor *r = NULL;
  RMX_TRY(rmx__without_fold(c->data, part, f, &arena, &train, err));
  RMX_TRY(rmx__fit_again(c->options, a->fitted, &train, seed, &r, err));
  for (size_t i = 0; i < c->data->N; i++)
    if (part[i] == f)
      rmx__predict_rows(r, c->data->X + i * c->data->D, c->data->scales + i, 1, &out[i], NULL);
  rmx_regressor_free(r);
  return RMX_OK;
}

// The mean square error over the judged runs; centred: less the mean error.
static double error_of(const struct choice *c, const double *out, bool centred) {
  double n = 0, sum = 0, square = 0;
  for (size_t i = 0; i < c->data->N; i++) {
    if (!c->judged[i]) continue;
    const double e = out[i] - c->data->y[i];
    n++;
    sum += e;
    square += e * e;
  }
  const double error = square / n - (centred ? sum * sum / (n * n) : 0);
  return isfinite(error) ? error : INFINITY;
}

static rmx_status try_candidate(const struct choice *c, struct candidate *a, rmx_err *err) {
  const size_t N = c->data->N;
  a->by_mixture = a->by_size = INFINITY;
  RMX_TRY(rmx__fit_kind(a->kind, c->options, NULL, c->data, c->seed, NULL, &a->fitted, err));
  for (size_t f = 0; f < c->k; f++)
    RMX_TRY(predict_part(c, a, c->fold, (int)f, c->seed + 1 + f, a->out, err));
  a->by_mixture = error_of(c, a->out, false);
  a->by_size = 0;
  if (c->below == 0) return RMX_OK;
  RMX_OWNED int *part = rmx_calloc(N, sizeof *part);
  RMX_OWNED double *out = rmx_calloc(N, sizeof *out);
  if (!part || !out) return rmx_fail_memory(err, N * sizeof *out, "a choice of regressors");
  for (size_t i = 0; i < N; i++) part[i] = c->data->scales[i].size >= c->size;
  RMX_TRY(predict_part(c, a, part, 1, c->seed, out, err));
  a->by_size = error_of(c, out, true);
  return RMX_OK;
}

static double total(const struct candidate *a) {
  return a->by_mixture + a->by_size;
}

static json_t *number_or_null(double square) {
  return isfinite(square) ? json_real(sqrt(square)) : json_null();
}

// {"chosen": "scaling", "folds": 5, "rmse": {...}, "left_out_size": 3.1e8, "rmse_left_out_size":
// {...}}.
static json_t *record(const struct choice *c, const struct candidate *a, size_t best,
                      rmx_buf *summary) {
  json_t *mixtures = json_object(), *sizes = json_object();
  for (size_t i = 0; i < CANDIDATES && mixtures && sizes; i++) {
    json_object_set_new(mixtures, a[i].kind->name, number_or_null(a[i].by_mixture));
    json_object_set_new(sizes, a[i].kind->name, number_or_null(a[i].by_size));
    rmx_buf_printf(summary, "%s%s %.3g", i ? ", " : "", a[i].kind->name, sqrt(a[i].by_mixture));
    if (c->below) rmx_buf_printf(summary, " and %.3g", sqrt(a[i].by_size));
  }
  if (c->below == 0) json_object_clear(sizes);
  return json_pack("{s:s, s:i, s:o, s:f, s:o}", "chosen", a[best].kind->name, "folds", (int)c->k,
                   "rmse", mixtures, "left_out_size", c->below ? c->size : 0.0,
                   "rmse_left_out_size", sizes);
}

static rmx_status begin(struct choice *c, rmx_arena *arena, rmx_err *err) {
  const rmx_dataset *d = c->data;
  c->fold = rmx_arena_alloc(arena, d->N, sizeof(int));
  c->judged = rmx_arena_alloc(arena, d->N, sizeof(bool));
  if (!c->fold || !c->judged)
    return rmx_fail_memory(err, d->N * sizeof(int), "a choice of regressors");
  c->k = rmx__folds(d->groups, d->N, (size_t)c->options->folds, c->seed, c->fold);
  rmx__judge(d->scales, d->groups, d->N, c->judged);
  for (size_t i = 0; i < d->N; i++)
    if (c->judged[i]) c->size = fmax(c->size, d->scales[i].size);
  for (size_t i = 0; i < d->N; i++) {
    bool first = d->scales[i].size < c->size;
    for (size_t j = 0; j < i && first; j++) first = d->scales[j].size != d->scales[i].size;
    c->below += first;
  }
  return RMX_OK;
}

// Gives the winner its record and its folds.
static rmx_status keep(const struct choice *c, struct candidate *a, size_t best,
                       const rmx_listener *listener, rmx_regressor **out, rmx_err *err) {
  const size_t N = c->data->N;
  RMX_OWNED_BY(rmx_buf_release) rmx_buf summary = {0};
  rmx_regressor *r = a[best].fitted;
  r->choice = record(c, a, best, &summary);
  r->out_of_fold = rmx_calloc(N, sizeof(double));
  r->fold = rmx_calloc(N, sizeof(int));
  if (!r->choice || !r->out_of_fold || !r->fold || summary.failed)
    return rmx_fail_memory(err, N * sizeof(double), "a choice of regressors");
  memcpy(r->out_of_fold, a[best].out, N * sizeof(double));
  memcpy(r->fold, c->fold, N * sizeof(int));
  r->N = N;
  r->folds = (size_t)c->options->folds;
  rmx_note(listener, "metric \"%s\": %s chosen; root mean square error on left-out mixtures%s: %s",
           c->data->metric ? c->data->metric : "", a[best].kind->name,
           c->below ? ", and of the differences between mixtures on the left-out largest size" : "",
           summary.data);
  a[best].fitted = NULL;
  *out = r;
  return RMX_OK;
}

rmx_status rmx__choose_scaled(const rmx_regress_options *options, const rmx_dataset *data,
                              uint64_t seed, const rmx_listener *listener, rmx_regressor **out,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  struct choice c = {.options = options, .data = data, .seed = seed};
  struct candidate a[CANDIDATES] = {
      {.kind = &rmx__scaling}, {.kind = &rmx__additive_law}, {.kind = &rmx__full_law}};
  RMX_TRY(begin(&c, &arena, err));
  if (c.k < 2) return rmx__fit_kind(&rmx__scaling, options, NULL, data, seed, listener, out, err);
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < CANDIDATES && status == RMX_OK; i++) {
    if (!(a[i].out = rmx_arena_alloc(&arena, data->N, sizeof(double))))
      status = rmx_fail_memory(err, data->N * sizeof(double), "a choice of regressors");
    if (status == RMX_OK) status = try_candidate(&c, &a[i], err);
    // A law that cannot be fitted only loses the comparison.
    if (status == RMX_ENUMERIC && i > 0) status = RMX_OK;
    rmx_progress(listener, "fit", (double)(i + 1), CANDIDATES + 1, "candidates", NULL);
  }
  size_t best = 0;
  for (size_t i = 1; i < CANDIDATES; i++)
    if (a[i].fitted && total(&a[i]) < MARGIN * MARGIN * total(&a[0]) &&
        total(&a[i]) < total(&a[best]))
      best = i;
  if (status == RMX_OK) status = keep(&c, a, best, listener, out, err);
  for (size_t i = 0; i < CANDIDATES; i++) rmx_regressor_free(a[i].fitted);
  return status;
}
