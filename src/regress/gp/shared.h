// SPDX-License-Identifier: Apache-2.0
// Gaussian processes of several metrics that share their lengths and warps within clusters.
#ifndef RMX_REGRESS_SHARED_H
#define RMX_REGRESS_SHARED_H

#include "gp.h"

typedef struct rmx__shared_runs {
  size_t N, D, M;
  const double *X;     // (N, D) mixtures
  const double *Y;     // (N, M) metrics; all finite, none constant
  const bool *turned;  // (M) metrics that run against the others (scores among losses), or NULL
  const rmx__features *features;
  int threads;
} rmx__shared_runs;

// What the metrics share. P = GP_N_PARAMETERS(F).
typedef struct rmx__shared {
  size_t M, K, F;
  size_t *cluster;  // (M) 0..K-1
  double *theta;    // (K, P); the noise is not in use
  // (M) of each metric of unit standard deviation: its process has the covariance
  // amplitude^2 (S + noise I), with S that of its cluster
  double *amplitude, *noise;
} rmx__shared;

// Fits the runs. start: NULL, or what was fitted to nearly the same runs; then its clusters stay,
// and the lengths and warps are improved from there. Release *out. RMX_ENUMERIC where a covariance
// cannot be decomposed. The answer does not depend on the number of threads.
rmx_status rmx__shared_fit(const rmx__shared_runs *runs, const rmx__shared *start, uint64_t seed,
                           rmx__shared *out, rmx_err *err);
// The Gaussian process of metric m, fitted to data from these parameters.
rmx_status rmx__shared_process(const rmx__shared *s, const rmx__features *features, size_t m,
                               const rmx_dataset *data, rmx_regressor **out, rmx_err *err);
void rmx__shared_release(rmx__shared *s);

// ---- parts of it ----

// Deals M metrics to K clusters by k-means on the columns of Y (N, M) scaled to length 1, of the
// best of four starts. cluster (M); none is empty.
rmx_status rmx__cluster_metrics(const double *Y, const bool *turned, size_t N, size_t M, size_t K,
                                uint64_t seed, size_t *cluster, rmx_err *err);
// The metrics Y (N, M), by columns, of one cluster; X (N, F) features.
typedef struct rmx__cluster_problem {
  size_t N, F, M;
  const double *X, *Y;
} rmx__cluster_problem;
// Maximises the posterior from theta in up to `steps` steps; amplitude and noise (M).
rmx_status rmx__cluster_climb(const rmx__cluster_problem *q, int steps, double *theta,
                              double *amplitude, double *noise, rmx_err *err);

#endif
