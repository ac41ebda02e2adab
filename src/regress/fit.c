// SPDX-License-Identifier: Apache-2.0
// A fit: what it holds, and the data of one of its metrics.

#include "fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "registry.h"

void rmx_fit_free_at(rmx_fit **f) {
  rmx_fit_free(*f);
}

void rmx_fit_free(rmx_fit *f) {
  if (!f) return;
  for (size_t d = 0; f->domains && d < f->D; d++) free(f->domains[d]);
  for (size_t m = 0; f->metrics && m < f->M; m++) free(f->metrics[m]);
  for (size_t m = 0; f->regressors && m < f->M; m++) rmx_regressor_free(f->regressors[m]);
  for (size_t i = 0; f->run_ids && i < f->N; i++) free(f->run_ids[i]);
  free(f->domains);
  free(f->metrics);
  free(f->regressors);
  free(f->cv);
  free(f->mean_mixture);
  free(f->runs);
  free(f->run_ids);
  free(f->truth);
  free(f->out_of_fold);
  free(f->fold);
  free(f->groups);
  free(f->higher_is_better);
  free(f->direction_from);
  json_decref(f->more);
  free(f->tokens);
  free(f->scales);
  free(f->judged);
  free(f->range);
  free(f->doubt);
  free(f->size_column);
  free(f->tokens_column);
  rmx_strings_release(&f->mixture_columns);
  rmx_strings_release(&f->metric_columns);
  free(f->phase_share);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &f->options);
  free(f);
}

rmx_status rmx__fit_allocate(rmx_fit *f, bool runs, rmx_err *err) {
  const size_t D = f->D, M = f->M, N = f->N;
  f->domains = rmx_calloc(D, sizeof(char *));
  f->metrics = rmx_calloc(M, sizeof(char *));
  f->regressors = rmx_calloc(M, sizeof(rmx_regressor *));
  f->cv = rmx_calloc(M, sizeof(rmx_scores));
  f->mean_mixture = rmx_calloc(D, sizeof(double));
  f->runs = rmx_calloc(N, D * sizeof(double));
  f->higher_is_better = rmx_calloc(M, sizeof(bool));
  f->direction_from = rmx_calloc(M, sizeof(rmx_direction_from));
  bool failed = !f->domains || !f->metrics || !f->regressors || !f->cv || !f->mean_mixture ||
                !f->runs || !f->higher_is_better || !f->direction_from;
  if (runs) {
    f->run_ids = rmx_calloc(N, sizeof(char *));
    f->truth = rmx_calloc(N, M * sizeof(double));
    f->out_of_fold = rmx_calloc(N, M * sizeof(double));
    f->groups = rmx_calloc(N, sizeof(int));
    failed |= !f->run_ids || !f->truth || !f->out_of_fold || !f->groups;
  }
  return failed ? rmx_fail_memory(err, N * D * sizeof(double), "a fit") : RMX_OK;
}

bool rmx_fit_learnt(const rmx_fit *f, size_t m) {
  return f->cv[m].r2 > 0;
}

rmx_status rmx__fit_dataset(const rmx_fit *f, size_t m, rmx_arena *arena, rmx_dataset *out,
                            rmx_err *err) {
  size_t N = f->N, D = f->D, n = 0;
  if (!f->truth)
    return rmx_fail(
        err, RMX_EINPUT,
        "the fit does not hold the runs it was made from: it was written by an older regmix; "
        "make it again with `regmix fit`");
  double *X = rmx_arena_alloc(arena, N, D * sizeof(double)),
         *y = rmx_arena_alloc(arena, N, sizeof(double));
  int *groups = rmx_arena_alloc(arena, N, sizeof(int));
  rmx_scale *scales = f->scales ? rmx_arena_alloc(arena, N, sizeof(rmx_scale)) : NULL;
  if (!X || !y || !groups || (f->scales && !scales))
    return rmx_fail_memory(err, N * D * sizeof(double), "the runs of a fit");
  for (size_t i = 0; i < N; i++) {
    if (!isfinite(f->truth[i * f->M + m])) continue;
    memcpy(X + n * D, f->runs + i * D, D * sizeof(double));
    groups[n] = f->groups[i];
    if (scales) scales[n] = f->scales[i];
    y[n++] = f->truth[i * f->M + m];
  }
  *out = (rmx_dataset){.N = n,
                       .D = D,
                       .X = X,
                       .y = y,
                       .groups = groups,
                       .domains = (const char *const *)f->domains,
                       .metric = f->metrics[m],
                       .own_domain = -1,
                       .tokens = f->tokens,
                       .budget = f->budget,
                       .run_tokens = f->run_tokens,
                       .scales = scales,
                       .higher_is_better = rmx_fit_higher_is_better(f, m)};
  size_t own;
  if (rmx_match_name((const char *const *)f->metrics, f->M, m, out->domains, D, &own))
    out->own_domain = (int)own;
  return RMX_OK;
}

bool rmx_fit_set_budget(rmx_fit *f, double tokens) {
  bool any = false;
  for (size_t m = 0; m < f->M; m++) any |= rmx__regressor_set_budget(f->regressors[m], tokens);
  return any;
}

size_t rmx_fit_n_domains(const rmx_fit *f) {
  return f->D;
}

size_t rmx_fit_n_metrics(const rmx_fit *f) {
  return f->M;
}

size_t rmx_fit_n_runs(const rmx_fit *f) {
  return f->N;
}

const char *const *rmx_fit_domains(const rmx_fit *f) {
  return (const char *const *)f->domains;
}

const char *const *rmx_fit_metrics(const rmx_fit *f) {
  return (const char *const *)f->metrics;
}

const rmx_regress_options *rmx_fit_options(const rmx_fit *f) {
  return &f->options;
}

const rmx_regressor *rmx_fit_regressor(const rmx_fit *f, size_t m) {
  return f->regressors[m];
}

const rmx_scores *rmx_fit_cv(const rmx_fit *f, size_t m) {
  return &f->cv[m];
}

int64_t rmx_fit_folds(const rmx_fit *f) {
  int64_t mixtures = 0;
  for (size_t i = 0; f->groups && i < f->N; i++) mixtures += f->groups[i] == (int)i;
  return f->groups && mixtures < f->folds ? mixtures : f->folds;
}

bool rmx_fit_higher_is_better(const rmx_fit *f, size_t m) {
  return f->higher_is_better && f->higher_is_better[m];
}

rmx_direction_from rmx_fit_direction_from(const rmx_fit *f, size_t m) {
  return f->direction_from ? f->direction_from[m] : RMX_DIRECTION_ASSUMED;
}
