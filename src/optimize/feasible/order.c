// SPDX-License-Identifier: Apache-2.0
// Mixtures are brought into the orders of the constraints: by sorting, which keeps random mixtures
// as varied as they were, or by making neighbours equal, which moves a mixture less.

#include "optimize/feasible.h"

#include <math.h>

enum { MAX_PASSES = 100 };
static const double TOLERANCE = 1e-12;

typedef struct totals {
  double below, above;  // of the two sides, as the order counts them
  double inside;        // of the side above, at the interior point
} totals;

static totals totals_of(const rmx__feasible *r, const rmx_share *s, const double *w) {
  totals t = {0};
  for (size_t d = 0; d < r->D; d++) {
    if (s->factor[d] < 0) t.below -= s->factor[d] * w[d];
    if (s->factor[d] > 0) t.above += s->factor[d] * w[d];
    if (s->factor[d] > 0) t.inside += s->factor[d] * r->interior[d];
  }
  return t;
}

// Scales both sides to these totals. Where the side above has nothing, its domains share the total
// as at the interior point.
static void set_totals(const rmx__feasible *r, const rmx_share *s, const totals *t, double below,
                       double above, double *w) {
  if (!(t->above > 0) && !(t->inside > 0)) return;
  for (size_t d = 0; d < r->D; d++) {
    if (s->factor[d] < 0) w[d] *= below / t->below;
    if (s->factor[d] > 0)
      w[d] = above * (t->above > 0 ? w[d] / t->above : r->interior[d] / t->inside);
  }
}

static void bring_in(const rmx__feasible *r, double *w, bool sort) {
  bool changed = true;
  for (int pass = 0; pass < MAX_PASSES && changed; pass++) {
    changed = false;
    for (size_t i = 0; i < r->constraints->n_shares; i++) {
      const rmx_share *s = &r->constraints->shares[i];
      if (isfinite(s->high)) continue;
      const totals t = totals_of(r, s, w);
      if (t.below <= t.above + TOLERANCE) continue;
      const double mean = (t.below + t.above) / 2;
      set_totals(r, s, &t, sort ? t.above : mean, sort ? t.below : mean, w);
      changed = true;
    }
  }
}

void rmx__feasible_sort(const rmx__feasible *r, double *w) {
  bring_in(r, w, true);
}

void rmx__feasible_level(const rmx__feasible *r, double *w) {
  bring_in(r, w, false);
}
