// SPDX-License-Identifier: Apache-2.0
// Searches with many domains. A quadratic program over D weights costs O(D^3), although most
// weights of the best mixture are at their lower bounds. So a first-order descent comes first:
// exponentiated gradient (Kivinen and Warmuth 1997), which multiplies each weight by exp(-step
// slope). Domains that are at their lower bounds where it ends, and whose weight the score would
// rather lower, stay there. The quadratic programs move the others. What they leave is looked at
// again, and domains that would be worth a weight join.
//
// Several starts mostly end in the same places, so only the best of their first-order ends go on
// (multistart.c).
//
// Cost: 60 gradients, and up to three descents with few domains.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/search.h"

enum { MANY = 40, STEPS = 60, LAZY = 3 };
static const double EDGE = 1e-4, WORTH = 1e-5, MOST = 3;  // MOST: the largest exponent of a step

bool rmx__narrows(const rmx_target *t, size_t M, size_t D) {
  bool plain = !t->worst;
  for (size_t m = 0; m < M; m++) plain &= !(t->limit[m] < INFINITY);
  return plain && D >= MANY;
}

// The slope of the score at w (D) in units of its scale, less its mean over the weights.
static double slopes(rmx__objective *p, const double *w, double *g) {
  double mean = 0;
  const double value = rmx__objective_value((unsigned)p->D, w, g, p);
  for (size_t d = 0; d < p->D; d++) mean += w[d] * g[d];
  for (size_t d = 0; d < p->D; d++) g[d] -= mean;
  return value;
}

// One step from x to next (D), both in the set.
static void go(const rmx__objective *p, const double *x, const double *g, double step,
               double *next) {
  double spread = 0;
  for (size_t d = 0; d < p->D; d++) spread += x[d] * g[d] * g[d];
  spread = sqrt(spread);
  for (size_t d = 0; d < p->D; d++)
    next[d] = x[d] * exp(-fmax(fmin(step * g[d] / fmax(spread, 1e-300), MOST), -MOST));
  rmx__feasible_project_convex(p->set, next);
}

rmx_status rmx__first_order_descent(rmx__objective *p, double *x, rmx_err *err) {
  const size_t D = p->D;
  RMX_OWNED double *work = rmx_calloc(3 * D, sizeof *work);
  if (!work) return rmx_fail_memory(err, 3 * D * sizeof *work, "a search");
  double *g = work, *next = work + D, *at_next = work + 2 * D, step = 0.5;
  // nothing is at 0, where it would stay
  for (size_t d = 0; d < D; d++) x[d] = 0.98 * x[d] + 0.02 * p->set->interior[d];
  rmx__feasible_project_convex(p->set, x);
  double value = slopes(p, x, g);
  for (int i = 0, lazy = 0; i < STEPS && lazy < LAZY; i++) {
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while searching");
    go(p, x, g, step, next);
    const double there = slopes(p, next, at_next);
    if (!(there < value)) {
      step *= 0.3;
      lazy += step < 1e-3;
      continue;
    }
    lazy = value - there < 1e-6 ? lazy + 1 : 0;
    value = there;
    step *= 1.5;
    memcpy(x, next, D * sizeof *x);
    memcpy(g, at_next, D * sizeof *g);
  }
  for (size_t d = 0; d < D; d++)
    if (x[d] < p->set->low[d] + EDGE && g[d] > 0) x[d] = p->set->low[d];
  rmx__feasible_project_convex(p->set, x);
  return RMX_OK;
}

rmx_status rmx__free_domains(rmx__objective *p, const double *x, bool *more, rmx_err *err) {
  RMX_OWNED double *g = rmx_calloc(p->D, sizeof *g);
  if (!g) return rmx_fail_memory(err, p->D * sizeof *g, "a search");
  slopes(p, x, g);
  *more = false;
  size_t moving = 0;
  for (size_t d = 0; d < p->D; d++) {
    const bool worth =
        p->set->high[d] > p->set->low[d] && (x[d] > p->set->low[d] + 1e-9 || g[d] < -WORTH);
    *more |= worth && !p->moves[d];
    p->moves[d] |= worth;
    moving += p->moves[d];
  }
  *more &= moving > 1;
  return RMX_OK;
}
