// SPDX-License-Identifier: Apache-2.0
// The set of mixtures a search may propose. All of it is convex but the guard's balls, of half L1
// distance, around the runs. A mixture outside is brought in by scaling its weights between their
// bounds, which is the nearest inside in divergence where there are only bounds; where that does
// not do, it is drawn towards the centre, which is inside, as far as it must.

#include "optimize/feasible.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-9;

// ---- is it inside? ----

static double share_of(const rmx_share *s, const double *w, size_t D) {
  double sum = 0;
  for (size_t d = 0; d < D; d++) sum += s->factor[d] != 0 ? s->factor[d] * w[d] : 0;
  return sum;
}

bool rmx__feasible_contains_linear(const rmx__feasible *r, const double *w) {
  double sum = 0;
  for (size_t d = 0; d < r->D; d++) {
    if (!(w[d] >= r->low[d] - TOLERANCE && w[d] <= r->high[d] + TOLERANCE)) return false;
    sum += w[d];
  }
  if (!(fabs(sum - 1) <= TOLERANCE)) return false;
  for (size_t i = 0; i < r->constraints->n_shares; i++) {
    const rmx_share *s = &r->constraints->shares[i];
    double share = share_of(s, w, r->D);
    if (share < s->low - TOLERANCE || share > s->high + TOLERANCE) return false;
  }
  return true;
}

bool rmx__feasible_contains_convex(const rmx__feasible *r, const double *w) {
  return rmx__feasible_contains_linear(r, w) &&
         (isinf(r->constraints->max_kl) ||
          rmx__kl(r->constraints, w) <= r->constraints->max_kl + TOLERANCE);
}

bool rmx__feasible_contains(const rmx__feasible *r, const double *w) {
  return rmx__feasible_contains_convex(r, w) &&
         (isinf(r->radius) ||
          rmx__nearest_run(r->runs, r->N, r->D, w, NULL) <= r->radius + TOLERANCE);
}

// ---- bringing it inside ----

// w_d <- min(high_d, max(low_d, scale w_d)) with the scale that makes the sum 1. What is at 0 joins
// only where the others are all at their upper bounds.
void rmx__feasible_scale(const rmx__feasible *r, double *w) {
  double low = 0, high = 1, max = 0, room = 0;
  size_t D = r->D;
  for (size_t d = 0; d < D; d++) {
    w[d] = fmax(w[d], 0);
    max += w[d] > 0 ? r->high[d] : r->low[d];
    room += w[d] > 0 ? 0 : r->high[d] - r->low[d];
  }
  if (max <= 1) {
    for (size_t d = 0; d < D; d++)
      w[d] = w[d] > 0 ? r->high[d]
                      : r->low[d] +
                            (room > 0 ? fmin(1, (1 - max) / room) * (r->high[d] - r->low[d]) : 0);
    return;
  }
  for (int i = 0; i < 200; i++) {
    double sum = 0, scale = i < 100 ? high : (low + high) / 2;
    for (size_t d = 0; d < D; d++) sum += fmin(r->high[d], fmax(r->low[d], scale * w[d]));
    if (i < 100 && sum < 1) {
      low = high;
      high *= 4;
    } else if (i < 100) {
      i = 100;
    } else if (sum < 1) {
      low = scale;
    } else {
      high = scale;
    }
    if (i >= 100 && high - low <= 1e-15 * high) break;
  }
  double off = -1;
  for (size_t d = 0; d < D; d++) off += w[d] = fmin(r->high[d], fmax(r->low[d], high * w[d]));
  // What rounding left goes to whichever has room for it.
  for (size_t d = 0; d < D && off != 0; d++) {
    double x = fmin(r->high[d], fmax(r->low[d], w[d] - off));
    off -= w[d] - x;
    w[d] = x;
  }
}

// Scales the members of shares that are not kept, and brings w into the orders.
static void scale_shares(const rmx__feasible *r, double *w) {
  for (size_t i = 0; i < r->constraints->n_shares; i++) {
    const rmx_share *s = &r->constraints->shares[i];
    if (isinf(s->high)) continue;
    double is = share_of(s, w, r->D), to = fmin(s->high, fmax(s->low, is));
    double rest = 1 - is, others = rest > 0 ? (1 - to) / rest : 1;
    if (is == to) continue;
    for (size_t d = 0; d < r->D; d++)
      if (s->factor[d] == 0)
        w[d] *= others;
      else if (is > 0)
        w[d] *= to / is;
      else
        w[d] = r->interior[d];
  }
  rmx__feasible_level(r, w);
}

void rmx__feasible_pull(const rmx__feasible *r, double *w,
                        bool (*keeps)(const rmx__feasible *, const double *)) {
  double out = 0, in = 1;
  RMX_OWNED double *from = rmx_calloc(r->D, sizeof(double));
  for (int i = 0; from && i < 50 && in - out > 1e-12; i++) {
    if (i == 0) memcpy(from, w, r->D * sizeof(double));
    double t = (out + in) / 2;
    for (size_t d = 0; d < r->D; d++) w[d] = from[d] + t * (r->interior[d] - from[d]);
    if (keeps(r, w))
      in = t;
    else
      out = t;
  }
  for (size_t d = 0; d < r->D; d++)
    w[d] = from && in < 1 ? from[d] + in * (r->interior[d] - from[d]) : r->interior[d];
}

static void project(const rmx__feasible *r, double *w,
                    bool (*keeps)(const rmx__feasible *, const double *)) {
  for (int i = 0; i < 30; i++) {
    rmx__feasible_scale(r, w);
    if (rmx__feasible_contains_linear(r, w)) break;
    scale_shares(r, w);
  }
  if (!keeps(r, w)) rmx__feasible_pull(r, w, keeps);
}

void rmx__feasible_project(const rmx__feasible *r, double *w) {
  if (!rmx__feasible_contains(r, w)) project(r, w, rmx__feasible_contains);
}

void rmx__feasible_project_convex(const rmx__feasible *r, double *w) {
  if (!rmx__feasible_contains_convex(r, w)) project(r, w, rmx__feasible_contains_convex);
}

// ---- as a linear program ----

rmx_status rmx__feasible_lp(const rmx__feasible *r, size_t more_columns, size_t more_rows,
                            rmx_arena *arena, rmx__lp *lp, rmx_err *err) {
  size_t shares = r->constraints->n_shares;
  RMX_TRY(rmx__lp_make(lp, r->D + more_columns, 1 + shares + more_rows, arena, err));
  memcpy(lp->low, r->low, r->D * sizeof(double));
  memcpy(lp->high, r->high, r->D * sizeof(double));
  for (size_t d = 0; d < r->D; d++) lp->A[d] = 1;
  lp->row_low[0] = lp->row_high[0] = 1;
  for (size_t i = 0; i < shares; i++) {
    const rmx_share *s = &r->constraints->shares[i];
    for (size_t d = 0; d < r->D; d++) lp->A[(1 + i) * lp->n + d] = s->factor[d];
    lp->row_low[1 + i] = s->low;
    lp->row_high[1 + i] = s->high;
  }
  return RMX_OK;
}
