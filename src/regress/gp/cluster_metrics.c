// SPDX-License-Identifier: Apache-2.0
// k-means (Lloyd 1982) on metrics, with the starts of Arthur & Vassilvitskii 2007. A metric is a
// point: its values in the runs, of mean 0 and length 1. Distances need only the inner products of
// these points. With c the sum of the n points of a cluster,
//   |p - c / n|^2 = 1 - 2 p'c / n + c'c / n^2.
//
// Cost: O(N M^2), and O(M^2) a step.

#include <stdlib.h>
#include <string.h>

#include "shared.h"

enum { STARTS = 4, STEPS = 60 };

typedef struct kmeans {
  size_t M, K;
  const double *G;  // (M, M) inner products
  size_t *cluster;  // (M)
  size_t *n;        // (K)
  double *along;    // (M, K) p'c
  double *square;   // (K) c'c
} kmeans;

static void sums(kmeans *k) {
  memset(k->n, 0, k->K * sizeof *k->n);
  memset(k->along, 0, k->M * k->K * sizeof *k->along);
  memset(k->square, 0, k->K * sizeof *k->square);
  for (size_t m = 0; m < k->M; m++) {
    k->n[k->cluster[m]]++;
    for (size_t j = 0; j < k->M; j++) k->along[j * k->K + k->cluster[m]] += k->G[m * k->M + j];
  }
  for (size_t m = 0; m < k->M; m++) k->square[k->cluster[m]] += k->along[m * k->K + k->cluster[m]];
}

static double distance(const kmeans *k, size_t m, size_t c) {
  double n = (double)k->n[c];
  return 1 - 2 * k->along[m * k->K + c] / n + k->square[c] / (n * n);
}

// Each metric goes to the nearest cluster; an empty one takes the metric that is farthest from its
// own. Returns whether any moved.
static bool assign(kmeans *k) {
  bool moved = false;
  for (size_t m = 0; m < k->M; m++) {
    size_t nearest = k->cluster[m];
    for (size_t c = 0; c < k->K; c++)
      if (k->n[c] && distance(k, m, c) < distance(k, m, nearest) - 1e-12) nearest = c;
    moved |= nearest != k->cluster[m];
    k->cluster[m] = nearest;
  }
  for (size_t c = 0; c < k->K; c++) {
    size_t n = 0, far = k->M;
    for (size_t m = 0; m < k->M; m++) n += k->cluster[m] == c;
    if (n) continue;
    sums(k);
    for (size_t m = 0; m < k->M; m++)
      if (k->n[k->cluster[m]] > 1 &&
          (far == k->M || distance(k, m, k->cluster[m]) > distance(k, far, k->cluster[far])))
        far = m;
    if (far == k->M) continue;
    k->cluster[far] = c;
    moved = true;
  }
  return moved;
}

// The first centres are metrics, each drawn by its squared distance from the nearest so far.
static void begin(kmeans *k, rmx_rng *rng, double *off) {
  size_t M = k->M, centre = (size_t)rmx_rng_below(rng, M);
  for (size_t m = 0; m < M; m++) off[m] = INFINITY;
  for (size_t c = 0; c < k->K; c++) {
    double total = 0;
    for (size_t m = 0; m < M; m++) {
      double d = fmax(2 - 2 * k->G[centre * M + m], 0);
      if (d < off[m]) {
        off[m] = d;
        k->cluster[m] = c;
      }
      total += off[m];
    }
    double at = rmx_rng_uniform(rng) * total;
    for (centre = 0; centre + 1 < M && at >= off[centre]; centre++) at -= off[centre];
  }
}

static void inner_products(const double *Y, const bool *turned, size_t N, size_t M, double *unit,
                           double *G) {
  for (size_t m = 0; m < M; m++) {
    double mean = 0, square = 0, sign = turned && turned[m] ? -1 : 1;
    for (size_t i = 0; i < N; i++) mean += Y[i * M + m] / (double)N;
    for (size_t i = 0; i < N; i++) {
      double y = Y[i * M + m] - mean;
      unit[m * N + i] = sign * y;
      square += y * y;
    }
    for (size_t i = 0; i < N && square > 0; i++) unit[m * N + i] /= sqrt(square);
  }
  for (size_t a = 0; a < M; a++)
    for (size_t b = 0; b <= a; b++) {
      double sum = 0;
      for (size_t i = 0; i < N; i++) sum += unit[a * N + i] * unit[b * N + i];
      G[a * M + b] = G[b * M + a] = sum;
    }
}

rmx_status rmx__cluster_metrics(const double *Y, const bool *turned, size_t N, size_t M, size_t K,
                                uint64_t seed, size_t *cluster, rmx_err *err) {
  RMX_OWNED_BY(rmx_arena_release) rmx_arena arena = {0};
  double *unit = rmx_arena_alloc(&arena, N * M, sizeof(double)),
         *G = rmx_arena_alloc(&arena, M * M, sizeof(double));
  double *off = rmx_arena_alloc(&arena, M, sizeof(double));
  kmeans k = {.M = M, .K = K, .G = G};
  k.cluster = rmx_arena_alloc(&arena, M, sizeof(size_t));
  k.n = rmx_arena_alloc(&arena, K, sizeof(size_t));
  k.along = rmx_arena_alloc(&arena, M * K, sizeof(double));
  k.square = rmx_arena_alloc(&arena, K, sizeof(double));
  if (!unit || !G || !off || !k.cluster || !k.n || !k.along || !k.square)
    return rmx_fail_memory(err, (N + M) * M * sizeof(double), "clusters of metrics");
  inner_products(Y, turned, N, M, unit, G);
  double least = INFINITY;
  for (uint64_t start = 0; start < STARTS; start++) {
    rmx_rng rng = rmx_rng_make(seed, start, RMX_FOR_FOLDS);
    begin(&k, &rng, off);
    bool moved = true;
    for (int step = 0; step < STEPS && moved; step++) {
      sums(&k);
      moved = assign(&k);
    }
    sums(&k);
    double total = 0;
    for (size_t m = 0; m < M; m++) total += distance(&k, m, k.cluster[m]);
    if (!(total < least - 1e-12) && start) continue;
    least = total;
    memcpy(cluster, k.cluster, M * sizeof *cluster);
  }
  return RMX_OK;
}
