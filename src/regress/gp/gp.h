// SPDX-License-Identifier: Apache-2.0
// The covariance of the Gaussian process, shared by its likelihood and its use.
#ifndef RMX_REGRESS_GP_H
#define RMX_REGRESS_GP_H

#include <math.h>
#include <regmix/regress.h>

#include "features.h"

// Positions of the parameters in theta; all are logarithms. D is the number of features.
enum { GP_SIGNAL, GP_LINEAR, GP_NOISE, GP_LENGTH };
#define GP_EPS(D) (GP_LENGTH + (D))
#define GP_N_PARAMETERS(D) (GP_LENGTH + 2 * (D))

typedef struct rmx__gp_problem {
  size_t N, D;           // D: of features
  const double *X;       // (N, D)
  const double *y;       // (N) of mean 0 and sd 1
  const double *weight;  // (N) noise variance is divided by it
} rmx__gp_problem;

// Matern 5/2 of a squared distance, and its slope by the squared distance.
static inline double rmx__matern(double r2, double *slope) {
  double x = sqrt(5 * r2), decay = exp(-x);
  *slope = -5.0 / 6 * (1 + x) * decay;
  return (1 + x + x * x / 3) * decay;
}

// The warp of a weight, divided by the domain's length.
static inline double rmx__gp_warp(const double *theta, size_t D, size_t d, double w) {
  double eps = exp(theta[GP_EPS(D) + d]);
  return log1p(fmax(w, 0) / eps) / log1p(1 / eps) * exp(-theta[GP_LENGTH + d]);
}

// The most likely parameters of the prior.
void rmx__gp_centre(size_t D, double *theta);
// Maximises the posterior from theta in up to `steps` steps.
rmx_status rmx__gp_climb(const rmx__gp_problem *q, int steps, double *theta, rmx_err *err);
// The same with a narrow prior around the theta that is given.
rmx_status rmx__gp_climb_near(const rmx__gp_problem *q, int steps, double *theta, rmx_err *err);
// alpha (N) = K^-1 y, and L (N, N) by columns, K = L L'. left_out (N; may be NULL): the error at
// each run of the fit to all the others.
rmx_status rmx__gp_solve(const rmx__gp_problem *q, const double *theta, double *alpha, double *L,
                         double *left_out, rmx_err *err);

// Draws n samples (n, P) from the posterior of theta, beginning at `theta` (P), its mode. order
// (D): of the features, in which random numbers are drawn for them.
rmx_status rmx__gp_walk(const rmx__gp_problem *q, const double *theta, const size_t *order,
                        rmx_rng *rng, size_t n, double *out, rmx_err *err);

// A fitted process: what prediction needs. F is the number of features.
typedef struct rmx__process {
  size_t N, D, F;
  rmx__features features;
  double *theta;           // (3 + 2 F)
  double *X;               // (N, D) mixtures
  double *seen_features;   // (N, F); X where all features are weights
  double *weight, *alpha;  // (N) (N)
  double *Z;               // (F, N) warped
  double *L;               // (N, N) by columns
  double *eps, *scale;     // (F) of the warp
  double shift, unit, seen[2];
  // unit over the metric's standard deviation, where the lengths come from several metrics
  // (shared.c) and stay in refits; 0: they were fitted to this metric alone
  double amplitude;
  double leave_one_out;  // root mean square error
  double signal, linear, constant;
  double *by_feature;  // (F) of the linear part
  char **names;        // (D) or NULL
  double *packed;      // Z and alpha as matern.h wants them: (blocks, F + 1, 8), (blocks, 8)
} rmx__process;

// The warped features z (F) of the mixture w (D), `stride` apart.
void rmx__process_warp(const rmx__process *p, const double *w, double *z, size_t stride);
// slope (F) by the warped features at w becomes, in its first D numbers, the slope by the weights.
void rmx__process_slope(const rmx__process *p, const double *w, double *slope);

// The process with given parameters.
rmx_status rmx__gp_at(const rmx_dataset *data, const double *theta, rmx_regressor **out,
                      rmx_err *err);
// The same with features of its own and an amplitude (see rmx__process). Up to `steps` steps bring
// theta nearer to this metric.
rmx_status rmx__gp_shared(const rmx_dataset *data, const rmx__features *features,
                          const double *theta, double amplitude, int steps, rmx_regressor **out,
                          rmx_err *err);

#endif
