// SPDX-License-Identifier: Apache-2.0
// The interface of a regressor: one struct of functions for each kind, and one table of the kinds.
#ifndef RMX_REGRESS_REGISTRY_H
#define RMX_REGRESS_REGISTRY_H

#include <regmix/regress.h>

#include "base/json.h"

typedef struct rmx__regressor_kind {
  const char *name, *help, *extension;
  // Makes the state of the regressor. All numbers of the data are finite, N > 0 and D > 0.
  rmx_status (*fit)(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                    const rmx_listener *listener, void **state, rmx_err *err);
  // Fits other data and keeps what was chosen in `state` (strengths, lengths). NULL: `fit` is used.
  rmx_status (*refit)(const rmx_regress_options *options, const void *state,
                      const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err);
  // Fits other data and makes the choices again, beginning at `state`. NULL: `fit` is fast enough.
  rmx_status (*again)(const rmx_regress_options *options, const void *state,
                      const rmx_dataset *data, uint64_t seed, void **out, rmx_err *err);
  void (*predict)(const void *state, const double *X, size_t n, double *mean, double *sd);
  bool (*gradient)(const void *state, const double *w, double *gradient);  // NULL: has none
  // Mean and gradient in one pass. NULL: predict and gradient do.
  bool (*evaluate)(const void *state, const double *w, double *mean, double *gradient);
  // See rmx__regressor_set_budget(). NULL: predictions do not depend on it.
  void (*set_budget)(void *state, double tokens);
  // See rmx__regressor_set_scale(). NULL: this kind fits runs of one scale.
  void (*set_scale)(void *state, rmx_scale at);
  // See rmx__regressor_doubt(). NULL: 0.
  double (*doubt)(const void *state);
  bool (*convex)(const void *state, double sign, double *below);  // NULL: never
  // The file without the keys that all have ("regressor", "version"): a new reference. *D: the
  // number of domains in the file.
  json_t *(*to_json)(const void *state);
  // Sets *state as soon as there is one; the caller releases it after a failure.
  rmx_status (*from_json)(const json_t *o, const char *path, void **state, size_t *D, rmx_err *err);
  // If to_json is NULL: writes another format.
  rmx_status (*write)(const void *state, const char *path, rmx_err *err);
  // text: the file's bytes and a NUL after them.
  rmx_status (*read)(const char *text, size_t size, const char *path, void **state, size_t *D,
                     rmx_err *err);
  void (*release)(void *state);
  // Instead of all these: makes a regressor of another kind.
  rmx_status (*choose)(const rmx_regress_options *options, const rmx_dataset *data, uint64_t seed,
                       const rmx_listener *listener, rmx_regressor **out, rmx_err *err);
} rmx__regressor_kind;

struct rmx_regressor {
  const rmx__regressor_kind *kind;
  size_t D;
  void *state;
  json_t *choice;  // of `auto`: the candidates and their errors; else NULL
  // Of a new fit by `auto` with many runs, else NULL: predictions (N) by fits that have not seen
  // the run's fold, and the fold (N) of each run.
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
extern const rmx__regressor_kind rmx__scaling;
extern const rmx__regressor_kind rmx__shared_kind;
extern const rmx__regressor_kind rmx__additive_law;
extern const rmx__regressor_kind rmx__full_law;
extern const rmx__regressor_kind rmx__auto;

// Fits one kind to checked data. fitted: NULL, or a regressor of this kind whose choices are kept.
rmx_status rmx__fit_kind(const rmx__regressor_kind *kind, const rmx_regress_options *options,
                         const rmx_regressor *fitted, const rmx_dataset *data, uint64_t seed,
                         const rmx_listener *listener, rmx_regressor **out, rmx_err *err);
// Like rmx__fit_kind(), but chooses again what `fitted` has chosen; the search may begin there.
rmx_status rmx__fit_again(const rmx_regress_options *options, const rmx_regressor *fitted,
                          const rmx_dataset *data, uint64_t seed, rmx_regressor **out,
                          rmx_err *err);
// The names and lines of help of all kinds, up to max; either may be NULL. Returns how many there
// are.
size_t rmx__regressors(const char *names[], const char *help[], size_t max);
// Fits the kind of `fitted` to other data and keeps all that it chose (strengths, lengths, rounds).
// Folds and bootstraps are made of it: it is cheaper than a fit that has something to choose.
rmx_status rmx__refit(const rmx_regress_options *options, const rmx_regressor *fitted,
                      const rmx_dataset *data, uint64_t seed, rmx_regressor **out, rmx_err *err);
// Mean and gradient at w (D). Where a function is long to compute it costs about half of two calls.
// False as rmx_regressor_gradient().
bool rmx__regressor_evaluate(const rmx_regressor *r, const double *w, double *mean,
                             double *gradient);
// From now on predictions are for a run of that many tokens; 0: as many as the fitted runs had.
// False if they do not depend on it: only those of "exposure" do. Not thread-safe.
bool rmx__regressor_set_budget(rmx_regressor *r, double tokens);
// From now on predictions are for a run of this scale; a 0 in it: as in the largest of the runs.
// False if the kind fits runs of one scale. Not thread-safe.
bool rmx__regressor_set_scale(rmx_regressor *r, rmx_scale at);
// Predicts n mixtures X (n, D), each at its own scale (n; NULL: all as the runs were).
void rmx__predict_rows(rmx_regressor *r, const double *X, const rmx_scale *scales, size_t n,
                       double *mean, double *sd);
// How wrong the differences between mixtures may be at the scale of the predictions, beside what
// the runs leave open: a part of their sd over the mixtures.
double rmx__regressor_doubt(const rmx_regressor *r);
// Whether sign * mean(w), sign 1 or -1, is known to be convex over the mixtures w with mean(w) <=
// *below (INFINITY: all). There a local minimum is the global one.
bool rmx__regressor_convex(const rmx_regressor *r, double sign, double *below);
// A regressor of a state, which it takes; releases the state where memory is short.
rmx_status rmx__regressor_of(const rmx__regressor_kind *kind, size_t D, void *state,
                             rmx_regressor **out, rmx_err *err);
// The file of a smooth regressor as a tree (a new reference), and back.
json_t *rmx__regressor_json(const rmx_regressor *r);
rmx_status rmx__regressor_from_json(const json_t *o, const char *path, rmx_regressor **out,
                                    rmx_err *err);

#endif
