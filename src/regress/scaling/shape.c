// SPDX-License-Identifier: Apache-2.0
// See shape.h.

#include "shape.h"

#include <cblas.h>
#include <lapacke.h>
#include <nlopt.h>
#include <stdlib.h>
#include <string.h>

#include "regress/blas.h"
#include "regress/gp/matern.h"

enum {
  MAX_ROWS = 400,     // that determine theta
  MAX_LOOKED_AT = 24  // mixtures that stand for all
};
static const double CENTRE[] = {0.1, 0.1, 0.05, 0.03}, WIDTH = 1.5;

static double u_of(const rmx__shape *s, double size) {
  return (pow(size / s->middle.size, -s->a) - 1) / s->a;
}

static double v_of(const rmx__shape *s, double tokens) {
  return (pow(tokens / s->middle.tokens, -s->b) - 1) / s->b;
}

void rmx__shape_release(rmx__shape *s) {
  free(s->rows);
  free(s->reference);
  free(s->alpha);
  free(s->S);
  free(s->K0);
  free(s->near_reference);
  free(s->packed);
  free(s->by_z);
  free(s->G);
}

// ---- rows ----

// The rows of one run's values: an orthogonal basis of 1 and v, and the projections of y on it.
static void rows_of_run(rmx__shape *s, const rmx__value *values, size_t n, size_t run) {
  double mean = 0, square = 0, along = 0, level = 0, rest = 0;
  for (size_t i = 0; i < n; i++) {
    mean += v_of(s, values[i].at.tokens) / (double)n;
    level += values[i].y / (double)n;
  }
  for (size_t i = 0; i < n; i++) {
    const double v = v_of(s, values[i].at.tokens) - mean;
    square += v * v;
    along += v * values[i].y;
  }
  const double u = u_of(s, values[0].at.size), anchor = values[0].anchor ? values[0].at.size : 0;
  s->rows[s->n++] =
      (rmx__shape_row){values[0].mixture, run, {1, u, mean}, anchor, level, 1 / (double)n};
  const bool sloped = square > 1e-12;
  if (sloped) {
    const double across = sqrt(square);
    s->rows[s->n++] =
        (rmx__shape_row){values[0].mixture, run, {0, 0, across}, anchor, along / across, 1};
  }
  for (size_t i = 0; i < n; i++) {
    const double v = v_of(s, values[i].at.tokens) - mean;
    const double off = values[i].y - level - (sloped ? v * along / square : 0);
    rest += off * off;
  }
  s->left_over += rest;
  s->free_values += (double)n - 1 - sloped;
}

rmx_status rmx__shape_rows(rmx__shape *s, const rmx__value *values, size_t n, rmx_err *err) {
  size_t run = 0, next;
  free(s->rows);
  if (!(s->rows = rmx_calloc(n + 1, sizeof *s->rows)))
    return rmx_fail_memory(err, n * sizeof *s->rows, "the shape of a metric");
  s->n = 0;
  s->left_over = s->free_values = s->noise_share = 0;
  for (size_t i = 0; i < n; i = next, run++) {
    for (next = i; next < n && values[next].mixture == values[i].mixture &&
                   values[next].at.size == values[i].at.size;)
      next++;
    rows_of_run(s, values + i, next - i, run);
    s->noise_share += 1 / (double)(next - i);
  }
  s->noise_share /= (double)run;
  return RMX_OK;
}

// ---- covariances ----

// k between z (D), which is warped, and every mixture of the base, into k (U).
static void covariances(const rmx__shape *s, const double *z, double *k) {
  const rmx__process *b = s->base;
  for (size_t i = 0; i < s->U; i++) {
    double r2 = 0, dot = 0, slope;
    for (size_t d = 0; d < s->D; d++) {
      const double other = b->Z[d * s->U + i], gap = z[d] - other;
      r2 += gap * gap;
      dot += z[d] * other;
    }
    k[i] = b->signal * rmx__matern(r2, &slope) + b->linear * dot;
  }
}

static double variance_of(const rmx__shape *s, const double *z) {
  const rmx__process *b = s->base;
  double dot = 0;
  for (size_t d = 0; d < s->D; d++) dot += z[d] * z[d];
  return b->signal + b->linear * dot;
}

static void warp(const rmx__shape *s, const double *w, double *z) {
  const rmx__process *b = s->base;
  for (size_t d = 0; d < s->D; d++) z[d] = log1p(fmax(w[d], 0) / b->eps[d]) * b->scale[d];
}

static rmx_status make_K0(rmx__shape *s, rmx_err *err) {
  const rmx__process *b = s->base;
  if (s->K0) return RMX_OK;
  RMX_OWNED double *z = rmx_calloc(s->D, sizeof(double));
  s->K0 = rmx_calloc(s->U, s->U * sizeof(double));
  if (!z || !s->K0) return rmx_fail_memory(err, s->U * s->U * sizeof(double), "covariances");
  for (size_t i = 0; i < s->U; i++) {
    for (size_t d = 0; d < s->D; d++) z[d] = b->Z[d * s->U + i];
    covariances(s, z, s->K0 + i * s->U);
  }
  return RMX_OK;
}

// The lower triangle of K of the m rows `which` (NULL: the first m).
static void fill(const rmx__shape *s, const double *theta, const size_t *which, size_t m,
                 double *K) {
  const double r1 = exp(2 * theta[RMX__OF_SIZE]), r2 = exp(2 * theta[RMX__OF_TOKENS]);
  const double own = exp(2 * theta[RMX__OWN]), noise = exp(2 * theta[RMX__NOISE]);
  for (size_t j = 0; j < m; j++) {
    const rmx__shape_row *q = &s->rows[which ? which[j] : j];
    const double *k0 = s->K0 + q->mixture * s->U;
    for (size_t i = j; i < m; i++) {
      const rmx__shape_row *p = &s->rows[which ? which[i] : i];
      const double one = p->f[0] * q->f[0], u = p->f[1] * q->f[1], v = p->f[2] * q->f[2];
      K[j * m + i] = k0[p->mixture] * (one + r1 * u + r2 * v) + one + u + v +
                     (p->run == q->run ? own * one : 0) +
                     (p->anchor > 0 && p->anchor == q->anchor ? one : 0) +
                     (i == j ? noise * p->noise : 0);
    }
  }
}

static bool cholesky(double *K, size_t m) {
  rmx__blas_enter();
  const lapack_int failed = LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', (lapack_int)m, K, (lapack_int)m);
  rmx__blas_leave();
  return failed == 0;
}

// ---- theta ----

typedef struct climb {
  const rmx__shape *s;
  size_t m;
  size_t *which;  // (m) rows, or NULL
  double *K, *y;  // (m, m) (m)
  double share;   // of the runs that are among these rows
} climb;

// -log of the posterior of theta.
static double cost(unsigned P, const double *theta, double *gradient, void *context) {
  const climb *c = context;
  const rmx__shape *s = c->s;
  (void)P;
  (void)gradient;
  fill(s, theta, c->which, c->m, c->K);
  if (rmx_interrupted() || !cholesky(c->K, c->m)) return 1e12;
  double sum = 0;
  for (size_t i = 0; i < c->m; i++) {
    c->y[i] = s->rows[c->which ? c->which[i] : i].y;
    sum += log(c->K[i * c->m + i]);
  }
  rmx__blas_enter();
  cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)c->m, c->K, (int)c->m,
              c->y, 1);
  rmx__blas_leave();
  for (size_t i = 0; i < c->m; i++) sum += c->y[i] * c->y[i] / 2;
  sum += c->share *
         (s->left_over * exp(-2 * theta[RMX__NOISE]) / 2 + s->free_values * theta[RMX__NOISE]);
  for (size_t k = 0; k < RMX__SHAPE_PARAMETERS; k++) {
    const double off = (theta[k] - log(CENTRE[k])) / WIDTH;
    sum += off * off / 2;
  }
  return sum;
}

// With many rows, those of every k-th mixture.
static size_t choose_rows(const rmx__shape *s, size_t *which) {
  const size_t step = (s->n + MAX_ROWS - 1) / MAX_ROWS;
  size_t m = 0;
  for (size_t i = 0; i < s->n; i++)
    if (s->rows[i].mixture % step == 0) which[m++] = i;
  return m;
}

rmx_status rmx__shape_climb(rmx__shape *s, int steps, rmx_err *err) {
  RMX_TRY(make_K0(s, err));
  RMX_OWNED size_t *which = rmx_calloc(s->n, sizeof *which);
  if (!which) return rmx_fail_memory(err, s->n * sizeof *which, "the shape of a metric");
  const size_t m = choose_rows(s, which);
  RMX_OWNED double *K = rmx_calloc(m, (m + 1) * sizeof(double));
  nlopt_opt o = nlopt_create(NLOPT_LN_SBPLX, RMX__SHAPE_PARAMETERS);
  if (!K || !o) {
    nlopt_destroy(o);
    return rmx_fail_memory(err, m * m * sizeof(double), "the shape of a metric");
  }
  climb c = {s, m, which, K, K + m * m, (double)m / (double)s->n};
  double theta[RMX__SHAPE_PARAMETERS], least;
  memcpy(theta, s->theta, sizeof theta);
  nlopt_set_min_objective(o, cost, &c);
  nlopt_set_initial_step1(o, 0.5);
  nlopt_set_lower_bounds1(o, log(1e-4));
  nlopt_set_upper_bounds1(o, log(10));
  nlopt_set_ftol_abs(o, 1e-2);
  nlopt_set_maxeval(o, steps);
  const nlopt_result result = nlopt_optimize(o, theta, &least);
  nlopt_destroy(o);
  if (result > 0 && least < 1e11) memcpy(s->theta, theta, sizeof theta);
  return rmx_interrupted() ? rmx_fail(err, RMX_EINTERRUPTED, "interrupted while fitting") : RMX_OK;
}

// ---- what predictions need ----

// S = F' K^-1 F, F the sums of rows by mixture and f. Kinv: the lower triangle.
static void sum_inverse(rmx__shape *s, const double *Kinv) {
  const size_t n = s->n, W = 3 * s->U;
  for (size_t j = 0; j < n; j++)
    for (size_t i = j; i < n; i++) {
      const rmx__shape_row *p = &s->rows[i], *q = &s->rows[j];
      for (size_t k = 0; k < 9; k++) {
        const double x = p->f[k / 3] * q->f[k % 3] * Kinv[j * n + i];
        s->S[(3 * p->mixture + k / 3) * W + 3 * q->mixture + k % 3] += x;
        if (i != j) s->S[(3 * q->mixture + k % 3) * W + 3 * p->mixture + k / 3] += x;
      }
    }
}

static void average_reference(rmx__shape *s) {
  size_t members = 0;
  double sum = 0;
  for (size_t r = 0; r < s->U; r++) members += s->reference[r];
  for (size_t i = 0; i < s->U; i++) {
    s->near_reference[i] = 0;
    for (size_t r = 0; r < s->U; r++)
      if (s->reference[r]) s->near_reference[i] += s->K0[i * s->U + r] / (double)members;
    if (s->reference[i]) sum += s->near_reference[i] / (double)members;
  }
  s->mean_reference = sum;
}

rmx_status rmx__shape_solve(rmx__shape *s, rmx_err *err) {
  const size_t n = s->n, U = s->U, blocks = RMX__BLOCKS(U);
  RMX_TRY(make_K0(s, err));
  RMX_OWNED double *K = rmx_calloc(n, n * sizeof(double));
  s->alpha = rmx_calloc(n, sizeof(double));
  s->S = rmx_calloc(9 * U, U * sizeof(double));
  s->near_reference = rmx_calloc(U, sizeof(double));
  s->packed = rmx_calloc(blocks, RMX__LANES * sizeof(double));
  s->by_z = rmx_calloc(s->D, sizeof(double));
  s->G = rmx_calloc(U, U * sizeof(double));
  if (!K || !s->alpha || !s->S || !s->near_reference || !s->packed || !s->by_z || !s->G)
    return rmx_fail_memory(err, (n * n + 10 * U * U) * sizeof(double), "the shape of a metric");
  fill(s, s->theta, NULL, n, K);
  if (!cholesky(K, n))
    return rmx_fail(err, RMX_ENUMERIC, "the covariance of %zu runs is singular", n);
  for (size_t i = 0; i < n; i++) s->alpha[i] = s->rows[i].y;
  rmx__blas_enter();
  LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', (lapack_int)n, 1, K, (lapack_int)n, s->alpha,
                 (lapack_int)n);
  const lapack_int failed = LAPACKE_dpotri(LAPACK_COL_MAJOR, 'L', (lapack_int)n, K, (lapack_int)n);
  rmx__blas_leave();
  if (failed) return rmx_fail(err, RMX_ENUMERIC, "the covariance of %zu runs is singular", n);
  sum_inverse(s, K);
  average_reference(s);
  return RMX_OK;
}

// p_j r_j^2 of the three functions at a scale; returns sum p_j^2 r_j^2.
static double strengths(const rmx__shape *s, rmx_scale at, double g[3]) {
  const double p[3] = {1, u_of(s, at.size), v_of(s, at.tokens)};
  const double r[3] = {1, exp(2 * s->theta[RMX__OF_SIZE]), exp(2 * s->theta[RMX__OF_TOKENS])};
  double sum = 0;
  for (size_t j = 0; j < 3; j++) {
    g[j] = p[j] * r[j];
    sum += p[j] * p[j] * r[j];
  }
  return sum;
}

void rmx__shape_set_scale(rmx__shape *s, rmx_scale at) {
  const rmx__process *b = s->base;
  const size_t U = s->U, W = 3 * U;
  double g[3], *B = s->packed;
  s->prior = strengths(s, at, g);
  memset(B, 0, RMX__BLOCKS(U) * RMX__LANES * sizeof(double));
  for (size_t i = 0; i < s->n; i++) {
    const rmx__shape_row *p = &s->rows[i];
    B[p->mixture] += s->alpha[i] * (g[0] * p->f[0] + g[1] * p->f[1] + g[2] * p->f[2]);
  }
  s->offset = 0;
  for (size_t i = 0; i < U; i++) s->offset -= B[i] * s->near_reference[i];
  for (size_t d = 0; d < s->D; d++) {
    s->by_z[d] = 0;
    for (size_t i = 0; i < U; i++) s->by_z[d] += b->linear * B[i] * b->Z[d * U + i];
  }
  for (size_t i = 0; i < U; i++)
    for (size_t k = 0; k < U; k++) {
      double sum = 0;
      for (size_t j = 0; j < 9; j++)
        sum += g[j / 3] * g[j % 3] * s->S[(3 * i + j / 3) * W + 3 * k + j % 3];
      s->G[i * U + k] = sum;
    }
  for (size_t i = 0; i < U; i++) B[i] *= b->signal;  // by_z has the linear part
}

// k: the covariances of z. The variance that no run has lowered, of the first of the functions.
static double prior_variance(const rmx__shape *s, const double *z, const double *k) {
  double to_reference = 0, members = 0;
  for (size_t i = 0; i < s->U; i++)
    if (s->reference[i]) {
      to_reference += k[i];
      members++;
    }
  return variance_of(s, z) - 2 * to_reference / members + s->mean_reference;
}

static double variance_at(const rmx__shape *s, const double *z, double *k) {
  covariances(s, z, k);
  double sum = s->prior * prior_variance(s, z, k);
  for (size_t i = 0; i < s->U; i++) k[i] -= s->near_reference[i];
  for (size_t i = 0; i < s->U; i++) {
    double row = 0;
    for (size_t j = 0; j < s->U; j++) row += s->G[i * s->U + j] * k[j];
    sum -= k[i] * row;
  }
  return fmax(sum, 0);
}

double rmx__shape_unknown(const rmx__shape *s, double *z) {
  const rmx__process *b = s->base;
  const size_t step = (s->U + MAX_LOOKED_AT - 1) / MAX_LOOKED_AT;
  double *k = z + s->D, left = 0, all = 0;
  for (size_t i = 0; i < s->U; i += step) {
    for (size_t d = 0; d < s->D; d++) z[d] = b->Z[d * s->U + i];
    covariances(s, z, k);
    all += prior_variance(s, z, k);
    left += variance_at(s, z, k);
  }
  return all > 0 ? left / all : 0;
}

double rmx__shape_noise(const rmx__shape *s) {
  return exp(2 * s->theta[RMX__OWN]) + s->noise_share * exp(2 * s->theta[RMX__NOISE]);
}

double rmx__shape_at(const rmx__shape *s, const double *w, double *slope, double *variance,
                     double *z) {
  const rmx__process *b = s->base;
  const size_t D = s->D, blocks = RMX__BLOCKS(s->U);
  double sum = s->offset, curved;
  warp(s, w, z);
  if (slope)
    curved = rmx__matern_slope(b->packed, s->packed, blocks, D, z, z + D, slope);
  else
    curved = rmx__matern_sum(b->packed, s->packed, blocks, D, z);
  for (size_t d = 0; d < D; d++) {
    sum += s->by_z[d] * z[d];
    if (slope) slope[d] = (slope[d] + s->by_z[d]) * b->scale[d] / (b->eps[d] + fmax(w[d], 0));
  }
  if (variance) *variance = variance_at(s, z, z + D);
  return sum + curved;
}
