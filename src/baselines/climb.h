// SPDX-License-Identifier: Apache-2.0
// climb.h: the mixtures that CLIMB ranks.
#ifndef RMX_BASELINES_CLIMB_H
#define RMX_BASELINES_CLIMB_H

#include <regmix/baselines.h>

// pool (n, D_train): mixture i is drawn from Dirichlet(strength prior), with the strengths of the
// sampler in turn, and brought under the caps.
rmx_status rmx__climb_pool(const rmx_comparison *c, size_t n, double *pool, rmx_err *err);
// The options of trees as in CLIMB; rmx_options_release them.
rmx_status rmx__climb_regress(rmx_regress_options *out, rmx_err *err);
// The number of runs in round r (from 0) of `rounds`; N in all, each round half of the one before.
size_t rmx__climb_share(size_t N, size_t rounds, size_t r);

#endif
