// SPDX-License-Identifier: Apache-2.0
// See common_errors.h.

#include "common_errors.h"

#include <math.h>
#include <string.h>

static const double LEAST = 1e-6;  // of a metric's variance, that is worth a pivot
enum { FEWEST = 4 };               // runs that tell how two metrics err together

// The correlation of the errors of metrics a and b around 0; 0 where too few runs have both.
static double correlation(const double *errors, size_t N, size_t M, size_t a, size_t b) {
  double aa = 0, bb = 0, ab = 0;
  size_t n = 0;
  for (size_t i = 0; i < N; i++) {
    const double x = errors[i * M + a], y = errors[i * M + b];
    if (!isfinite(x) || !isfinite(y)) continue;
    n++;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  return n >= FEWEST && aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

// The metric that explains most of what is left of C (n, n); n where nothing is left.
static size_t best_pivot(const double *C, size_t n) {
  size_t best = n;
  double most = LEAST;
  for (size_t a = 0; a < n; a++) {
    double sum = 0;
    if (!(C[a * n + a] > LEAST)) continue;
    for (size_t b = 0; b < n; b++) sum += C[a * n + b] * C[a * n + b];
    sum /= C[a * n + a];
    if (sum > most * (1 + 1e-9)) most = sum, best = a;
  }
  return best;
}

// Takes column k of the shares out of C (n, n), around the pivot.
static void take_out(double *C, size_t n, size_t pivot, double *column) {
  const double root = sqrt(C[pivot * n + pivot]);
  for (size_t a = 0; a < n; a++) {
    // With values missing, C need not be a covariance: nothing explains more than there is.
    const double most = sqrt(fmax(C[a * n + a], 0));
    column[a] = fmin(fmax(C[a * n + pivot] / root, -most), most);
  }
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++) C[a * n + b] -= column[a] * column[b];
}

rmx_status rmx__common_errors_make(const double *errors, size_t N, size_t M, const size_t *used,
                                   size_t n_used, rmx_arena *arena, rmx__common_errors *out,
                                   rmx_err *err) {
  const size_t n = n_used;
  *out = (rmx__common_errors){.M = M, .K = n < 2 ? 0 : RMX__COMMON};
  out->share = rmx_arena_alloc(arena, M, (out->K + 1) * sizeof(double));
  out->own = rmx_arena_alloc(arena, M, sizeof(double));
  double *C = rmx_arena_alloc(arena, n * n + n + 1, sizeof(double));
  if (!out->share || !out->own || !C)
    return rmx_fail_memory(err, (n * n + M * RMX__COMMON) * sizeof(double), "errors in common");
  double *column = C + n * n;
  for (size_t m = 0; m < M; m++) out->own[m] = 1;
  for (size_t k = 0; k < M * out->K; k++) out->share[k] = 0;
  if (out->K == 0) return RMX_OK;
  for (size_t a = 0; a < n; a++)
    for (size_t b = 0; b < n; b++)
      C[a * n + b] = a == b ? 1 : correlation(errors, N, M, used[a], used[b]);
  for (size_t k = 0; k < out->K; k++) {
    const size_t pivot = best_pivot(C, n);
    if (pivot == n) break;
    take_out(C, n, pivot, column);
    for (size_t a = 0; a < n; a++) out->share[used[a] * out->K + k] = column[a];
  }
  for (size_t a = 0; a < n; a++) out->own[used[a]] = sqrt(fmax(C[a * n + a], 0));
  return RMX_OK;
}

double rmx__common_normal(const rmx__common *c, uint64_t number, rmx_purpose purpose,
                          uint64_t index) {
  double sum = 0;
  for (size_t k = 0; k < c->K; k++) {
    if (c->share[k] == 0) continue;
    rmx_rng rng = rmx_rng_make(c->seed + k, number, purpose);
    rng.position = index;  // a normal number takes one block
    sum += c->share[k] * rmx_rng_normal(&rng);
  }
  return sum;
}
