// SPDX-License-Identifier: Apache-2.0
// What a Gaussian process holds of a list of mixtures, and what it would hold after more runs.
//
// With k the process' covariance, X its runs, K = L L' theirs with the noise, v_i = L^-1 k(X, w_i):
//   cov(i, j) = k(w_i, w_j) - v_i'v_j.
// One more run, at mixture i of the list, that comes out u standard deviations above what was
// expected, changes
//   mean_j += c_j u,  cov(j, l) -= c_j c_l,  c_j = cov(i, j) / sqrt(cov(i, i) + noise),
// so c is one more row of all v (Rasmussen & Williams 2006, A.12). With u = 0 it is the believer of
// Ginsbourger, Le Riche & Carraro (2010): the mean stays, the doubt shrinks.
//
// Cost: O(n N^2) to make, O(n (N + D)) a run more; n (N + more) numbers.
#ifndef REGMIX_REGRESS_BELIEF_H
#define REGMIX_REGRESS_BELIEF_H

#include <regmix/regress.h>

typedef struct rmx__belief {
  size_t n, D;
  size_t rows, room;        // of v: in use, in all
  double *mean, *variance;  // (n) of the metric, noise aside
  double noise;             // variance of a run's metric about it
  double ripple, linear, unit;
  double *Z;      // (n, D) the warped mixtures
  double *v;      // (n, room)
  double *along;  // (n) c of the run added last
} rmx__belief;

// r: a fitted gp or ensemble, or NULL: no runs yet, the process is the usual one, of mean 0 and
// unit 1. `more`: runs that may be added.
rmx_status rmx__belief_make(rmx__belief *b, const rmx_regressor *r, const double *X, size_t n,
                            size_t D, size_t more, rmx_err *err);
// One more run at mixture i, u standard deviations above the mean.
void rmx__belief_add(rmx__belief *b, size_t i, double u);
// cov(i, .) into out (n).
void rmx__belief_covariance(const rmx__belief *b, size_t i, double *out);
// Of `weight` times the metric in place of the metric.
void rmx__belief_scale(rmx__belief *b, double weight);
void rmx__belief_release(rmx__belief *b);
// Has it a process to believe in?
bool rmx__has_belief(const rmx_regressor *r);

#endif
