// SPDX-License-Identifier: Apache-2.0
// What the guard holds back: a mixture at the end of a range of the runs, or as far from the runs
// as the guard allows. Beyond, there may be a better one.
#include "optimize/feasible.h"

#include <math.h>

static const double EDGE = 1e-6,  // of weights: what a constraint leaves
    NEAR = 1e-3;                  // of the largest distance: searches stop that near to it

int rmx__held_by_range(const rmx__feasible *r, size_t d, double w, double within) {
  const rmx_constraints *c = r->constraints;
  if (w > EDGE && w > r->high[d] - within && r->high[d] < c->high[d] - within) return 1;
  return w < r->low[d] + within && r->low[d] > c->low[d] + within ? -1 : 0;
}

bool rmx__held_by_distance(const rmx__feasible *r, const double *w) {
  return isfinite(r->radius) &&
         rmx__nearest_run(r->runs, r->N, r->D, w, NULL) > (1 - NEAR) * r->radius;
}
