// SPDX-License-Identifier: Apache-2.0
// Draws from a Dirichlet distribution: independent gamma numbers divided by their sum.
//
// With alpha = 1e-3 most gamma numbers underflow: Gamma(a) = Gamma(a + 1) * U^(1/a), and U^1000 is
// 0 more often than not. So their logarithms are drawn, log G = log Gamma(a + 1) + log(U) / a, and
// the largest is subtracted before exp. Cost: D gamma numbers, 2 D logarithms.

#include <math.h>
#include <regmix/mixture.h>

#include "dirichlet.h"

void rmx_dirichlet(rmx_rng *rng, const double *alpha, size_t D, double *w) {
  rmx__dirichlet_in(rng, alpha, NULL, D, w);
}

void rmx__dirichlet_in(rmx_rng *rng, const double *alpha, const size_t *order, size_t D,
                       double *w) {
  double largest = -INFINITY, total = 0;
  for (size_t k = 0; k < D; k++) {
    const size_t d = order ? order[k] : k;
    w[d] = -INFINITY;
    if (!(alpha[d] > 0)) continue;
    total += alpha[d];
    if (alpha[d] < 1)
      w[d] = log(rmx_rng_gamma(rng, alpha[d] + 1)) + log(1 - rmx_rng_uniform(rng)) / alpha[d];
    else
      w[d] = log(rmx_rng_gamma(rng, alpha[d]));
    if (w[d] > largest) largest = w[d];
  }
  if (!isfinite(largest)) {
    // If the shapes are so small that even the logarithms overflow, all weight is on one domain: d
    // with probability alpha_d / sum alpha.
    double u = rmx_rng_uniform(rng) * total;
    size_t chosen = 0;
    for (size_t k = 0; k < D; k++) {
      const size_t d = order ? order[k] : k;
      w[d] = 0;
      if (!(alpha[d] > 0)) continue;
      if (u >= 0) chosen = d;
      u -= alpha[d];
    }
    if (D) w[chosen] = 1;
    return;
  }
  double sum = 0;
  for (size_t k = 0; k < D; k++) {
    const size_t d = order ? order[k] : k;
    sum += w[d] = exp(w[d] - largest);
  }
  for (size_t d = 0; d < D; d++) w[d] /= sum;
}
