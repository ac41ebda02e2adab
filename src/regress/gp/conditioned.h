// SPDX-License-Identifier: Apache-2.0
// A conditioned Gaussian process: its mean and covariance at a list of mixtures, and what they
// become when more runs are added to its data.
//
// Let k be the covariance of the process, X its runs, K = L L' their covariance with the noise, and
// v_i = L^-1 k(X, w_i). Then
//   cov(i, j) = k(w_i, w_j) - v_i'v_j.
// A further run at mixture i of the list whose result is u standard deviations above its
// expectation changes
//   mean_j += c_j u,  cov(j, l) -= c_j c_l,  c_j = cov(i, j) / sqrt(cov(i, i) + noise),
// so c is appended as one more row to all v (Rasmussen & Williams 2006, A.12). With u = 0 this is
// the kriging believer (Ginsbourger, Le Riche & Carraro 2010): the mean stays, the variance
// shrinks.
//
// Cost: O(n N^2) to make, O(n (N + D)) for each run added; memory for n (N + more) numbers.
#ifndef RMX_REGRESS_CONDITIONED_H
#define RMX_REGRESS_CONDITIONED_H

#include <regmix/regress.h>

typedef struct rmx__conditioned {
  size_t n, D, F;           // mixtures, domains, features
  size_t rows, room;        // of v: in use, allocated
  double *mean, *variance;  // (n) of the metric, without noise
  double noise;             // variance of a run's metric around the mean
  double signal, linear, unit;
  double *Z;         // (n, F) the warped mixtures
  double *v;         // (n, room)
  double *last_row;  // (n) c of the run that was added last
} rmx__conditioned;

// r: a fitted gp or ensemble. NULL: no runs yet; the process has the prior's most likely
// parameters, mean 0 and unit 1. `more`: how many runs may be added. Release it with
// rmx__conditioned_release().
rmx_status rmx__conditioned_make(rmx__conditioned *c, const rmx_regressor *r, const double *X,
                                 size_t n, size_t D, size_t more, rmx_err *err);
// Adds a run at mixture i, u standard deviations above the mean.
void rmx__conditioned_add(rmx__conditioned *c, size_t i, double u);
// Writes cov(i, .) to out (n).
void rmx__conditioned_covariance(const rmx__conditioned *c, size_t i, double *out);
// Makes it describe `weight` times the metric.
void rmx__conditioned_scale(rmx__conditioned *c, double weight);
void rmx__conditioned_release(rmx__conditioned *c);
// Whether this regressor has a Gaussian process.
bool rmx__has_gp(const rmx_regressor *r);

#endif
