// SPDX-License-Identifier: Apache-2.0
// What a Gaussian process sees of a mixture: the weights of the domains, then the total weights of
// groups of domains.
#ifndef RMX_REGRESS_FEATURES_H
#define RMX_REGRESS_FEATURES_H

#include <regmix/base.h>

#include "base/json.h"

typedef struct rmx__features {
  size_t D, Q;     // weights, totals
  size_t *start;   // (Q + 1) where each total begins in `member`; NULL: Q = 0
  size_t *member;  // (start[Q]) domains
} rmx__features;

static inline size_t rmx__features_n(const rmx__features *f) {
  return f->D + f->Q;
}

// Feature k of the mixture w (D).
static inline double rmx__feature(const rmx__features *f, const double *w, size_t k) {
  if (k < f->D) return w[k];
  double sum = 0;
  for (size_t i = f->start[k - f->D]; i < f->start[k - f->D + 1]; i++) sum += w[f->member[i]];
  return sum;
}

// slope (D + Q) by the features becomes, in its first D numbers, the slope by the weights.
void rmx__features_slope(const rmx__features *f, double *slope);

// The totals that the names of domains suggest: every node of their tree with two or more domains
// (not all), and every last part of a name that is found below two or more nodes. Release *out.
rmx_status rmx__features_by_name(const char *const *names, size_t D, rmx__features *out,
                                 rmx_err *err);
// order (D + Q): the places of the features in an order that depends only on the names (D) of the
// domains, not on their order: the weights by name, then the totals by their first domain and size.
rmx_status rmx__features_order(const rmx__features *f, const char *const *names, size_t *order,
                               rmx_err *err);
rmx_status rmx__features_copy(const rmx__features *f, rmx__features *out, rmx_err *err);
// [[domain, ...], ...]: a new reference; and back. A missing list: no totals.
json_t *rmx__features_json(const rmx__features *f);
rmx_status rmx__features_read(const json_t *list, size_t n_features, const char *path,
                              rmx__features *out, rmx_err *err);
void rmx__features_release(rmx__features *f);

#endif
