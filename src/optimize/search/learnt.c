// SPDX-License-Identifier: Apache-2.0
// A fitted function always has a best mixture, also one that knows nothing: of a flat function any
// mixture is one, and of noise a corner. So before its optimum is believed it has to predict runs
// that it has not seen better than their mean does. Where it does not, the prior is the answer.

#include "optimize/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double FLAT = 1e-9;  // range of the predicted scores, as a part of their size

// R2 of the target's score out of fold, over the runs that have all of its metrics; NaN: not known.
static rmx_status score_r2(const rmx_fit *f, const rmx_target *t, double *r2, rmx_err *err) {
  *r2 = NAN;
  if (!f->truth || !f->out_of_fold) return RMX_OK;
  RMX_OWNED double *true_score = rmx_calloc(2 * f->N, sizeof(double));
  if (!true_score) return rmx_fail_memory(err, 2 * f->N * sizeof(double), "scores");
  double *predicted = true_score + f->N;
  size_t n = 0;
  for (size_t i = 0; i < f->N; i++) {
    const double y = rmx__plain_score(t, f->M, f->truth + i * f->M),
                 z = rmx__plain_score(t, f->M, f->out_of_fold + i * f->M);
    if (!isfinite(y) || !isfinite(z)) continue;
    true_score[n] = y;
    predicted[n++] = z;
  }
  rmx_scores s;
  rmx_score(true_score, predicted, n, &s);
  if (n > 1) *r2 = s.r2;
  return RMX_OK;
}

// Whether all runs and the prior are predicted the same score.
static rmx_status is_flat(const rmx__task *a, bool *flat, rmx_err *err) {
  const rmx_fit *f = a->fit;
  const rmx_target *t = &a->problem->target;
  RMX_OWNED double *y = rmx_calloc(f->M, sizeof(double));
  double low = INFINITY, high = -INFINITY;
  if (y == NULL) return rmx_fail_memory(err, f->M * sizeof(double), "scores");
  for (size_t i = 0; i <= f->N; i++) {
    double score;
    rmx__plain_scores(f, t, i < f->N ? f->runs + i * f->D : a->prior, 1, y, &score);
    low = fmin(low, score);
    high = fmax(high, score);
  }
  *flat = !(high - low > FLAT * fmax(fabs(low), fabs(high)));
  return RMX_OK;
}

static size_t mixtures_of(const rmx_fit *f) {
  size_t n = 0;
  for (size_t i = 0; i < f->N; i++) n += !f->groups || f->groups[i] == (int)i;
  return n;
}

// The metrics that the problem is about, each of which should be predicted better than by its
// mean.
static void warn_of_metrics(const rmx__task *a) {
  const rmx_target *t = &a->problem->target;
  for (size_t m = 0; m < a->fit->M; m++) {
    const double r2 = a->fit->cv ? a->fit->cv[m].r2 : NAN;
    if (!(r2 < 0) || (t->weight[m] == 0 && !(t->limit[m] < INFINITY))) continue;
    rmx_warn(
        a->listener,
        "metric \"%s\" is predicted worse than by the mean of the runs (R2 %.2f out of fold)%s",
        a->fit->metrics[m], r2, t->weight[m] == 0 ? ": its limit is kept by a guess" : "");
  }
}

rmx_status rmx__check_what_was_learnt(const rmx__task *a, rmx_optimum *o, rmx_err *err) {
  const rmx_fit *f = a->fit;
  size_t used = 0;
  bool flat = false;
  for (size_t d = 0; d < f->D; d++) used += f->mean_mixture[d] > 0;
  o->mixtures = mixtures_of(f);
  RMX_TRY(score_r2(f, &a->problem->target, &o->r2, err));
  RMX_TRY(is_flat(a, &flat, err));
  if (o->mixtures < 2)
    snprintf(o->why_not, sizeof(o->why_not),
             "all runs have the same mixture, so nothing is known about other mixtures");
  else if (flat)
    snprintf(o->why_not, sizeof(o->why_not), "the fit predicts the same for every run");
  else if (a->problem->target.too_weak && !(a->problem->target.min_signal > 0))
    snprintf(
        o->why_not, sizeof(o->why_not),
        "no metric of the target has any signal, so the fit predicts none better than its mean "
        "does");
  else if (a->problem->target.too_weak)
    snprintf(o->why_not, sizeof(o->why_not),
             "no metric of the target has a signal to noise of %.3g or more",
             a->problem->target.min_signal);
  else if (a->problem->target.by_luck)
    snprintf(o->why_not, sizeof(o->why_not),
             "most metrics of the target have no signal, and what the fit finds in the others is "
             "no more than the luck of the best of that many");
  else if (o->r2 <= 0)
    snprintf(o->why_not, sizeof(o->why_not),
             "the fit predicts unseen runs no better than their mean does (R2 %.2f out of fold)",
             o->r2);
  o->learnt = !*o->why_not;
  if (o->learnt && o->mixtures < 2 * used)
    rmx_warn(a->listener,
             "%zu different mixture%s for %zu domains %s few: train %zu or more before relying on "
             "the optimum",
             o->mixtures, rmx_s(o->mixtures), used, rmx_is(o->mixtures), 2 * used);
  if (o->learnt) warn_of_metrics(a);
  return RMX_OK;
}

rmx_status rmx__stay_at_prior(const rmx__task *a, rmx_optimum *o, double *score, rmx_err *err) {
  const rmx_fit *f = a->fit;
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible set = {0};
  RMX_TRY(rmx__feasible_make(&set, f, &a->problem->constraints, false, a->prior, NULL, err));
  RMX_TRY(rmx__search_near_prior(f, &set, a->prior, o->mixture, err));
  for (size_t m = 0; m < f->M; m++)
    rmx_regressor_predict(f->regressors[m], o->mixture, 1, &o->predicted[m], NULL);
  rmx_target_score(&a->problem->target, f->M, o->predicted, 1, score);
  return RMX_OK;
}
