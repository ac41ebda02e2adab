// SPDX-License-Identifier: Apache-2.0
// The likelihood of the metrics of a cluster, which share the covariance S of covariance.c without
// its noise. Each metric y_m, of mean 0 and sd 1, has an amplitude and a noise of its own:
//   y_m ~ N(0, a_m (S + nu_m I)).
// With S = U diag(lam) U' and v_m = U'y_m, one decomposition serves all of them:
//   a_m = 1/N sum_i v_im^2 / (lam_i + nu_m),
//   L_m = N/2 log a_m + 1/2 sum_i log(lam_i + nu_m) + ((log nu_m - log .01) / 2.5)^2 / 2.
// The objective is omega sum_m L_m plus priors. Metrics are not independent, so omega = R / M, with
// R = (sum lambda)^2 / sum lambda^2 over the eigenvalues of Y'Y: how many independent metrics they
// are worth. a_m and nu_m are at their best for every S, so only the slope by S is needed:
//   W = 1/2 U diag(sum_m omega / (lam + nu_m)) U' - sum_m omega / (2 a_m) alpha_m alpha_m',
//   alpha_m = U (v_m / (lam + nu_m)).
// Lengths and warps have a common value and a part for each feature:
//   log l_k = log l + d_k,  log l ~ N(log 3, 1.5),  d_k ~ N(0, 1),
// and so has log eps_k around log .03. Climbed by L-BFGS.
//
// Cost: a decomposition, 10 N^3, and O(N^2 (M + F)) a step.

#include <cblas.h>
#include <lapacke.h>
#include <string.h>

#include "covariance.h"
#include "minimise.h"
#include "regress/blas.h"
#include "shared.h"

// Positions of the parameters that are climbed; d (F) and e (F) follow.
enum { AT_SIGNAL, AT_LINEAR, AT_LENGTH, AT_EPS, AT_PARTS };
static const double CENTRE[AT_PARTS] = {0, -0.6931471805599453, 1.0986122886681098,
                                        -3.506557897319982},
                    SD[AT_PARTS] = {1.5, 1.5, 1.5, 1.5};
static const double NU_LOW = 1e-6, NU_HIGH = 1e3, NU_CENTRE = 0.01, NU_SD = 2.5;
enum { NU_GRID = 12, NU_STEPS = 8 };

typedef struct scratch {
  const rmx__cluster_problem *q;
  rmx__covariance c;
  double omega;
  double *theta, *slope;      // (GP_N_PARAMETERS(F))
  double *U, *lam;            // (N, N) by columns, (N)
  double *V, *alpha;          // (N, M) by columns
  double *weight;             // (N)
  double *amplitude, *noise;  // (M)
  double *work;               // of the decomposition
  lapack_int *iwork;
  lapack_int n_work, n_iwork;
} scratch;

// ---- the noise of a metric ----

typedef struct slopes {
  double first, second;
} slopes;

// L_m at log nu = x, and its slopes by x (may be NULL). square (N): v^2.
static double profile(const double *lam, const double *v, size_t N, double x, double *amplitude,
                      slopes *by) {
  double nu = exp(x), a = 0, da = 0, d2a = 0, product = 1, logs = 0, t1 = 0, t2 = 0;
  for (size_t i = 0; i < N; i++) {
    double over = lam[i] + nu, r = 1 / over, square = v[i] * v[i] * r, t = nu * r;
    a += square;
    da -= square * t;
    d2a -= square * t * (1 - 2 * t);
    t1 += t;
    t2 += t * (1 - t);
    product *= over;
    if (i % 16 == 15) {
      logs += log(product);
      product = 1;
    }
  }
  logs += log(product);
  a = fmax(a, 1e-30);  // a metric that is constant in these runs
  double n = (double)N, off = (x - log(NU_CENTRE)) / NU_SD;
  *amplitude = a / n;
  if (by) {
    by->first = n / 2 * da / a + t1 / 2 + off / NU_SD;
    by->second = n / 2 * (d2a / a - da / a * (da / a)) + t2 / 2 + 1 / (NU_SD * NU_SD);
  }
  return n / 2 * log(a / n) + logs / 2 + off * off / 2;
}

// The best noise: a grid, then Newton's method between the neighbours of its best point. It must
// change smoothly with the eigenvalues, or L-BFGS stops early.
static double best_noise(const double *lam, const double *v, size_t N, double *amplitude,
                         double *nu) {
  static const double low = 1e-4, high = 30;
  double step = log(high / low) / (NU_GRID - 1), best = INFINITY, at = 0;
  for (int g = 0; g < NU_GRID; g++) {
    double value = profile(lam, v, N, log(low) + g * step, amplitude, NULL);
    if (!(value < best)) continue;
    best = value;
    at = log(low) + g * step;
  }
  double from = at - step, to = at + step;
  if (at - step < log(low)) from = log(NU_LOW);
  if (at + step > log(high)) to = log(NU_HIGH);
  for (int k = 0; k < NU_STEPS; k++) {
    slopes by;
    profile(lam, v, N, at, amplitude, &by);
    if (by.first > 0)
      to = at;
    else
      from = at;
    double next = by.second > 0 ? at - by.first / by.second : at;
    if (!(next > from && next < to)) next = (from + to) / 2;
    at = next;
  }
  *nu = exp(at);
  return profile(lam, v, N, at, amplitude, NULL);
}

// ---- the objective ----

static void spread(size_t F, const double *x, double *theta) {
  theta[GP_SIGNAL] = x[AT_SIGNAL];
  theta[GP_LINEAR] = x[AT_LINEAR];
  theta[GP_NOISE] = -INFINITY;
  for (size_t k = 0; k < F; k++) {
    theta[GP_LENGTH + k] = x[AT_LENGTH] + x[AT_PARTS + k];
    theta[GP_EPS(F) + k] = x[AT_EPS] + x[AT_PARTS + F + k];
  }
}

static bool decompose(scratch *s) {
  size_t N = s->q->N;
  int n = (int)N;
  for (size_t j = 0; j < N; j++)
    memcpy(s->U + j * N + j, s->c.K + j * N + j, (N - j) * sizeof(double));
  rmx__blas_enter();
  int bad = LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', n, s->U, n, s->lam, s->work, s->n_work,
                                s->iwork, s->n_iwork);
  if (bad == 0)
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, n, (int)s->q->M, n, 1, s->U, n, s->q->Y, n,
                0, s->V, n);
  rmx__blas_leave();
  for (size_t i = 0; i < N; i++) s->lam[i] = fmax(s->lam[i], 1e-10);
  return bad == 0;
}

// W of the text above, into the lower triangle of K.
static void slope_by_covariance(scratch *s) {
  size_t N = s->q->N, M = s->q->M;
  int n = (int)N;
  memset(s->weight, 0, N * sizeof(double));
  for (size_t m = 0; m < M; m++)
    for (size_t i = 0; i < N; i++) {
      double r = 1 / (s->lam[i] + s->noise[m]);
      s->weight[i] += s->omega * r / 2;
      s->V[m * N + i] *= r * sqrt(s->omega / (2 * s->amplitude[m]));
    }
  rmx__blas_enter();
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, (int)M, n, 1, s->U, n, s->V, n, 0,
              s->alpha, n);
  for (size_t i = 0; i < N; i++) cblas_dscal(n, sqrt(s->weight[i]), s->U + i * N, 1);
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, n, 1, s->U, n, 0, s->c.K, n);
  cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, n, (int)M, -1, s->alpha, n, 1, s->c.K, n);
  rmx__blas_leave();
}

static double add_priors(size_t F, const double *x, double *gradient) {
  double value = 0;
  for (size_t k = 0; k < AT_PARTS + 2 * F; k++) {
    double centre = k < AT_PARTS ? CENTRE[k] : 0, sd = k < AT_PARTS ? SD[k] : 1;
    double off = (x[k] - centre) / sd;
    value += off * off / 2;
    gradient[k] += off / sd;
  }
  return value;
}

static double evaluate(void *context, const double *x, double *gradient, int padded, double step) {
  (void)padded;
  (void)step;
  scratch *s = context;
  size_t N = s->q->N, F = s->q->F, M = s->q->M;
  memset(gradient, 0, (AT_PARTS + 2 * F) * sizeof(double));
  for (size_t k = 0; k < AT_PARTS + 2 * F; k++)
    if (!(fabs(x[k] - (k < AT_PARTS ? CENTRE[k] : 0)) < 12)) return INFINITY;
  spread(F, x, s->theta);
  rmx__covariance_fill(&s->c, s->theta);
  if (!decompose(s)) return INFINITY;
  double value = 0;
  for (size_t m = 0; m < M; m++)
    value += s->omega * best_noise(s->lam, s->V + m * N, N, &s->amplitude[m], &s->noise[m]);
  if (!isfinite(value)) return INFINITY;
  slope_by_covariance(s);
  rmx__covariance_slopes(&s->c, s->theta, s->slope);
  gradient[AT_SIGNAL] = s->slope[GP_SIGNAL];
  gradient[AT_LINEAR] = s->slope[GP_LINEAR];
  for (size_t k = 0; k < F; k++) {
    gradient[AT_LENGTH] += gradient[AT_PARTS + k] = s->slope[GP_LENGTH + k];
    gradient[AT_EPS] += gradient[AT_PARTS + F + k] = s->slope[GP_EPS(F) + k];
  }
  // Kept above 0, since liblbfgs compares its gain with the value.
  value += 10 * (double)N * s->omega * (double)M;
  return value + add_priors(F, x, gradient);
}

// The number of independent metrics that Y is worth, over their number.
static double share_of_independent(const rmx__cluster_problem *q) {
  double trace = 0, square = 0;
  for (size_t a = 0; a < q->M; a++)
    for (size_t b = 0; b <= a; b++) {
      double sum = 0;
      for (size_t i = 0; i < q->N; i++) sum += q->Y[a * q->N + i] * q->Y[b * q->N + i];
      if (a == b) trace += sum;
      square += (a == b ? 1 : 2) * sum * sum;
    }
  return square > 0 ? trace * trace / square / (double)q->M : 1;
}

static bool prepare(scratch *s, const rmx__cluster_problem *q, const double *ones,
                    rmx_arena *arena) {
  size_t N = q->N, M = q->M, P = GP_N_PARAMETERS(q->F);
  rmx__gp_problem runs = {N, q->F, q->X, NULL, ones};
  s->q = q;
  s->omega = share_of_independent(q);
  s->n_work = (lapack_int)(1 + 6 * N + 2 * N * N);
  s->n_iwork = (lapack_int)(3 + 5 * N);
  s->theta = rmx_arena_alloc(arena, P, sizeof(double));
  s->slope = rmx_arena_alloc(arena, P, sizeof(double));
  s->U = rmx_arena_alloc(arena, N * N, sizeof(double));
  s->lam = rmx_arena_alloc(arena, N, sizeof(double));
  s->V = rmx_arena_alloc(arena, N * M, sizeof(double));
  s->alpha = rmx_arena_alloc(arena, N * M, sizeof(double));
  s->weight = rmx_arena_alloc(arena, N, sizeof(double));
  s->work = rmx_arena_alloc(arena, (size_t)s->n_work, sizeof(double));
  s->iwork = rmx_arena_alloc(arena, (size_t)s->n_iwork, sizeof(lapack_int));
  return s->theta && s->slope && s->U && s->lam && s->V && s->alpha && s->weight && s->work &&
         s->iwork && rmx__covariance_make(&s->c, &runs, true, arena);
}

// Theta as common values and parts.
static void gather(size_t F, const double *theta, double *x) {
  x[AT_SIGNAL] = theta[GP_SIGNAL];
  x[AT_LINEAR] = theta[GP_LINEAR];
  // The prior's best common value of given lengths: their mean, drawn to the centre.
  double n = (double)F, pull = 1 / (SD[AT_LENGTH] * SD[AT_LENGTH]), length = 0, eps = 0;
  for (size_t k = 0; k < F; k++) {
    length += theta[GP_LENGTH + k];
    eps += theta[GP_EPS(F) + k];
  }
  x[AT_LENGTH] = (length + pull * CENTRE[AT_LENGTH]) / (n + pull);
  x[AT_EPS] = (eps + pull * CENTRE[AT_EPS]) / (n + pull);
  for (size_t k = 0; k < F; k++) {
    x[AT_PARTS + k] = theta[GP_LENGTH + k] - x[AT_LENGTH];
    x[AT_PARTS + F + k] = theta[GP_EPS(F) + k] - x[AT_EPS];
  }
}

rmx_status rmx__cluster_climb(const rmx__cluster_problem *q, int steps, double *theta,
                              double *amplitude, double *noise, rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  scratch s = {.amplitude = amplitude, .noise = noise};
  size_t P = AT_PARTS + 2 * q->F;
  double *x = rmx_arena_alloc(&arena, P + RMX__MINIMISE_PADDING, sizeof(double)),
         *kept = rmx_arena_alloc(&arena, 2 * P, sizeof(double));
  double *ones = rmx_arena_alloc(&arena, q->N, sizeof(double));
  if (!x || !kept || !ones || !prepare(&s, q, ones, &arena))
    return rmx_fail_memory(err, 8 * q->N * q->N * sizeof(double), "Gaussian processes");
  for (size_t i = 0; i < q->N; i++) ones[i] = 1;
  gather(q->F, theta, x);
  memcpy(kept, x, P * sizeof(double));
  if (steps) rmx__gp_minimise(P, x, steps, evaluate, &s);
  if (rmx_interrupted())
    return rmx_fail(err, RMX_EINTERRUPTED, "interrupted while fitting Gaussian processes");
  // Where L-BFGS stops with an error, its x is no worse than the first one, unless it is no number.
  for (size_t k = 0; k < P; k++)
    if (!isfinite(x[k])) memcpy(x, kept, P * sizeof(double));
  if (!isfinite(evaluate(&s, x, kept + P, 0, 0)))
    return rmx_fail(err, RMX_ENUMERIC, "the covariance of %zu metrics cannot be decomposed", q->M);
  spread(q->F, x, theta);
  for (size_t m = 0; m < q->M; m++) amplitude[m] = sqrt(amplitude[m]);
  return RMX_OK;
}
