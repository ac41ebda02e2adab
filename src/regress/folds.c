// SPDX-License-Identifier: Apache-2.0
// Cross-validation. Runs of the same mixture are replicates. In training they would reveal the
// value of the run that is held out, so folds are dealt by replicate group. Each group, in an order
// drawn from the seed, goes to the smallest fold so far (the first of equal ones), so groups may
// differ in size.

#include "folds.h"

#include <stdlib.h>
#include <string.h>

#include "registry.h"

typedef struct labelled {
  int group;
  size_t row;
} labelled;

static int by_group(const void *a, const void *b) {
  const labelled *x = a, *y = b;
  if (x->group != y->group) return x->group < y->group ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

size_t rmx__folds(const int *groups, size_t N, size_t k, uint64_t seed, int *fold) {
  labelled *rows = rmx_calloc(N, sizeof *rows);
  size_t *start = rmx_calloc(N + 1, sizeof(size_t)), *order = rmx_calloc(N, sizeof(size_t));
  size_t *size = rmx_calloc(k, sizeof(size_t)), n_groups = 0;
  if (!rows || !start || !order || !size || N == 0 || k == 0) {
    k = 0;
    goto done;
  }
  for (size_t i = 0; i < N; i++) rows[i] = (labelled){groups ? groups[i] : (int)i, i};
  qsort(rows, N, sizeof *rows, by_group);
  for (size_t i = 0; i < N; i++)
    if (i == 0 || rows[i].group != rows[i - 1].group) {
      order[n_groups] = n_groups;
      start[n_groups++] = i;
    }
  start[n_groups] = N;
  if (k > n_groups) k = n_groups;
  rmx_rng rng = rmx_rng_make(seed, 0, RMX_FOR_FOLDS);
  rmx_rng_shuffle(&rng, order, n_groups);
  for (size_t g = 0; g < n_groups; g++) {
    size_t smallest = 0;
    for (size_t f = 1; f < k; f++)
      if (size[f] < size[smallest]) smallest = f;
    for (size_t i = start[order[g]]; i < start[order[g] + 1]; i++, size[smallest]++)
      fold[rows[i].row] = (int)smallest;
  }
done:
  free(rows);
  free(start);
  free(order);
  free(size);
  return k;
}

rmx_status rmx__without_fold(const rmx_dataset *data, const int *fold, int f, rmx_arena *arena,
                             rmx_dataset *out, rmx_err *err) {
  size_t N = data->N, D = data->D, n = 0;
  double *X = rmx_arena_alloc(arena, N * D, sizeof(double)),
         *y = rmx_arena_alloc(arena, N, sizeof(double));
  double *weights = rmx_arena_alloc(arena, N, sizeof(double));
  int *groups = rmx_arena_alloc(arena, N, sizeof(int));
  rmx_scale *scales = rmx_arena_alloc(arena, N, sizeof(rmx_scale));
  if (!X || !y || !weights || !groups || !scales)
    return rmx_fail_memory(err, N * D * sizeof(double), "a fold");
  for (size_t i = 0; i < N; i++) {
    if (fold[i] == f) continue;
    memcpy(X + n * D, data->X + i * D, D * sizeof(double));
    y[n] = data->y[i];
    weights[n] = data->row_weights ? data->row_weights[i] : 1;
    groups[n] = data->groups ? data->groups[i] : (int)i;
    if (data->scales) scales[n] = data->scales[i];
    n++;
  }
  *out = *data;
  out->N = n;
  out->X = X;
  out->y = y;
  out->row_weights = data->row_weights ? weights : NULL;
  out->groups = groups;
  if (data->scales) out->scales = scales;
  if (data->run_tokens > 0) out->budget = data->run_tokens;
  return RMX_OK;
}

rmx_status rmx__cross_validate(const rmx_regress_options *options, const rmx_dataset *data,
                               const rmx_regressor *fitted, uint64_t seed, double *predicted,
                               int *fold, const rmx_listener *listener, rmx_err *err) {
  size_t N = data->N;
  if (fitted && fitted->out_of_fold && fitted->N == N && fitted->folds == (size_t)options->folds) {
    memcpy(predicted, fitted->out_of_fold, N * sizeof(double));
    memcpy(fold, fitted->fold, N * sizeof(int));
    return RMX_OK;
  }
  size_t k = rmx__folds(data->groups, N, (size_t)options->folds, seed, fold);
  if (k < 2)
    return rmx_fail(
        err, RMX_EINPUT,
        "metric \"%s\": cross-validation needs at least 2 different mixtures, got %zu run%s of %s",
        data->metric ? data->metric : "", N, rmx_s(N), N ? "one" : "none");
  rmx_status status = RMX_OK;
  for (size_t f = 0; f < k && status == RMX_OK; f++) {
    rmx_arena arena = {0};
    rmx_dataset train;
    rmx_regressor *r = NULL;
    status = rmx__without_fold(data, fold, (int)f, &arena, &train, err);
    // Each fold has a seed of its own, so that folds drawn inside it (as for the rounds of trees)
    // differ from these.
    if (status == RMX_OK)
      status = fitted && !fitted->choice
                   ? rmx__fit_again(options, fitted, &train, seed + 1 + f, &r, err)
                   : rmx_regress_fit(options, &train, seed + 1 + f, NULL, &r, err);
    for (size_t i = 0; i < N && status == RMX_OK; i++)
      if (fold[i] == (int)f)
        rmx__predict_rows(r, data->X + i * data->D, data->scales ? data->scales + i : NULL, 1,
                          &predicted[i], NULL);
    rmx_regressor_free(r);
    rmx_arena_release(&arena);
    // the fit to all runs came first
    rmx_progress(listener, "fit", (double)(f + 2), (double)(k + 1), "folds", NULL);
  }
  return status;
}
