// SPDX-License-Identifier: Apache-2.0
// Power laws that share their exponent, by Huber's loss. For a given alpha each curve is linear in
// (floor, amount), and its loss convex: reweighted least squares find its minimum (each step
// minimises a parabola that lies above the loss and touches it). The remaining parameter is alpha:
// a grid, then golden section around its best value. The paper searches for the same minimum with
// L-BFGS from thousands of starts.
#include <math.h>

#include "law.h"

enum { GRID = 81, GOLDEN = 60, REWEIGHTINGS = 200 };
static const double min_alpha = 0.02, max_alpha = 4;

static double power(const rmx__power_law *l, double alpha, double x) {
  return exp(-alpha * log(x / l->x[l->n - 1]));
}

double rmx__power_law_at(const rmx__power_law *l, double alpha, double x) {
  return l->floor + l->amount * power(l, alpha, x);
}

static double huber(double r, double delta) {
  r = fabs(r);
  return r <= delta ? r * r / 2 : delta * (r - delta / 2);
}

// Weighted least squares for floor, amount >= 0: the inner minimum, or the better end of the two
// where it lies outside.
static void solve(rmx__power_law *l, double alpha, double delta) {
  double s = 0, p = 0, pp = 0, y = 0, py = 0;
  for (size_t i = 0; i < l->n; i++) {
    const double a = power(l, alpha, l->x[i]), r = fabs(l->y[i] - l->floor - l->amount * a),
                 w = r > delta ? delta / r : 1;
    s += w, p += w * a, pp += w * a * a, y += w * l->y[i], py += w * a * l->y[i];
  }
  const double D = s * pp - p * p;
  const double floor = D > 1e-14 * s * pp ? (y * pp - p * py) / D : -1,
               amount = D > 1e-14 * s * pp ? (s * py - p * y) / D : -1;
  if (floor >= 0 && amount >= 0) {
    l->floor = floor, l->amount = amount;
    return;
  }
  // Falls by these if floor alone, or amount alone, is fitted.
  const double by_floor = y > 0 ? y * y / s : 0, by_amount = py > 0 ? py * py / pp : 0;
  if (by_floor >= by_amount)
    l->floor = y > 0 ? y / s : 0, l->amount = 0;
  else
    l->floor = 0, l->amount = py / pp;
}

static double loss_of(const rmx__power_law *l, double alpha, double delta) {
  double sum = 0;
  for (size_t i = 0; i < l->n; i++)
    sum += huber(l->y[i] - rmx__power_law_at(l, alpha, l->x[i]), delta);
  return sum;
}

// The smallest loss of all curves at this alpha; leaves them fitted.
static double at_alpha(rmx__power_law *laws, size_t n, double alpha, double delta) {
  double sum = 0;
  for (size_t k = 0; k < n; k++) {
    rmx__power_law *l = &laws[k];
    l->floor = l->y[l->n - 1], l->amount = 0;
    double before = INFINITY, now = loss_of(l, alpha, delta);
    for (int i = 0; i < REWEIGHTINGS && before - now > 1e-15 * now; i++) {
      before = now;
      solve(l, alpha, delta);
      now = loss_of(l, alpha, delta);
    }
    sum += now;
  }
  return sum;
}

static double best_alpha(rmx__power_law *laws, size_t n, double delta) {
  const double step = log(max_alpha / min_alpha) / (GRID - 1), golden = 0.61803398874989485;
  double min = INFINITY;
  int best = 0;
  for (int i = 0; i < GRID; i++) {
    const double loss = at_alpha(laws, n, min_alpha * exp(step * i), delta);
    if (loss < min) min = loss, best = i;
  }
  double a = log(min_alpha) + step * (best > 0 ? best - 1 : 0),
         b = log(min_alpha) + step * (best < GRID - 1 ? best + 1 : best);
  double x = b - golden * (b - a), y = a + golden * (b - a);
  double fx = at_alpha(laws, n, exp(x), delta), fy = at_alpha(laws, n, exp(y), delta);
  for (int i = 0; i < GOLDEN && b - a > 1e-9; i++) {
    if (fx <= fy)
      b = y, y = x, fy = fx, x = b - golden * (b - a), fx = at_alpha(laws, n, exp(x), delta);
    else
      a = x, x = y, fx = fy, y = a + golden * (b - a), fy = at_alpha(laws, n, exp(y), delta);
  }
  return exp((a + b) / 2);
}

void rmx__power_law_fit(rmx__power_law *laws, size_t n, double delta, double *alpha, double *rms) {
  if (!(*alpha > 0)) *alpha = best_alpha(laws, n, delta);
  at_alpha(laws, n, *alpha, delta);
  double square = 0;
  size_t points = 0;
  for (size_t k = 0; k < n; k++)
    for (size_t i = 0; i < laws[k].n; i++, points++)
      square += pow(laws[k].y[i] - rmx__power_law_at(&laws[k], *alpha, laws[k].x[i]), 2);
  if (rms) *rms = points ? sqrt(square / (double)points) : NAN;
}
