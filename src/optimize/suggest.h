// SPDX-License-Identifier: Apache-2.0
// suggest.h: which runs to train next, and what more of them are worth.
#ifndef RMX_OPTIMIZE_SUGGEST_H
#define RMX_OPTIMIZE_SUGGEST_H

#include <regmix/optimize.h>

#include "optimize/feasible.h"
#include "regress/gp/conditioned.h"

// ---- score_model.c: the runs of a fit as runs of one number, the target's score

// The runs that have all metrics of the target, with their scores as y, whatever the target's
// limits; *rows (N), may be NULL: their numbers in the fit. In the arena.
rmx_status rmx__scored_runs(const rmx_fit *fit, const rmx_target *target, rmx_arena *arena,
                            rmx_dataset *out, size_t **rows, rmx_err *err);
// A gp or ensemble that predicts the score with its uncertainty; the score is `scale` times what it
// predicts.
typedef struct rmx__score_model {
  const rmx_regressor *r;
  double scale;
  rmx_regressor *own;  // NULL: r is the fit's
} rmx__score_model;
// The fit's own regressor where the target is one metric that has such a one, else an ensemble
// fitted to the scored runs.
rmx_status rmx__score_model_make(rmx__score_model *s, const rmx_fit *fit, const rmx_target *target,
                                 const rmx_dataset *scored, uint64_t seed, rmx_err *err);
// R2 out of fold of such an ensemble; NaN where the fit's own regressor is the model.
rmx_status rmx__score_model_r2(const rmx_fit *fit, const rmx_target *target,
                               const rmx_dataset *scored, uint64_t seed, double *r2, rmx_err *err);
void rmx__score_model_release(rmx__score_model *s);

// ---- candidates.c: a growing list of different mixtures to choose from

typedef struct rmx__candidates {
  size_t n, room, D;
  double *X;       // (room, D)
  uint64_t *hash;  // (room)
  uint64_t seed;
  size_t drawn;  // random streams used
} rmx__candidates;
// How candidates are drawn.
typedef struct rmx__draw {
  const double *prior;  // (D)
  const rmx__feasible *set;
  double grid;  // weights are multiples of it where the constraints allow; 0: any
  int threads;
} rmx__draw;
rmx_status rmx__candidates_make(rmx__candidates *c, size_t D, size_t room, uint64_t seed,
                                rmx_err *err);
void rmx__candidates_release(rmx__candidates *c);
// Adds w (D) as it is; false where it is there already or there is no room.
bool rmx__candidates_add(rmx__candidates *c, const double *w);
// Draws `wanted` mixtures around the prior, at the sampler's strengths, and adds those that are new
// and can be moved into the set.
rmx_status rmx__candidates_around_prior(rmx__candidates *c, const rmx__draw *how, size_t wanted,
                                        rmx_err *err);
// The same near the mixtures `centres` (n, D), in turn: from far to very near, and with tokens
// moved from one domain to another.
rmx_status rmx__candidates_near(rmx__candidates *c, const rmx__draw *how, const double *centres,
                                size_t n, size_t wanted, rmx_err *err);

// ---- acquisition.c: which of a list of mixtures to run next

#define RMX__MIN_OFF 0.02  // share of tokens: a shorter step does not test a direction

// The directions of the simplex that some run moves along: an orthonormal basis.
typedef struct rmx__span {
  size_t D, rank;
  double *basis;  // (D, D) rows
  double *mean;   // (D)
} rmx__span;
// Of the mixtures X (N, D). N may be 0.
rmx_status rmx__span_make(rmx__span *c, const double *X, size_t N, size_t D, rmx_err *err);
void rmx__span_release(rmx__span *c);
// The distance of w from the span; off (D), may be NULL: the difference.
double rmx__span_distance(const rmx__span *c, const double *w, double *off);
// Adds the direction of w to the basis; false where it is there already.
bool rmx__span_add(rmx__span *c, const double *w);

typedef struct rmx__pick {
  size_t chosen;
  double expected, sd;  // of the score, before it was chosen
  double improvement;   // expected, on the best
  bool untried;         // chosen among those that move along an untried direction
} rmx__pick;
// Expected improvement on `best` (downwards) of a normal variable.
double rmx__expected_improvement(double mean, double sd, double best);
// Marks of candidates. Those near a pick are taken only when nothing else is left.
enum { RMX__FREE, RMX__NEAR_PICK, RMX__TAKEN };
// Picks at most k of the belief's mixtures X (n, D); a low score is good. best: the lowest score of
// the runs. allowed (n), may be NULL: the probability that a mixture keeps the limits. taken (n):
// marks; a pick is marked, and so is what lies within `min_apart` (share of tokens) of it. span:
// untried directions are covered first; NULL: none are. Returns how many were picked.
size_t rmx__acquisition_batch(rmx__conditioned *b, const double *X, double best,
                              const double *allowed, double min_apart, unsigned char *taken,
                              rmx__span *span, size_t k, rmx__pick *picks);
// The same without scores: the k mixtures that leave the smallest total variance over the list.
rmx_status rmx__acquisition_spread(rmx__conditioned *b, unsigned char *taken, size_t k,
                                   rmx__pick *picks, size_t *n_picked, rmx_err *err);
// The choice among n given mixtures X (n, D), such as known runs that are replayed: the k to take
// next, chosen (k), in order. `fitted`: a gp or an ensemble, fitted to `known`. *n_chosen is less
// than k where n is.
rmx_status rmx__suggest_among(const rmx_regressor *fitted, const rmx_dataset *known,
                              const double *X, size_t n, size_t k, size_t *chosen, size_t *n_chosen,
                              rmx_err *err);

// ---- suggestions.c: a batch of suggestions: made, named, written

// Memory for K suggestions; the other fields of *s stay.
rmx_status rmx__suggestion_make(rmx_suggestion *s, size_t K, size_t D, rmx_err *err);
// Names that continue those of the fit's runs and of `taken`.
rmx_status rmx__suggestion_name(rmx_suggestion *s, const rmx_fit *fit, const char *const *taken,
                                size_t n_taken, rmx_err *err);
// s->untried_domains, from the runs X (N, D).
void rmx__suggestion_untried(rmx_suggestion *s, const double *X, size_t N, char *const *domains,
                             const rmx_constraints *c);

// ---- expected_gain.c

// How much lower the problem's score at its optimum is expected to be after `more` more runs, drawn
// around the mean of the present ones. NaN: no mixture that may be proposed was found.
rmx_status rmx__expected_gain(const rmx_optimize_request *request, const rmx_dataset *scored,
                              size_t more, double *gain, rmx_err *err);

#endif
