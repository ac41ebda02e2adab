// SPDX-License-Identifier: Apache-2.0
// search.h: how the best mixture of the feasible set is found and described.
#ifndef RMX_OPTIMIZE_SEARCH_H
#define RMX_OPTIMIZE_SEARCH_H

#include "optimize/feasible.h"
#include "regress/gp/pool.h"

// ---- optimum.c: what is known of the mixture that was found

struct rmx_optimum {
  size_t D, M;
  double *mixture;  // (D)
  // (D) of "simulate": standard deviation over the best k; of "search": 0
  double *spread;
  double *predicted;          // (M) at the mixture
  double *predicted_prior;    // (M) at the prior
  double score, score_prior;  // less the penalty of the divergence
  // the lowest predicted score among the runs of the fit, whatever the constraints
  double best_run_score;
  double distance;            // L1 distance to the nearest run, halved: share of tokens that differ
  double typical_distance;    // median over runs of the same to their nearest neighbour
  bool outside;               // some weight lies outside the range the runs covered
  char outside_domains[256];  // their names, comma between; cut off at whole names
  bool *outside_domain;       // (D) which
  bool *at_limit;        // (D) whose weight the guard holds at the end of the range of the runs
  double radius;         // the largest distance that the guard allows; INFINITY: any
  bool at_radius;        // distance is that
  bool far;              // distance is over twice the typical one
  const char *method;    // static text
  int64_t samples, top;  // of "simulate"
  // samples that no draw moved into the constraints, so a projection did
  int64_t projected;
  int64_t starts;   // of "search": how many were tried
  bool guarded;     // was held where the runs are
  bool followed;    // the guard was widened, since the constraints leave nothing of it
  double *reached;  // (D) a mixture that the guard was widened to, see rmx__feasible_reach; or NULL
  // of "search", held there: the best without the guard; NaN: not known
  double unguarded_score;
  bool convex;  // the fitted score is convex on the feasible set
  double gap;   // no mixture allowed scores lower by more than this; NaN: not known
  // root mean square error of the score so far from the runs; NaN: not known
  double expected_error;
  size_t mixtures;  // different ones among the runs
  double r2;        // of the target's score out of fold; NaN: not known
  bool learnt;      // the fit has learnt something about the target;
  // what is wrong, or why the optimum is not followed: then it is the prior, and method "prior"
  char why_not[256];
};

// ---- objective.c: what NLopt minimises: score, gradient and inequalities

typedef struct rmx__objective {
  const rmx_fit *fit;
  const rmx_target *target;
  const rmx__feasible *set;
  size_t D, M, n_used;
  size_t *used;        // (n_used) metrics with a weight or a limit
  double *at;          // (D) where y and G were computed
  double *y;           // (M)
  double *G;           // (M, D); of a sum without limits: (1, D), the slope of the sum
  bool fresh;          // y and G belong to `at`
  bool summed;         // all that counts is the sum of weight times metric: G is its slope
  rmx__pool pool;      // of the functions used
  bool *moves;         // (D) the weights that a descent moves; NULL: all
  const double *ball;  // (D) the run whose ball the search is in; NULL: none
  double scale;        // the unit of the score
} rmx__objective;
// `fit`, `target` and `set` are given; the rest is made, in the arena. RMX_EINPUT where a function
// has no gradient.
rmx_status rmx__objective_make(rmx__objective *p, rmx_arena *arena, rmx_err *err);
// Computes y and G at w (D), if they do not belong to it already.
void rmx__objective_evaluate(rmx__objective *p, const double *w);
// The score with the penalty; INFINITY where a limit is exceeded.
double rmx__objective_score(rmx__objective *p, const double *w);
// The value for NLopt, in units of scale: the score, or, for the worst case, the variable t = x_D.
double rmx__objective_value(unsigned n, const double *x, double *gradient, void *objective);
// 0 where the weights sum to 1.
double rmx__objective_sum(unsigned n, const double *x, double *gradient, void *objective);
// The inequalities, each <= 0: their number, and their values.
size_t rmx__objective_rows(const rmx__objective *p);
void rmx__objective_inequalities(unsigned n_result, double *result, unsigned n, const double *x,
                                 double *gradient, void *objective);
// ---- narrow.c: searches with many domains

// Whether a search is narrowed: there are many domains, and nothing but the score tells where to
// go.
bool rmx__narrows(const rmx_target *t, size_t M, size_t D);
// First-order steps down from x (D), which the set contains, the guard's balls left aside.
rmx_status rmx__first_order_descent(rmx__objective *p, double *x, rmx_err *err);
// Adds the domains to p->moves whose weight is worth moving at x (D). *more: it added some.
rmx_status rmx__free_domains(rmx__objective *p, const double *x, bool *more, rmx_err *err);

// Lowers *score at w (D), which the set contains, by pairwise coordinate descent.
rmx_status rmx__pairwise_descent(rmx__objective *p, double *w, double *score, rmx_err *err);

// ---- search.c: one search

// The lowest score of `target` found in the set from `starts` (n, D), which need not lie inside: w
// (D), and the score with the penalty of the divergence (may be NULL). Thread-safe; nothing random
// in it. RMX_EINPUT where a function of the target has no gradient, or no mixture found keeps the
// target's limits.
rmx_status rmx__search(const rmx_fit *fit, const rmx_target *target, const rmx__feasible *set,
                       const double *starts, size_t n, double *w, double *score, rmx_err *err);
// The mixture w (D) of the set that is nearest to the prior by divergence, with drop_below obeyed.
rmx_status rmx__search_near_prior(const rmx_fit *fit, const rmx__feasible *set, const double *prior,
                                  double *w, rmx_err *err);
// rmx__search without drop_below.
rmx_status rmx__search_within(const rmx_fit *fit, const rmx_target *target,
                              const rmx__feasible *set, const double *starts, size_t n, double *w,
                              double *score, rmx_err *err);
// *convex: the target's score is convex over what scores no worse than w (D), which the set
// contains. *gap: no mixture of the set scores lower than w by more than it (NaN where not convex).
rmx_status rmx__optimality_gap(const rmx_fit *fit, const rmx_target *target,
                               const rmx__feasible *set, const double *w, bool *convex, double *gap,
                               rmx_err *err);

// ---- methods: one struct each; optimize.c has the table of them

// What a method is given. Its answer is o->mixture (D) within the set, with drop_below obeyed.
typedef struct rmx__task {
  const rmx_fit *fit;
  const rmx_problem *problem;
  const rmx_optimize_options *options;  // not NULL
  const double *prior;                  // (D), sum 1
  uint64_t seed;
  int threads;
  const rmx_listener *listener;
} rmx__task;
// The options of a request, or the defaults.
const rmx_optimize_options *rmx__options_of(const rmx_optimize_request *request);

typedef struct rmx__method {
  const char *name;
  rmx_status (*run)(const rmx__task *a, const rmx__feasible *set, rmx_optimum *o, rmx_err *err);
} rmx__method;
extern const rmx__method rmx__simulate;
extern const rmx__method rmx__multistart;

// The mixtures a search begins at, starts (n, D): the best runs by prediction, the prior, the best
// of a few simulated mixtures, corners of the set, random ones.
rmx_status rmx__starts(const rmx__task *a, const rmx__feasible *set, size_t n, double *starts,
                       rmx_err *err);

// ---- learnt.c: whether the fit has learnt anything about the target

// Sets o->r2, o->mixtures, o->learnt and o->why_not; warns of what makes the fit doubtful.
rmx_status rmx__check_what_was_learnt(const rmx__task *a, rmx_optimum *o, rmx_err *err);
// The answer of a fit that has learnt nothing: the mixture nearest to the prior that keeps the
// constraints. *score is
// INFINITY where it exceeds a limit of the target, which a search may keep.
rmx_status rmx__stay_at_prior(const rmx__task *a, rmx_optimum *o, double *score, rmx_err *err);

// The mixture that stays where what was found is not to be recommended, described as `found` is
// (optimize.c); *out NULL where it exceeds a limit of the target. The caller says why in why_not.
rmx_status rmx__optimum_at_prior(const rmx_optimize_request *request, const rmx_optimum *found,
                                 rmx_optimum **out, rmx_err *err);

// ---- optimum.c: what every method does with the mixture it found

// Its arrays; release them.
rmx_status rmx__optimum_make(rmx_optimum *o, const rmx_fit *fit, rmx_err *err);
void rmx__optimum_release(rmx_optimum *o);
// From o->mixture: predictions, scores, distances from the runs; warns where they are too large.
// prior (D), sum 1.
rmx_status rmx__optimum_describe(rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                                 const double *prior, const rmx_listener *listener, rmx_err *err);
// Warns where it is outside the range of the runs, or far from all of them, or where a metric has a
// value there, or at the prior, that cannot be.
void rmx__warn_of_place(const rmx_optimum *o, const rmx_fit *fit, const rmx_target *target,
                        const rmx_listener *listener);
// A note where the search without the guard found clearly more than o predicts.
void rmx__tell_guard(const rmx_optimum *o, const rmx_listener *listener);

#endif
