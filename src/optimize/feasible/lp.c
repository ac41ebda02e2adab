// SPDX-License-Identifier: Apache-2.0
// The simplex method for bounded variables, in a dense tableau (Dantzig 1963, chapter 18). Row i
// gets a slack s_i, A_i x - s_i = 0, within the row's bounds, and an artificial variable that holds
// what is left over at the start; first the sum of those is minimised, then the cost. Every
// variable stands at one of its bounds or is in the basis. After some steps the entering variable
// is the first that helps, not the best (Bland 1977), which cannot go round in circles.
//
// Cost: a pivot is O(m (n + 2 m)); there are some 2 (n + m). Here m is 1 + shares + a few, n the
// domains.

#include "optimize/feasible.h"

#include <math.h>
#include <string.h>

static const double EPS = 1e-11;

rmx_status rmx__lp_make(rmx__lp *lp, size_t n, size_t m, rmx_arena *arena, rmx_err *err) {
  *lp = (rmx__lp){.n = n, .m = m};
  lp->c = rmx_arena_alloc(arena, n, sizeof(double));
  lp->low = rmx_arena_alloc(arena, n, sizeof(double));
  lp->high = rmx_arena_alloc(arena, n, sizeof(double));
  lp->A = rmx_arena_alloc(arena, n * m, sizeof(double));
  lp->row_low = rmx_arena_alloc(arena, m, sizeof(double));
  lp->row_high = rmx_arena_alloc(arena, m, sizeof(double));
  if (!lp->c || !lp->low || !lp->high || !lp->A || !lp->row_low || !lp->row_high)
    return rmx_fail_memory(err, n * m * sizeof(double), "a linear program");
  for (size_t j = 0; j < n; j++) lp->high[j] = 1;
  return RMX_OK;
}

typedef struct tableau {
  size_t n, m;         // all columns: x, slacks, artificials
  double *T;           // (m, n) B^-1 A
  double *low, *high;  // (n)
  double *x;           // (n) the value of each
  size_t *basis;       // (m)
  bool *basic;         // (n)
  double *reduced;     // (n) scratch
} tableau;

static void pivot(tableau *t, size_t row, size_t column) {
  double *p = t->T + row * t->n, at = p[column];
  for (size_t j = 0; j < t->n; j++) p[j] /= at;
  for (size_t i = 0; i < t->m; i++) {
    double *q = t->T + i * t->n, by = q[column];
    if (i == row || by == 0) continue;
    for (size_t j = 0; j < t->n; j++) q[j] -= by * p[j];
    q[column] = 0;
  }
  t->basic[t->basis[row]] = false;
  t->basic[column] = true;
  t->basis[row] = column;
}

// The variable to move, and which way (its sign); n where none helps.
static size_t entering(const tableau *t, bool first, double tolerance, double *way) {
  size_t best = t->n;
  double max = tolerance;
  for (size_t j = 0; j < t->n; j++) {
    if (t->basic[j] || t->high[j] - t->low[j] <= 0) continue;
    double r = t->reduced[j];
    bool up = t->x[j] <= t->low[j], down = t->x[j] >= t->high[j];
    double gain = up && r < 0 ? -r : down && r > 0 ? r : 0;
    if (gain <= max) continue;
    best = j;
    max = gain;
    *way = r < 0 ? 1 : -1;
    if (first) break;
  }
  return best;
}

static bool minimise(tableau *t, const double *c) {
  size_t max = 200 + 50 * (t->n + t->m);
  double largest = 0;
  for (size_t j = 0; j < t->n; j++) largest = fmax(largest, fabs(c[j]));
  for (size_t step = 0; step < max; step++) {
    memcpy(t->reduced, c, t->n * sizeof(double));
    for (size_t i = 0; i < t->m; i++) {
      double cost = c[t->basis[i]];
      for (size_t j = 0; j < t->n && cost != 0; j++) t->reduced[j] -= cost * t->T[i * t->n + j];
    }
    double way = 1;
    size_t j = entering(t, step > max / 4, 1e-10 * largest, &way);
    if (j == t->n) return true;
    // How far until a basic variable, or itself, meets a bound.
    double far = t->high[j] - t->low[j];
    size_t leaves = t->m;
    for (size_t i = 0; i < t->m; i++) {
      double slope = -way * t->T[i * t->n + j];
      if (fabs(slope) < EPS) continue;
      size_t b = t->basis[i];
      double room = slope > 0 ? (t->high[b] - t->x[b]) / slope : (t->low[b] - t->x[b]) / slope;
      room = fmax(room, 0);
      if (room < far || (room == far && leaves < t->m && b < t->basis[leaves])) {
        far = room;
        leaves = i;
      }
    }
    if (!isfinite(far)) return false;
    for (size_t i = 0; i < t->m; i++) t->x[t->basis[i]] -= way * far * t->T[i * t->n + j];
    if (leaves == t->m) {
      t->x[j] = way > 0 ? t->high[j] : t->low[j];
    } else {
      size_t b = t->basis[leaves];
      bool rose = -way * t->T[leaves * t->n + j] > 0;
      t->x[j] += way * far;
      pivot(t, leaves, j);
      t->x[b] = rose ? t->high[b] : t->low[b];
    }
  }
  return false;
}

static bool take_memory(tableau *t, rmx_arena *arena) {
  size_t all = t->n, m = t->m;
  t->T = rmx_arena_alloc(arena, m * all, sizeof(double));
  t->low = rmx_arena_alloc(arena, all, sizeof(double));
  t->high = rmx_arena_alloc(arena, all, sizeof(double));
  t->x = rmx_arena_alloc(arena, all, sizeof(double));
  t->basis = rmx_arena_alloc(arena, m, sizeof(size_t));
  t->basic = rmx_arena_alloc(arena, all, sizeof(bool));
  t->reduced = rmx_arena_alloc(arena, all, sizeof(double));
  return t->T && t->low && t->high && t->x && t->basis && t->basic && t->reduced;
}

// Row i of the tableau: row - slack + sign * artificial = 0. The slack starts at its nearer bound,
// and the artificial variable takes what is over.
static void start_row(tableau *t, const rmx__lp *lp, size_t i) {
  size_t n = lp->n, m = lp->m, slack = n + i, artificial = n + m + i;
  const double *row = lp->A + i * n;
  double sum = 0, *p = t->T + i * t->n;
  for (size_t j = 0; j < n; j++) sum += row[j] * t->x[j];
  t->low[slack] = lp->row_low[i];
  t->high[slack] = lp->row_high[i];
  bool at_low = isinf(t->high[slack]) ||
                (!isinf(t->low[slack]) && sum - t->low[slack] <= t->high[slack] - sum);
  t->x[slack] = at_low ? t->low[slack] : t->high[slack];
  if (isinf(t->x[slack])) {
    t->low[slack] = t->high[slack] = t->x[slack] = 0;  // a row without bounds
    sum = 0;
  } else {
    memcpy(p, row, n * sizeof(double));
    p[slack] = -1;
  }
  double over = sum - t->x[slack], sign = over > 0 ? -1 : 1;
  for (size_t j = 0; j < n + m; j++) p[j] *= sign;
  p[artificial] = 1;
  t->x[artificial] = fabs(over);
  t->high[artificial] = INFINITY;
  t->basis[i] = artificial;
  t->basic[artificial] = true;
}

// Starts at the lower bounds. False: a lower bound is above its upper bound.
static bool start(tableau *t, const rmx__lp *lp, double *c) {
  bool feasible = true;
  for (size_t j = 0; j < lp->n; j++) {
    if (lp->low[j] > lp->high[j] + 1e-9) feasible = false;
    t->x[j] = t->low[j] = lp->low[j];
    t->high[j] = fmax(lp->high[j], lp->low[j]);
  }
  for (size_t i = 0; i < lp->m; i++) {
    if (lp->row_low[i] > lp->row_high[i] + 1e-9) feasible = false;
    start_row(t, lp, i);
    c[lp->n + lp->m + i] = 1;
  }
  return feasible;
}

static rmx_status solve(tableau *t, const rmx__lp *lp, double *c, bool *feasible, rmx_err *err) {
  size_t n = lp->n, m = lp->m;
  *feasible = start(t, lp, c);
  if (!*feasible) return RMX_OK;
  if (!minimise(t, c)) goto no_end;
  double left = 0;
  for (size_t i = 0; i < m; i++) left += t->x[n + m + i];
  *feasible = left <= 1e-9;
  if (!*feasible) return RMX_OK;
  memset(c, 0, t->n * sizeof(double));
  memcpy(c, lp->c, n * sizeof(double));
  for (size_t i = 0; i < m; i++) t->high[n + m + i] = 0;
  if (minimise(t, c)) return RMX_OK;
no_end:
  return rmx_fail(err, RMX_ENUMERIC, "a linear program of %zu domains did not converge", n);
}

rmx_status rmx__lp_solve(const rmx__lp *lp, double *x, double *cost, bool *feasible, rmx_err *err) {
  rmx_arena arena = {0};
  tableau t = {.n = lp->n + 2 * lp->m, .m = lp->m};
  double *c = rmx_arena_alloc(&arena, t.n, sizeof(double));
  rmx_status status = c && take_memory(&t, &arena)
                          ? solve(&t, lp, c, feasible, err)
                          : rmx_fail_memory(err, t.m * t.n * sizeof(double), "a linear program");
  double sum = 0;
  for (size_t j = 0; status == RMX_OK && *feasible && j < lp->n; j++) {
    x[j] = fmin(fmax(t.x[j], lp->low[j]), lp->high[j]);
    sum += lp->c[j] * x[j];
  }
  if (cost && status == RMX_OK && *feasible) *cost = sum;
  rmx_arena_release(&arena);
  return status;
}
