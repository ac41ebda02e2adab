// SPDX-License-Identifier: Apache-2.0
// Metrics that are alike want the same lengths and warps, and so many of them tell these from few
// runs. One length for all is too few: code and prose want others. So the metrics are dealt to
// clusters, and each cluster has its own (cluster_likelihood.c).
//
// All metrics as one cluster come first, from the prior's centre. The clusters begin there. With
// many runs, 512 of them determine the parameters first, and all runs improve them.
//
// Metrics of one cluster are alike, not the same. So each takes a few steps of its own from the
// cluster's parameters. A narrow prior keeps it near them. That costs O(N^3) a step and metric, and
// gains less with more runs, so more than 512 runs go without.
//
// Cost: K + 1 climbs of 25 steps, and up to 12 steps for each metric.

#include "shared.h"

#include <stdlib.h>
#include <string.h>

#include "regress/blas.h"
#include "regress/registry.h"

enum { CLUSTERS = 8, STEPS = 25, AGAIN_STEPS = 8, FIRST = 512, LAST_STEPS = 6 };
enum { OWN_STEPS_FEW = 12, FEW = 128, OWN_STEPS = 6, MOST_OWN = 512 };

typedef struct climbing {
  const rmx__shared_runs *runs;
  const double *features, *Y;  // (N, F), and (N, M) by columns, of mean 0 and sd 1
  size_t N;
  int steps;
  rmx__shared *shared;
  rmx_status status[CLUSTERS];
  rmx_err err[CLUSTERS];
} climbing;

void rmx__shared_release(rmx__shared *s) {
  free(s->cluster);
  free(s->theta);
  free(s->amplitude);
  *s = (rmx__shared){0};
}

static rmx_status make(size_t M, size_t K, size_t F, rmx__shared *out, rmx_err *err) {
  rmx__shared s = {.M = M, .K = K, .F = F};
  s.cluster = rmx_calloc(M, sizeof(size_t));
  s.theta = rmx_calloc(K, GP_N_PARAMETERS(F) * sizeof(double));
  s.amplitude = rmx_calloc(2 * M, sizeof(double));
  if (!s.cluster || !s.theta || !s.amplitude) {
    rmx__shared_release(&s);
    return rmx_fail_memory(err, (M + K * F) * sizeof(double), "Gaussian processes");
  }
  s.noise = s.amplitude + M;
  *out = s;
  return RMX_OK;
}

// Half of the metrics, but no more than eight: with more, each cluster has little to share.
static size_t clusters_of(size_t M) {
  return M >= 2 * CLUSTERS ? CLUSTERS : (M + 1) / 2;
}

// Climbs the metrics of cluster k; of all metrics where there is one cluster.
static void climb(void *context, size_t k) {
  climbing *c = context;
  rmx__shared *s = c->shared;
  size_t N = c->N, n = 0;
  rmx_arena arena = {0};
  double *Y = rmx_arena_alloc(&arena, N * s->M, sizeof(double)),
         *amplitude = rmx_arena_alloc(&arena, 2 * s->M, sizeof(double));
  if (!Y || !amplitude) {
    c->status[k] = rmx_fail_memory(&c->err[k], N * s->M * sizeof(double), "Gaussian processes");
  } else {
    for (size_t m = 0; m < s->M; m++)
      if (s->cluster[m] == k) memcpy(Y + n++ * N, c->Y + m * N, N * sizeof(double));
    rmx__cluster_problem q = {N, s->F, n, c->features, Y};
    c->status[k] = rmx__cluster_climb(&q, c->steps, s->theta + k * GP_N_PARAMETERS(s->F), amplitude,
                                      amplitude + s->M, &c->err[k]);
    n = 0;
    for (size_t m = 0; m < s->M; m++) {
      if (s->cluster[m] != k) continue;
      s->amplitude[m] = amplitude[n];
      s->noise[m] = amplitude[s->M + n++];
    }
  }
  rmx_arena_release(&arena);
}

static rmx_status climb_all(climbing *c, rmx_err *err) {
  size_t K = c->shared->K;
  rmx_parallel(c->runs->threads, K, climb, c);
  for (size_t k = 0; k < K; k++)
    if (c->status[k] != RMX_OK) {
      *err = c->err[k];
      return c->status[k];
    }
  return RMX_OK;
}

// n of the runs, evenly spread: their features (n, F) and standardised metrics (n, M) by columns.
static bool take_runs(const rmx__shared_runs *r, size_t n, climbing *c, rmx_arena *arena) {
  size_t F = rmx__features_n(r->features), M = r->M;
  double *features = rmx_arena_alloc(arena, n * F, sizeof(double)),
         *Y = rmx_arena_alloc(arena, n * M, sizeof(double));
  if (!features || !Y) return false;
  for (size_t i = 0; i < n; i++) {
    size_t row = i * r->N / n;
    for (size_t k = 0; k < F; k++)
      features[i * F + k] = rmx__feature(r->features, r->X + row * r->D, k);
    for (size_t m = 0; m < M; m++) Y[m * n + i] = r->Y[row * M + m];
  }
  for (size_t m = 0; m < M; m++) {
    double mean = 0, square = 0, *y = Y + m * n;
    for (size_t i = 0; i < n; i++) mean += y[i] / (double)n;
    for (size_t i = 0; i < n; i++) square += (y[i] - mean) * (y[i] - mean) / (double)n;
    for (size_t i = 0; i < n; i++) y[i] = square > 0 ? (y[i] - mean) / sqrt(square) : 0;
  }
  c->features = features;
  c->Y = Y;
  c->N = n;
  return true;
}

// From the prior's centre to all metrics as one cluster, and from there to the clusters.
static rmx_status search(climbing *c, uint64_t seed, rmx_err *err) {
  rmx__shared *s = c->shared;
  size_t P = GP_N_PARAMETERS(s->F), K = s->K;
  s->K = 1;
  rmx__gp_centre(s->F, s->theta);
  c->steps = STEPS;
  rmx_status status = climb_all(c, err);
  s->K = K;
  if (status != RMX_OK || K == 1) return status;
  RMX_TRY(rmx__cluster_metrics(c->runs->Y, c->runs->turned, c->runs->N, s->M, K, seed, s->cluster,
                               err));
  for (size_t k = 1; k < K; k++) memcpy(s->theta + k * P, s->theta, P * sizeof(double));
  return climb_all(c, err);
}

rmx_status rmx__shared_fit(const rmx__shared_runs *runs, const rmx__shared *start, uint64_t seed,
                           rmx__shared *out, rmx_err *err) {
  size_t F = rmx__features_n(runs->features), M = runs->M;
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  rmx__shared s = {0};
  RMX_TRY(make(M, start ? start->K : clusters_of(M), F, &s, err));
  climbing c = {.runs = runs, .shared = &s};
  rmx_status status = RMX_OK;
  bool part = !start && runs->N > FIRST + FIRST / 4;
  if (start) {
    memcpy(s.cluster, start->cluster, M * sizeof *s.cluster);
    memcpy(s.theta, start->theta, s.K * GP_N_PARAMETERS(F) * sizeof(double));
  }
  if (!take_runs(runs, part ? FIRST : runs->N, &c, &arena))
    status = rmx_fail_memory(err, runs->N * (F + M) * sizeof(double), "Gaussian processes");
  if (status == RMX_OK && !start) status = search(&c, seed, err);
  if (status == RMX_OK && part && !take_runs(runs, runs->N, &c, &arena))
    status = rmx_fail_memory(err, runs->N * (F + M) * sizeof(double), "Gaussian processes");
  c.steps = start ? AGAIN_STEPS : LAST_STEPS;
  if (status == RMX_OK && (start || part)) status = climb_all(&c, err);
  if (status != RMX_OK) {
    rmx__shared_release(&s);
    return status;
  }
  *out = s;
  return RMX_OK;
}

static int own_steps(const rmx__shared *s, size_t N) {
  if (s->M == 1 || N > MOST_OWN) return 0;
  return N > FEW ? OWN_STEPS : OWN_STEPS_FEW;
}

rmx_status rmx__shared_process(const rmx__shared *s, const rmx__features *features, size_t m,
                               const rmx_dataset *data, rmx_regressor **out, rmx_err *err) {
  size_t P = GP_N_PARAMETERS(s->F);
  RMX_OWNED double *theta = rmx_calloc(P, sizeof(double));
  if (!theta) return rmx_fail_memory(err, P * sizeof(double), "a Gaussian process");
  memcpy(theta, s->theta + s->cluster[m] * P, P * sizeof(double));
  theta[GP_NOISE] = log(s->noise[m]) / 2;
  return rmx__gp_shared(data, features, theta, s->amplitude[m], own_steps(s, data->N), out, err);
}

// One metric alone is a cluster of its own.
static rmx_status choose(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                         const rmx_listener *listener, rmx_regressor **out, rmx_err *err) {
  (void)options;
  (void)listener;
  RMX_TRY(rmx__blas_ready(err));
  RMX_OWNED_BY(rmx__features_release) rmx__features features = {0};
  RMX_TRY(rmx__features_by_name(data->domains, data->D, &features, err));
  rmx__shared_runs runs = {.N = data->N,
                           .D = data->D,
                           .M = 1,
                           .X = data->X,
                           .Y = data->y,
                           .features = &features,
                           .threads = 1};
  rmx__shared s;
  RMX_TRY(rmx__shared_fit(&runs, NULL, seed, &s, err));
  rmx_status status = rmx__shared_process(&s, &features, 0, data, out, err);
  rmx__shared_release(&s);
  return status;
}

const rmx__regressor_kind rmx__shared_kind = {
    .name = "shared",
    .help = "Gaussian processes; metrics that are alike share their lengths and warps",
    .extension = "json",
    .choose = choose,
};
