// SPDX-License-Identifier: Apache-2.0
// mixmin.h: the mixture of distributions that maximises the likelihood of documents.
#ifndef RMX_BASELINES_MIXMIN_H
#define RMX_BASELINES_MIXMIN_H

#include <regmix/base.h>

// EM on log-probabilities logp (N, K) of documents with weights v (N): lambda (K), which lowers
// -sum_n v_n log sum_p lambda_p P_np, until no mixture is better by more than *certificate <
// tolerance (in units of sum v), or 100000 iterations. Cost: O(N K) an iteration.
rmx_status rmx__mixmin_em(const double *logp, const double *v, size_t N, size_t K, double tolerance,
                          double *lambda, double *certificate, int64_t *iterations, rmx_err *err);

#endif
