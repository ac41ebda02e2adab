// SPDX-License-Identifier: Apache-2.0
// What one search minimises, under what: score, gradient and inequalities, as NLopt asks for them.
#ifndef RMX_OPTIMIZE_OBJECTIVE_H
#define RMX_OPTIMIZE_OBJECTIVE_H

#include "search.h"

typedef struct rmx__objective {
  const rmx_fit *fit;
  const rmx_target *target;
  const rmx__feasible *set;
  size_t D, M, n_used;
  size_t *used;        // (n_used) metrics with a weight or a limit
  double *at;          // (D) where y and G were taken
  double *y;           // (M)
  double *G;           // (M, D)
  bool fresh;          // they were
  const double *ball;  // (D) the run whose ball the search is in; NULL: none
  double scale;        // the unit of the score
} rmx__objective;

// `fit`, `target` and `feasible set` are set; the rest is made, in the arena. RMX_EINPUT where a
// function has no gradient.
rmx_status rmx__objective_make(rmx__objective *p, rmx_arena *arena, rmx_err *err);
// Takes y and G at w (D), if they were not taken there last.
void rmx__objective_evaluate(rmx__objective *p, const double *w);
// The score with the penalty; INFINITY where a limit is passed.
double rmx__objective_score(rmx__objective *p, const double *w);
// gradient (D) += by * that of the divergence from the reference.
void rmx__add_kl_gradient(const rmx_constraints *c, const double *w, double by, double *gradient);
// What NLopt minimises: the score, or t of the worst case, which stands behind the weights; in
// units of scale.
double rmx__objective_value(unsigned n, const double *x, double *gradient, void *objective);
// 0 where the weights sum to 1.
double rmx__objective_sum(unsigned n, const double *x, double *gradient, void *objective);
// The inequalities, each <= 0: how many, and all of them.
size_t rmx__objective_rows(const rmx__objective *p);
void rmx__objective_inequalities(unsigned n_result, double *result, unsigned n, const double *x,
                                 double *gradient, void *objective);
// Lowers *score at w (D), which the feasible set holds, by moving weight between pairs of domains
// (pairwise_descent.c).
rmx_status rmx__pairwise_descent(rmx__objective *p, double *w, double *score, rmx_err *err);

#endif
