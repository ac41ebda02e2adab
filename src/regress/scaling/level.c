// SPDX-License-Identifier: Apache-2.0
// See level.h.

#include "level.h"

#include <math.h>
#include <string.h>

static const double MISFIT = 0.006;  // of the law at a cell, a part of the range of the levels
// Doubt about a size against another, as a part of it; a shorter step to the next has less.
static const double SIZE = 0.06, STEP = 0.25;
// What the law has wrong, as a part of the change. From two sizes it was a quarter to a third on
// public swarms: that is what anchors are weighed against.
static const double OF_CHANGE = 0.1, OF_CHANGE_BY_TWO = 0.3;
static const double CENTRE[] = {0.3, 0.4}, WIDTH[] = {0.5, 0.5}, REACH = 3;

enum { TERMS = 3 };

static double law(const rmx__level *l, const rmx__law_point *g, rmx_scale at) {
  return g->E + g->A * pow(at.size / l->middle.size, -g->a) +
         g->B * pow(at.tokens / l->middle.tokens, -g->b);
}

// Solves the weighted least squares of E, A and B, without the terms that are not `used`.
static void solve(const rmx__level *l, rmx__law_point *g, const bool *used) {
  double H[TERMS][TERMS] = {{0}}, r[TERMS] = {0};
  for (size_t i = 0; i < l->n; i++) {
    const rmx__cell *c = &l->cells[i];
    const double x[TERMS] = {1, pow(c->at.size / l->middle.size, -g->a),
                             pow(c->at.tokens / l->middle.tokens, -g->b)};
    for (size_t j = 0; j < TERMS; j++) {
      r[j] += c->weight * x[j] * c->effect;
      for (size_t k = 0; k < TERMS; k++) H[j][k] += c->weight * x[j] * x[k];
    }
  }
  for (size_t j = 0; j < TERMS; j++) {
    H[j][j] = H[j][j] * (1 + 1e-10) + 1e-12;
    for (size_t k = 0; k < TERMS && !used[j]; k++) H[j][k] = H[k][j] = k == j;
    if (!used[j]) r[j] = 0;
  }
  for (size_t j = 0; j < TERMS; j++)  // Gauss: H is positive definite
    for (size_t k = j + 1; k < TERMS; k++) {
      const double factor = H[k][j] / H[j][j];
      for (size_t m = j; m < TERMS; m++) H[k][m] -= factor * H[j][m];
      r[k] -= factor * r[j];
    }
  for (size_t j = TERMS; j-- > 0;) {
    for (size_t k = j + 1; k < TERMS; k++) r[j] -= H[j][k] * r[k];
    r[j] /= H[j][j];
  }
  g->E = r[0], g->A = r[1], g->B = r[2];
}

// How far a factor of the law is on the wrong side of 0.
static double wrong_side(const rmx__level *l, double factor) {
  return l->rises ? factor : -factor;
}

// The law with these exponents; returns its penalised misfit.
static double fit_point(const rmx__level *l, rmx__law_point *g, double misfit, bool sizes,
                        bool tokens) {
  bool used[TERMS] = {true, sizes, tokens};
  solve(l, g, used);
  if (wrong_side(l, g->A) > 0 || wrong_side(l, g->B) > 0) {  // at the bound the worst term is 0
    used[wrong_side(l, g->A) > wrong_side(l, g->B) ? 1 : 2] = false;
    solve(l, g, used);
    if (wrong_side(l, g->A) > 0 || wrong_side(l, g->B) > 0) {
      used[1] = used[2] = false;
      solve(l, g, used);
    }
  }
  const double pulls[] = {log(g->a / CENTRE[0]) / WIDTH[0], log(g->b / CENTRE[1]) / WIDTH[1]};
  double cost = (pulls[0] * pulls[0] + pulls[1] * pulls[1]) / 2;
  for (size_t i = 0; i < l->n; i++) {
    const double off = (l->cells[i].effect - law(l, g, l->cells[i].at)) / misfit;
    cost += l->cells[i].weight * off * off / 2;
  }
  return cost;
}

double rmx__level_misfit(const rmx__level *l) {
  double low = INFINITY, high = -INFINITY;
  for (size_t i = 0; i < l->n; i++) {
    if (l->cells[i].weight > 0) low = fmin(low, l->cells[i].effect);
    if (l->cells[i].weight > 0) high = fmax(high, l->cells[i].effect);
  }
  return fmax(MISFIT * (high - low), 1e-3 * l->unit);
}

void rmx__level_fit(rmx__level *l) {
  const double misfit = rmx__level_misfit(l);
  bool sizes = false, tokens = false;
  double least = INFINITY, total = 0;
  for (size_t i = 0; i < l->n; i++) {
    sizes |= l->cells[i].at.size != l->cells[0].at.size;
    tokens |= l->cells[i].at.tokens != l->cells[0].at.tokens;
  }
  for (size_t k = 0; k < RMX__LEVEL_GRID; k++) {
    const double steps[] = {(double)(k / RMX__LEVEL_STEPS), (double)(k % RMX__LEVEL_STEPS)};
    double exponent[2];
    for (int e = 0; e < 2; e++)
      exponent[e] = CENTRE[e] * exp(WIDTH[e] * REACH * (2 * steps[e] / (RMX__LEVEL_STEPS - 1) - 1));
    rmx__law_point *g = &l->grid[k];
    *g = (rmx__law_point){.a = exponent[0], .b = exponent[1]};
    g->weight = fit_point(l, g, misfit, sizes, tokens);
    if (g->weight < least) {
      least = g->weight;
      l->best = k;
    }
  }
  for (size_t k = 0; k < RMX__LEVEL_GRID; k++)
    total += l->grid[k].weight = exp(least - l->grid[k].weight);
  for (size_t k = 0; k < RMX__LEVEL_GRID; k++) l->grid[k].weight /= total;
}

double rmx__level_law(const rmx__level *l, rmx_scale at) {
  return law(l, &l->grid[l->best], at);
}

// ---- what is left over ----

// The cells first..end - 1 have one size. Finds those around `tokens`, and the share of the second.
static void around(const rmx__level *l, size_t first, size_t end, double tokens, size_t cell[2],
                   double *share) {
  size_t k = first;
  while (k + 1 < end && l->cells[k + 1].at.tokens <= tokens) k++;
  cell[0] = cell[1] = k;
  *share = 0;
  if (k + 1 == end || tokens <= l->cells[k].at.tokens) return;
  cell[1] = k + 1;
  *share =
      log(tokens / l->cells[k].at.tokens) / log(l->cells[k + 1].at.tokens / l->cells[k].at.tokens);
}

// Up to four cells around a scale, and their shares, which sum to 1.
static void neighbours(const rmx__level *l, rmx_scale at, size_t cell[4], double share[4]) {
  size_t first = 0, end, next;
  double part = 0, of_tokens;
  for (;;) {  // first..end - 1: the largest size that is not above; next: the one above
    for (end = first; end < l->n && l->cells[end].at.size == l->cells[first].at.size;) end++;
    if (end == l->n || l->cells[end].at.size > at.size) break;
    first = end;
  }
  for (next = end; next < l->n && l->cells[next].at.size == l->cells[end].at.size;) next++;
  if (end < l->n && at.size > l->cells[first].at.size)
    part = log(at.size / l->cells[first].at.size) /
           log(l->cells[end].at.size / l->cells[first].at.size);
  around(l, first, end, at.tokens, cell, &of_tokens);
  share[0] = (1 - part) * (1 - of_tokens);
  share[1] = (1 - part) * of_tokens;
  cell[2] = cell[3] = cell[0];
  share[2] = share[3] = 0;
  if (part == 0) return;
  around(l, end, next, at.tokens, cell + 2, &of_tokens);
  share[2] = part * (1 - of_tokens);
  share[3] = part * of_tokens;
}

static double level_by(const rmx__level *l, const rmx__law_point *g, rmx_scale at,
                       const size_t cell[4], const double share[4]) {
  double level = law(l, g, at);
  for (size_t i = 0; i < 4; i++)
    if (share[i] > 0)
      level += share[i] * (l->cells[cell[i]].level - law(l, g, l->cells[cell[i]].at));
  return level;
}

// What the level changes by for a unit of log N, times the doubt about what the size is worth
// against the nearest measured one: parameters are counted with or without embeddings, and models
// of other shapes have other losses. 0 at a measured size.
static double doubt_of_size(const rmx__level *l, rmx_scale at) {
  double gap = INFINITY;
  rmx_scale near = at;
  for (size_t i = 0; i < l->n; i++) {
    const double off = fabs(log(at.size / l->cells[i].at.size));
    if (off < gap) gap = off, near.size = l->cells[i].at.size;
  }
  const double change = rmx__level_law(l, at) - rmx__level_law(l, near);
  return SIZE * change / fmax(gap, STEP);
}

// of_change: what the law has wrong, as a part of the change from the measured cells.
static void level_at(const rmx__level *l, rmx_scale at, double of_change, double *mean,
                     double *sd) {
  size_t cell[4];
  double share[4], square = 0, anchors = 0;
  neighbours(l, at, cell, share);
  double change = *mean = level_by(l, &l->grid[l->best], at, cell, share);
  for (size_t i = 0; i < 4; i++) {
    change -= share[i] * l->cells[cell[i]].level;
    anchors += share[i] * sqrt(l->cells[cell[i]].variance);
  }
  for (size_t k = 0; k < RMX__LEVEL_GRID; k++) {
    const double off = level_by(l, &l->grid[k], at, cell, share) - *mean;
    square += l->grid[k].weight * off * off;
  }
  // the law itself is an approximation, the more so the longer the way
  change *= of_change;
  *sd = hypot(sqrt(square + change * change + anchors * anchors), doubt_of_size(l, at));
}

void rmx__level_at(const rmx__level *l, rmx_scale at, double *mean, double *sd) {
  level_at(l, at, OF_CHANGE, mean, sd);
}

// ---- anchors ----

static size_t count_sizes(const rmx__level *l) {
  size_t n = 1;
  for (size_t i = 1; i < l->n; i++) n += l->cells[i].at.size != l->cells[i - 1].at.size;
  return n;
}

// Whether all cells have one size, which is another, or one length.
static bool is_unknown(const rmx__level *l, rmx_scale at) {
  bool tokens = at.tokens == l->cells[0].at.tokens;
  for (size_t i = 1; i < l->n; i++) tokens |= l->cells[i].at.tokens != l->cells[0].at.tokens;
  return !tokens || (count_sizes(l) == 1 && at.size != l->cells[0].at.size);
}

// The anchors of one size, given the measured cells (l->n) that are not. other: scratch.
static void settle_size(rmx__level *l, const rmx__cell *measured, double size, rmx__level *other) {
  other->n = 0;
  for (size_t i = 0; i < l->n; i++)
    if (measured[i].at.size != size || measured[i].variance == 0)
      other->cells[other->n++] = measured[i];
  if (other->n == 0) return;
  rmx__level_fit(other);
  const double of_change = count_sizes(other) > 2 ? OF_CHANGE : OF_CHANGE_BY_TWO;
  for (size_t i = 0; i < l->n; i++) {
    rmx__cell *c = &l->cells[i];
    double mean, sd;
    if (c->at.size != size || c->variance == 0) continue;
    if (is_unknown(other, c->at)) continue;  // what was measured is all that is known
    level_at(other, c->at, of_change, &mean, &sd);
    const double off = c->level - mean;  // if larger than all doubt, then the law's doubt is more
    const double of_law = fmax(sd * sd, off * off - c->variance);
    const double gain = of_law / (of_law + c->variance);
    c->level = mean + gain * off;
    c->variance *= gain;
  }
}

rmx_status rmx__level_settle(rmx__level *l, rmx_err *err) {
  RMX_OWNED rmx__cell *cells = rmx_calloc(2 * l->n, sizeof *cells);
  RMX_OWNED rmx__level *other = rmx_calloc(1, sizeof *other);
  if (!cells || !other) return rmx_fail_memory(err, sizeof *other, "the level of a metric");
  memcpy(cells, l->cells, l->n * sizeof *cells);
  *other =
      (rmx__level){.cells = cells + l->n, .middle = l->middle, .unit = l->unit, .rises = l->rises};
  double done = 0;
  for (size_t i = 0; i < l->n; i++) {
    if (cells[i].variance == 0 || cells[i].at.size == done) continue;
    settle_size(l, cells, done = cells[i].at.size, other);
  }
  return RMX_OK;
}
