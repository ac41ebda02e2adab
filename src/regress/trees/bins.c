// SPDX-License-Identifier: Apache-2.0
// Sorts values into up to max_bin bins, with LightGBM's bounds, so that the trees are the same.
//
// Zero has a bin of its own, since absent domains are the most common case. The other values of
// each sign share the remaining bins: one for each distinct value if they are few, else bins of
// about equal count. A value with more rows than the mean count gets a bin of its own. A bound is
// half way between neighbouring values, plus one floating-point step.
//
// A domain gets a single bin if no split of it leaves min_data_in_leaf runs on both sides.
// Cost: O(D N log N).

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "trees.h"

typedef struct distinct {
  double *value;  // ascending
  int *count;
  size_t n;
} distinct;

static double half_way(double a, double b) {
  return nextafter((a + b) / 2.0, INFINITY);
}

// Whether b (>= a) is a or the next double.
static bool same(double a, double b) {
  return b <= nextafter(a, INFINITY);
}

static size_t add_bound(double *upper, size_t n, double bound) {
  if (n == 0 || !same(upper[n - 1], bound)) upper[n++] = bound;
  return n;
}

// Writes the upper bounds of up to max_bin bins for the distinct values [from, to), which have
// `total` rows; the last bound is infinite. Returns the number of bins.
static size_t share_out(const distinct *v, size_t from, size_t to, int max_bin, int total,
                        int min_in_bin, double *upper) {
  size_t n = 0;
  int in_bin = 0;
  if (to - from <= (size_t)max_bin) {
    for (size_t i = from; i + 1 < to; i++) {
      in_bin += v->count[i];
      if (in_bin < min_in_bin) continue;
      size_t before = n;
      n = add_bound(upper, n, half_way(v->value[i], v->value[i + 1]));
      if (n > before) in_bin = 0;
    }
    upper[n++] = INFINITY;
    return n;
  }
  if (min_in_bin > 0 && max_bin > total / min_in_bin) max_bin = total / min_in_bin;
  if (max_bin < 1) max_bin = 1;
  double mean = (double)total / max_bin;
  const double big = mean;  // a value with this many rows takes a bin alone
  int bins_left = max_bin, rows_left = total;
  for (size_t i = from; i < to; i++)
    if (v->count[i] >= big) {
      bins_left--;
      rows_left -= v->count[i];
    }
  mean = (double)rows_left / bins_left;
  size_t made = 0;
  for (size_t i = from; i + 1 < to && made + 1 < (size_t)max_bin; i++) {
    bool alone = v->count[i] >= big;
    if (!alone) rows_left -= v->count[i];
    in_bin += v->count[i];
    if (!alone && in_bin < mean && !(v->count[i + 1] >= big && in_bin >= fmax(1.0, mean * 0.5)))
      continue;
    n = add_bound(upper, n, half_way(v->value[i], v->value[i + 1]));
    made++;
    in_bin = 0;
    if (!alone) {
      bins_left--;
      mean = rows_left / (double)bins_left;
    }
  }
  upper[n++] = INFINITY;
  return n;
}

static void count_distinct(double *x, size_t N, distinct *v) {
  qsort(x, N, sizeof *x, rmx__ascending);
  v->n = 0;
  for (size_t i = 0; i < N; i++) {
    if (v->n && same(v->value[v->n - 1], x[i])) {
      v->value[v->n - 1] = x[i];
      v->count[v->n - 1]++;
    } else {
      v->value[v->n] = x[i];
      v->count[v->n++] = 1;
    }
  }
}

static size_t find_bounds(const distinct *v, const rmx_trees_options *o, double *upper) {
  int max_bin = (int)o->max_bin, min_in_bin = (int)o->min_data_in_bin, below = 0, above = 0;
  size_t negative = 0, positive, n = 0;
  for (; negative < v->n && v->value[negative] <= -RMX__ZERO; negative++)
    below += v->count[negative];
  for (positive = negative; positive < v->n && v->value[positive] <= RMX__ZERO;) positive++;
  for (size_t i = positive; i < v->n; i++) above += v->count[i];
  if (negative > 0 && max_bin > 1) {
    int share = (int)((double)below / (below + above) * (max_bin - 1));
    n = share_out(v, 0, negative, share > 1 ? share : 1, below, min_in_bin, upper);
    upper[n - 1] = -RMX__ZERO;
  }
  int left = max_bin - 1 - (int)n;
  if (positive < v->n && left > 0) {
    upper[n++] = RMX__ZERO;
    return n + share_out(v, positive, v->n, left, above, min_in_bin, upper + n);
  }
  upper[n++] = INFINITY;
  return n;
}

static size_t bin_of(const double *upper, size_t n, double x) {
  size_t low = 0, high = n - 1;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (x <= upper[middle])
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static bool can_split(const int *count, size_t n, int N, int min_data) {
  int left = 0;
  for (size_t b = 0; b + 1 < n; b++) {
    left += count[b];
    if (left >= min_data && N - left >= min_data) return true;
  }
  return false;
}

// The bins that are not skipped, as a list for each row.
static rmx_status list_entries(rmx_arena *arena, rmx__bins *b, rmx_err *err) {
  const size_t N = b->N, D = b->D;
  size_t entries = 0;
  for (size_t d = 0; d < D; d++)
    for (size_t i = 0; b->n[d] > 1 && i < N; i++) entries += b->bin[d * N + i] != b->skipped[d];
  b->entry = rmx_arena_alloc(arena, entries, sizeof(uint32_t));
  if (!b->entry) return rmx_fail_memory(err, entries * sizeof(uint32_t), "the bins of trees");
  entries = 0;
  for (size_t i = 0; i < N; i++) {
    b->row[i] = entries;
    for (size_t d = 0; d < D; d++)
      if (b->n[d] > 1 && b->bin[d * N + i] != b->skipped[d])
        b->entry[entries++] = (uint32_t)(b->first[d] + b->bin[d * N + i]);
  }
  b->row[N] = entries;
  return RMX_OK;
}

// The bin of zero, or the fullest of n bins if that has 70 % of the N rows.
static int skipped_bin(const int *count, size_t n, size_t N, size_t zero) {
  size_t fullest = 0;
  for (size_t k = 1; k < n; k++)
    if (count[k] > count[fullest]) fullest = k;
  return (int)((double)count[fullest] / (double)N < 0.7 ? zero : fullest);
}

rmx_status rmx__bins_make(rmx_arena *arena, const double *X, size_t N, size_t D,
                          const rmx_trees_options *o, rmx__bins *b, rmx_err *err) {
  if (N > INT32_MAX / 2) return rmx_fail(err, RMX_EINPUT, "%zu runs are too many for trees", N);
  RMX_OWNED_BY(rmx_arena_release) rmx_arena scratch = {0};
  size_t max_bins = (size_t)o->max_bin < N + 3 ? (size_t)o->max_bin : N + 3;
  *b = (rmx__bins){.N = N, .D = D};
  b->n = rmx_arena_alloc(arena, D, sizeof(int));
  b->skipped = rmx_arena_alloc(arena, D, sizeof(int));
  b->first = rmx_arena_alloc(arena, D + 1, sizeof(size_t));
  b->min = rmx_arena_alloc(arena, D, sizeof(double));
  b->max = rmx_arena_alloc(arena, D, sizeof(double));
  b->bin = rmx_arena_alloc(arena, D * N, sizeof(uint16_t));
  b->row = rmx_arena_alloc(arena, N + 1, sizeof(size_t));
  double *upper = rmx_arena_alloc(&scratch, D, (max_bins + 64) * sizeof(double)),
         *x = rmx_arena_alloc(&scratch, N, sizeof(double));
  distinct v = {rmx_arena_alloc(&scratch, N, sizeof(double)),
                rmx_arena_alloc(&scratch, N, sizeof(int)), 0};
  int *count = rmx_arena_alloc(&scratch, max_bins, sizeof(int));
  if (!b->n || !b->skipped || !b->first || !b->min || !b->max || !b->bin || !b->row || !upper ||
      !x || !v.value || !v.count || !count)
    return rmx_fail_memory(err, D * (N + max_bins) * sizeof(double), "the bins of trees");
  for (size_t d = 0; d < D; d++) {
    for (size_t i = 0; i < N; i++) x[i] = fabs(X[i * D + d]) <= RMX__ZERO ? 0 : X[i * D + d];
    count_distinct(x, N, &v);
    b->min[d] = v.value[0];
    b->max[d] = v.value[v.n - 1];
    double *u = upper + b->first[d];
    size_t n = find_bounds(&v, o, u);
    memset(count, 0, n * sizeof(int));
    for (size_t i = 0; i < N; i++) {
      size_t bin = bin_of(u, n, X[i * D + d]);
      b->bin[d * N + i] = (uint16_t)bin;
      count[bin]++;
    }
    if (!can_split(count, n, (int)N, (int)o->min_data_in_leaf)) n = 1;
    b->n[d] = (int)n;
    b->first[d + 1] = b->first[d] + (n + 63) / 64 * 64;
    b->skipped[d] = skipped_bin(count, n, N, bin_of(u, n, 0));
  }
  b->upper = rmx_arena_alloc(arena, b->first[D], sizeof(double));
  if (!b->upper) return rmx_fail_memory(err, b->first[D] * sizeof(double), "the bins of trees");
  memcpy(b->upper, upper, b->first[D] * sizeof(double));
  return list_entries(arena, b, err);
}
