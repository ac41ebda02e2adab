// SPDX-License-Identifier: Apache-2.0
// A fit used on tables: finds its domains among their columns, predicts, and scores predictions on
// measured runs.

#include <math.h>
#include <regmix/regress.h>
#include <stdlib.h>
#include <string.h>

#include "diagnostics.h"
#include "fit.h"
#include "fit_phases.h"
#include "join.h"
#include "registry.h"
#include "rows.h"
#include "scales.h"

// The columns that a mixture needs, for a message.
static const char *columns_of(const rmx_fit *f, char out[300]) {
  if (f->n_phases)
    snprintf(out, 300,
             "a column for each domain of each of the %zu phases, such as \"%.80s\" and \"%.80s\"",
             f->n_phases, f->domains[0], f->domains[f->D - 1]);
  else
    snprintf(out, 300, "columns such as \"%.100s\"", f->domains[0]);
  return out;
}

rmx_status rmx_fit_mixtures(const rmx_fit *f, const rmx_table *t, double **out, rmx_err *err) {
  const char *path = t->path ? t->path : "table";
  RMX_OWNED size_t *column = rmx_calloc(f->D, sizeof(size_t)),
                   *index = rmx_calloc(t->D, sizeof(size_t));
  RMX_OWNED double *X = rmx_calloc(t->N, f->D * sizeof(double));
  if (!column || !index || !X)
    return rmx_fail_memory(err, t->N * f->D * sizeof(double), "mixtures");
  if (rmx_match_names("domain", (const char *const *)t->names, t->D,
                      (const char *const *)f->domains, f->D, index, err) != RMX_OK)
    return rmx_fail_in(err, "%s", path);
  char wanted[300];
  for (size_t d = 0; d < f->D; d++) column[d] = t->D;
  for (size_t c = 0; c < t->D; c++) {
    if (index[c] == f->D)
      return rmx_fail(err, RMX_EINPUT, "%s: column \"%s\" is not a domain of the fit; wanted %s",
                      path, t->names[c], columns_of(f, wanted));
    column[index[c]] = c;
  }
  for (size_t d = 0; d < f->D; d++) {
    if (column[d] < t->D) continue;
    return rmx_fail(err, RMX_EINPUT,
                    "%s: no column for the domain \"%s\" of the fit; wanted all %zu domains (0 for "
                    "one that is not used)",
                    path, f->domains[d], f->D);
  }
  for (size_t i = 0; i < t->N; i++)
    for (size_t d = 0; d < f->D; d++) X[i * f->D + d] = t->x[i * t->D + column[d]];
  RMX_TRY(rmx__scale_phases(f, t, X, err));
  RMX_TRY(rmx__check_rows(t, (const char *const *)f->domains, f->D, f->raw, f->options.normalize, X,
                          NULL, err));
  *out = X;
  X = NULL;
  return RMX_OK;
}

rmx_status rmx_fit_predict_table(const rmx_fit *f, const rmx_table *mixtures, rmx_table *out,
                                 rmx_err *err) {
  RMX_OWNED double *X = NULL, *mean = rmx_calloc(mixtures->N, sizeof(double));
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  if (!mean) return rmx_fail_memory(err, mixtures->N * sizeof(double), "predictions");
  RMX_TRY(rmx_fit_mixtures(f, mixtures, &X, err));
  RMX_TRY(rmx_table_make(&t, "run", mixtures->N, f->M, err));
  bool failed = false;
  for (size_t i = 0; i < t.N; i++) failed |= (t.ids[i] = rmx_strdup(mixtures->ids[i])) == NULL;
  for (size_t m = 0; m < t.D; m++) {
    failed |= (t.names[m] = rmx_strdup(f->metrics[m])) == NULL;
    rmx_regressor_predict(f->regressors[m], X, t.N, mean, NULL);
    for (size_t i = 0; i < t.N; i++) t.x[i * t.D + m] = mean[i];
  }
  if (failed) return rmx_fail_memory(err, t.N * 64, "predictions");
  *out = t;
  t = (rmx_table){0};
  return RMX_OK;
}

// The scale of each row, from either table; NULL where the fit has none.
static rmx_status scales_of_rows(const rmx_fit *f, const rmx_table *mixtures,
                                 const rmx_table *metrics, const size_t *partner,
                                 rmx_scale **scales, rmx_err *err) {
  *scales = NULL;
  if (!f->scales) return RMX_OK;
  const char *columns[] = {f->size_column, f->tokens_column};
  const double *of[2][2] = {{mixtures->sizes, metrics->sizes}, {mixtures->tokens, metrics->tokens}};
  for (int k = 0; k < 2; k++)
    if (columns[k] && !of[k][0] && !of[k][1])
      return rmx_fail(err, RMX_EINPUT,
                      "%s: no column \"%s\": the fit has runs of several scales, so each run to "
                      "be scored needs its own",
                      metrics->path ? metrics->path : "table", columns[k]);
  if (!(*scales = rmx_calloc(mixtures->N, sizeof **scales)))
    return rmx_fail_memory(err, mixtures->N * sizeof **scales, "scores");
  for (size_t i = 0; i < mixtures->N; i++) {
    double at[2] = {0};
    for (int k = 0; k < 2; k++)
      at[k] = of[k][1] && partner[i] != SIZE_MAX ? of[k][1][partner[i]]
              : of[k][0]                         ? of[k][0][i]
                                                 : 0;
    (*scales)[i] = (rmx_scale){at[0], at[1]};
  }
  return RMX_OK;
}

// The mean over the metrics that were scored. One with the same value in all runs has no rank
// correlation and no R2, so it does not count unless all are so.
static void take_mean(const rmx_fit *f, const rmx_scores *scores, const rmx_listener *listener,
                      rmx_scores *mean) {
  rmx_few constant = {0};
  size_t scored = 0;
  *mean = (rmx_scores){0};
  for (size_t m = 0; m < f->M; m++) {
    scored += scores[m].n > 0;
    if (scores[m].n > 0 && isnan(scores[m].r2)) rmx_few_add(&constant, f->metrics[m]);
  }
  const bool all = constant.n == scored;
  for (size_t m = 0; m < f->M; m++) {
    if (scores[m].n == 0 || (isnan(scores[m].r2) && !all)) continue;
    mean->n++;
    mean->spearman += scores[m].spearman;
    mean->mse += scores[m].mse;
    mean->mae += scores[m].mae;
    mean->r2 += scores[m].r2;
  }
  if (constant.n && !all)
    rmx_warn(listener,
             "%zu of %zu metrics %s the same value in all runs and %s not counted in the mean: %s",
             constant.n, scored, rmx_has(constant.n), rmx_is(constant.n), constant.text);
  if (mean->n == 0) return;
  mean->spearman /= (double)mean->n;
  mean->mse /= (double)mean->n;
  mean->mae /= (double)mean->n;
  mean->r2 /= (double)mean->n;
}

static const double WITHIN_90 = 1.6449;  // standard deviations of a normal distribution

rmx_status rmx_fit_score_tables(const rmx_fit *f, const rmx_table *mixtures,
                                const rmx_table *metrics, const rmx_listener *listener,
                                rmx_scores *scores, rmx_scores *mean, rmx_diagnostics *errors,
                                rmx_err *err) {
  size_t N = mixtures->N, common = 0;
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  RMX_OWNED double *X = NULL;
  RMX_OWNED rmx_scale *scales = NULL;
  double *predicted = rmx_arena_alloc(&arena, N, sizeof(double)),
         *sd = rmx_arena_alloc(&arena, N, sizeof(double)),
         *truth = rmx_arena_alloc(&arena, N, sizeof(double));
  double *used = rmx_arena_alloc(&arena, N, sizeof(double));
  int *groups = rmx_arena_alloc(&arena, N, sizeof(int)),
      *group = rmx_arena_alloc(&arena, N, sizeof(int));
  size_t *partner = rmx_arena_alloc(&arena, N, sizeof(size_t));
  if (!predicted || !sd || !truth || !used || !groups || !group || !partner)
    return rmx_fail_memory(err, N * sizeof(double), "scores");
  RMX_TRY(rmx_fit_mixtures(f, mixtures, &X, err));
  RMX_TRY(rmx__replicate_groups(X, N, f->D, groups, err));
  RMX_TRY(rmx__join(mixtures, metrics, partner, err));
  for (size_t i = 0; i < N; i++) common += partner[i] != SIZE_MAX;
  const char *path = metrics->path ? metrics->path : "table";
  if (common == 0)
    return rmx_fail(err, RMX_EINPUT, "%s and %s have no run in common",
                    mixtures->path ? mixtures->path : "table", path);
  if (common < N)
    rmx_warn(listener, "%zu of %zu run%s %s no row in %s and %s not scored", N - common, N,
             rmx_s(N), rmx_has(N - common), path, rmx_is(N - common));
  RMX_TRY(scales_of_rows(f, mixtures, metrics, partner, &scales, err));
  rmx_scale least, most;
  if (scales) rmx__scale_range(f->scales, f->N, &least, &most);
  for (size_t m = 0; m < f->M; m++) {
    size_t column, n = 0;
    scores[m] = (rmx_scores){.n = 0, .spearman = NAN, .mse = NAN, .mae = NAN, .r2 = NAN};
    if (errors) errors[m] = (rmx_diagnostics){0};
    if (!rmx_match_name((const char *const *)f->metrics, f->M, m,
                        (const char *const *)metrics->names, metrics->D, &column)) {
      rmx_warn(listener, "%s has no metric \"%s\", so it is not scored", path, f->metrics[m]);
      continue;
    }
    rmx__predict_rows(f->regressors[m], X, scales, N, predicted, scales ? sd : NULL);
    size_t within = 0, known = 0;
    for (size_t i = 0; i < N; i++) {
      double y = partner[i] == SIZE_MAX ? NAN : metrics->x[partner[i] * metrics->D + column];
      if (!isfinite(y)) continue;
      truth[n] = y;
      if (scales && !rmx__size_is_unknown(least, most, scales[i]) &&
          !rmx__tokens_are_unknown(least, most, scales[i])) {
        known++;
        within += fabs(predicted[i] - y) <= WITHIN_90 * sd[i];
      }
      group[n] = scales ? (int)i : groups[i];  // runs of other scales are no replicates
      used[n++] = predicted[i];
    }
    if (n < common)
      rmx_warn(listener, "metric \"%s\": %zu of %zu run%s %s no value and %s not scored",
               f->metrics[m], common - n, common, rmx_s(common), rmx_has(common - n),
               rmx_is(common - n));
    if (n == 0) continue;
    rmx_score(truth, used, n, &scores[m]);
    if (errors)
      RMX_TRY(rmx__diagnose(truth, used, group, n, f->higher_is_better && f->higher_is_better[m],
                            &errors[m], err));
    if (errors && known && isfinite(sd[0])) errors[m].coverage = (double)within / (double)known;
  }
  take_mean(f, scores, listener, mean);
  if (mean->n) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s has none of the metrics of the fit (the first is \"%s\")",
                  path, f->metrics[0]);
}
