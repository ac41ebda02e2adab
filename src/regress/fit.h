// SPDX-License-Identifier: Apache-2.0
// A fit, for the rooms of the library that use it.
#ifndef RMX_REGRESS_FIT_H
#define RMX_REGRESS_FIT_H

#include <regmix/regress.h>

#include "base/json.h"

struct rmx_fit {
  size_t D, M, N;
  char **domains;              // (D)
  char **metrics;              // (M)
  rmx_regressor **regressors;  // (M)
  rmx_scores *cv;              // (M) out-of-fold scores
  bool raw;                    // rows were not normalised: predict and score do not either
  double *mean_mixture;        // (D) of the runs: the default prior of optimize
  double *runs;                // (N, D) the mixtures it was fitted on
  int64_t folds;               // of the cross-validation
  // NULL in a folder of a version that did not keep them:
  char **run_ids;       // (N)
  double *truth;        // (N, M) the metrics, NaN where a run has none
  double *out_of_fold;  // (N, M) predictions by fits that have not seen the run's replicate group
  int *groups;          // (N) replicate group: equal for equal mixtures
  int *fold;            // (N, M) of the cross-validation, -1 where a run was left out
  bool *higher_is_better;              // (M)
  rmx_direction_from *direction_from;  // (M)
  size_t n_phases;                     // of the runs; 0: each has one mixture
  double *phase_share;                 // (n_phases) of the tokens
  bool phases_assumed;                 // these are equal because nothing says otherwise
  double *tokens;                      // (D) how many each domain has, or NULL
  double budget, run_tokens;           // as in rmx_dataset, or 0
  uint64_t tokenizer;                  // hash of the tokenizer of the runs' corpus; 0: not known
  rmx_scale *scales;                   // (N) of the runs, or NULL: all have the same
  // (N) the runs by which the fit is judged: those at the longest length of the largest size that
  // has five mixtures there; NULL: all
  bool *judged;
  rmx_scale at;           // of a fit at one scale (rmx_fit_for), which has these too:
  rmx_scale least, most;  // of its runs, each part by itself
  double *range;          // (M, 2) of the measured values, before they were carried to `at`
  double *doubt;          // (M) sd that a prediction has more than at the measured scales
  bool size_unknown, tokens_unknown;            // the runs have one, and `at` another
  char *size_column, *tokens_column;            // the columns of tables that hold them, or NULL
  rmx_strings mixture_columns, metric_columns;  // patterns of the columns it was made from
  rmx_regress_options options;                  // an own copy
  struct json_t *more;  // further keys for fit.json when it is written, or NULL; owned
};

// Allocates the arrays of a fit whose D, M and N are set; `runs`: also run_ids, truth, out_of_fold
// and groups. rmx_fit_free() frees them, also after a failure.
rmx_status rmx__fit_allocate(rmx_fit *f, bool runs, rmx_err *err);
// The data that metric m was fitted to, the runs that have a value of it, in `arena`. RMX_EINPUT
// where the fit does not hold its runs.
rmx_status rmx__fit_dataset(const rmx_fit *f, size_t m, rmx_arena *arena, rmx_dataset *out,
                            rmx_err *err);
// rmx_fit_write() with made_by as a tree, which may be NULL.
rmx_status rmx__fit_write(const rmx_fit *f, const char *folder, const json_t *made_by,
                          rmx_err *err);

#endif
