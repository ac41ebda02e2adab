// SPDX-License-Identifier: Apache-2.0
// Describes a mixture that was found: the gain to expect, and whether runs near it support that.

#include "optimize/search.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regress/fit_warnings.h"

rmx_status rmx__optimum_make(rmx_optimum *o, const rmx_fit *fit, rmx_err *err) {
  o->D = fit->D;
  o->M = fit->M;
  o->mixture = rmx_calloc(o->D, sizeof(double));
  o->spread = rmx_calloc(o->D, sizeof(double));
  o->predicted = rmx_calloc(o->M, sizeof(double));
  o->predicted_prior = rmx_calloc(o->M, sizeof(double));
  o->outside_domain = rmx_calloc(o->D, sizeof(bool));
  o->at_limit = rmx_calloc(o->D, sizeof(bool));
  if (o->at_limit && o->mixture && o->spread && o->predicted && o->predicted_prior &&
      o->outside_domain)
    return RMX_OK;
  return rmx_fail_memory(err, (o->D + o->M) * 2 * sizeof(double), "an optimum");
}

void rmx__optimum_release(rmx_optimum *o) {
  free(o->mixture);
  free(o->spread);
  free(o->reached);
  free(o->predicted);
  free(o->predicted_prior);
  free(o->outside_domain);
  free(o->at_limit);
  *o = (rmx_optimum){0};
}

void rmx_optimum_free_at(rmx_optimum **o) {
  rmx_optimum_free(*o);
}

void rmx_optimum_free(rmx_optimum *o) {
  if (!o) return;
  rmx__optimum_release(o);
  free(o);
}

static void find_outside(rmx_optimum *o, const rmx_fit *fit) {
  size_t used = 0;
  for (size_t d = 0; d < o->D; d++) {
    double low, high;
    rmx__covered_range(fit, d, &low, &high);
    o->outside_domain[d] = o->mixture[d] < low || o->mixture[d] > high;
    if (!o->outside_domain[d]) continue;
    o->outside = true;
    size_t n = strlen(fit->domains[d]), room = sizeof(o->outside_domains);
    if (used + n + 3 > room) continue;
    used += (size_t)snprintf(o->outside_domains + used, room - used, "%s%s", used ? ", " : "",
                             fit->domains[d]);
  }
}

// The lowest score predicted for a run.
static rmx_status best_run(rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                           rmx_err *err) {
  size_t N = fit->N;
  RMX_OWNED double *score = rmx_calloc(N * (fit->M + 1), sizeof(double));
  if (!score) return rmx_fail_memory(err, N * (fit->M + 1) * sizeof(double), "an optimum");
  rmx__plain_scores(fit, target, fit->runs, N, score + N, score);
  o->best_run_score = INFINITY;
  for (size_t i = 0; i < N; i++) o->best_run_score = fmin(o->best_run_score, score[i]);
  return RMX_OK;
}

// Values that cannot be, at the optimum, or else at the prior, from which its gain is measured.
static void warn_of_values(const rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                           const rmx_listener *listener) {
  RMX_OWNED bool *asked = rmx_calloc(o->M, sizeof *asked);
  for (size_t m = 0; asked && m < o->M; m++)
    asked[m] = target->weight[m] != 0 || target->limit[m] < INFINITY;
  const rmx__predictions here = {"", "this answer", asked},
                         prior = {"at the prior, ", "the gain on it", asked};
  if (!rmx__warn_of_impossible(fit, o->predicted, 1, &here, listener))
    rmx__warn_of_impossible(fit, o->predicted_prior, 1, &prior, listener);
}

void rmx__warn_of_place(const rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                        const rmx_listener *listener) {
  warn_of_values(o, fit, target, listener);
  if (o->outside)
    rmx_warn(listener,
             "the optimum has weights outside the range that the runs covered (%s): the fit "
             "extrapolates there; train runs near it",
             o->outside_domains);
  if (o->far)
    rmx_warn(listener,
             "the optimum lies %.3g from the nearest run (share of tokens that differ), runs "
             "typically lie "
             "%.3g from "
             "each other: train runs near it before believing it",
             o->distance, o->typical_distance);
}

rmx_status rmx__optimum_describe(rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                                 const double *prior, const rmx_listener *listener, rmx_err *err) {
  RMX_TRY(rmx__typical_distance(fit, &o->typical_distance, err));
  for (size_t m = 0; m < o->M; m++) {
    rmx_regressor_predict(fit->regressors[m], o->mixture, 1, &o->predicted[m], NULL);
    rmx_regressor_predict(fit->regressors[m], prior, 1, &o->predicted_prior[m], NULL);
  }
  o->score = rmx__plain_score(target, o->M, o->predicted);
  o->score_prior = rmx__plain_score(target, o->M, o->predicted_prior);
  RMX_TRY(best_run(o, fit, target, err));
  o->distance = rmx__nearest_run(fit->runs, fit->N, o->D, o->mixture, NULL);
  RMX_TRY(rmx__expected_error(fit, target, o->distance, &o->expected_error, err));
  find_outside(o, fit);
  o->far = o->distance > 2 * o->typical_distance + 1e-9;
  rmx__warn_of_place(o, fit, target, listener);
  return RMX_OK;
}

// ---- what it is ----

const double *rmx_optimum_mixture(const rmx_optimum *o) {
  return o->mixture;
}
const bool *rmx_optimum_at_limit(const rmx_optimum *o) {
  return o->at_limit;
}
bool rmx_optimum_at_distance_limit(const rmx_optimum *o) {
  return o->at_radius;
}
double rmx_optimum_distance_limit(const rmx_optimum *o) {
  return o->radius;
}
const double *rmx_optimum_predicted(const rmx_optimum *o) {
  return o->predicted;
}
const double *rmx_optimum_predicted_prior(const rmx_optimum *o) {
  return o->predicted_prior;
}
double rmx_optimum_score(const rmx_optimum *o) {
  return o->score;
}
double rmx_optimum_score_prior(const rmx_optimum *o) {
  return o->score_prior;
}
double rmx_optimum_best_run_score(const rmx_optimum *o) {
  return o->best_run_score;
}
double rmx_optimum_expected_error(const rmx_optimum *o) {
  return o->expected_error;
}
double rmx_optimum_gap(const rmx_optimum *o) {
  return o->gap;
}
double rmx_optimum_distance(const rmx_optimum *o) {
  return o->distance;
}
double rmx_optimum_typical_distance(const rmx_optimum *o) {
  return o->typical_distance;
}
const char *rmx_optimum_method(const rmx_optimum *o) {
  return o->method;
}
const char *rmx_optimum_why_not(const rmx_optimum *o) {
  return *o->why_not ? o->why_not : NULL;
}
bool rmx_optimum_learnt(const rmx_optimum *o) {
  return o->learnt;
}

static json_t *by_metric(const double *x, const rmx_fit *fit) {
  json_t *o = json_object();
  for (size_t m = 0; o && m < fit->M; m++) {
    if (json_object_set_new(o, fit->metrics[m], rmx__json_known(x[m])) != 0) {
      json_decref(o);
      return NULL;
    }
  }
  return o;
}

json_t *rmx_optimum_json(const rmx_optimum *o, const rmx_fit *fit) {
  const char *const *domains = (const char *const *)fit->domains;
  json_t *outside = json_array(), *at_limit = json_array();
  for (size_t d = 0; at_limit && d < o->D; d++)
    if (o->at_limit[d]) json_array_append_new(at_limit, json_string(domains[d]));
  for (size_t d = 0; outside && d < o->D; d++)
    if (o->outside_domain[d]) json_array_append_new(outside, json_string(domains[d]));
  json_t *root = json_pack(
      "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "mixture",
      rmx_mixture_json(o->mixture, domains, o->D), "spread",
      rmx_mixture_json(o->spread, domains, o->D), "predicted", by_metric(o->predicted, fit),
      "predicted_prior", by_metric(o->predicted_prior, fit), "score", rmx__json_known(o->score),
      "score_prior", rmx__json_known(o->score_prior), "best_run_score",
      rmx__json_known(o->best_run_score), "method", o->method, "distance",
      rmx__json_known(o->distance), "typical_distance", rmx__json_known(o->typical_distance),
      "outside", outside, "guard", (int)o->guarded, "convex", (int)o->convex, "gap",
      rmx__json_known(o->gap), "expected_error", rmx__json_known(o->expected_error));
  if (!root) return json_decref(at_limit), NULL;
  json_object_set_new(root, "at_limit", at_limit);
  json_object_set_new(root, "distance_limit", rmx__json_known(o->radius));
  json_object_set_new(root, "at_distance_limit", json_boolean(o->at_radius));
  json_object_set_new(root, "learnt", json_boolean(o->learnt));
  json_object_set_new(root, "why_not", *o->why_not ? json_string(o->why_not) : json_null());
  json_object_set_new(root, "r2", rmx__json_known(o->r2));
  json_object_set_new(root, "different_mixtures", json_integer((json_int_t)o->mixtures));
  if (o->starts) {
    json_object_set_new(root, "starts", json_integer(o->starts));
    json_object_set_new(root, "unguarded_score", rmx__json_known(o->unguarded_score));
  } else if (o->samples) {
    json_object_set_new(root, "samples", json_integer(o->samples));
    json_object_set_new(root, "top", json_integer(o->top));
  }
  return root;
}
