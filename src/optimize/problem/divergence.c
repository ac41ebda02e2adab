// SPDX-License-Identifier: Apache-2.0
// The Kullback-Leibler divergence of a mixture from the reference of the constraints.

#include "optimize/problem.h"

#include <math.h>

double rmx__kl_above(const rmx_constraints *c, const double *w, double floor) {
  double sum = 0;
  for (size_t d = 0; d < c->D && c->reference; d++)
    if (w[d] > 0) sum += w[d] * log(w[d] / fmax(c->reference[d], floor));
  return sum;
}

double rmx__kl(const rmx_constraints *c, const double *w) {
  return rmx__kl_above(c, w, 0);
}

void rmx__add_kl_gradient(const rmx_constraints *c, const double *w, double factor,
                          double *gradient) {
  for (size_t d = 0; d < c->D && c->reference && factor > 0; d++)
    if (c->reference[d] > 0) gradient[d] += factor * (log(fmax(w[d], 1e-15) / c->reference[d]) + 1);
}
