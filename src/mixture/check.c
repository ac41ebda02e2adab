// SPDX-License-Identifier: Apache-2.0
// Points on the simplex: checks, normalisation, and tempering towards uniform.

#include <math.h>
#include <regmix/mixture.h>

#include "base/num.h"

// 1/D added D times may differ from 1 by a rounding error. All versions trained on this quotient,
// so equal domains keep their order.
void rmx_mixture_uniform(double *w, size_t D) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += 1.0 / (double)D;
  for (size_t d = 0; d < D; d++) w[d] = 1.0 / (double)D / sum;
}

rmx_status rmx_mixture_normalise(double *w, size_t D, rmx_err *err) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += w[d];
  if (!(sum > 0) || !isfinite(sum))
    return rmx_fail(err, RMX_ENUMERIC,
                    "the weights of a mixture sum to %g; at least one must be positive", sum);
  if (fabs(sum - 1) <= 1e-9) return RMX_OK;  // exact sums are not changed
  for (size_t d = 0; d < D; d++) w[d] /= sum;
  return RMX_OK;
}

rmx_status rmx_mixture_check(double *w, size_t D, const char *const *names, double slack,
                             const char *where, rmx_err *err) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) {
    if (isnan(w[d]))
      return rmx_fail(
          err, RMX_EINPUT,
          "%s: the weight of \"%s\" is missing or not a number; give 0 if a domain is not used",
          where, names[d]);
    if (!isfinite(w[d]) || w[d] < 0)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: the weight of \"%s\" is %g; weights are shares of tokens, 0 to 1", where,
                      names[d], w[d]);
    sum += w[d];
  }
  if (!rmx__is_one(sum, slack))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the weights sum to %.6g, wanted 1 within %g; check for missing columns, "
                    "or for percentages, which have to be divided by 100",
                    where, sum, slack);
  return rmx_mixture_normalise(w, D, err);
}

void rmx_mixture_prior(const double *tokens, size_t D, double *prior) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += tokens[d];
  for (size_t d = 0; d < D; d++) prior[d] = sum > 0 ? tokens[d] / sum : 0;
}

void rmx_mixture_temper(const double *p, size_t D, double exponent, double *out) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += out[d] = p[d] > 0 ? pow(p[d], exponent) : 0;
  for (size_t d = 0; d < D; d++) out[d] /= sum > 0 ? sum : 1;
}

void rmx_mixture_cap(double *w, const double *cap, size_t D) {
  // Each round either ends or fixes at least one more weight at its cap.
  for (size_t round = 0; round <= D; round++) {
    double fixed = 0, free_sum = 0, room = 0;
    for (size_t d = 0; d < D; d++) {
      if (w[d] >= cap[d]) {
        w[d] = cap[d];
        fixed += cap[d];
      } else {
        free_sum += w[d];
        room += cap[d] - w[d];
      }
    }
    double left = 1 - fixed;
    if (free_sum <= 0) {
      for (size_t d = 0; d < D && room > 0 && left > 0; d++)
        if (w[d] < cap[d]) w[d] = cap[d] * fmin(1, left / room);
      return;
    }
    double scale = left / free_sum;
    bool over = false;
    for (size_t d = 0; d < D; d++)
      if (w[d] < cap[d]) over |= (w[d] *= scale) > cap[d];
    if (!over) return;
  }
}
