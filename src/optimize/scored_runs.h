// SPDX-License-Identifier: Apache-2.0
// The runs of a fit as runs of one number, the target's score.
#ifndef REGMIX_OPTIMIZE_SCORED_RUNS_H
#define REGMIX_OPTIMIZE_SCORED_RUNS_H

#include <regmix/optimize.h>

// Those that have all metrics of the target, their scores as y, whatever the target's limits; rows
// (N), may be NULL: which of the fit's runs. In the arena.
rmx_status rmx__scored_runs(const rmx_fit *fit, const rmx_target *target, rmx_arena *arena,
                            rmx_dataset *out, size_t **rows, rmx_err *err);

// A gp or ensemble that says how sure one may be of the score, which is `scale` times what it
// predicts.
typedef struct rmx__score_model {
  const rmx_regressor *r;
  double scale;
  rmx_regressor *own;  // NULL: r is the fit's
} rmx__score_model;
// The fit's own regressor where the target is one metric with such a one, else an ensemble fitted
// to the scored runs.
rmx_status rmx__score_model_make(rmx__score_model *s, const rmx_fit *fit, const rmx_target *target,
                                 const rmx_dataset *scored, uint64_t seed, rmx_err *err);
void rmx__score_model_release(rmx__score_model *s);

#endif
