// SPDX-License-Identifier: Apache-2.0
// How well predictions agree with what was measured. Spearman's rho is the correlation of the
// ranks; values that tie share the mean of their ranks. Cost: two sorts.

#include "diagnostics.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"

typedef struct ranked {
  double value;
  size_t index;
} ranked;

static int by_value(const void *a, const void *b) {
  double x = ((const ranked *)a)->value, y = ((const ranked *)b)->value;
  return (x > y) - (x < y);
}

static void ranks_of(const double *x, size_t n, ranked *order, double *rank) {
  for (size_t i = 0; i < n; i++) order[i] = (ranked){x[i], i};
  qsort(order, n, sizeof *order, by_value);
  for (size_t i = 0, j; i < n; i = j) {
    for (j = i + 1; j < n && order[j].value == order[i].value;) j++;
    for (size_t k = i; k < j; k++) rank[order[k].index] = 0.5 * (double)(i + j - 1);
  }
}

double rmx_spearman(const double *a, const double *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (isnan(a[i]) || isnan(b[i])) return NAN;
  RMX_OWNED ranked *order = rmx_calloc(n, sizeof *order);
  RMX_OWNED double *ra = rmx_calloc(n, 2 * sizeof(double));
  double rho = NAN;
  if (order && ra) {
    double *rb = ra + n, mean = 0.5 * ((double)n - 1), aa = 0, bb = 0, ab = 0;
    ranks_of(a, n, order, ra);
    ranks_of(b, n, order, rb);
    for (size_t i = 0; i < n; i++) {
      aa += (ra[i] - mean) * (ra[i] - mean);
      bb += (rb[i] - mean) * (rb[i] - mean);
      ab += (ra[i] - mean) * (rb[i] - mean);
    }
    if (aa > 0 && bb > 0) rho = ab / sqrt(aa * bb);
  }
  return rho;
}

bool rmx__only_rounding(double square, double mean, size_t n) {
  static const double ROUNDING = 1e-10;  // of the mean
  return sqrt(square / (double)n) <= ROUNDING * fabs(mean);
}

void rmx_score(const double *truth, const double *predicted, size_t n, rmx_scores *out) {
  double mean = 0, sse = 0, sae = 0, sst = 0;
  for (size_t i = 0; i < n; i++) mean += truth[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    double e = predicted[i] - truth[i];
    sse += e * e;
    sae += fabs(e);
    sst += (truth[i] - mean) * (truth[i] - mean);
  }
  *out = (rmx_scores){.n = n,
                      .spearman = rmx_spearman(truth, predicted, n),
                      .mse = n ? sse / (double)n : NAN,
                      .mae = n ? sae / (double)n : NAN,
                      .r2 = n && !rmx__only_rounding(sst, mean, n) ? 1 - sse / sst : NAN};
}

json_t *rmx__scores_json(const rmx_scores *s) {
  json_t *o = json_object();
  const char *const keys[] = {"spearman", "mse", "mae", "r2"};
  const double values[] = {s->spearman, s->mse, s->mae, s->r2};
  bool failed = !o || json_object_set_new(o, "n", json_integer((json_int_t)s->n)) != 0;
  for (size_t i = 0; i < 4 && !failed; i++)
    failed = json_object_set_new(o, keys[i], rmx__json_known(values[i])) != 0;
  if (!failed) return o;
  json_decref(o);
  return NULL;
}

json_t *rmx_scores_json(const rmx_scores *s, const rmx_diagnostics *d) {
  json_t *o = rmx__scores_json(s);
  if (!o || !d || rmx__diagnostics_add(d, o)) return o;
  json_decref(o);
  return NULL;
}
