// SPDX-License-Identifier: Apache-2.0
// climb.h: the mixtures CLIMB ranks.
#ifndef RMX_BASELINES_CLIMB_H
#define RMX_BASELINES_CLIMB_H

#include <regmix/baselines.h>

// pool (n, D_train): mixture i from Dirichlet(strength prior), strengths those of the sampler in
// turn, brought under the caps.
rmx_status rmx__climb_pool(const rmx_comparison *c, size_t n, double *pool, rmx_err *err);
// Trees as CLIMB grows them; rmx_options_release them.
rmx_status rmx__climb_regress(rmx_regress_options *out, rmx_err *err);
// Runs of round r (0-based) of `rounds`, N in all, each round with half as many as the one before.
size_t rmx__climb_share(size_t N, size_t rounds, size_t r);

#endif
