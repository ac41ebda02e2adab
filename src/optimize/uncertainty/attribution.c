// SPDX-License-Identifier: Apache-2.0
// What each domain does. To a metric L, at a mixture w: the change when one percent of the tokens,
// taken from all domains in proportion, goes to domain d,
//   L(w + 0.01 (e_d - w)) - L(w),
// which trees have too, though they have no gradient. To the optimum: the best score that is left
// when the weight of d is held at 0, or under the guard at the least that a run has of it, by the
// same method, less the best score. It is not known where the guard leaves no such mixture.

#include "optimize/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const double STEP = 0.01;
enum {
  FEWER = 4,   // a search for each domain has a quarter of the optimum's samples or starts
  MANY = 1000  // domains times metrics: from then on it has one start, the optimum
};

static rmx_status effects(const rmx_fit *fit, const double *at, double *effect, rmx_err *err) {
  size_t D = fit->D;
  RMX_OWNED double *X = rmx_calloc(D + 1, D * sizeof(double)),
                   *y = rmx_calloc(D + 1, sizeof(double));
  if (!X || !y) return rmx_fail_memory(err, D * D * sizeof(double), "effects of domains");
  for (size_t d = 0; d <= D; d++)
    for (size_t e = 0; e < D; e++)
      X[d * D + e] = d == D ? at[e] : at[e] + STEP * ((e == d ? 1 : 0) - at[e]);
  for (size_t m = 0; m < fit->M; m++) {
    rmx_regressor_predict(fit->regressors[m], X, D + 1, y, NULL);
    for (size_t d = 0; d < D; d++) effect[m * D + d] = y[d] - y[D];
  }
  return RMX_OK;
}

typedef struct leaving {
  rmx_optimize_request request;  // of each search
  const rmx_optimum *optimum;
  double best;      // score of the optimum, by the search the others are found by
  double *without;  // (D)
  bool near;        // searches begin at the optimum
} leaving;

// The best score under `c`; NaN where there is none, or none where the guard holds the optimum.
static double best_under(const leaving *l, const rmx_constraints *c) {
  rmx_problem q = *l->request.problem;
  rmx_optimize_request request = l->request;
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *o = NULL;
  rmx_err ignored;
  q.constraints = *c;
  request.problem = &q;
  if (rmx_optimize(&request, &o, &ignored) != RMX_OK) return NAN;
  return o->guarded == request.options->guard && o->followed == l->optimum->followed ? o->score
                                                                                     : NAN;
}

// The same by one way down from the optimum.
static double best_near(const leaving *l, const rmx_constraints *c) {
  const rmx_fit *fit = l->request.fit;
  const rmx_target *t = &l->request.problem->target;
  RMX_OWNED double *w = rmx_calloc(fit->D + fit->M, sizeof *w);
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible set = {0};
  double score;
  bool followed;
  rmx_err ignored;
  if (!w || rmx__feasible_make(&set, fit, c, l->request.options->guard, l->optimum->mixture,
                               &followed, &ignored) != RMX_OK)
    return NAN;
  if (l->optimum->reached && rmx_constraints_excess(c, l->optimum->reached) <= 1e-6)
    rmx__feasible_reach(&set, l->optimum->reached);
  set.coarse = true;
  if (followed != l->optimum->followed ||
      rmx__search(fit, t, &set, l->optimum->mixture, 1, w, NULL, &ignored) != RMX_OK)
    return NAN;
  rmx__plain_scores(fit, t, w, 1, w + fit->D, &score);
  return score;
}

static size_t used_by(const rmx_target *t, size_t M) {
  size_t n = 0;
  for (size_t m = 0; m < M; m++) n += t->weight[m] != 0 || t->limit[m] < INFINITY;
  return n;
}

static void leave_out(void *context, size_t d) {
  leaving *l = context;
  const rmx_constraints *c = &l->request.problem->constraints;
  l->without[d] = NAN;
  if (d == l->request.fit->D) {  // nothing is left out
    l->best = l->near ? best_near(l, c) : best_under(l, c);
    return;
  }
  if (c->low[d] > 0 || l->optimum->mixture[d] < 1e-9) return;
  double *high = rmx_calloc(c->D, sizeof(double));
  if (high == NULL) return;  // not known, then
  memcpy(high, c->high, c->D * sizeof(double));
  double min = 0, max;
  if (l->request.options->guard && l->request.fit->N)
    rmx__covered_range(l->request.fit, d, &min, &max);
  high[d] = fmin(high[d], fmax(min, 0));
  rmx_constraints held = *c;
  held.high = high;
  l->without[d] = l->near ? best_near(l, &held) : best_under(l, &held);
  free(high);
}

rmx_status rmx_attribution_make(const rmx_optimize_request *request, const rmx_optimum *optimum,
                                rmx_attribution *out, rmx_err *err) {
  const rmx_fit *fit = request->fit;
  const rmx_problem *problem = request->problem;
  size_t D = fit->D, M = fit->M;
  rmx_attribution a = {.D = D, .M = M};
  a.at_prior = rmx_calloc(2 * M, D * sizeof(double));
  a.without = rmx_calloc(2 * D + 1, sizeof(double));
  if (!a.at_prior || !a.without) {
    rmx_attribution_release(&a);
    return rmx_fail_memory(err, M * D * sizeof(double), "effects of domains");
  }
  a.at_optimum = a.at_prior + M * D;
  a.loss = a.without + D + 1;
  rmx_status status =
      effects(fit, problem->prior ? problem->prior : fit->mean_mixture, a.at_prior, err);
  if (status == RMX_OK) status = effects(fit, optimum->mixture, a.at_optimum, err);
  if (status == RMX_OK) {
    rmx_optimize_options fewer = *rmx__options_of(request);
    fewer.guard = optimum->guarded;
    fewer.samples = fewer.samples / FEWER + fewer.top;
    fewer.starts = fewer.starts / FEWER + 2;
    leaving l = {.request = *request, .optimum = optimum, .best = NAN, .without = a.without};
    l.near = strcmp(optimum->method, rmx__multistart.name) == 0 &&
             used_by(&problem->target, M) * D >= MANY;
    l.request.options = &fewer;
    l.request.threads = 1;
    l.request.listener = NULL;
    rmx_parallel(request->threads, D + 1, leave_out, &l);
    if (rmx_interrupted())
      status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted while leaving out each domain");
    // What keeps more constraints is no better; where it is, the search had not found the best.
    for (size_t d = 0; d < D; d++)
      if (a.without[d] < l.best) l.best = a.without[d];
    for (size_t d = 0; d < D; d++) {
      // Nothing is lost with what the optimum does not have.
      if (optimum->mixture[d] < 1e-9) a.without[d] = l.best;
      a.loss[d] = a.without[d] - l.best;
    }
  }
  if (status != RMX_OK) {
    rmx_attribution_release(&a);
    return status;
  }
  *out = a;
  return RMX_OK;
}

void rmx_attribution_release(rmx_attribution *a) {
  free(a->at_prior);
  free(a->without);
  *a = (rmx_attribution){0};
}

static json_t *effects_json(const double *effect, const rmx_fit *fit) {
  json_t *o = json_object();
  for (size_t m = 0; o && m < fit->M; m++) {
    json_t *one = json_object();
    for (size_t d = 0; d < fit->D; d++)
      json_object_set_new(one, fit->domains[d], rmx__json_known(effect[m * fit->D + d]));
    json_object_set_new(o, fit->metrics[m], one);
  }
  return o;
}

json_t *rmx_attribution_json(const rmx_attribution *a, const rmx_fit *fit) {
  json_t *without = json_object();
  for (size_t d = 0; without && d < a->D; d++)
    json_object_set_new(without, fit->domains[d],
                        json_pack("{s:o, s:o}", "score", rmx__json_known(a->without[d]), "loss",
                                  rmx__json_known(a->loss[d])));
  return json_pack("{s:o, s:o, s:o}", "prior", effects_json(a->at_prior, fit), "optimum",
                   effects_json(a->at_optimum, fit), "without", without);
}
