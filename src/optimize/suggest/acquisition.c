// SPDX-License-Identifier: Apache-2.0
// Which mixtures of a list to run next: those with the largest expected improvement on the best
// run,
//   EI(w) = (best - m) Phi(u) + s phi(u),  u = (best - m) / s
// (Jones, Schonlau & Welch 1998, eq. 15), one by one. Each is assumed to come out as expected
// before the next is chosen (the kriging believer: regress/gp/conditioned.h), so that a batch does
// not try the same thing k times.
//
// A process knows nothing of a direction in which no two runs differ, such as a domain just added,
// or two that one was split into, and its prior may believe that there is little to find, or
// anything. Such directions are covered first, each by the mixture of most promise among those that
// go far enough along it to be worth a run, and not much farther. The predictive standard
// deviation is capped at that of the observed scores.
//
// Cost: O(n (N + k + D)) a pick.

#include "optimize/suggest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ENOUGH_OFF =
    0.1;  // share of tokens: a trial of a direction, where there is so much to be had
static const double TOO_FAR_OFF = 2;  // times that

rmx_status rmx__span_make(rmx__span *c, const double *X, size_t N, size_t D, rmx_err *err) {
  *c = (rmx__span){.D = D};
  c->basis = rmx_calloc(D + 1, D * sizeof(double));
  bool *done = rmx_calloc(N, sizeof(bool));
  if (!c->basis || !done) {
    free(done);
    rmx__span_release(c);
    return rmx_fail_memory(err, D * D * sizeof(double), "the directions of the runs");
  }
  c->mean = c->basis + D * D;
  for (size_t i = 0; i < N; i++)
    for (size_t d = 0; d < D; d++) c->mean[d] += X[i * D + d] / (double)N;
  // Farthest first, so that what is left over is small.
  for (size_t rank = 0; rank < D; rank++) {
    size_t farthest = N;
    double max = RMX__MIN_OFF / 2;
    for (size_t i = 0; i < N; i++) {
      if (done[i]) continue;
      double off = rmx__span_distance(c, X + i * D, NULL);
      if (off > max) max = off, farthest = i;
    }
    if (farthest == N) break;
    done[farthest] = true;
    rmx__span_add(c, X + farthest * D);
  }
  free(done);
  return RMX_OK;
}

void rmx__span_release(rmx__span *c) {
  free(c->basis);
  *c = (rmx__span){0};
}

double rmx__span_distance(const rmx__span *c, const double *w, double *off) {
  double square = 0, length = 0;
  // By the basis being orthonormal: |off|^2 = |w - mean|^2 - sum_k along_k^2, but for rounding.
  for (size_t d = 0; d < c->D; d++) length += (w[d] - c->mean[d]) * (w[d] - c->mean[d]);
  if (off)
    for (size_t d = 0; d < c->D; d++) off[d] = w[d] - c->mean[d];
  for (size_t k = 0; k < c->rank; k++) {
    const double *e = c->basis + k * c->D;
    double a = 0;
    for (size_t d = 0; d < c->D; d++) a += (w[d] - c->mean[d]) * e[d];
    square += a * a;
    if (off)
      for (size_t d = 0; d < c->D; d++) off[d] -= a * e[d];
  }
  return sqrt(fmax(length - square, 0));
}

bool rmx__span_add(rmx__span *c, const double *w) {
  if (c->rank == c->D) return false;
  double *e = c->basis + c->rank * c->D, length = 0;
  rmx__span_distance(c, w, e);
  for (size_t d = 0; d < c->D; d++) length += e[d] * e[d];
  if (!(length > 1e-12)) return false;
  for (size_t d = 0; d < c->D; d++) e[d] /= sqrt(length);
  c->rank++;
  return true;
}

double rmx__expected_improvement(double mean, double sd, double best) {
  double gain = best - mean;
  if (!(sd > 0)) return fmax(gain, 0);
  double u = gain / sd;
  // Far below, the two terms cancel to rounding.
  if (u < -30) return 0;
  return fmax(gain * 0.5 * erfc(-u * M_SQRT1_2) + sd * exp(-u * u / 2) / sqrt(2 * M_PI), 0);
}

// The best to take, of those marked `mark` or less: n where there is none.
static size_t best_of(const rmx__conditioned *b, const double *X, double best,
                      const double *allowed, const rmx__span *span, const double range[2],
                      const unsigned char *taken, int mark, double *improvement) {
  size_t chosen = b->n;
  double max = -1, lowest = INFINITY;
  for (size_t i = 0; i < b->n; i++) {
    if (taken[i] > mark) continue;
    if (range) {
      double off = rmx__span_distance(span, X + i * b->D, NULL);
      if (off < range[0] || off > range[1]) continue;
    }
    double sd = fmin(sqrt(b->variance[i]), b->unit);
    double value = rmx__expected_improvement(b->mean[i], sd, best) * (allowed ? allowed[i] : 1);
    // Where nothing promises anything: what might with the most luck.
    double bound = b->mean[i] - 3 * sd;
    if (value > max || (value == max && bound < lowest)) {
      max = value;
      lowest = bound;
      chosen = i;
    }
  }
  *improvement = max;
  return chosen;
}

size_t rmx__acquisition_batch(rmx__conditioned *b, const double *X, double best,
                              const double *allowed, double min_apart, unsigned char *taken,
                              rmx__span *span, size_t k, rmx__pick *picks) {
  size_t D = b->D, n_picked = 0;
  while (n_picked < k) {
    double farthest = 0, improvement;
    for (size_t i = 0; span && i < b->n; i++)
      if (!taken[i]) farthest = fmax(farthest, rmx__span_distance(span, X + i * D, NULL));
    bool untried = farthest > RMX__MIN_OFF;
    double enough = fmin(ENOUGH_OFF, farthest / 2), range[2] = {enough, TOO_FAR_OFF * enough};
    size_t chosen = b->n;
    if (untried) {
      chosen = best_of(b, X, best, allowed, span, range, taken, RMX__FREE, &improvement);
      range[1] = INFINITY;
      if (chosen == b->n)
        chosen = best_of(b, X, best, allowed, span, range, taken, RMX__FREE, &improvement);
    } else {
      for (int mark = RMX__FREE; mark <= RMX__NEAR_PICK && chosen == b->n; mark++)
        chosen = best_of(b, X, best, allowed, NULL, NULL, taken, mark, &improvement);
    }
    if (chosen == b->n) break;
    picks[n_picked++] =
        (rmx__pick){chosen, b->mean[chosen], sqrt(b->variance[chosen]), improvement, untried};
    taken[chosen] = RMX__TAKEN;
    for (size_t i = 0; min_apart > 0 && i < b->n; i++)
      if (taken[i] == RMX__FREE && rmx__total_variation(X + i * D, X + chosen * D, D) < min_apart)
        taken[i] = RMX__NEAR_PICK;
    best = fmin(best, b->mean[chosen]);
    rmx__conditioned_add(b, chosen, 0);
    if (span) rmx__span_add(span, X + chosen * D);
  }
  return n_picked;
}

// Run i would take sum_j cov(i, j)^2 / (cov(i, i) + noise) off the sum of all variances.
rmx_status rmx__acquisition_spread(rmx__conditioned *b, unsigned char *taken, size_t k,
                                   rmx__pick *picks, size_t *n_picked, rmx_err *err) {
  size_t n = b->n;
  RMX_OWNED double *C = rmx_calloc(n, n * sizeof(double));
  if (C == NULL) return rmx_fail_memory(err, n * n * sizeof(double), "what is known of mixtures");
  for (size_t i = 0; i < n; i++) rmx__conditioned_covariance(b, i, C + i * n);
  *n_picked = 0;
  while (*n_picked < k) {
    size_t chosen = n;
    double max = -1;
    for (size_t i = 0; i < n; i++) {
      if (taken[i]) continue;
      double sum = 0;
      for (size_t j = 0; j < n; j++) sum += C[i * n + j] * C[i * n + j];
      sum /= fmax(C[i * n + i], 0) + b->noise;
      if (sum > max) max = sum, chosen = i;
    }
    if (chosen == n) break;
    picks[(*n_picked)++] =
        (rmx__pick){chosen, b->mean[chosen], sqrt(b->variance[chosen]), NAN, false};
    taken[chosen] = RMX__TAKEN;
    rmx__conditioned_add(b, chosen, 0);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < n; j++) C[i * n + j] -= b->last_row[i] * b->last_row[j];
  }
  return RMX_OK;
}

rmx_status rmx__suggest_among(const rmx_regressor *fitted, const rmx_dataset *known,
                              const double *X, size_t n, size_t k, size_t *chosen, size_t *n_chosen,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx__conditioned_release) rmx__conditioned b = {0};
  RMX_OWNED_BY(rmx__span_release) rmx__span span = {0};
  RMX_OWNED double *at_runs = rmx_calloc(known->N, sizeof(double));
  double best = INFINITY;
  RMX_OWNED unsigned char *taken = rmx_calloc(n, 1);
  RMX_OWNED rmx__pick *picks = rmx_calloc(k, sizeof(*picks));
  if (!at_runs || !taken || !picks)
    return rmx_fail_memory(err, (known->N + n + k) * sizeof(double), "a choice of runs");
  RMX_TRY(rmx__conditioned_make(&b, fitted, X, n, known->D, k, err));
  RMX_TRY(rmx__span_make(&span, known->X, known->N, known->D, err));
  // The process' mean at the runs, not what was measured: a lucky run is no better than its
  // neighbours.
  rmx_regressor_predict(fitted, known->X, known->N, at_runs, NULL);
  for (size_t i = 0; i < known->N; i++) best = fmin(best, at_runs[i]);
  *n_chosen = rmx__acquisition_batch(&b, X, best, NULL, 0, taken, &span, k, picks);
  for (size_t i = 0; i < *n_chosen; i++) chosen[i] = picks[i].chosen;
  return RMX_OK;
}
