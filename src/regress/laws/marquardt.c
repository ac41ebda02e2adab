// SPDX-License-Identifier: Apache-2.0
// Penalised least squares of a curve f(x_i; p) with an analytic Jacobian J:
//   min_p  sum_i r_i (f_i(p) - y_i)^2 + s sum_k c_k^2 (p_k - m_k)^2,   low <= p <= high,
// by Levenberg-Marquardt (Levenberg 1944, Marquardt 1963), damped as by Nielsen (1999):
//   (A + mu diag A) step = -g,  A = J'RJ + s C^2,  g = J'R (f - y) + s C^2 (p - m).
// A step is cut off at the bounds, and only steps that lower the sum are taken. A parameter at a
// bound whose step points outwards is fixed for that step.
//
// Cost: O(N P^2 + P^3) a step.

#include "marquardt.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

#include "regress/blas.h"

rmx_status rmx__curve_make(rmx__curve *c, size_t N, size_t P, rmx_arena *arena, rmx_err *err) {
  c->N = N;
  c->P = P;
  double **const vectors[] = {&c->centre, &c->stiffness, &c->low,  &c->high,
                              &c->g,      &c->step,      &c->trial};
  for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
    if ((*vectors[i] = rmx_arena_alloc(arena, P, sizeof(double))) == NULL) goto no_memory;
  for (int i = 0; i < 2; i++) {
    c->f[i] = rmx_arena_alloc(arena, N, sizeof(double));
    c->J[i] = rmx_arena_alloc(arena, N * P, sizeof(double));
    if (!c->f[i] || !c->J[i]) goto no_memory;
  }
  c->y = rmx_arena_alloc(arena, N, sizeof(double));
  c->weight = rmx_arena_alloc(arena, N, sizeof(double));
  c->A = rmx_arena_alloc(arena, P * P, sizeof(double));
  c->L = rmx_arena_alloc(arena, P * P, sizeof(double));
  if (!c->y || !c->weight || !c->A || !c->L) goto no_memory;
  for (size_t k = 0; k < P; k++) {
    c->low[k] = -INFINITY;
    c->high[k] = INFINITY;
  }
  for (size_t i = 0; i < N; i++) c->weight[i] = 1;
  return RMX_OK;
no_memory:
  return rmx_fail_memory(err, 2 * N * P * sizeof(double), "a least-squares fit");
}

// Evaluates the curve: f becomes sqrt(r) (f - y), and J is scaled by sqrt(r) too. Returns the sum.
static double evaluate(rmx__curve *c, double strength, const double *p, int slot) {
  double *f = c->f[slot], *J = c->J[slot], sum = 0;
  c->evaluate(c->context, p, f, J);
  for (size_t i = 0; i < c->N; i++) {
    double root = sqrt(c->weight[i]);
    f[i] = root * (f[i] - c->y[i]);
    sum += f[i] * f[i];
    if (root != 1)
      for (size_t k = 0; k < c->P; k++) J[i * c->P + k] *= root;
  }
  for (size_t k = 0; k < c->P; k++)
    sum += strength * c->stiffness[k] * (p[k] - c->centre[k]) * (p[k] - c->centre[k]);
  return sum;
}

static void normal_equations(rmx__curve *c, double strength, const double *p, int slot) {
  int N = (int)c->N, P = (int)c->P;
  rmx__blas_enter();
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, P, N, 1, c->J[slot], P, 0, c->A, P);
  cblas_dgemv(CblasRowMajor, CblasTrans, N, P, 1, c->J[slot], P, c->f[slot], 1, 0, c->g, 1);
  rmx__blas_leave();
  for (size_t k = 0; k < c->P; k++) {
    c->A[k * c->P + k] += strength * c->stiffness[k];
    c->g[k] += strength * c->stiffness[k] * (p[k] - c->centre[k]);
    bool rests = (p[k] <= c->low[k] && c->g[k] > 0) || (p[k] >= c->high[k] && c->g[k] < 0);
    if (!rests) continue;
    c->g[k] = 0;
    for (size_t j = 0; j < c->P; j++) c->A[(j < k ? k * c->P + j : j * c->P + k)] = j == k;
  }
}

rmx_status rmx__marquardt(rmx__curve *c, double strength, double tolerance, int steps, double *p,
                          rmx_err *err) {
  size_t P = c->P;
  int slot = 0, n = (int)P;
  double mu = 1e-3, grow = 2, best = evaluate(c, strength, p, slot);
  if (!isfinite(best)) return rmx_fail(err, RMX_ENUMERIC, "a least-squares fit starts at %g", best);
  normal_equations(c, strength, p, slot);
  for (int t = 0; t < steps && mu < 1e12; t++) {
    if (rmx_interrupted()) return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while fitting");
    double expected = 0;
    memcpy(c->L, c->A, P * P * sizeof(double));
    for (size_t k = 0; k < P; k++) {
      c->L[k * P + k] *= 1 + mu;
      c->step[k] = -c->g[k];
    }
    // A lower triangle by rows is an upper one by columns; so LAPACK need not transpose it.
    rmx__blas_enter();
    int bad = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', n, c->L, n);
    if (bad == 0) LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', n, 1, c->L, n, c->step, n);
    rmx__blas_leave();
    if (bad != 0) {
      mu = fmax(mu * grow, 1e-9);
      grow *= 2;
      continue;
    }
    for (size_t k = 0; k < P; k++) {
      c->trial[k] = fmin(fmax(p[k] + c->step[k], c->low[k]), c->high[k]);
      expected += c->step[k] * (mu * c->A[k * P + k] * c->step[k] - c->g[k]);
    }
    double sum = evaluate(c, strength, c->trial, !slot), gain = best - sum;
    if (!(gain > 0)) {  // NaN and infinity too
      if (expected < tolerance * best) break;
      mu *= grow;
      grow *= 2;
      continue;
    }
    double ratio = expected > 0 ? fmin(gain / expected, 2) : 1;
    mu = fmax(mu * fmax(1.0 / 3, 1 - pow(2 * ratio - 1, 3)), 1e-12);
    grow = 2;
    slot = !slot;
    best = sum;
    memcpy(p, c->trial, P * sizeof(double));
    if (gain < tolerance * best) break;
    normal_equations(c, strength, p, slot);
  }
  return RMX_OK;
}

// Student's t errors with nu = 4, by weighted least squares (Lange, Little & Taylor 1989): weights
// (nu + 1) / (nu + e^2 / sigma^2), sigma^2 the weighted mean square.
rmx_status rmx__marquardt_robust(rmx__curve *c, double strength, double tolerance, int steps,
                                 double *p, const double *row_weights, rmx_err *err) {
  enum { NU = 4, ROUNDS = 12 };
  double sigma2 = 0;
  for (int round = 0; round < ROUNDS; round++) {
    RMX_TRY(rmx__marquardt(c, strength, tolerance, steps, p, err));
    c->evaluate(c->context, p, c->f[0], c->J[0]);
    double sum = 0, before = sigma2, n = 0;
    for (size_t i = 0; i < c->N; i++) {
      double e = c->f[0][i] - c->y[i];
      sum += c->weight[i] * e * e;
      n += row_weights ? row_weights[i] : 1;
    }
    sigma2 = sum / n;
    if (!(sigma2 > 1e-20) || fabs(sigma2 - before) < 1e-4 * sigma2) break;
    for (size_t i = 0; i < c->N; i++) {
      double e = c->f[0][i] - c->y[i];
      c->weight[i] = (row_weights ? row_weights[i] : 1) * (NU + 1) / (NU + e * e / sigma2);
    }
  }
  for (size_t i = 0; i < c->N; i++) c->weight[i] = row_weights ? row_weights[i] : 1;
  return RMX_OK;
}
