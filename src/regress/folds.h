// SPDX-License-Identifier: Apache-2.0
// Cross-validation.
#ifndef RMX_REGRESS_FOLDS_H
#define RMX_REGRESS_FOLDS_H

#include <regmix/regress.h>

// Copies the runs of `data` (N) that are not in fold f to the arena. The budget becomes that of the
// runs: what is fitted to them has to predict the other runs.
rmx_status rmx__without_fold(const rmx_dataset *data, const int *fold, int f, rmx_arena *arena,
                             rmx_dataset *out, rmx_err *err);
// Deals N runs to k folds by replicate group: groups stay whole, and the sizes of folds differ by
// no more than the size of one group. fold (N): 0..k-1. Returns the number of folds made: fewer
// than k where there are fewer groups, 0 where memory is short.
size_t rmx__folds(const int *groups, size_t N, size_t k, uint64_t seed, int *fold);
// k-fold cross-validation: predicted (N), each by a fit that has not seen the run's fold; fold (N).
// fitted: the fit to all the runs, or NULL. Each fold chooses again what `fitted` has chosen, and
// may begin there. (If the choices were kept, the errors out of fold would come out 4 to 9 % too
// small.) RMX_EINPUT with fewer than two groups.
rmx_status rmx__cross_validate(const rmx_regress_options *options, const rmx_dataset *data,
                               const rmx_regressor *fitted, uint64_t seed, double *predicted,
                               int *fold, const rmx_listener *listener, rmx_err *err);

#endif
