// SPDX-License-Identifier: Apache-2.0
// The seam between fitted functions and the rest: one struct of functions for each regressor, one
// table of them.
#ifndef REGMIX_REGRESS_REGRESSOR_H
#define REGMIX_REGRESS_REGRESSOR_H

#include <regmix/regress.h>

#include "base/json.h"

typedef struct rmx__regressor_kind {
  const char *name, *help, *extension;
  // Makes the regressor's state from data that is finite, has N > 0 and D > 0.
  rmx_status (*fit)(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                    const rmx_listener *listener, void **state, rmx_err *err);
  // For cross-validation: fits to part of the data with what was chosen in `state` (strengths,
  // lengths) kept. NULL: only whole fits.
  rmx_status (*refit)(const rmx_regress_options *options, const void *state,
                      const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err);
  // The same, but what was chosen is chosen again from these data, beginning at `state`. NULL:
  // `fit` does that soon enough.
  rmx_status (*again)(const rmx_regress_options *options, const void *state,
                      const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err);
  void (*predict)(const void *state, const double *X, size_t n, double *mean, double *sd);
  bool (*gradient)(const void *state, const double *w, double *gradient);  // NULL: has none
  // Mean and gradient in one pass. NULL: predict and gradient do.
  bool (*evaluate)(const void *state, const double *w, double *mean, double *gradient);
  // Predictions are from now on of a run of so many tokens, 0: of as many as the runs it was fitted
  // to. NULL: they do not depend on it.
  void (*set_budget)(void *state, double tokens);
  bool (*convex)(const void *state, double sign, double *below);  // NULL: never
  // The file, less what all share ("regressor", "version"): a new reference; *D the number of
  // domains found.
  json_t *(*to_json)(const void *state);
  rmx_status (*from_json)(const json_t *o, const char *path, void **state, size_t *D, rmx_err *err);
  // Or, where to_json is NULL, a format of its own.
  rmx_status (*write)(const void *state, const char *path, rmx_err *err);
  // `text` is the file's, NUL behind its end.
  rmx_status (*read)(const char *text, size_t size, const char *path, void **state, size_t *D,
                     rmx_err *err);
  void (*release)(void *state);
  // In place of all these: makes a regressor of another kind.
  rmx_status (*choose)(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                       const rmx_listener *listener, rmx_regressor **out, rmx_err *err);
} rmx__regressor_kind;

struct rmx_regressor {
  const rmx__regressor_kind *kind;
  size_t D;
  void *state;
  json_t *choice;  // of `auto`: what was tried, and how it did; else NULL
  // Of `auto`, just made: predictions (N) of each run by what has not seen its fold (N), of
  // `folds`; else NULL.
  double *out_of_fold;
  int *fold;
  size_t N, folds;
};

extern const rmx__regressor_kind rmx__ridge;
extern const rmx__regressor_kind rmx__trees;
extern const rmx__regressor_kind rmx__exp;
extern const rmx__regressor_kind rmx__power;
extern const rmx__regressor_kind rmx__exposure;
extern const rmx__regressor_kind rmx__gp;
extern const rmx__regressor_kind rmx__ensemble;
extern const rmx__regressor_kind rmx__auto;

// Holds BLAS to one thread and, the first time, tries a Cholesky solve whose answer is known.
rmx_status rmx__blas_ready(rmx_err *err);
// Around calls of BLAS and LAPACK, which not every build bears from several threads at once.
void rmx__blas_enter(void);
void rmx__blas_leave(void);

// JSON of the smooth regressors: reads member `key`, an array of n finite numbers.
rmx_status rmx__json_numbers(const json_t *object, const char *key, double *out, size_t n,
                             const char *what, rmx_err *err);
json_t *rmx__numbers_json(const double *x, size_t n);
json_t *rmx__names_json(const char *const *names, size_t n);
// What a smooth regressor predicts, drawn in where it lies far beyond the values seen (least,
// greatest); slope: of that, may be NULL.
double rmx__bend(const double seen[2], double y, double *slope);
// Whether bending leaves a convex law convex: *below is INFINITY where the law is bent down nowhere
// on the simplex, that is at none of its corners, else the value from which on it is. at (context,
// w (D)): the law.
bool rmx__bend_convex(const double seen[2], double (*at)(const void *state, const double *w),
                      const void *state, size_t D, double *below);
// Least and greatest value into seen; the standard deviation, 0 where all are the same.
double rmx__spread(const rmx_dataset *data, double seen[2]);

// The names of domains, (D) or NULL, in a smooth regressor and in its file.
rmx_status rmx__domains_copy(const char *const *names, size_t D, char ***out, rmx_err *err);
void rmx__domains_free(char **names, size_t D);
json_t *rmx__domains_json(char *const *names, size_t D);
rmx_status rmx__domains_read(const json_t *o, size_t D, const char *path, char ***out,
                             rmx_err *err);
// The runs of `data` (N) that are not in fold f, copied to the arena; the budget is that of the
// runs, since what is fitted to them is to predict the others.
rmx_status rmx__without_fold(const rmx_dataset *data, const int *fold, int f, rmx_arena *arena,
                             rmx_dataset *out, rmx_err *err);
// rmx_cross_validate() that knows the fit to all the runs, `fitted`: every fold chooses again all
// that this has chosen, but may begin with it. (With its choices kept the errors out of fold come
// out 4 to 9 % too small.)
rmx_status rmx__cross_validate(const rmx_regress_options *options, const rmx_dataset *data,
                               const rmx_regressor *fitted, uint64_t seed, double *predicted,
                               int *fold, const rmx_listener *listener, rmx_err *err);
// rmx__fit_kind that chooses again what `fitted` has chosen, and may begin with it.
rmx_status rmx__fit_again(const rmx_regress_options *options, const rmx_regressor *fitted,
                          const rmx_dataset *data, uint64_t seed, rmx_regressor **out,
                          rmx_err *err);
// A fit of one kind to checked data; `fitted` of the same kind, may be NULL: what it chose is kept.
rmx_status rmx__fit_kind(const rmx__regressor_kind *kind, const rmx_regress_options *options,
                         const rmx_regressor *fitted, const rmx_dataset *data, uint64_t seed,
                         const rmx_listener *listener, rmx_regressor **out, rmx_err *err);
// The smooth regressors as a tree, and back.
json_t *rmx__regressor_json(const rmx_regressor *r);
rmx_status rmx__regressor_from_json(const json_t *o, const char *path, rmx_regressor **out,
                                    rmx_err *err);

// Joins a table's rows with another's on their first columns: partner (a->N) is the row of b or
// SIZE_MAX. A name given twice in either is RMX_EINPUT.
rmx_status rmx__join(const rmx_table *a, const rmx_table *b, size_t *partner, rmx_err *err);
// groups (N): equal for equal rows of X (N, D), the first such row's number.
rmx_status rmx__replicate_groups(const double *X, size_t N, size_t D, int *groups, rmx_err *err);
// Checks the rows of X (n, D) given with their lines; normalises them unless raw. `normalize`:
// those that do not sum to 1 are divided by their sum and told.
rmx_status rmx__check_rows(const rmx_table *t, const char *const *names, size_t D, bool raw,
                           bool normalize, double *X, const rmx_listener *listener, rmx_err *err);

// Fills higher_is_better and direction_from (M) of f, whose metric m is column[m] of the table, and
// tells scores and what had to be assumed.
rmx_status rmx__directions(rmx_fit *f, const rmx_table *metrics, const size_t *column,
                           const rmx_listener *listener, rmx_err *err);
// A copy of its own, for rmx_options_release().
rmx_status rmx__options_copy(const rmx_regress_options *options, rmx_regress_options *out,
                             rmx_err *err);

// The files of a fit's folder, and hashes of what belongs together (fit_parts.c).
#define RMX__FIT_JSON "fit.json"
#define RMX__CROSS_VALIDATION "cross-validation.csv"
#define RMX__CROSS_VALIDATION_COLUMNS "run,metric,fold,true,predicted"
rmx_status rmx__hash_part(const char *folder, const char *name, json_t *hashes, rmx_err *err);
rmx_status rmx__hash_runs(const rmx_fit *f, json_t *hashes, rmx_err *err);
// The fit.json at `path` and the folder hold what was written together; those of 0.1.0 have no
// hashes and pass.
rmx_status rmx__check_parts(const char *folder, const json_t *fit, rmx_err *err);
rmx_status rmx__check_runs(const rmx_fit *f, const json_t *fit, const char *path, rmx_err *err);
// The names of the files in the folder that are the fit's own.
rmx_status rmx__fit_parts(const char *folder, rmx_strings *out, rmx_err *err);
// Warns of metrics of which nothing was learnt and of runs far from their predictions.
void rmx__warn_of_fit(const rmx_fit *f, const rmx_listener *listener);

#endif
