// SPDX-License-Identifier: Apache-2.0
// Mixtures to choose from: around the prior as the sampler draws them (Dirichlet of strengths 0.1
// to 5), and near given mixtures c, one half from
//   Dirichlet(strength * (0.98 c + 0.02 prior)), strength 10 to 3000,
// one half c with a share of the tokens moved from one domain to another. Each has random numbers
// of its own, so that they may be drawn side by side.
//
// Cost: a projection into the feasible set each, O(D) at best.

#include "optimize/suggest.h"

#include <math.h>
#include <regmix/mixture.h>
#include <stdlib.h>
#include <string.h>

#include "mixture/dirichlet.h"

static const double FAR[2] = {0.1, 5}, NEAR[2] = {10, 3000}, MIN_PRIOR = 0.02, SLACK = 1e-6,
                    INWARDS = 0.01;

typedef struct task {
  const rmx__candidates *c;
  const double *centres;  // (n_centres, D), or NULL
  size_t n_centres;
  const rmx__draw *how;
  double *X;     // (wanted, D)
  bool *inside;  // (wanted)
} task;

rmx_status rmx__candidates_make(rmx__candidates *c, size_t D, size_t room, uint64_t seed,
                                rmx_err *err) {
  *c = (rmx__candidates){.room = room, .D = D, .seed = seed};
  c->X = rmx_calloc(room, D * sizeof(double));
  c->hash = rmx_calloc(room, sizeof(uint64_t));
  if (c->X && c->hash) return RMX_OK;
  rmx__candidates_release(c);
  return rmx_fail_memory(err, room * D * sizeof(double), "candidates");
}

void rmx__candidates_release(rmx__candidates *c) {
  free(c->X);
  free(c->hash);
  *c = (rmx__candidates){0};
}

bool rmx__candidates_add(rmx__candidates *c, const double *w) {
  if (c->n == c->room) return false;
  uint64_t hash = 0;
  for (size_t d = 0; d < c->D; d++) {
    // Equal but for rounding is equal.
    int64_t units = llround(w[d] * 1e9);
    hash = rmx_hash(&units, sizeof(units), hash);
  }
  for (size_t i = 0; i < c->n; i++)
    if (c->hash[i] == hash) return false;
  memcpy(c->X + c->n * c->D, w, c->D * sizeof(double));
  c->hash[c->n++] = hash;
  return true;
}

static bool keeps(const task *t, const double *w) {
  return rmx__feasible_contains(t->how->set, w) &&
         rmx_constraints_excess(t->how->set->constraints, w) <= SLACK;
}

// To multiples of the grid, by largest remainders, within the bounds; a weight whose bounds hold no
// multiple stays, and what it leaves over goes to the largest of the others. False where that
// cannot be.
static bool to_grid(const rmx__feasible *r, double grid, const double *w, double *out) {
  size_t D = r->D, largest = D;
  double G = round(1 / grid), left = 1, units = 0;
  for (size_t d = 0; d < D; d++) {
    double min = ceil(r->low[d] * G - 1e-6), max = floor(r->high[d] * G + 1e-6);
    out[d] = min > max ? w[d] : fmin(fmax(floor(w[d] * G + 1e-6), min), max) / G;
    if (min > max) {
      left -= out[d];
    } else {
      units += round(out[d] * G);
      if (largest == D || w[d] > w[largest]) largest = d;
    }
  }
  if (largest == D) return false;
  double wanted = floor(left * G + 1e-6), rest = left - wanted / G;
  for (; units != wanted;) {
    double step = units < wanted ? 1 : -1, max = -INFINITY;
    size_t best = D;
    for (size_t d = 0; d < D; d++) {
      double next = round(out[d] * G) + step;
      if (ceil(r->low[d] * G - 1e-6) > floor(r->high[d] * G + 1e-6) || !(w[d] > 0)) continue;
      if (next < ceil(r->low[d] * G - 1e-6) || next > floor(r->high[d] * G + 1e-6)) continue;
      double missing = step * (w[d] - out[d]);
      if (missing > max) max = missing, best = d;
    }
    if (best == D) return false;
    out[best] = (round(out[best] * G) + step) / G;
    units += step;
  }
  if (rest > 1e-12) out[largest] += rest;
  return true;
}

static void draw(const task *t, rmx_rng *rng, size_t i, double *w, double *alpha) {
  size_t D = t->c->D;
  const double *centre = t->centres ? t->centres + i % t->n_centres * D : t->how->prior;
  const double *range = t->centres ? NEAR : FAR;
  const size_t *order = t->how->set->order;
  if (t->centres && i / t->n_centres % 2) {
    size_t from = order[rmx_rng_below(rng, D)], to = order[rmx_rng_below(rng, D)];
    for (int tries = 0; tries < 64 && !(centre[from] > 0); tries++)
      from = order[rmx_rng_below(rng, D)];
    memcpy(w, centre, D * sizeof(double));
    double moved = w[from] * (rmx_rng_uniform(rng) < 0.2 ? 1 : pow(rmx_rng_uniform(rng), 2));
    if (!(t->how->prior[to] > 0 || centre[to] > 0)) return;
    w[from] -= moved;
    w[to] += moved;
    return;
  }
  double strength = range[0] * pow(range[1] / range[0], rmx_rng_uniform(rng));
  for (size_t d = 0; d < D; d++)
    alpha[d] = strength * (t->centres ? (1 - MIN_PRIOR) * centre[d] + MIN_PRIOR * t->how->prior[d]
                                      : t->how->prior[d]);
  rmx__dirichlet_in(rng, alpha, order, D, w);
}

// w becomes a multiple of the grid, where that keeps everything.
static bool round_inside(const task *t, double *w, double *rounded) {
  if (!to_grid(t->how->set, t->how->grid, w, rounded) || !keeps(t, rounded)) return false;
  memcpy(w, rounded, t->c->D * sizeof(double));
  return true;
}

static void do_one(void *context, size_t i) {
  task *t = context;
  size_t D = t->c->D;
  double *w = t->X + i * D, *alpha = rmx_calloc(3 * D, sizeof(double));
  t->inside[i] = false;
  if (!alpha || rmx_interrupted()) {
    free(alpha);
    return;
  }
  double *rounded = alpha + D, *inner = alpha + 2 * D;
  rmx_rng rng = rmx_rng_make(t->c->seed, t->c->drawn + i, RMX_FOR_CANDIDATES);
  draw(t, &rng, i, w, alpha);
  if (!rmx__feasible_contains(t->how->set, w)) rmx__feasible_project(t->how->set, w);
  const rmx_constraints *c = t->how->set->constraints;
  double kept = 0;
  if (c->drop_below > 0) {
    for (size_t d = 0; d < D; d++) kept += w[d] < rmx__least_weight(c, d) ? 0 : w[d];
    for (size_t d = 0; d < D && kept > 0; d++)
      w[d] = w[d] < rmx__least_weight(c, d) ? 0 : w[d] / kept;
  }
  if (t->how->grid > 0 && !round_inside(t, w, rounded)) {
    // At the edge of something curved rounding leads out: a little inwards first.
    for (size_t d = 0; d < D; d++) inner[d] = w[d] + INWARDS * (t->how->set->interior[d] - w[d]);
    if (keeps(t, inner) && round_inside(t, inner, rounded)) memcpy(w, inner, D * sizeof(double));
  }
  t->inside[i] = keeps(t, w);
  free(alpha);
}

static rmx_status do_all(rmx__candidates *c, task *t, size_t wanted, rmx_err *err) {
  t->c = c;
  t->X = rmx_calloc(wanted, c->D * sizeof(double));
  t->inside = rmx_calloc(wanted, sizeof(bool));
  rmx_status status = t->X && t->inside
                          ? RMX_OK
                          : rmx_fail_memory(err, wanted * c->D * sizeof(double), "candidates");
  if (status == RMX_OK) {
    rmx_parallel(t->how->threads, wanted, do_one, t);
    if (rmx_interrupted())
      status = rmx_fail(err, RMX_EINTERRUPTED, "interrupted while drawing mixtures");
    for (size_t i = 0; i < wanted; i++)
      if (t->inside[i]) rmx__candidates_add(c, t->X + i * c->D);
    c->drawn += wanted;
  }
  free(t->X);
  free(t->inside);
  return status;
}

rmx_status rmx__candidates_around_prior(rmx__candidates *c, const rmx__draw *how, size_t wanted,
                                        rmx_err *err) {
  task t = {.how = how};
  return do_all(c, &t, wanted, err);
}

rmx_status rmx__candidates_near(rmx__candidates *c, const rmx__draw *how, const double *centres,
                                size_t n, size_t wanted, rmx_err *err) {
  if (n == 0) return RMX_OK;
  task t = {.how = how, .centres = centres, .n_centres = n};
  return do_all(c, &t, wanted, err);
}
