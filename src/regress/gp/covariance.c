// SPDX-License-Identifier: Apache-2.0
// With z_id = log(1 + w_id / eps_d) / log(1 + 1 / eps_d) / l_d, G = Z Z' and
// r_ij^2 = G_ii + G_jj - 2 G_ij:
//   K_ij = 1 + s^2 M(r_ij) + c^2 G_ij + [i = j] sigma^2 / weight_i,
// M the Matern 5/2 function. The 1 is the unknown mean. Let W be the slopes of an objective by K,
// H_ij = W_ij s^2 dM/d(r^2)_ij and h = H 1. Its slope by Z is
//   (2 c^2 W - 4 H) Z + 4 diag(h) Z,
// from which those by l and eps follow.
//
// Cost: O(N^2 D).

#include "covariance.h"

#include <cblas.h>
#include <string.h>

#include "matern.h"
#include "regress/blas.h"

bool rmx__covariance_make(rmx__covariance *c, const rmx__gp_problem *q, bool slopes,
                          rmx_arena *arena) {
  size_t N = q->N, D = q->D;
  *c = (rmx__covariance){.N = N, .D = D, .X = q->X, .weight = q->weight};
  c->Z = rmx_arena_alloc(arena, N * D, sizeof(double));
  c->by_Z = rmx_arena_alloc(arena, N * D, sizeof(double));
  c->K = rmx_arena_alloc(arena, N * N, sizeof(double));
  c->G = rmx_arena_alloc(arena, N * N, sizeof(double));
  c->scratch = rmx_arena_alloc(arena, N, sizeof(double));
  if (slopes) {
    c->M = rmx_arena_alloc(arena, N * N, sizeof(double));
    c->slope = rmx_arena_alloc(arena, N * N, sizeof(double));
  }
  return c->Z && c->by_Z && c->K && c->G && c->scratch && ((c->M && c->slope) || !slopes);
}

void rmx__covariance_fill(rmx__covariance *c, const double *theta) {
  size_t N = c->N, D = c->D;
  double signal = exp(2 * theta[GP_SIGNAL]), linear = exp(2 * theta[GP_LINEAR]),
         noise = exp(2 * theta[GP_NOISE]);
  for (size_t d = 0; d < D; d++) {
    double eps = exp(theta[GP_EPS(D) + d]), scale = exp(-theta[GP_LENGTH + d]) / log1p(1 / eps);
    for (size_t i = 0; i < N; i++) c->Z[i * D + d] = log1p(fmax(c->X[i * D + d], 0) / eps) * scale;
  }
  rmx__blas_enter();
  cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int)N, (int)D, 1, c->Z, (int)D, 0, c->G,
              (int)N);
  rmx__blas_leave();
  double *square = c->scratch;
  for (size_t i = 0; i < N; i++) square[i] = c->G[i * N + i];
  for (size_t j = 0; j < N; j++) {
    const double *G = c->G + j * N;
    double *K = c->K + j * N, *M = c->M ? c->M + j * N : K;
    for (size_t i = j; i < N; i++) K[i] = square[i] + G[j] - 2 * G[i];
    rmx__matern_many(K + j, N - j, M + j, c->slope ? c->slope + j * N + j : NULL);
    for (size_t i = j; i < N; i++) K[i] = 1 + signal * M[i] + linear * G[i];
    c->K[j * N + j] = 1 + signal + linear * G[j] + noise / c->weight[j];
  }
}

// Writes the slope by Z to by_Z, and those by the scales of the parts to the gradient.
static void slopes_by_z(rmx__covariance *c, const double *theta, double *gradient) {
  size_t N = c->N, D = c->D;
  double signal = exp(2 * theta[GP_SIGNAL]), linear = exp(2 * theta[GP_LINEAR]),
         noise = exp(2 * theta[GP_NOISE]);
  double by_signal = 0, by_linear = 0, by_noise = 0;
  double *h = c->by_Z;  // uses its first N numbers, which are overwritten later
  memset(h, 0, N * sizeof(double));
  for (size_t j = 0; j < N; j++) {
    double W = c->K[j * N + j], sum = 0;
    by_signal += W;
    by_noise += W / c->weight[j];
    by_linear += W * c->G[j * N + j];
    c->K[j * N + j] = 2 * linear * W;
    for (size_t i = j + 1; i < N; i++) {
      W = c->K[j * N + i];
      double H = W * signal * c->slope[j * N + i];
      by_signal += 2 * W * c->M[j * N + i];
      by_linear += 2 * W * c->G[j * N + i];
      c->K[j * N + i] = 2 * linear * W - 4 * H;
      h[i] += H;
      sum += H;
    }
    h[j] += sum;
  }
  for (size_t i = 0; i < N; i++) c->K[i * N + i] += 4 * h[i];
  rmx__blas_enter();
  cblas_dsymm(CblasColMajor, CblasRight, CblasLower, (int)D, (int)N, 1, c->K, (int)N, c->Z, (int)D,
              0, c->by_Z, (int)D);
  rmx__blas_leave();
  gradient[GP_SIGNAL] = 2 * signal * by_signal;
  gradient[GP_LINEAR] = 2 * linear * by_linear;
  gradient[GP_NOISE] = 2 * noise * by_noise;
}

void rmx__covariance_slopes(rmx__covariance *c, const double *theta, double *gradient) {
  size_t N = c->N, D = c->D;
  slopes_by_z(c, theta, gradient);
  for (size_t d = 0; d < D; d++) {
    double eps = exp(theta[GP_EPS(D) + d]), B = log1p(1 / eps), scale = exp(-theta[GP_LENGTH + d]);
    double by_length = 0, by_eps = 0;
    for (size_t i = 0; i < N; i++) {
      double w = fmax(c->X[i * D + d], 0), z = c->Z[i * D + d], slope = c->by_Z[i * D + d];
      by_length -= slope * z;
      by_eps += slope * (z / (1 + eps) - w / (eps + w) * scale) / B;
    }
    gradient[GP_LENGTH + d] = by_length;
    gradient[GP_EPS(D) + d] = by_eps;
  }
}
