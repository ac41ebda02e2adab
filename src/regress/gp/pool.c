// SPDX-License-Identifier: Apache-2.0
// Metrics that were fitted together share runs, lengths and warps, so their Gaussian processes have
// the same covariances k_i with the runs. The mean of each is shift + unit sum_i alpha_i k_i,
// softly clipped. The slope of their weighted sum needs one pass over the runs, with the weighted
// sum of their alphas, each times its clip's slope.
//
// Cost: N (4 F + 60 + 4 M) operations for M metrics of N runs and F features; one by one it would
// be M N (4 F + 60).

#include "pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gp.h"
#include "matern.h"
#include "regress/registry.h"
#include "regress/soft_clip.h"

static const rmx__process *process_of(const rmx_regressor *r) {
  return r->kind == &rmx__gp ? r->state : NULL;
}

static bool same(const double *a, const double *b, size_t n) {
  return memcmp(a, b, n * sizeof *a) == 0;
}

static bool same_totals(const rmx__features *a, const rmx__features *b) {
  if (a->D != b->D || a->Q != b->Q) return false;
  return a->Q == 0 || (memcmp(a->start, b->start, (a->Q + 1) * sizeof *a->start) == 0 &&
                       memcmp(a->member, b->member, a->start[a->Q] * sizeof *a->member) == 0);
}

static bool go_together(const rmx__process *a, const rmx__process *b) {
  return a && b && a->N == b->N && a->F == b->F && a->D == b->D && a->signal == b->signal &&
         a->linear == b->linear && same(a->eps, b->eps, a->F) && same(a->scale, b->scale, a->F) &&
         same_totals(&a->features, &b->features) && same(a->Z, b->Z, a->F * a->N);
}

rmx_status rmx__pool_make(rmx_regressor *const *r, const size_t *used, size_t n_used,
                          rmx_arena *arena, rmx__pool *out, rmx_err *err) {
  rmx__pool p = {.members = rmx_arena_alloc(arena, n_used, sizeof *p.members),
                 .at = rmx_arena_alloc(arena, n_used, sizeof *p.at),
                 .start = rmx_arena_alloc(arena, n_used + 1, sizeof *p.start)};
  bool *taken = rmx_arena_alloc(arena, n_used, sizeof *taken);
  if (!p.members || !p.at || !p.start || !taken)
    return rmx_fail_memory(err, n_used * sizeof(size_t), "a sum of functions");
  for (size_t k = 0; k < n_used; k++) taken[k] = false;
  for (size_t k = 0; k < n_used; k++) {
    if (taken[k]) continue;
    const rmx__process *first = process_of(r[used[k]]);
    p.start[p.groups++] = p.n;
    for (size_t j = k; j < n_used; j++) {
      if (taken[j] || (j > k && !go_together(first, process_of(r[used[j]])))) continue;
      taken[j] = true;
      p.members[p.n] = r[used[j]];
      p.at[p.n++] = used[j];
    }
    p.D = r[used[k]]->D;
    if (first && first->N > p.most_runs) p.most_runs = first->N;
    if (first && first->F > p.most_features) p.most_features = first->F;
  }
  p.start[p.groups] = p.n;
  *out = p;
  return RMX_OK;
}

// Adds the slope by the warped features, of the sum over the runs of by (N) k_i, to slope (F).
static void add_slopes(const rmx__process *r, const double *z, const double *by, double *slope) {
  double pull = 0;
  for (size_t i = 0; i < r->N; i++) pull += by[i];
  for (size_t k = 0; k < r->F; k++) {
    const double *Z = r->Z + k * r->N;
    double sum = 0;
    for (size_t i = 0; i < r->N; i++) sum += by[i] * Z[i];
    slope[k] += 2 * (z[k] * pull - sum);
  }
}

// The members of one group. z, slope (F), k, by, all (N) are scratch; gradient (D) is added to.
static void evaluate_group(const rmx__pool *p, size_t group, const double *w, const double *weight,
                           double *y, double *gradient, double *scratch) {
  const rmx__process *r = process_of(p->members[p->start[group]]);
  const size_t N = r->N, F = r->F;
  double *z = scratch, *slope = z + F, *r2 = slope + F, *k = r2 + N, *by = k + N, *all = by + N;
  rmx__process_warp(r, w, z, 1);
  memset(r2, 0, N * sizeof *r2);
  for (size_t d = 0; d < F; d++)
    for (size_t i = 0; i < N; i++) {
      const double gap = z[d] - r->Z[d * N + i];
      r2[i] += gap * gap;
    }
  rmx__matern_many(r2, N, k, by);
  memset(slope, 0, F * sizeof *slope);
  memset(all, 0, N * sizeof *all);
  for (size_t j = p->start[group]; j < p->start[group + 1]; j++) {
    const rmx__process *one = process_of(p->members[j]);
    double curved = 0, linear = 0, clip_slope;
    for (size_t i = 0; i < N; i++) curved += one->alpha[i] * k[i];
    for (size_t d = 0; d < F; d++) linear += one->by_feature[d] * z[d];
    y[p->at[j]] = rmx__soft_clip(
        one->seen,
        one->shift + one->unit * (one->constant + one->signal * curved + one->linear * linear),
        &clip_slope);
    if (!gradient) continue;
    const double factor = weight[p->at[j]] * clip_slope * one->unit;
    for (size_t i = 0; i < N; i++) all[i] += factor * one->signal * one->alpha[i];
    for (size_t d = 0; d < F; d++) slope[d] += factor * one->linear * one->by_feature[d];
  }
  if (!gradient) return;
  for (size_t i = 0; i < N; i++) all[i] *= by[i];
  add_slopes(r, z, all, slope);
  rmx__process_slope(r, w, slope);
  for (size_t d = 0; d < p->D; d++) gradient[d] += slope[d];
}

bool rmx__pool_evaluate(const rmx__pool *p, const double *w, const double *weight, double *y,
                        double *gradient) {
  RMX_OWNED double *scratch =
      rmx_calloc(2 * p->most_features + 4 * p->most_runs + p->D + 1, sizeof *scratch);
  bool good = scratch != NULL;
  if (gradient) memset(gradient, 0, p->D * sizeof *gradient);
  for (size_t g = 0; g < p->groups && good; g++) {
    const size_t first = p->start[g], m = p->at[first];
    if (p->start[g + 1] - first > 1) {
      evaluate_group(p, g, w, weight, y, gradient, scratch);
    } else if (!gradient) {
      rmx_regressor_predict(p->members[first], w, 1, &y[m], NULL);
    } else {
      good = rmx__regressor_evaluate(p->members[first], w, &y[m], scratch);
      for (size_t d = 0; d < p->D && good; d++) gradient[d] += weight[m] * scratch[d];
    }
  }
  return good;
}
