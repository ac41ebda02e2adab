// SPDX-License-Identifier: Apache-2.0
// From each start downhill by sequential quadratic programming (Kraft 1988, NLopt's SLSQP) under all
// constraints; the best of what comes out and keeps them is polished by moving weight between pairs of
// domains.
//
// The worst case is minimised as a variable t of its own, under weight_m (metric_m(w) - base_m) <= t. The
// guard's balls are not convex together, so the search is first without them; where that leaves them it goes
// on within the ball of the run that is nearest, the distance smoothed at its kinks, and from where that ends
// in the ball of the run nearest then.
//
// Cost: some 50 gradients a start, and for each the solution of a quadratic program, O(D^3).

#include <math.h>
#include <nlopt.h>
#include <stdlib.h>
#include <string.h>

#include "nearness.h"
#include "search.h"

enum { MOST_EVALUATIONS = 300, BALLS = 4, SAMPLED_RUNS = 16, MOST_MOVES = 60, PAIRS = 3, LINE = 16 };
static const double MARGIN = 2e-7;  // inside a limit, which is checked to 1e-6

typedef struct problem {
  const rmx_fit *fit;
  const rmx_target *target;
  const rmx__region *region;
  size_t D, M, n_used;
  size_t *used;        // (n_used) metrics with a weight or a limit
  double *at;          // (D) where y and G were taken
  double *y;           // (M)
  double *G;           // (M, D)
  bool fresh;          // they were
  const double *ball;  // (D) the run whose ball the search is in; NULL: none
  double scale;        // the unit of the score
} problem;

// ---- the score and its gradient ----

static void look(problem *p, const double *w) {
  if (p->fresh && memcmp(p->at, w, p->D * sizeof(double)) == 0) return;
  for (size_t k = 0; k < p->n_used; k++) {
    size_t m = p->used[k];
    rmx_regressor_evaluate(p->fit->regressors[m], w, &p->y[m], p->G + m * p->D);
  }
  memcpy(p->at, w, p->D * sizeof(double));
  p->fresh = true;
}

// The score with the penalty; INFINITY where a limit is passed.
static double score_at(problem *p, const double *w) {
  double score;
  for (size_t k = 0; k < p->n_used; k++)
    rmx_regressor_predict(p->fit->regressors[p->used[k]], w, 1, &p->y[p->used[k]], NULL);
  p->fresh = false;
  rmx_target_score(p->target, p->M, p->y, 1, &score);
  if (p->region->asked->kl_penalty > 0) score += p->region->asked->kl_penalty * rmx__kl(p->region->asked, w);
  return isnan(score) ? INFINITY : score;
}

static void add_kl_gradient(const rmx_constraints *c, const double *w, double by, double *gradient) {
  for (size_t d = 0; d < c->D && c->reference && by > 0; d++)
    if (c->reference[d] > 0) gradient[d] += by * (log(fmax(w[d], 1e-15) / c->reference[d]) + 1);
}

// What NLopt minimises: the score, or t; in units of scale.
static double objective(unsigned n, const double *x, double *gradient, void *context) {
  problem *p = context;
  const rmx_constraints *c = p->region->asked;
  const rmx_target *t = p->target;
  double value = t->worst ? x[p->D] : 0;
  if (gradient) memset(gradient, 0, n * sizeof(double));
  if (gradient && t->worst) gradient[p->D] = 1;
  if (!t->worst) look(p, x);
  for (size_t k = 0; k < p->n_used && !t->worst; k++) {
    size_t m = p->used[k];
    double by = t->weight[m] / p->scale;
    if (by == 0) continue;
    value += by * p->y[m];
    for (size_t d = 0; d < p->D && gradient; d++) gradient[d] += by * p->G[m * p->D + d];
  }
  if (c->kl_penalty > 0) {
    value += c->kl_penalty / p->scale * rmx__kl(c, x);
    if (gradient) add_kl_gradient(c, x, c->kl_penalty / p->scale, gradient);
  }
  return isfinite(value) ? value : 1e10;
}

static double sum_to_one(unsigned n, const double *x, double *gradient, void *context) {
  const problem *p = context;
  double sum = -1;
  for (size_t d = 0; d < n; d++) {
    if (d < p->D) sum += x[d];
    if (gradient) gradient[d] = d < p->D;
  }
  return sum;
}

// ---- the inequalities, one row each ----

static size_t n_rows(const problem *p) {
  size_t n =
      2 * p->region->asked->n_shares + (isfinite(p->region->asked->most_kl) && p->region->asked->reference);
  n += p->ball != NULL;
  for (size_t k = 0; k < p->n_used; k++) {
    size_t m = p->used[k];
    n += p->target->limit[m] < INFINITY;
    n += p->target->worst && p->target->weight[m] != 0;
  }
  return n;
}

// Half the L1 distance to the run whose ball it is, a little more near the kinks.
static double smooth_distance(const problem *p, const double *w, double *gradient) {
  double sum = 0, e = 1e-3 * p->region->radius;
  for (size_t d = 0; d < p->D; d++) {
    double x = w[d] - p->ball[d], r = sqrt(x * x + e * e);
    sum += r / 2;
    if (gradient) gradient[d] = x / r / 2;
  }
  return sum;
}

static void inequalities(unsigned n_result, double *result, unsigned n, const double *x, double *gradient,
                         void *context) {
  problem *p = context;
  const rmx_constraints *c = p->region->asked;
  const rmx_target *t = p->target;
  size_t i = 0, D = p->D;
  if (gradient) memset(gradient, 0, (size_t)n_result * n * sizeof(double));
  for (size_t k = 0; k < c->n_shares; k++, i += 2) {
    const rmx_share *s = &c->shares[k];
    double share = 0;
    for (size_t d = 0; d < D; d++) {
      if (!s->member[d]) continue;
      share += x[d];
      if (gradient) gradient[i * n + d] = -1;
      if (gradient) gradient[(i + 1) * n + d] = 1;
    }
    result[i] = s->low - share;
    result[i + 1] = share - s->high;
  }
  if (isfinite(c->most_kl) && c->reference) {
    result[i] = rmx__kl(c, x) - c->most_kl + 1e-10;
    if (gradient) add_kl_gradient(c, x, 1, gradient + i * n);
    i++;
  }
  if (p->ball) {
    result[i] = smooth_distance(p, x, gradient ? gradient + i * n : NULL) - p->region->radius;
    i++;
  }
  if (i < n_result) look(p, x);
  for (size_t k = 0; k < p->n_used && i < n_result; k++) {
    size_t m = p->used[k];
    const double *g = p->G + m * D;
    if (t->limit[m] < INFINITY) {
      result[i] = t->sign[m] * p->y[m] - t->limit[m] + MARGIN;
      for (size_t d = 0; d < D && gradient; d++) gradient[i * n + d] = t->sign[m] * g[d];
      i++;
    }
    if (t->worst && t->weight[m] != 0) {
      double by = t->weight[m] / p->scale;
      result[i] = by * (p->y[m] - t->base[m]) - x[D];
      for (size_t d = 0; d < D && gradient; d++) gradient[i * n + d] = by * g[d];
      if (gradient) gradient[i * n + D] = -1;
      i++;
    }
  }
}

// ---- one way down ----

static rmx_status slsqp(problem *p, double *x, rmx_err *err) {
  size_t D = p->D, n = D + p->target->worst, rows = n_rows(p);
  double *work = rmx_calloc(2 * n + rows, sizeof(double)), value;
  nlopt_opt o = nlopt_create(NLOPT_LD_SLSQP, (unsigned)n);
  if (!work || !o) {
    free(work);
    if (o) nlopt_destroy(o);
    return rmx_fail_memory(err, n * n * sizeof(double), "a search");
  }
  double *low = work, *high = work + n, *tolerance = work + 2 * n;
  memcpy(low, p->region->low, D * sizeof(double));
  memcpy(high, p->region->high, D * sizeof(double));
  for (size_t d = D; d < n; d++) {
    low[d] = -HUGE_VAL;
    high[d] = HUGE_VAL;
    x[d] = rmx__plain_score(p->target, p->M, p->y) / p->scale;
  }
  for (size_t i = 0; i < rows; i++) tolerance[i] = 1e-9;
  nlopt_set_lower_bounds(o, low);
  nlopt_set_upper_bounds(o, high);
  nlopt_set_min_objective(o, objective, p);
  nlopt_add_equality_constraint(o, sum_to_one, p, 1e-10);
  if (rows) nlopt_add_inequality_mconstraint(o, (unsigned)rows, inequalities, p, tolerance);
  nlopt_set_ftol_abs(o, 1e-9);
  nlopt_set_xtol_abs1(o, 1e-10);
  nlopt_set_maxeval(o, MOST_EVALUATIONS);
  nlopt_optimize(o, x, &value);  // however it ends, x is looked at below
  nlopt_destroy(o);
  free(work);
  return RMX_OK;
}

// Brings w inside all: the region, then the limits, towards `anchor`, which keeps them (NULL: there is none).
// The score.
static double settle(problem *p, const double *anchor, double *w) {
  rmx__region_project(p->region, w);
  double score = score_at(p, w);
  if (isfinite(score) || !anchor) return score;
  double out = 0, in = 1, *from = rmx_calloc(2 * p->D, sizeof(double)), *best = from + p->D;
  if (!from) return INFINITY;
  memcpy(from, w, p->D * sizeof(double));
  memcpy(best, anchor, p->D * sizeof(double));
  for (int i = 0; i < 30; i++) {
    double t = (out + in) / 2;
    for (size_t d = 0; d < p->D; d++) w[d] = from[d] + t * (anchor[d] - from[d]);
    rmx__region_project(p->region, w);
    bool good = isfinite(score_at(p, w));
    if (good) memcpy(best, w, p->D * sizeof(double));
    if (good)
      in = t;
    else
      out = t;
  }
  memcpy(w, best, p->D * sizeof(double));
  free(from);
  return score_at(p, w);
}

static rmx_status descend(problem *p, const double *anchor, double *x, double *score, rmx_err *err) {
  const rmx__region *r = p->region;
  p->ball = NULL;
  rmx__region_project_convex(r, x);
  score_at(p, x);
  RMX_TRY(slsqp(p, x, err));
  size_t last = r->N;
  for (int i = 0; i < BALLS && isfinite(r->radius); i++) {
    size_t run = 0;
    double far = rmx__nearest(r->runs, r->N, r->D, x, &run);
    if ((i == 0 && far <= r->radius) || run == last) break;
    last = run;
    p->ball = r->runs + run * r->D;
    score_at(p, x);
    RMX_TRY(slsqp(p, x, err));
  }
  p->ball = NULL;
  *score = settle(p, anchor, x);
  return RMX_OK;
}

// ---- polishing ----

// The score's own gradient at w into g (D); of the worst case that of the metric that is worst.
static void slope(problem *p, const double *w, double *g) {
  const rmx_target *t = p->target;
  look(p, w);
  memset(g, 0, p->D * sizeof(double));
  size_t worst = p->M;
  for (size_t k = 0; k < p->n_used; k++) {
    size_t m = p->used[k];
    if (t->weight[m] == 0) continue;
    double by = t->weight[m];
    if (worst == p->M || by * (p->y[m] - t->base[m]) > t->weight[worst] * (p->y[worst] - t->base[worst]))
      worst = m;
    for (size_t d = 0; d < p->D && !t->worst; d++) g[d] += by * p->G[m * p->D + d];
  }
  for (size_t d = 0; d < p->D && t->worst && worst < p->M; d++)
    g[d] = t->weight[worst] * p->G[worst * p->D + d];
  add_kl_gradient(p->region->asked, w, p->region->asked->kl_penalty, g);
}

static double moved(problem *p, const double *w, double *v, size_t from, size_t to, double by) {
  memcpy(v, w, p->D * sizeof(double));
  v[from] -= by;
  v[to] += by;
  return rmx__region_keeps(p->region, v) ? score_at(p, v) : INFINITY;
}

// Moves weight from one domain to another as far as the score falls: four steps are tried, and around the
// best of them the lowest point found by golden section. True where it fell.
static bool move(problem *p, double *w, double *v, size_t from, size_t to, double *score) {
  const double golden = 0.6180339887498949;
  double most = fmin(w[from] - p->region->low[from], p->region->high[to] - w[to]), best = 0, least = *score;
  for (double t = most; t > 5e-4 * most; t /= 10) {
    double s = moved(p, w, v, from, to, t);
    if (!(s < least)) continue;
    least = s;
    best = t;
  }
  if (!(least < *score)) return false;
  double a = best / 10, b = fmin(most, best * 10);
  double x1 = b - golden * (b - a), x2 = a + golden * (b - a);
  double s1 = moved(p, w, v, from, to, x1), s2 = moved(p, w, v, from, to, x2);
  for (int i = 0; i < LINE; i++) {
    if (fmin(s1, s2) < least) {
      least = fmin(s1, s2);
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
  if (!(least < *score - 1e-10 * p->scale)) return false;
  *score = moved(p, w, v, from, to, best);
  memcpy(w, v, p->D * sizeof(double));
  return true;
}

// The k-th best domain to take from (sign 1: where the slope is steepest up) or to give to (-1); D: none.
static size_t ranked(const problem *p, const double *w, const double *g, double sign, int k) {
  size_t best = p->D;
  double last = INFINITY;
  for (int i = 0; i <= k; i++) {
    best = p->D;
    for (size_t d = 0; d < p->D; d++) {
      bool free_to = sign > 0 ? w[d] > p->region->low[d] + 1e-12 : w[d] < p->region->high[d] - 1e-12;
      if (free_to && sign * g[d] < last && (best == p->D || sign * g[d] > sign * g[best])) best = d;
    }
    if (best == p->D) return best;
    last = sign * g[best];
  }
  return best;
}

static rmx_status polish(problem *p, double *w, double *score, rmx_err *err) {
  double *g = rmx_calloc(2 * p->D, sizeof(double));
  if (!g) return rmx_fail_memory(err, 2 * p->D * sizeof(double), "a search");
  bool fell = true;
  for (int i = 0; i < MOST_MOVES && fell; i++) {
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
  free(g);
  return RMX_OK;
}

// ---- the whole ----

static rmx_status begin(problem *p, rmx_arena *arena, rmx_err *err) {
  size_t D = p->D = p->fit->D, M = p->M = p->fit->M;
  p->used = rmx_arena_alloc(arena, M, sizeof(size_t));
  p->at = rmx_arena_alloc(arena, D, sizeof(double));
  p->y = rmx_arena_alloc(arena, M, sizeof(double));
  p->G = rmx_arena_alloc(arena, M, D * sizeof(double));
  if (!p->used || !p->at || !p->y || !p->G) return rmx_fail_memory(err, M * D * sizeof(double), "a search");
  double low = INFINITY, high = -INFINITY;
  for (size_t m = 0; m < M; m++)
    if (p->target->weight[m] != 0 || p->target->limit[m] < INFINITY) p->used[p->n_used++] = m;
  for (size_t k = 0; k < p->n_used; k++) {
    const rmx_regressor *r = p->fit->regressors[p->used[k]];
    if (!rmx_regressor_gradient(r, p->region->centre, p->G))
      return rmx_fail(
          err, RMX_EINPUT,
          "metric \"%s\" is fitted by %s, which have no gradient for --method search to go by: use "
          "--method simulate, or fit it with another regressor (`regmix fit --regressor auto`)",
          p->fit->metrics[p->used[k]], rmx_regressor_name(r));
  }
  for (size_t i = 0; i <= SAMPLED_RUNS; i++) {
    const double *w = i < SAMPLED_RUNS && p->region->N ? p->region->runs + i * p->region->N / SAMPLED_RUNS * D
                                                       : p->region->centre;
    score_at(p, w);
    double score = rmx__plain_score(p->target, M, p->y);
    low = fmin(low, score);
    high = fmax(high, score);
  }
  p->scale = high - low > 1e-12 && isfinite(high - low) ? high - low : 1;
  return RMX_OK;
}

// What is within rounding of a bound stands at it; the largest weight takes up the difference.
static void tidy(const rmx__region *r, double *w) {
  double sum = 0;
  size_t most = 0;
  for (size_t d = 0; d < r->D; d++) {
    if (fabs(w[d] - r->low[d]) < 1e-9) w[d] = r->low[d];
    if (fabs(w[d] - r->high[d]) < 1e-9) w[d] = r->high[d];
    if (r->high[d] - w[d] > 1e-6 && (w[d] > w[most] || r->high[most] - w[most] <= 1e-6)) most = d;
    sum += w[d];
  }
  w[most] += 1 - sum;
}

static rmx_status search_once(const rmx_fit *fit, const rmx_target *target, const rmx__region *region,
                              const double *starts, size_t n, double *w, double *score, rmx_err *err) {
  problem p = {.fit = fit, .target = target, .region = region};
  rmx_arena arena = {0};
  size_t D = fit->D;
  rmx_status status = begin(&p, &arena, err);
  double *x = rmx_arena_alloc(&arena, D + 1, sizeof(double)), *anchor = NULL;
  double *best = rmx_arena_alloc(&arena, D, sizeof(double)), least = INFINITY;
  if (status == RMX_OK && (!x || !best)) status = rmx_fail_memory(err, D * sizeof(double), "a search");
  for (size_t i = 0; i <= n && status == RMX_OK; i++) {  // what keeps everything already, and is best
    memcpy(x, i < n ? starts + i * D : region->centre, D * sizeof(double));
    rmx__region_project(region, x);
    double s = score_at(&p, x);
    if (!(s < least)) continue;
    least = s;
    memcpy(best, x, D * sizeof(double));
  }
  if (status == RMX_OK && isfinite(least)) {
    if (!(anchor = rmx_arena_alloc(&arena, D, sizeof(double))))
      status = rmx_fail_memory(err, D * sizeof(double), "a search");
    else
      memcpy(anchor, best, D * sizeof(double));
  }
  for (size_t i = 0; i < (n ? n : 1) && status == RMX_OK; i++) {
    double s;
    memcpy(x, n ? starts + i * D : region->centre, D * sizeof(double));
    status = descend(&p, anchor, x, &s, err);
    if (status != RMX_OK || !(s < least)) continue;
    least = s;
    memcpy(best, x, D * sizeof(double));
  }
  if (status == RMX_OK && !isfinite(least))
    status =
        rmx_fail(err, RMX_EINPUT,
                 "no mixture was found at which every metric keeps its limit: allow more slack (--no-worse "
                 "METRIC=SLACK)");
  if (status == RMX_OK) status = polish(&p, best, &least, err);
  if (status == RMX_OK) {
    rmx__region_project(region, best);
    memcpy(w, best, D * sizeof(double));
    tidy(region, w);
    if (!rmx__region_keeps(region, w)) memcpy(w, best, D * sizeof(double));
    if (score) *score = least;
  }
  rmx_arena_release(&arena);
  return status;
}

rmx_status rmx__search(const rmx_fit *fit, const rmx_target *target, const rmx__region *region,
                       const double *starts, size_t n, double *w, double *score, rmx_err *err) {
  if (!(region->asked->drop_below > 0)) return search_once(fit, target, region, starts, n, w, score, err);
  rmx__region narrowed;
  RMX_TRY(rmx__region_copy(&narrowed, region, err));
  rmx_status status = RMX_OK;
  bool again = true;
  while (again && status == RMX_OK) {
    status = search_once(fit, target, &narrowed, starts, n, w, score, err);
    if (status == RMX_OK) status = rmx__region_drop(&narrowed, w, &again, err);
  }
  rmx__region_release(&narrowed);
  return status;
}
