// SPDX-License-Identifier: Apache-2.0
// See conditioned.h.

#include "conditioned.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

#include "gp.h"
#include "regress/blas.h"
#include "regress/ensemble.h"
#include "regress/registry.h"

static const rmx__process *process_of(const rmx_regressor *r) {
  if (r->kind == &rmx__gp) return r->state;
  if (r->kind != &rmx__ensemble) return NULL;
  const rmx_regressor *power, *gp;
  rmx__ensemble_parts(r, &power, &gp);
  return gp->state;
}

bool rmx__has_gp(const rmx_regressor *r) {
  return process_of(r) != NULL;
}

void rmx__conditioned_release(rmx__conditioned *c) {
  free(c->mean);
  free(c->Z);
  free(c->v);
  *c = (rmx__conditioned){0};
}

// Covariance at squared distance r2 and inner product g, in the units of the process.
static double covariance(const rmx__conditioned *c, double r2, double g) {
  double slope;
  return 1 + c->signal * rmx__matern(r2, &slope) + c->linear * g;
}

static double between(const rmx__conditioned *c, const double *z, const double *y, size_t stride) {
  double r2 = 0, g = 0;
  for (size_t d = 0; d < c->F; d++) {
    double gap = z[d] - y[d * stride];
    r2 += gap * gap;
    g += z[d] * y[d * stride];
  }
  return covariance(c, r2, g);
}

rmx_status rmx__conditioned_make(rmx__conditioned *c, const rmx_regressor *r, const double *X,
                                 size_t n, size_t D, size_t more, rmx_err *err) {
  const rmx__process *gp = r ? process_of(r) : NULL;
  if (r && !gp)
    return rmx_fail(err, RMX_EUSAGE, "regressor \"%s\" has no Gaussian process",
                    rmx_regressor_name(r));
  RMX_TRY(rmx__blas_ready(err));
  size_t N = gp ? gp->N : 0, F = gp ? gp->F : D;
  const rmx__features weights = {.D = D}, *features = gp ? &gp->features : &weights;
  *c = (rmx__conditioned){.n = n, .D = D, .F = F, .rows = N, .room = N + more};
  double *theta = rmx_calloc(GP_N_PARAMETERS(F), sizeof(double));
  c->mean = rmx_calloc(n, 3 * sizeof(double));
  c->Z = rmx_calloc(n, F * sizeof(double));
  c->v = rmx_calloc(n, c->room * sizeof(double));
  if (!theta || !c->mean || !c->Z || !c->v) {
    free(theta);
    rmx__conditioned_release(c);
    return rmx_fail_memory(err, n * (N + more + F) * sizeof(double),
                           "a conditioned Gaussian process");
  }
  c->variance = c->mean + n;
  c->last_row = c->mean + 2 * n;
  if (gp)
    memcpy(theta, gp->theta, GP_N_PARAMETERS(F) * sizeof(double));
  else
    rmx__gp_centre(D, theta);
  c->signal = exp(2 * theta[GP_SIGNAL]);
  c->linear = exp(2 * theta[GP_LINEAR]);
  c->unit = gp ? gp->unit : 1;
  c->noise = c->unit * c->unit * exp(2 * theta[GP_NOISE]);
  for (size_t k = 0; k < F; k++)
    for (size_t i = 0; i < n; i++)
      c->Z[i * F + k] = rmx__gp_warp(theta, F, k, rmx__feature(features, X + i * D, k));
  free(theta);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < N; k++) c->v[i * c->room + k] = between(c, c->Z + i * F, gp->Z + k, N);
  if (N > 0 && n > 0) {
    rmx__blas_enter();
    cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (int)N, (int)n, 1,
                gp->L, (int)N, c->v, (int)c->room);
    rmx__blas_leave();
  }
  for (size_t i = 0; i < n; i++) {
    double variance = between(c, c->Z + i * F, c->Z + i * F, 1);
    for (size_t k = 0; k < N; k++) variance -= c->v[i * c->room + k] * c->v[i * c->room + k];
    c->variance[i] = c->unit * c->unit * fmax(variance, 0);
  }
  if (r) rmx_regressor_predict(r, X, n, c->mean, NULL);
  return RMX_OK;
}

void rmx__conditioned_scale(rmx__conditioned *c, double weight) {
  for (size_t i = 0; i < c->n; i++) {
    c->mean[i] *= weight;
    c->variance[i] *= weight * weight;
  }
  c->noise *= weight * weight;
  c->unit *= fabs(weight);
}

void rmx__conditioned_covariance(const rmx__conditioned *c, size_t i, double *out) {
  for (size_t j = 0; j < c->n; j++) out[j] = between(c, c->Z + i * c->F, c->Z + j * c->F, 1);
  if (c->rows > 0) {
    rmx__blas_enter();
    cblas_dgemv(CblasColMajor, CblasTrans, (int)c->rows, (int)c->n, -1, c->v, (int)c->room,
                c->v + i * c->room, 1, 1, out, 1);
    rmx__blas_leave();
  }
  for (size_t j = 0; j < c->n; j++) out[j] *= c->unit * c->unit;
}

void rmx__conditioned_add(rmx__conditioned *c, size_t i, double u) {
  if (c->rows == c->room || !(c->unit > 0)) return;
  double *row = c->last_row;
  rmx__conditioned_covariance(c, i, row);
  double sd = sqrt(fmax(row[i], 0) + c->noise);
  if (!(sd > 0)) return;
  // Nothing covaries by more than its own deviation. Without noise and with all but nothing left to
  // learn, rounding errors do, and would grow with each row.
  for (size_t j = 0; j < c->n; j++) {
    const double most = sqrt(c->variance[j]);
    row[j] = fmin(fmax(row[j] / sd, -most), most);
    c->v[j * c->room + c->rows] = row[j] / c->unit;
    c->mean[j] += row[j] * u;
    c->variance[j] = fmax(c->variance[j] - row[j] * row[j], 0);
  }
  c->rows++;
}
