// SPDX-License-Identifier: Apache-2.0
// What a metric measures. Its name says it, or its values: an accuracy is a whole number of right
// answers over the number of questions, k / n with the same n in all runs. A loss hits such a grid
// only by chance. Grids of three decimals are left out, since a loss may be rounded to them.

#include <math.h>

#include "fit.h"

enum { ENOUGH_RUNS = 8, MOST_QUESTIONS = 2000, ROUNDED = 1000 };
static const double ROUNDING = 1e-9;

// Whether all values of metric m are multiples of 1 / questions.
static bool on_grid(const rmx_fit *f, size_t m, int questions) {
  for (size_t i = 0; i < f->N; i++) {
    const double y = f->truth[i * f->M + m] * questions;
    if (isfinite(y) && fabs(y - round(y)) > ROUNDING * questions) return false;
  }
  return true;
}

static bool are_shares(const rmx_fit *f, size_t m) {
  double low = INFINITY, high = -INFINITY;
  size_t n = 0;
  if (!f->truth) return false;
  for (size_t i = 0; i < f->N; i++) {
    const double y = f->truth[i * f->M + m];
    if (!isfinite(y)) continue;
    low = fmin(low, y);
    high = fmax(high, y);
    n++;
  }
  if (n < ENOUGH_RUNS || !(low >= 0 && low < high && high <= 1)) return false;
  for (int questions = 2; questions < MOST_QUESTIONS; questions++)
    if (questions != ROUNDED && on_grid(f, m, questions)) return true;
  return false;
}

rmx_metric_kind rmx_fit_kind(const rmx_fit *f, size_t m) {
  const rmx_metric_kind kind = rmx_kind_by_name(f->metrics[m]);
  if (kind != RMX_KIND_UNKNOWN) return kind;
  return are_shares(f, m) ? RMX_KIND_ACCURACY : RMX_KIND_UNKNOWN;
}
