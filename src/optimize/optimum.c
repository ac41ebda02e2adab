// SPDX-License-Identifier: Apache-2.0
// What is said of a mixture that was found: the gain to expect, and whether the fit has any right to expect
// it.
//
// Distance is half the L1 distance: the share of tokens that would have to be others. A fit knows little
// beyond the neighbourhood of its runs, so the distance to the nearest run is set against that of runs to
// each other.

#include "optimum.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RUNS = 2048 };  // for the typical distance, which costs their number squared

rmx_status rmx__optimum_make(rmx_optimum *o, const rmx_fit *fit, rmx_err *err) {
  o->D = fit->D;
  o->M = fit->M;
  o->mixture = rmx_calloc(o->D, sizeof(double));
  o->spread = rmx_calloc(o->D, sizeof(double));
  o->predicted = rmx_calloc(o->M, sizeof(double));
  o->predicted_prior = rmx_calloc(o->M, sizeof(double));
  o->outside_domain = rmx_calloc(o->D, sizeof(bool));
  if (o->mixture && o->spread && o->predicted && o->predicted_prior && o->outside_domain) return RMX_OK;
  return rmx_fail_memory(err, (o->D + o->M) * 2 * sizeof(double), "an optimum");
}

void rmx_optimum_release(rmx_optimum *o) {
  free(o->mixture);
  free(o->spread);
  free(o->predicted);
  free(o->predicted_prior);
  free(o->outside_domain);
  *o = (rmx_optimum){0};
}

static double apart(const double *a, const double *b, size_t D) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += fabs(a[d] - b[d]);
  return sum / 2;
}

// To the nearest run that is not the same mixture; 0 if all are.
static double nearest_other(const rmx_fit *fit, const double *w) {
  double best = INFINITY;
  for (size_t i = 0; i < fit->N; i++) {
    double distance = apart(w, fit->runs + i * fit->D, fit->D);
    if (distance > 1e-12 && distance < best) best = distance;
  }
  return isfinite(best) ? best : 0;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static rmx_status typical_distance(const rmx_fit *fit, double *out, rmx_err *err) {
  size_t n = fit->N < MOST_RUNS ? fit->N : MOST_RUNS;
  double *distance = rmx_calloc(n, sizeof(double));
  if (distance == NULL) return rmx_fail_memory(err, n * sizeof(double), "distances of runs");
  for (size_t i = 0; i < n; i++) distance[i] = nearest_other(fit, fit->runs + i * fit->N / n * fit->D);
  qsort(distance, n, sizeof(double), by_size);
  *out = n ? 0.5 * (distance[(n - 1) / 2] + distance[n / 2]) : 0;
  free(distance);
  return RMX_OK;
}

static double score_of(const double *predicted, const rmx_target *target, size_t M) {
  double sum = 0;
  for (size_t m = 0; m < M; m++)
    if (target->weight[m] != 0) sum += target->weight[m] * predicted[m];
  return sum;
}

static void find_outside(rmx_optimum *o, const rmx_fit *fit) {
  size_t used = 0;
  for (size_t d = 0; d < o->D; d++) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < fit->N; i++) {
      low = fmin(low, fit->runs[i * fit->D + d]);
      high = fmax(high, fit->runs[i * fit->D + d]);
    }
    // A domain no run had less of than 0.001: 0.0009 is no matter. Half a percent of the range is.
    double slack = 1e-9 + 0.005 * (high - low);
    o->outside_domain[d] = o->mixture[d] < low - slack || o->mixture[d] > high + slack;
    if (!o->outside_domain[d]) continue;
    o->outside = true;
    size_t n = strlen(fit->domains[d]), room = sizeof(o->outside_domains);
    if (used + n + 3 > room) continue;
    used +=
        (size_t)snprintf(o->outside_domains + used, room - used, "%s%s", used ? ", " : "", fit->domains[d]);
  }
}

rmx_status rmx__optimum_describe(rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                                 const double *prior, const rmx_listener *listener, rmx_err *err) {
  double *metric = rmx_calloc(fit->N, sizeof(double)), *score = rmx_calloc(fit->N, sizeof(double));
  rmx_status status = metric && score ? RMX_OK : rmx_fail_memory(err, fit->N * sizeof(double), "an optimum");
  if (status == RMX_OK) status = typical_distance(fit, &o->typical_distance, err);
  if (status != RMX_OK) goto done;
  for (size_t m = 0; m < o->M; m++) {
    rmx_regressor_predict(fit->regressors[m], o->mixture, 1, &o->predicted[m], NULL);
    rmx_regressor_predict(fit->regressors[m], prior, 1, &o->predicted_prior[m], NULL);
    if (target->weight[m] == 0) continue;
    rmx_regressor_predict(fit->regressors[m], fit->runs, fit->N, metric, NULL);
    for (size_t i = 0; i < fit->N; i++) score[i] += target->weight[m] * metric[i];
  }
  o->score = score_of(o->predicted, target, o->M);
  o->score_prior = score_of(o->predicted_prior, target, o->M);
  o->best_run_score = INFINITY;
  o->distance = INFINITY;
  for (size_t i = 0; i < fit->N; i++) {
    o->best_run_score = fmin(o->best_run_score, score[i]);
    o->distance = fmin(o->distance, apart(o->mixture, fit->runs + i * fit->D, o->D));
  }
  find_outside(o, fit);
  o->far = o->distance > 2 * o->typical_distance;
  if (o->outside)
    rmx_warn(listener,
             "the optimum has weights outside what the runs covered (%s): the fit is guessing there; train "
             "runs near it",
             o->outside_domains);
  if (o->far)
    rmx_warn(listener,
             "the optimum lies %.3g from the nearest run (share of tokens that differ), runs typically lie "
             "%.3g from "
             "each other: train runs near it before believing it",
             o->distance, o->typical_distance);
done:
  free(metric);
  free(score);
  return status;
}

static json_t *by_metric(const double *x, const rmx_fit *fit) {
  json_t *o = json_object();
  for (size_t m = 0; o && m < fit->M; m++) {
    if (json_object_set_new(o, fit->metrics[m], isfinite(x[m]) ? json_real(x[m]) : json_null()) != 0) {
      json_decref(o);
      return NULL;
    }
  }
  return o;
}

static json_t *real(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

json_t *rmx_optimum_json(const rmx_optimum *o, const rmx_fit *fit) {
  const char *const *domains = (const char *const *)fit->domains;
  json_t *outside = json_array();
  for (size_t d = 0; outside && d < o->D; d++)
    if (o->outside_domain[d]) json_array_append_new(outside, json_string(domains[d]));
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:o, s:o, s:o}", "mixture",
                   rmx_mixture_json(o->mixture, domains, o->D), "spread",
                   rmx_mixture_json(o->spread, domains, o->D), "predicted", by_metric(o->predicted, fit),
                   "predicted_prior", by_metric(o->predicted_prior, fit), "score", real(o->score),
                   "score_prior", real(o->score_prior), "best_run_score", real(o->best_run_score), "method",
                   "simulate", "samples", (json_int_t)o->samples, "top", (json_int_t)o->top, "distance",
                   real(o->distance), "typical_distance", real(o->typical_distance), "outside", outside);
}
