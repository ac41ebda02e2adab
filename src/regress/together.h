// SPDX-License-Identifier: Apache-2.0
// Metrics that are fitted together: their Gaussian processes share lengths and warps.
#ifndef RMX_REGRESS_TOGETHER_H
#define RMX_REGRESS_TOGETHER_H

#include "gp/shared.h"

// What one metric gets from the fit of all.
typedef struct rmx__together {
  const rmx__shared *shared;
  const rmx__features *features;
  size_t at;          // the metric's place in `shared`
  const double *out;  // (N) predictions out of fold
  const int *fold;    // (N)
  size_t folds;
  bool laws;  // laws are tried beside the process
  bool few;   // too few metrics to share: the process has only the totals of the tree before others
} rmx__together;

// The fit of all.
typedef struct rmx__all_together {
  rmx__features features;
  rmx__shared shared;
  size_t *place;  // (M of the fit) in `shared`; SIZE_MAX: the metric is fitted alone
  double *out;    // (metrics of `shared`, N)
  int *fold;      // (N)
  size_t folds;
  bool laws;
} rmx__all_together;

// Fits the metrics of f that have a value of every run, where `regressor` is "shared", or "auto"
// and it is worth it: four metrics and eight domains or more, and at most sixteen runs for each
// domain. Else, and where a covariance cannot be decomposed, every metric is alone. Release *out.
rmx_status rmx__fit_together(const rmx_fit *f, const rmx_regress_options *options, uint64_t seed,
                             int threads, const rmx_listener *listener, rmx__all_together *out,
                             rmx_err *err);
// The part of metric m; false: it is alone.
bool rmx__together_part(const rmx__all_together *a, size_t N, size_t m, rmx__together *out);
void rmx__all_together_release(rmx__all_together *a);

// The process of the metric, fitted to data.
rmx_status rmx__together_process(const rmx__together *t, const rmx_dataset *data,
                                 rmx_regressor **out, rmx_err *err);
// Chooses as "auto" does. given: NULL, or the Gaussian process and its predictions out of fold.
rmx_status rmx__choose(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                       const rmx__together *given, const rmx_listener *listener,
                       rmx_regressor **out, rmx_err *err);
// The fit of one metric by "shared".
rmx_status rmx__only_shared(const rmx_dataset *data, const rmx__together *given,
                            rmx_regressor **out, rmx_err *err);

#endif
