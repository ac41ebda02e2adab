// SPDX-License-Identifier: Apache-2.0
// The table of methods, and what they share. The problem is checked and the feasible set made. The
// method runs; its answer is verified and described.

#include "optimize/search.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "regress/fit_warnings.h"

static const rmx__method *const methods[] = {&rmx__simulate, &rmx__multistart};
enum { N_METHODS = sizeof(methods) / sizeof(methods[0]) };
static const double TOLERANCE = 1e-6;

const rmx_optimize_options rmx_optimize_defaults = {.samples = 100000,
                                                    .top = 128,
                                                    .strength = 1,
                                                    .starts = 16,
                                                    .guard = true,
                                                    .replicates = 200,
                                                    .level = 0.9};

const rmx_optimize_options *rmx__options_of(const rmx_optimize_request *request) {
  return request->options ? request->options : &rmx_optimize_defaults;
}

static bool has_gradient(const rmx_fit *fit, const rmx_target *t) {
  RMX_OWNED double *g = rmx_calloc(fit->D, sizeof(double));
  bool all = g != NULL;
  for (size_t m = 0; m < fit->M && all; m++)
    if (t->weight[m] != 0 || t->limit[m] < INFINITY)
      all = rmx_regressor_gradient(fit->regressors[m], fit->mean_mixture, g);
  return all;
}

static rmx_status find(const char *name, const rmx__method **out, rmx_err *err) {
  rmx_buf list = {0};
  for (size_t i = 0; i < N_METHODS; i++) {
    rmx_buf_printf(&list, "%s%s", i ? ", " : "", methods[i]->name);
    if (strcmp(name, methods[i]->name) == 0) *out = methods[i];
  }
  if (!*out)
    rmx_fail(err, RMX_EINPUT, "there is no method \"%s\"; there are: %s", name,
             list.data ? list.data : "");
  rmx_buf_release(&list);
  return *out ? RMX_OK : err->status;
}

// ---- the problem ----

static rmx_status check(const rmx_fit *fit, const rmx_problem *q, const double *prior,
                        const rmx_optimize_options *o, rmx_err *err) {
  if (!(o->strength > 0) || !isfinite(o->strength))
    return rmx_fail(err, RMX_EINPUT, "optimize.strength is %g: wanted a positive number",
                    o->strength);
  double sum = 0, weights = 0;
  for (size_t d = 0; d < fit->D; d++) {
    if (!isfinite(prior[d]) || prior[d] < 0)
      return rmx_fail(err, RMX_EINPUT, "the prior of domain \"%s\" is %g: wanted 0 to 1",
                      fit->domains[d], prior[d]);
    sum += prior[d];
  }
  if (!(sum > 0)) return rmx_fail(err, RMX_EINPUT, "the prior is 0 for every domain");
  for (size_t m = 0; m < fit->M; m++) weights += fabs(q->target.weight[m]);
  if (!(weights > 0) || !isfinite(weights))
    return rmx_fail(err, RMX_EINPUT, "the target has no metric with a weight");
  return rmx_constraints_check(&q->constraints, (const char *const *)fit->domains, err);
}

// ---- the answer ----

static rmx_status verify(const rmx__task *a, const rmx_optimum *o, rmx_err *err) {
  double excess = rmx_constraints_excess(&a->problem->constraints, o->mixture), score,
         *y = o->predicted;
  for (size_t m = 0; m < a->fit->M; m++)
    rmx_regressor_predict(a->fit->regressors[m], o->mixture, 1, &y[m], NULL);
  rmx_target_score(&a->problem->target, a->fit->M, y, 1, &score);
  if (isnan(excess) || isnan(score))
    return rmx_fail(err, RMX_ENUMERIC, "the mixture found, or its prediction, is not finite");
  if (excess > TOLERANCE || isinf(score))
    return rmx_fail(err, RMX_ENUMERIC,
                    "the mixture found exceeds a constraint by %.3g: loosen one a little",
                    excess > TOLERANCE ? excess : TOLERANCE);
  return RMX_OK;
}

void rmx__tell_guard(const rmx_optimum *o, const rmx_listener *listener) {
  const double gain = o->score - o->unguarded_score;
  const bool known = isfinite(o->expected_error);
  if (gain > (known ? o->expected_error : 1e-6 * (1 + fabs(o->score))))
    rmx_note(listener,
             "the guard holds the search where the runs are; beyond, the fit promises %.4g more%s, "
             "but no run backs that (--no-guard to go there)",
             gain, known ? ", above the error to expect here" : "");
}

// What the guard costs: the same search without it.
static rmx_status look_beyond(const rmx__task *a, rmx_optimum *o, rmx_err *err) {
  rmx__feasible all;
  RMX_TRY(rmx__feasible_make(&all, a->fit, &a->problem->constraints, false, a->prior, NULL, err));
  rmx_optimum free_one = {0};
  rmx_status status = rmx__optimum_make(&free_one, a->fit, err);
  if (status == RMX_OK) status = rmx__multistart.run(a, &all, &free_one, err);
  if (status == RMX_OK) {
    for (size_t m = 0; m < a->fit->M; m++)
      rmx_regressor_predict(a->fit->regressors[m], free_one.mixture, 1, &free_one.predicted[m],
                            NULL);
    rmx_target_score(&a->problem->target, a->fit->M, free_one.predicted, 1, &o->unguarded_score);
  }
  rmx__optimum_release(&free_one);
  rmx__feasible_release(&all);
  return status == RMX_ENOMEM ? status : RMX_OK;
}

static void warn_of_followed_guard(const rmx_fit *f, const rmx__feasible *set,
                                   const rmx_listener *listener) {
  rmx_few beyond = {0};
  for (size_t d = 0; d < f->D; d++) {
    double low, high;
    rmx__covered_range(f, d, &low, &high);
    if (set->low[d] < low || set->high[d] > high) rmx_few_add(&beyond, f->domains[d]);
  }
  rmx_warn(listener,
           "no mixture keeps the constraints within the guard; it is widened as far as they "
           "ask%s%s%s: train runs there",
           beyond.n ? " (" : "", beyond.text, beyond.n ? ")" : "");
}

// The score of a mixture with the penalty of the divergence; y (M) is scratch.
static double score_at(const rmx__task *a, const double *w, double *y) {
  const rmx_constraints *c = &a->problem->constraints;
  double score;
  for (size_t m = 0; m < a->fit->M; m++)
    rmx_regressor_predict(a->fit->regressors[m], w, 1, &y[m], NULL);
  rmx_target_score(&a->problem->target, a->fit->M, y, 1, &score);
  return c->kl_penalty > 0 ? score + c->kl_penalty * rmx__kl(c, w) : score;
}

// What the guard holds, and no constraint: weights at an end of their range, or the distance.
static void find_held(rmx_optimum *o, const rmx__feasible *set) {
  if (!o->guarded) return;
  o->radius = set->radius;
  o->at_radius = rmx__held_by_distance(set, o->mixture);
  for (size_t d = 0; d < o->D; d++)
    o->at_limit[d] = rmx__held_by_range(set, d, o->mixture[d], TOLERANCE) != 0;
}

// Where the prior breaks the constraints, and the guard leaves only mixtures that are predicted
// worse than the nearest to the prior that keeps them, the guard is widened as far as that one, and
// the search made again.
static rmx_status reach_for_prior(const rmx__task *a, const rmx__method *method, rmx__feasible *set,
                                  rmx_optimum *o, rmx_err *err) {
  const rmx_constraints *c = &a->problem->constraints;
  if (!o->guarded || c->drop_below > 0 || rmx_constraints_excess(c, a->prior) <= TOLERANCE)
    return RMX_OK;
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible all = {0};
  RMX_OWNED double *w = rmx_calloc(set->D, sizeof *w), *y = rmx_calloc(a->fit->M, sizeof *y);
  if (!w || !y) return rmx_fail_memory(err, set->D * sizeof *w, "a search");
  RMX_TRY(rmx__feasible_make(&all, a->fit, c, false, a->prior, NULL, err));
  RMX_TRY(rmx__search_near_prior(a->fit, &all, a->prior, w, err));
  const double found = score_at(a, o->mixture, y), near = score_at(a, w, y);
  if (!(near < found - 1e-9 * (1 + fabs(found)))) return RMX_OK;
  rmx__feasible_reach(set, w);
  RMX_TRY(method->run(a, set, o, err));
  rmx_warn(
      a->listener,
      "where the runs are, all mixtures that keep the constraints are predicted worse than "
      "the one nearest to the prior; so the guard is widened as far as that: train runs there");
  o->reached = w;
  w = NULL;
  return RMX_OK;
}

// *stays: nothing was learnt, so the prior is the answer. Without the guard a fit that is no better
// than its mean is believed; a flat one cannot be.
static rmx_status weigh_fit(const rmx__task *a, rmx_optimum *o, bool *stays, rmx_err *err) {
  *stays = false;
  RMX_TRY(rmx__check_what_was_learnt(a, o, err));
  if (o->learnt) return RMX_OK;
  if (!a->options->guard && o->r2 <= 0) {
    rmx_warn(a->listener,
             "nothing was learnt about the target: %s; what follows is the optimum of that fit, as "
             "--no-guard asks",
             o->why_not);
    return RMX_OK;
  }
  double score;
  RMX_TRY(rmx__stay_at_prior(a, o, &score, err));
  *stays = isfinite(score);
  if (*stays) o->method = "prior";
  rmx_warn(a->listener, "nothing was learnt about the target: %s; %s", o->why_not,
           *stays ? "so the prior, under the constraints, is the answer"
                  : "the prior passes a limit, so what follows is a guess that keeps it");
  return RMX_OK;
}

rmx_status rmx__optimum_at_prior(const rmx_optimize_request *request, const rmx_optimum *found,
                                 rmx_optimum **out, rmx_err *err) {
  const rmx_fit *fit = request->fit;
  const rmx_problem *q = request->problem;
  RMX_OWNED double *prior = rmx_calloc(fit->D, sizeof(double));
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *o = rmx_calloc(1, sizeof *o);
  *out = NULL;
  if (!prior || !o) return rmx_fail_memory(err, sizeof *o, "an optimum");
  memcpy(prior, q->prior ? q->prior : fit->mean_mixture, fit->D * sizeof(double));
  RMX_TRY(rmx_mixture_normalise(prior, fit->D, err));
  *o = (rmx_optimum){.method = "prior",
                     .gap = NAN,
                     .unguarded_score = NAN,
                     .expected_error = NAN,
                     .radius = INFINITY,
                     .learnt = found->learnt,
                     .r2 = found->r2,
                     .mixtures = found->mixtures};
  RMX_TRY(rmx__optimum_make(o, fit, err));
  const rmx__task a = {.fit = fit, .problem = q, .prior = prior};
  double score;
  RMX_TRY(rmx__stay_at_prior(&a, o, &score, err));
  if (!isfinite(score)) return RMX_OK;
  RMX_TRY(verify(&a, o, err));
  RMX_TRY(rmx__optimum_describe(o, fit, &q->target, prior, NULL, err));
  *out = o;
  o = NULL;
  return RMX_OK;
}

// No run may be near a mixture of few domains, so where domains are dropped and the guard leaves
// nothing (err has the reason), the search is made again without it.
static rmx_status search_without_guard(const rmx__task *a, const rmx__method *method,
                                       rmx__feasible *set, rmx_optimum *o, rmx_err *err) {
  rmx_err again;
  rmx__feasible_release(set);
  rmx_status status =
      rmx__feasible_make(set, a->fit, &a->problem->constraints, false, a->prior, NULL, &again);
  if (status == RMX_OK) status = method->run(a, set, o, &again);
  if (status == RMX_OK)
    rmx_warn(a->listener, "%s; searching without the guard", err->message);
  else
    *err = again;
  o->guarded = false;
  return status;
}

static rmx_status search(const rmx__task *a, const rmx__method *method, rmx__feasible *set,
                         rmx_optimum *o, rmx_err *err) {
  const rmx_constraints *c = &a->problem->constraints;
  RMX_TRY(rmx__feasible_make(set, a->fit, c, o->guarded, a->prior, &o->followed, err));
  if (o->followed) warn_of_followed_guard(a->fit, set, a->listener);
  rmx_status status = method->run(a, set, o, err);
  if (status == RMX_EINPUT && c->drop_below > 0 && o->guarded)
    status = search_without_guard(a, method, set, o, err);
  return status == RMX_OK ? reach_for_prior(a, method, set, o, err) : status;
}

static rmx_status answer(const rmx__task *a, const rmx__method *method, rmx_optimum *o,
                         rmx_err *err) {
  const rmx_target *target = &a->problem->target;
  RMX_OWNED_BY(rmx__feasible_release) rmx__feasible set = {0};
  bool stays = false;
  RMX_TRY(weigh_fit(a, o, &stays, err));
  if (stays) {
    o->guarded = false;
    RMX_TRY(verify(a, o, err));
    RMX_TRY(rmx__optimum_describe(o, a->fit, target, a->prior, NULL, err));
    rmx__warn_of_impossible(a->fit, o->predicted, 1, &(rmx__predictions){.where = ""}, a->listener);
    return RMX_OK;
  }
  RMX_TRY(search(a, method, &set, o, err));
  RMX_TRY(verify(a, o, err));
  RMX_TRY(rmx__optimum_describe(o, a->fit, target, a->prior, a->listener, err));
  find_held(o, &set);
  RMX_TRY(rmx__optimality_gap(a->fit, target, &set, o->mixture, &o->convex, &o->gap, err));
  // What the guard costs is only reported, so it needs a listener.
  const bool shown = o->guarded && a->listener && method == &rmx__multistart;
  return shown ? look_beyond(a, o, err) : RMX_OK;
}

rmx_status rmx_optimize(const rmx_optimize_request *request, rmx_optimum **out, rmx_err *err) {
  const rmx_fit *fit = request->fit;
  const rmx_problem *q = request->problem;
  const rmx_optimize_options *options = rmx__options_of(request);
  const double *given = q->prior ? q->prior : fit->mean_mixture;
  const rmx__method *method = NULL;
  if (options->method && strcmp(options->method, "auto") != 0)
    RMX_TRY(find(options->method, &method, err));
  else
    method = has_gradient(fit, &q->target) ? &rmx__multistart : &rmx__simulate;
  RMX_TRY(check(fit, q, given, options, err));
  RMX_OWNED double *prior = rmx_calloc(fit->D, sizeof(double));
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *o = rmx_calloc(1, sizeof *o);
  if (!prior || !o) return rmx_fail_memory(err, sizeof *o, "an optimum");
  memcpy(prior, given, fit->D * sizeof(double));
  RMX_TRY(rmx_mixture_normalise(prior, fit->D, err));
  *o = (rmx_optimum){.method = method->name,
                     .gap = NAN,
                     .unguarded_score = NAN,
                     .expected_error = NAN,
                     .r2 = NAN,
                     .radius = INFINITY,
                     .guarded = options->guard};
  RMX_TRY(rmx__optimum_make(o, fit, err));
  const rmx__task a = {fit, q, options, prior, request->seed, request->threads, request->listener};
  RMX_TRY(answer(&a, method, o, err));
  *out = o;
  o = NULL;
  return RMX_OK;
}
