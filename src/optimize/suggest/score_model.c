// SPDX-License-Identifier: Apache-2.0
// See suggest.h. One function on the score, in place of one a metric: the metrics' errors at a
// run have much in common, and what they have in common does not average out.

#include "optimize/suggest.h"

#include <math.h>
#include <string.h>

#include "regress/folds.h"

rmx_status rmx__scored_runs(const rmx_fit *fit, const rmx_target *target, rmx_arena *arena,
                            rmx_dataset *out, size_t **rows, rmx_err *err) {
  size_t N = fit->N, D = fit->D, M = fit->M, n = 0;
  if (fit->truth == NULL)
    return rmx_fail(err, RMX_EINPUT,
                    "the fit does not hold the runs it was made from: it was written by an older "
                    "regmix; make it again "
                    "with `regmix fit`");
  double *X = rmx_arena_alloc(arena, N, D * sizeof(double)),
         *y = rmx_arena_alloc(arena, N, sizeof(double));
  double *row = rmx_arena_alloc(arena, M, sizeof(double));
  int *groups = rmx_arena_alloc(arena, N, sizeof(int));
  size_t *which = rmx_arena_alloc(arena, N, sizeof(size_t));
  if (!X || !y || !row || !groups || !which)
    return rmx_fail_memory(err, N * D * sizeof(double), "the runs of a fit");
  for (size_t i = 0; i < N; i++) {
    bool whole = true;
    for (size_t m = 0; m < M; m++) {
      double value = fit->truth[i * M + m];
      if (target->weight[m] != 0) whole &= isfinite(value);
      row[m] = target->weight[m] != 0 ? value : 0;
    }
    if (!whole) continue;
    memcpy(X + n * D, fit->runs + i * D, D * sizeof(double));
    groups[n] = fit->groups[i];
    which[n] = i;
    y[n++] = rmx__plain_score(target, M, row);
  }
  *out = (rmx_dataset){.N = n,
                       .D = D,
                       .X = X,
                       .y = y,
                       .groups = groups,
                       .domains = (const char *const *)fit->domains,
                       .metric = "the target",
                       .own_domain = -1};
  if (rows) *rows = which;
  return RMX_OK;
}

// The fit's own regressor, where it can be the model; NULL: none can.
static const rmx_regressor *own_model(const rmx_fit *fit, const rmx_target *target, size_t *only) {
  size_t n = 0;
  for (size_t m = 0; m < fit->M; m++)
    if (target->weight[m] != 0) *only = m, n++;
  return n == 1 && !target->worst && rmx__has_gp(fit->regressors[*only]) ? fit->regressors[*only]
                                                                         : NULL;
}

static rmx_status ensemble_options(rmx_regress_options *o, rmx_err *err) {
  RMX_TRY(rmx_options_init(rmx_regress_option_table, rmx_regress_option_table_n, o, err));
  return rmx_option_set(rmx_regress_option_table, rmx_regress_option_table_n, o, "fit.regressor",
                        "ensemble", err);
}

rmx_status rmx__score_model_r2(const rmx_fit *fit, const rmx_target *target,
                               const rmx_dataset *scored, uint64_t seed, double *r2, rmx_err *err) {
  size_t only = 0;
  *r2 = NAN;
  if (own_model(fit, target, &only)) return RMX_OK;
  rmx_regress_options o = {0};
  RMX_OWNED double *predicted = rmx_calloc(scored->N, sizeof *predicted);
  RMX_OWNED int *fold = rmx_calloc(scored->N, sizeof *fold);
  if (!predicted || !fold) return rmx_fail_memory(err, scored->N * sizeof(double), "scores");
  rmx_status status = ensemble_options(&o, err);
  if (status == RMX_OK)
    status = rmx__cross_validate(&o, scored, NULL, seed, predicted, fold, NULL, err);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  RMX_TRY(status);
  rmx_scores s;
  rmx_score(scored->y, predicted, scored->N, &s);
  *r2 = s.r2;
  return RMX_OK;
}

rmx_status rmx__score_model_make(rmx__score_model *s, const rmx_fit *fit, const rmx_target *target,
                                 const rmx_dataset *scored, uint64_t seed, rmx_err *err) {
  *s = (rmx__score_model){.scale = 1};
  size_t only = 0;
  if ((s->r = own_model(fit, target, &only)) != NULL) {
    s->scale = target->weight[only];
    return RMX_OK;
  }
  rmx_regress_options o = {0};
  rmx_status status = ensemble_options(&o, err);
  if (status == RMX_OK) status = rmx_regress_fit(&o, scored, seed, NULL, &s->own, err);
  s->r = s->own;
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &o);
  return status;
}

void rmx__score_model_release(rmx__score_model *s) {
  rmx_regressor_free(s->own);
  *s = (rmx__score_model){0};
}
