// SPDX-License-Identifier: Apache-2.0
// The marginal likelihood of a Gaussian process (Rasmussen & Williams 2006, ch. 2 and 5) and its
// gradient, with the covariance K of covariance.c:
//   -log p = y'K^-1 y / 2 + log |K| / 2 + sum_k ((theta_k - m_k) / sd_k)^2 / 2 + const,
// theta the logarithms of s, c, sigma, l, eps with weak Gaussian priors. The slope by K is
// W = (K^-1 - alpha alpha') / 2. Leave-one-out errors: alpha_i / (K^-1)_ii (R & W 5.10).
//
// Climbed by L-BFGS (Nocedal 1980). Cost: N^3 + O(N^2 D) a step.

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include "covariance.h"
#include "gp.h"
#include "minimise.h"
#include "regress/blas.h"

typedef struct scratch {
  const rmx__gp_problem *q;
  const double *centre;  // (P)
  bool near;             // the prior is narrow: NEAR_SD
  rmx__covariance c;
  double *alpha;
} scratch;

static const double PRIOR_SD[GP_LENGTH + 1] = {1.5, 1.5, 1.5, 1.5}, PRIOR_SD_EPS = 1.5,
                                         NEAR_SD = 0.5;

static double prior_sd(size_t D, size_t k) {
  return k < GP_EPS(D) ? PRIOR_SD[k < GP_LENGTH ? k : GP_LENGTH] : PRIOR_SD_EPS;
}

void rmx__gp_centre(size_t D, double *theta) {
  theta[GP_SIGNAL] = 0;
  theta[GP_LINEAR] = log(0.5);
  theta[GP_NOISE] = log(0.05);
  for (size_t d = 0; d < D; d++) {
    theta[GP_LENGTH + d] = log(3);
    theta[GP_EPS(D) + d] = log(0.03);
  }
}

static double evaluate(void *context, const double *theta, double *gradient, int padded,
                       double step) {
  (void)padded;
  (void)step;
  scratch *s = context;
  size_t N = s->q->N, D = s->q->D, P = GP_N_PARAMETERS(D);
  int n = (int)N;
  double *K = s->c.K;
  memset(gradient, 0, P * sizeof(double));
  for (size_t k = 0; k < P; k++)
    if (!(fabs(theta[k] - s->centre[k]) < 12)) return INFINITY;
  rmx__covariance_fill(&s->c, theta);
  double value = INFINITY;
  rmx__blas_enter();
  if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, K, n) == 0) {
    value = 0;
    memcpy(s->alpha, s->q->y, N * sizeof(double));
    for (size_t i = 0; i < N; i++) value += log(K[i * N + i]);
    LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', n, 1, K, n, s->alpha, n);
    LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', n, K, n);
  }
  rmx__blas_leave();
  if (!isfinite(value)) return INFINITY;
  for (size_t i = 0; i < N; i++) value += s->q->y[i] * s->alpha[i] / 2;
  for (size_t j = 0; j < N; j++)
    for (size_t i = j; i < N; i++) K[j * N + i] = (K[j * N + i] - s->alpha[i] * s->alpha[j]) / 2;
  rmx__covariance_slopes(&s->c, theta, gradient);
  // Keeps the value above 0, since liblbfgs compares its gain with the value.
  value += 10 * (double)N;
  for (size_t k = 0; k < P; k++) {
    const double sd = s->near ? NEAR_SD : prior_sd(D, k), off = (theta[k] - s->centre[k]) / sd;
    value += off * off / 2;
    gradient[k] += off / sd;
  }
  return value;
}

static bool prepare(scratch *s, const rmx__gp_problem *q, bool slopes, rmx_arena *arena) {
  s->q = q;
  s->alpha = rmx_arena_alloc(arena, q->N, sizeof(double));
  return s->alpha && rmx__covariance_make(&s->c, q, slopes, arena);
}

static rmx_status climb(const rmx__gp_problem *q, int steps, bool near, double *theta,
                        rmx_err *err) {
  rmx_arena arena = {0};
  scratch s = {.near = near};
  size_t P = GP_N_PARAMETERS(q->D);
  double *x = rmx_arena_alloc(&arena, P + RMX__MINIMISE_PADDING, sizeof(double)),
         *centre = rmx_arena_alloc(&arena, P, sizeof(double));
  bool ready = prepare(&s, q, true, &arena) && x && centre;
  int end = 0;
  if (ready) {
    if (near)
      memcpy(centre, theta, P * sizeof(double));
    else
      rmx__gp_centre(q->D, centre);
    s.centre = centre;
    memcpy(x, theta, P * sizeof(double));
    end = rmx__gp_minimise(P, x, steps, evaluate, &s);
    // Where it stops with an error, its x is still no worse than the first one.
    bool finite = end != LBFGSERR_OUTOFMEMORY;
    for (size_t k = 0; k < P; k++) finite &= isfinite(x[k]);
    if (finite) memcpy(theta, x, P * sizeof(double));
  }
  rmx_arena_release(&arena);
  if (rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while fitting a Gaussian process");
  return ready && end != LBFGSERR_OUTOFMEMORY
             ? RMX_OK
             : rmx_fail_memory(err, 3 * q->N * q->N * sizeof(double), "a Gaussian process");
}

rmx_status rmx__gp_climb(const rmx__gp_problem *q, int steps, double *theta, rmx_err *err) {
  return climb(q, steps, false, theta, err);
}

rmx_status rmx__gp_climb_near(const rmx__gp_problem *q, int steps, double *theta, rmx_err *err) {
  return climb(q, steps, true, theta, err);
}

rmx_status rmx__gp_solve(const rmx__gp_problem *q, const double *theta, double *alpha, double *L,
                         double *left_out, rmx_err *err) {
  size_t N = q->N;
  int n = (int)N;
  rmx_arena arena = {0};
  scratch s = {0};
  rmx_status status = RMX_OK;
  if (!prepare(&s, q, false, &arena)) {
    status = rmx_fail_memory(err, 2 * N * N * sizeof(double), "a Gaussian process");
    goto done;
  }
  rmx__covariance_fill(&s.c, theta);
  rmx__blas_enter();
  int bad = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, s.c.K, n);
  if (bad == 0) {
    memcpy(L, s.c.K, N * N * sizeof(double));
    memcpy(alpha, q->y, N * sizeof(double));
    LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', n, 1, s.c.K, n, alpha, n);
    if (left_out) LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', n, s.c.K, n);
  }
  rmx__blas_leave();
  if (bad != 0)
    status = rmx_fail(err, RMX_ENUMERIC,
                      "the covariance of a Gaussian process is singular (%d of %zu)", bad, N);
  for (size_t i = 0; status == RMX_OK && left_out && i < N; i++)
    left_out[i] = alpha[i] / s.c.K[i * N + i];
done:
  rmx_arena_release(&arena);
  return status;
}

// Hamiltonian Monte Carlo (Neal 2011) in units of the prior's standard deviation. The first
// trajectories adapt the step size.
rmx_status rmx__gp_walk(const rmx__gp_problem *q, const double *theta, const size_t *order,
                        rmx_rng *rng, size_t n, double *out, rmx_err *err) {
  enum { WARM = 12, LEAPS = 8 };
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  scratch s = {0};
  size_t P = GP_N_PARAMETERS(q->D);
  double *centre = rmx_arena_alloc(&arena, P, sizeof(double)),
         *at = rmx_arena_alloc(&arena, P, sizeof(double));
  double *x = rmx_arena_alloc(&arena, P, sizeof(double)),
         *slope = rmx_arena_alloc(&arena, P, sizeof(double));
  double *here = rmx_arena_alloc(&arena, P, sizeof(double)),
         *push = rmx_arena_alloc(&arena, P, sizeof(double));
  if (!prepare(&s, q, true, &arena) || !centre || !at || !x || !slope || !here || !push)
    return rmx_fail_memory(err, 3 * q->N * q->N * sizeof(double), "a Gaussian process");
  rmx__gp_centre(q->D, centre);
  s.centre = centre;
  memcpy(at, theta, P * sizeof(double));
  double value = evaluate(&s, at, here, 0, 0), step = 0.15;
  for (size_t k = 0; k < WARM + n; k++) {
    double energy = value, after;
    memcpy(x, at, P * sizeof(double));
    memcpy(slope, here, P * sizeof(double));
    for (size_t i = 0; i < P; i++) {
      const size_t at_feature = i < GP_LENGTH ? 0 : (i - GP_LENGTH) % q->D;
      const double z = rmx_rng_normal(rng);
      push[i < GP_LENGTH ? i : i - at_feature + order[at_feature]] = z;
      energy += z * z / 2;
    }
    double length = step * (0.8 + 0.4 * rmx_rng_uniform(rng));
    for (int leap = 0; leap < LEAPS; leap++) {
      for (size_t i = 0; i < P; i++) {
        double sd = prior_sd(q->D, i);
        push[i] -= length / 2 * sd * slope[i];
        x[i] += length * sd * push[i];
      }
      after = evaluate(&s, x, slope, 0, 0);
      if (!isfinite(after)) break;
      for (size_t i = 0; i < P; i++) push[i] -= length / 2 * prior_sd(q->D, i) * slope[i];
    }
    double reached = after;
    for (size_t i = 0; i < P; i++) reached += push[i] * push[i] / 2;
    bool taken = isfinite(reached) && rmx_rng_uniform(rng) < exp(fmin(0, energy - reached));
    if (taken) {
      memcpy(at, x, P * sizeof(double));
      memcpy(here, slope, P * sizeof(double));
      value = after;
    }
    if (k < WARM)
      step *= taken ? 1.25 : 0.6;
    else
      memcpy(out + (k - WARM) * P, at, P * sizeof(double));
  }
  return RMX_OK;
}
