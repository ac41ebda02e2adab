// SPDX-License-Identifier: Apache-2.0
// Which runs and which metrics of two tables are fitted: those that both tables have, without
// columns that are weights, runs without a value and metrics with too few.

#include "match_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "join.h"

static rmx_status choose_metrics(const rmx_table *metrics, const char *const *only, size_t n_only,
                                 size_t *column, rmx_err *err) {
  for (size_t m = 0; m < (n_only ? n_only : metrics->D); m++) {
    column[m] = m;
    if (n_only == 0) continue;
    // The caller named the metric, so a wrong name is misuse and not wrong input.
    if (rmx_find_name("metric", only[m], (const char *const *)metrics->names, metrics->D,
                      &column[m], err) != RMX_OK)
      return err->status = RMX_EUSAGE;
    for (size_t k = 0; k < m; k++)
      if (column[k] == column[m])
        return rmx_fail(err, RMX_EUSAGE, "metric \"%s\" is asked for twice",
                        metrics->names[column[m]]);
  }
  return RMX_OK;
}

static double value_of(const rmx_table *metrics, const size_t *row, size_t i, size_t column) {
  return row[i] == SIZE_MAX ? NAN : metrics->x[row[i] * metrics->D + column];
}

// Tables that were read from files have passed this check before.
static rmx_status check_size(const rmx_table *mixtures, const rmx_table *metrics,
                             const size_t *partner, const size_t *column, size_t M, rmx_err *err) {
  static const double max = 1e100;  // its square is finite
  for (size_t i = 0; i < mixtures->N; i++)
    for (size_t m = 0; m < M; m++) {
      const double x = value_of(metrics, partner, i, column[m]);
      if (isfinite(x) && fabs(x) > max)
        return rmx_fail(
            err, RMX_EINPUT,
            "metric \"%s\" of run \"%s\" is %g, too large to compute with; wanted up to "
            "1e100",
            metrics->names[column[m]], mixtures->ids[i], x);
    }
  return RMX_OK;
}

// Whether a column of the metrics is the weights of a domain, by its name and in all runs, as where
// '*' chose all columns.
static bool is_weights(const rmx_table *mixtures, const rmx_table *metrics, const size_t *partner,
                       size_t column) {
  for (size_t d = 0; d < mixtures->D; d++) {
    if (!rmx__ends_in(metrics->names[column], mixtures->names[d])) continue;
    size_t same = 0, first = SIZE_MAX, n = 0;
    bool varies = false;
    for (size_t i = 0; i < mixtures->N && same == n; i++) {
      if (partner[i] == SIZE_MAX) continue;
      const double w = mixtures->x[i * mixtures->D + d];
      n++;
      same += value_of(metrics, partner, i, column) == w;
      if (first == SIZE_MAX) first = i;
      varies |= w != mixtures->x[first * mixtures->D + d];
    }
    if (varies && same == n) return true;
  }
  return false;
}

// Leaves out such columns (*M shrinks), with a warning.
static void drop_weights(const rmx_table *mixtures, const rmx_table *metrics, const size_t *partner,
                         size_t *column, size_t *M, const rmx_listener *listener) {
  rmx_few weights = {0};
  size_t kept = 0;
  for (size_t m = 0; m < *M; m++)
    if (is_weights(mixtures, metrics, partner, column[m]))
      rmx_few_add(&weights, metrics->names[column[m]]);
    else
      column[kept++] = column[m];
  if (kept == 0) return;  // then it is what was meant
  *M = kept;
  if (weights.n)
    rmx_warn(listener,
             "%zu column%s of the metrics %s the weights of a domain and %s not fitted: "
             "%s; --metric-columns chooses the columns",
             weights.n, rmx_s(weights.n), rmx_is(weights.n), rmx_is(weights.n), weights.text);
}

// Leaves out runs without any value (their partner becomes SIZE_MAX), then metrics with fewer than
// three values where other runs have one (*M shrinks), and warns of both. RMX_EINPUT if none is
// left.
static rmx_status drop_empty(const rmx_table *mixtures, const rmx_table *metrics, size_t *partner,
                             size_t *column, size_t *M, const rmx_listener *listener,
                             rmx_err *err) {
  enum { MIN_VALUES = 3 };
  rmx_few empty = {0}, dropped = {0};
  size_t runs = 0, kept = 0;
  for (size_t i = 0; i < mixtures->N; i++) {
    bool any = false;
    for (size_t m = 0; m < *M && !any; m++)
      any = isfinite(value_of(metrics, partner, i, column[m]));
    runs += any;
    if (any || partner[i] == SIZE_MAX) continue;
    partner[i] = SIZE_MAX;
    rmx_few_add(&empty, mixtures->ids[i]);
  }
  if (empty.n && runs)
    rmx_warn(listener, "%zu of %zu run%s %s no value of any metric and %s left out: %s", empty.n,
             empty.n + runs, rmx_s(empty.n + runs), rmx_has(empty.n), rmx_is(empty.n), empty.text);
  for (size_t m = 0; m < *M; m++) {
    size_t values = 0;
    for (size_t i = 0; i < mixtures->N; i++)
      values += isfinite(value_of(metrics, partner, i, column[m]));
    if (values < MIN_VALUES && values < runs)
      rmx_few_add(&dropped, metrics->names[column[m]]);
    else
      column[kept++] = column[m];
  }
  if (dropped.n && kept)
    rmx_warn(listener, "%zu of %zu metric%s %s fewer than %d values and %s not fitted: %s",
             dropped.n, *M, rmx_s(*M), rmx_has(dropped.n), MIN_VALUES, rmx_is(dropped.n),
             dropped.text);
  size_t asked = *M;
  *M = kept;
  if (kept && runs) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: none of the %zu metrics (%s) has %d values in runs of %s: there is nothing to fit",
      metrics->path ? metrics->path : "the metrics", asked,
      dropped.n ? dropped.text : metrics->names[column[0]], MIN_VALUES,
      mixtures->path ? mixtures->path : "the mixtures");
}

rmx_status rmx__match_tables(const rmx_fit_tables_request *r, size_t *partner, size_t *column,
                             size_t *M, rmx_err *err) {
  const rmx_table *mixtures = r->mixtures, *metrics = r->metrics;
  if (mixtures->D == 0 || metrics->D == 0) {
    const rmx_table *empty = mixtures->D == 0 ? mixtures : metrics;
    return rmx_fail(err, RMX_EINPUT, "%s: there are no columns beside the names of the runs",
                    empty->path ? empty->path : "table");
  }
  RMX_TRY(choose_metrics(metrics, r->only, r->n_only, column, err));
  size_t *back = rmx_calloc(metrics->N, sizeof *back), common = 0;
  if (!back) return rmx_fail_memory(err, metrics->N * sizeof *back, "joining tables");
  rmx_status status = rmx__join(mixtures, metrics, partner, err);
  if (status == RMX_OK) status = rmx__join(metrics, mixtures, back, err);
  for (size_t i = 0; status == RMX_OK && i < mixtures->N; i++) common += partner[i] != SIZE_MAX;
  if (status == RMX_OK && common) {
    rmx__join_warn(mixtures, metrics, partner, "left out", r->listener);
    rmx__join_warn(metrics, mixtures, back, "left out", r->listener);
  }
  free(back);
  RMX_TRY(status);
  if (common) RMX_TRY(check_size(mixtures, metrics, partner, column, *M, err));
  if (common) drop_weights(mixtures, metrics, partner, column, M, r->listener);
  if (common) return drop_empty(mixtures, metrics, partner, column, M, r->listener, err);
  return rmx_fail(err, RMX_EINPUT,
                  "%s and %s have no run in common: their first columns (\"%s\", \"%s\") must name "
                  "the same runs",
                  mixtures->path ? mixtures->path : "mixtures",
                  metrics->path ? metrics->path : "metrics", mixtures->id_name, metrics->id_name);
}
