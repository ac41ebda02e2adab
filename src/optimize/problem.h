// SPDX-License-Identifier: Apache-2.0
// problem.h: the optimisation problem: scores, limits and the divergence from a reference.
#ifndef RMX_OPTIMIZE_PROBLEM_H
#define RMX_OPTIMIZE_PROBLEM_H

#include <regmix/optimize.h>

#include "regress/fit.h"
#include "regress/registry.h"

// The score of predicted metrics (M) without the limits: that of rmx_target_score() where they are
// kept.
double rmx__plain_score(const rmx_target *t, size_t M, const double *predicted);
// Predicts the metrics that have a weight or a limit at n mixtures X (n, D): y (n, M); the others
// keep what is there. column (n) is scratch.
void rmx__predict_target(const rmx_fit *fit, const rmx_target *t, const double *X, size_t n,
                         double *y, double *column);
// rmx__plain_score of n mixtures: score (n). y (n, M) is scratch.
void rmx__plain_scores(const rmx_fit *fit, const rmx_target *t, const double *X, size_t n,
                       double *y, double *score);

// Adds low <= total weight of the members (D) <= high.
rmx_status rmx__add_share(rmx_constraints *c, const char *name, const char *text,
                          const bool *member, double low, double high, rmx_err *err);

// KL(w || reference) = sum_d w_d log(w_d / reference_d); 0 without a reference; INFINITY where w
// has some of a domain that the reference lacks.
double rmx__kl(const rmx_constraints *c, const double *w);
// The same, with reference_d >= floor: a large number in place of INFINITY.
double rmx__kl_above(const rmx_constraints *c, const double *w, double floor);
// gradient (D) += factor * that of the divergence.
void rmx__add_kl_gradient(const rmx_constraints *c, const double *w, double factor,
                          double *gradient);

#endif
