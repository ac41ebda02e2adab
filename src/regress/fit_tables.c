// SPDX-License-Identifier: Apache-2.0
// A fit from two tables, mixtures and metrics: which runs and metrics they have in common
// (match_tables.c), the data of the fit, and its regressors (fit_metrics.c).

#include <math.h>
#include <string.h>

#include "directions.h"
#include "fit.h"
#include "fit_metrics.h"
#include "fit_phases.h"
#include "fit_warnings.h"
#include "match_tables.h"
#include "name_order.h"
#include "options.h"
#include "registry.h"
#include "rows.h"
#include "scales.h"
#include "token_counts.h"

// The mixtures of all rows of the table in X (N, D), checked and normalised.
static rmx_status take_mixtures(const rmx_fit *f, const rmx_table *mixtures, double *X,
                                const rmx_listener *listener, rmx_err *err) {
  memcpy(X, mixtures->x, mixtures->N * f->D * sizeof(double));
  RMX_TRY(rmx__scale_phases(f, mixtures, X, err));
  return rmx__check_rows(mixtures, (const char *const *)f->domains, f->D, f->raw,
                         f->options.normalize, X, listener, err);
}

static rmx_status take_names(rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                             const size_t *column, rmx_err *err) {
  for (size_t d = 0; d < f->D; d++)
    if ((f->domains[d] = rmx_strdup(mixtures->names[d])) == NULL)
      return rmx_fail_memory(err, 64, "a name");
  for (size_t m = 0; m < f->M; m++)
    if ((f->metrics[m] = rmx_strdup(metrics->names[column[m]])) == NULL)
      return rmx_fail_memory(err, 64, "a name");
  return RMX_OK;
}

static void average_runs(rmx_fit *f, const rmx_listener *listener) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf never = {0};
  for (size_t d = 0; d < f->D; d++) {
    bool seen = false;
    for (size_t i = 0; i < f->N; i++) {
      f->mean_mixture[d] += f->runs[i * f->D + d] / (double)f->N;
      seen |= f->runs[i * f->D + d] > 0;
    }
    if (!seen) rmx_buf_printf(&never, "%s\"%s\"", never.size ? ", " : "", f->domains[d]);
  }
  if (never.size && !never.failed)
    rmx_warn(listener, "no run used %s: the fit can make no claim about it", never.data);
}

// Fills f with the names, the mixtures and the values of the runs that are in both tables, and
// run_of (f->N) with their rows of the metrics. The runs of a fit are in the order of their names:
// what is drawn for the n-th of them, such as its fold, then does not depend on how the table was
// sorted.
static rmx_status gather(rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                         const size_t *partner, const size_t *column, size_t *run_of,
                         const rmx_listener *listener, rmx_err *err) {
  const size_t D = f->D, M = f->M;
  size_t n = 0;
  RMX_OWNED size_t *row_of = rmx_calloc(mixtures->N, 2 * sizeof *row_of);
  RMX_OWNED double *X = rmx_calloc(mixtures->N, D * sizeof *X);
  RMX_TRY(rmx__fit_allocate(f, true, err));
  f->fold = rmx_calloc(f->N, M * sizeof(int));
  if (!f->fold || !row_of || !X)
    return rmx_fail_memory(err, mixtures->N * D * sizeof(double), "a fit");
  RMX_TRY(take_names(f, mixtures, metrics, column, err));
  RMX_TRY(take_mixtures(f, mixtures, X, listener, err));
  size_t *order = row_of + mixtures->N;
  RMX_TRY(rmx__name_order((const char *const *)mixtures->ids, mixtures->N, order, err));
  for (size_t k = 0; k < mixtures->N; k++) {
    const size_t i = order[k];
    if (partner[i] == SIZE_MAX) continue;
    memcpy(f->runs + n * D, X + i * D, D * sizeof(double));
    if ((f->run_ids[n] = rmx_strdup(mixtures->ids[i])) == NULL)
      return rmx_fail_memory(err, 64, "a name");
    row_of[n] = i;
    run_of[n++] = partner[i];
  }
  RMX_TRY(rmx__take_scales(f, mixtures, metrics, row_of, run_of, err));
  rmx__weigh_scales(f, listener);
  RMX_TRY(rmx__judge_runs(f, err));
  for (size_t k = 0; k < n * M; k++) {
    f->truth[k] = metrics->x[run_of[k / M] * metrics->D + column[k % M]];
    f->out_of_fold[k] = NAN;
    f->fold[k] = -1;
  }
  average_runs(f, listener);
  return RMX_OK;
}

// With about as many mixtures as domains, the fit follows its prior in some directions.
static void warn_of_few(const rmx_fit *f, const rmx_listener *listener) {
  size_t mixtures = 0, used = 0;
  for (size_t i = 0; i < f->N; i++) mixtures += f->groups[i] == (int)i;
  for (size_t d = 0; d < f->D; d++) used += f->mean_mixture[d] > 0;
  if (mixtures >= 2 * used) return;
  rmx_warn(listener,
           "%zu different mixture%s of %zu domain%s: too few to measure the effect of each domain, "
           "so %s of the fit is the prior's assumption; train %zu or more",
           mixtures, rmx_s(mixtures), used, rmx_s(used), mixtures < used ? "most" : "much",
           2 * used);
}

// Epochs are those of a whole run, so a column for each phase does not fit them.
static rmx_status check_phases(const rmx_fit *f, rmx_err *err) {
  if (!f->n_phases || strcmp(f->options.regressor, rmx__exposure.name) != 0) return RMX_OK;
  return rmx_fail(
      err, RMX_EUSAGE,
      "regressor \"exposure\" counts the epochs of a whole run, and these runs have %zu "
      "phases; choose another, such as --regressor auto",
      f->n_phases);
}

rmx_status rmx_fit_tables(const rmx_fit_tables_request *r, rmx_fit **out, rmx_err *err) {
  const size_t N = r->mixtures->N;
  size_t M = r->n_only ? r->n_only : r->metrics->D;
  RMX_OWNED size_t *partner = rmx_calloc(N, sizeof *partner);
  RMX_OWNED size_t *column = rmx_calloc(M, sizeof *column);
  RMX_OWNED size_t *run_of = rmx_calloc(N, sizeof *run_of);
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *f = rmx_calloc(1, sizeof *f);
  if (!partner || !column || !run_of || !f)
    return rmx_fail_memory(err, N * sizeof *partner, "a fit");
  RMX_TRY(rmx__match_tables(r, partner, column, &M, err));
  *f = (rmx_fit){.D = r->mixtures->D, .M = M, .raw = r->raw, .folds = r->options->folds};
  RMX_TRY(rmx__options_copy(r->options, &f->options, err));
  if ((r->size_column && !(f->size_column = rmx_strdup(r->size_column))) ||
      (r->tokens_column && !(f->tokens_column = rmx_strdup(r->tokens_column))))
    return rmx_fail_memory(err, 64, "the name of a column");
  for (size_t i = 0; i < N; i++) f->N += partner[i] != SIZE_MAX;
  RMX_TRY(rmx__take_phases(f, r->mixtures, r->phase_share, r->n_phases, r->listener, err));
  RMX_TRY(gather(f, r->mixtures, r->metrics, partner, column, run_of, r->listener, err));
  RMX_TRY(rmx__replicate_groups(f->runs, f->N, f->D, f->groups, err));
  RMX_TRY(rmx__directions(f, r->metrics, column, r->listener, err));
  warn_of_few(f, r->listener);
  RMX_TRY(check_phases(f, err));
  if (r->exposure && f->n_phases == 0)
    RMX_TRY(rmx__take_token_counts(f, r->exposure, r->listener, err));
  RMX_TRY(rmx__fit_metrics(f, r, run_of, err));
  rmx__warn_of_fit(f, r->listener);
  *out = f;
  f = NULL;
  return RMX_OK;
}
