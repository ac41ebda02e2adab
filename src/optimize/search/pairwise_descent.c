// SPDX-License-Identifier: Apache-2.0
// The last of a search: weight goes from the domain where the score rises most steeply to the one
// where it falls most, and the like of the next best pairs, as long as that helps. Near 0 slopes
// are steep, and a quadratic model stops early there.
//
// Cost: four scores a pair that does not help, some 25 for one that does.

#include "optimize/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MOVES = 60, PAIRS = 3, LINE = 16 };

// The score's own gradient at w into g (D); of the worst case that of the metric that is worst.
static void slope(rmx__objective *p, const double *w, double *g) {
  const rmx_target *t = p->target;
  rmx__objective_evaluate(p, w);
  memset(g, 0, p->D * sizeof(double));
  size_t worst = p->M;
  for (size_t k = 0; k < p->n_used; k++) {
    size_t m = p->used[k];
    if (t->weight[m] == 0) continue;
    double by = t->weight[m];
    if (worst == p->M ||
        by * (p->y[m] - t->base[m]) > t->weight[worst] * (p->y[worst] - t->base[worst]))
      worst = m;
    for (size_t d = 0; d < p->D && !t->worst && !p->summed; d++) g[d] += by * p->G[m * p->D + d];
  }
  for (size_t d = 0; d < p->D && p->summed; d++) g[d] += p->G[d];
  for (size_t d = 0; d < p->D && t->worst && worst < p->M; d++)
    g[d] = t->weight[worst] * p->G[worst * p->D + d];
  rmx__add_kl_gradient(p->set->constraints, w, p->set->constraints->kl_penalty, g);
}

static double moved(rmx__objective *p, const double *w, double *v, size_t from, size_t to,
                    double by) {
  memcpy(v, w, p->D * sizeof(double));
  v[from] -= by;
  v[to] += by;
  return rmx__feasible_contains(p->set, v) ? rmx__objective_score(p, v) : INFINITY;
}

// Moves weight from one domain to another as far as the score falls: four steps are tried, and
// around the best of them the lowest point found by golden section. True where it fell.
static bool move(rmx__objective *p, double *w, double *v, size_t from, size_t to, double *score) {
  const double golden = 0.6180339887498949;
  double max = fmin(w[from] - p->set->low[from], p->set->high[to] - w[to]), best = 0, min = *score;
  for (double t = max; t > 5e-4 * max; t /= 10) {
    double s = moved(p, w, v, from, to, t);
    if (!(s < min)) continue;
    min = s;
    best = t;
  }
  if (!(min < *score)) return false;
  double a = best / 10, b = fmin(max, best * 10);
  double x1 = b - golden * (b - a), x2 = a + golden * (b - a);
  double s1 = moved(p, w, v, from, to, x1), s2 = moved(p, w, v, from, to, x2);
  for (int i = 0; i < LINE; i++) {
    if (fmin(s1, s2) < min) {
      min = fmin(s1, s2);
      best = s1 < s2 ? x1 : x2;
    }
    if (s1 <= s2) {
      b = x2;
      x2 = x1;
      s2 = s1;
      x1 = b - golden * (b - a);
      s1 = moved(p, w, v, from, to, x1);
    } else {
      a = x1;
      x1 = x2;
      s1 = s2;
      x2 = a + golden * (b - a);
      s2 = moved(p, w, v, from, to, x2);
    }
  }
  if (!(min < *score - 1e-10 * p->scale)) return false;
  *score = moved(p, w, v, from, to, best);
  memcpy(w, v, p->D * sizeof(double));
  return true;
}

// The k-th best domain to take from (sign 1: where the slope is steepest up) or to give to (-1); D:
// none.
static size_t ranked(const rmx__objective *p, const double *w, const double *g, double sign,
                     int k) {
  size_t best = p->D;
  double last = INFINITY;
  for (int i = 0; i <= k; i++) {
    best = p->D;
    for (size_t d = 0; d < p->D; d++) {
      bool free_to = sign > 0 ? w[d] > p->set->low[d] + 1e-12 : w[d] < p->set->high[d] - 1e-12;
      if (free_to && sign * g[d] < last && (best == p->D || sign * g[d] > sign * g[best])) best = d;
    }
    if (best == p->D) return best;
    last = sign * g[best];
  }
  return best;
}

rmx_status rmx__pairwise_descent(rmx__objective *p, double *w, double *score, rmx_err *err) {
  RMX_OWNED double *g = rmx_calloc(2 * p->D, sizeof(double));
  if (!g) return rmx_fail_memory(err, 2 * p->D * sizeof(double), "a search");
  bool fell = true;
  for (int i = 0; i < MAX_MOVES && fell; i++) {
    slope(p, w, g);
    double before = *score;
    fell = false;
    for (int k = 0; k < PAIRS * PAIRS && !fell; k++) {
      size_t from = ranked(p, w, g, 1, k / PAIRS), to = ranked(p, w, g, -1, k % PAIRS);
      if (from == p->D || to == p->D || !(g[from] > g[to])) continue;
      fell = move(p, w, g + p->D, from, to, score);
    }
    if (before - *score < 1e-8 * p->scale) break;
  }
  return RMX_OK;
}
