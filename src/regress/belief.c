// SPDX-License-Identifier: Apache-2.0
// See belief.h.

#include "belief.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "ensemble.h"
#include "gp.h"
#include "regressor.h"

static const rmx__process *process_of(const rmx_regressor *r) {
  if (r->kind == &rmx__gp) return r->state;
  if (r->kind != &rmx__ensemble) return NULL;
  const rmx_regressor *power, *gp;
  rmx__ensemble_parts(r, &power, &gp);
  return gp->state;
}

bool rmx__has_belief(const rmx_regressor *r) {
  return process_of(r) != NULL;
}

void rmx__belief_release(rmx__belief *b) {
  free(b->mean);
  free(b->Z);
  free(b->v);
  *b = (rmx__belief){0};
}

// Of squared distance r2 and inner product g, in units of the process.
static double covariance(const rmx__belief *b, double r2, double g) {
  double slope;
  return 1 + b->ripple * rmx__matern(r2, &slope) + b->linear * g;
}

static double between(const rmx__belief *b, const double *z, const double *y, size_t stride) {
  double r2 = 0, g = 0;
  for (size_t d = 0; d < b->D; d++) {
    double gap = z[d] - y[d * stride];
    r2 += gap * gap;
    g += z[d] * y[d * stride];
  }
  return covariance(b, r2, g);
}

rmx_status rmx__belief_make(rmx__belief *b, const rmx_regressor *r, const double *X, size_t n,
                            size_t D, size_t more, rmx_err *err) {
  const rmx__process *gp = r ? process_of(r) : NULL;
  if (r && gp == NULL)
    return rmx_fail(err, RMX_EUSAGE, "a regressor \"%s\" has no Gaussian process",
                    rmx_regressor_name(r));
  RMX_TRY(rmx__blas_ready(err));
  size_t N = gp ? gp->N : 0;
  *b = (rmx__belief){.n = n, .D = D, .rows = N, .room = N + more};
  double *theta = rmx_calloc(GP_N_PARAMETERS(D), sizeof(double));
  b->mean = rmx_calloc(n, 3 * sizeof(double));
  b->Z = rmx_calloc(n, D * sizeof(double));
  b->v = rmx_calloc(n, b->room * sizeof(double));
  if (!theta || !b->mean || !b->Z || !b->v) {
    free(theta);
    rmx__belief_release(b);
    return rmx_fail_memory(err, n * (N + more + D) * sizeof(double), "what is known of mixtures");
  }
  b->variance = b->mean + n;
  b->along = b->mean + 2 * n;
  if (gp)
    memcpy(theta, gp->theta, GP_N_PARAMETERS(D) * sizeof(double));
  else
    rmx__gp_centre(D, theta);
  b->ripple = exp(2 * theta[GP_RIPPLE]);
  b->linear = exp(2 * theta[GP_LINEAR]);
  b->unit = gp ? gp->unit : 1;
  b->noise = b->unit * b->unit * exp(2 * theta[GP_NOISE]);
  for (size_t d = 0; d < D; d++)
    for (size_t i = 0; i < n; i++) b->Z[i * D + d] = rmx__gp_warp(theta, D, d, X[i * D + d]);
  free(theta);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < N; k++) b->v[i * b->room + k] = between(b, b->Z + i * D, gp->Z + k, N);
  if (N > 0 && n > 0) {
    rmx__blas_enter();
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)N, (int)n, 1,
                gp->L, (int)N, b->v, (int)b->room);
    rmx__blas_leave();
  }
  for (size_t i = 0; i < n; i++) {
    double variance = between(b, b->Z + i * D, b->Z + i * D, 1);
    for (size_t k = 0; k < N; k++) variance -= b->v[i * b->room + k] * b->v[i * b->room + k];
    b->variance[i] = b->unit * b->unit * fmax(variance, 0);
  }
  if (r) rmx_regressor_predict(r, X, n, b->mean, NULL);
  return RMX_OK;
}

void rmx__belief_scale(rmx__belief *b, double weight) {
  for (size_t i = 0; i < b->n; i++) {
    b->mean[i] *= weight;
    b->variance[i] *= weight * weight;
  }
  b->noise *= weight * weight;
  b->unit *= fabs(weight);
}

void rmx__belief_covariance(const rmx__belief *b, size_t i, double *out) {
  for (size_t j = 0; j < b->n; j++) out[j] = between(b, b->Z + i * b->D, b->Z + j * b->D, 1);
  if (b->rows > 0) {
    rmx__blas_enter();
    cblas_dgemv(CblasColMajor, CblasTrans, (int)b->rows, (int)b->n, -1, b->v, (int)b->room,
                b->v + i * b->room, 1, 1, out, 1);
    rmx__blas_leave();
  }
  for (size_t j = 0; j < b->n; j++) out[j] *= b->unit * b->unit;
}

void rmx__belief_add(rmx__belief *b, size_t i, double u) {
  if (b->rows == b->room || !(b->unit > 0)) return;
  double *c = b->along;
  rmx__belief_covariance(b, i, c);
  double sd = sqrt(fmax(c[i], 0) + b->noise);
  if (!(sd > 0)) return;
  for (size_t j = 0; j < b->n; j++) {
    c[j] /= sd;
    b->v[j * b->room + b->rows] = c[j] / b->unit;
    b->mean[j] += c[j] * u;
    b->variance[j] = fmax(b->variance[j] - c[j] * c[j], 0);
  }
  b->rows++;
}
