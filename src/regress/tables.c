// SPDX-License-Identifier: Apache-2.0
// Fits and cross-validates one regressor for each metric of two tables, mixtures and results.
// Metrics are independent, so threads share them. The messages of each metric are kept, and then
// passed on in the order of the metrics.

#include <math.h>
#include <pthread.h>
#include <regmix/mixture.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directions.h"
#include "fit.h"
#include "fit_phases.h"
#include "fit_warnings.h"
#include "folds.h"
#include "join.h"
#include "name_order.h"
#include "options.h"
#include "registry.h"
#include "rows.h"
#include "scales.h"
#include "together.h"

typedef struct message {
  bool warning;
  char *text;
  struct message *next;
} message;

typedef struct job {  // of one metric
  rmx_err err;
  rmx_status status;
  message *first, **last;
  struct work *work;
  double share;  // the part of its work that is done
} job;

typedef struct work {
  rmx_fit *fit;
  const rmx_regress_options *options;
  const rmx_table *metrics;
  const size_t *run_of;  // (N) row of metrics
  uint64_t seed;
  const rmx__all_together *together;
  job *jobs;                     // (M)
  const rmx_listener *listener;  // gets progress from one thread at a time
  pthread_mutex_t *telling;
} work;

// Reports the progress of all metrics together, since they are fitted in parallel.
static void report_share(void *context, const char *what, double done, double total,
                         const char *unit, const char *detail) {
  job *j = context;
  work *w = j->work;
  pthread_mutex_lock(w->telling);
  j->share = total > 0 ? done / total : 0;
  double sum = 0;
  for (size_t m = 0; m < w->fit->M; m++) sum += w->jobs[m].share;
  char text[64];
  snprintf(text, sizeof text, "%.0f of %zu metrics", floor(sum + 1e-9), w->fit->M);
  rmx_progress(w->listener, "fit", sum, (double)w->fit->M, "metrics", text);
  pthread_mutex_unlock(w->telling);
}

static void keep_message(job *j, bool warning, const char *text) {
  message *m = rmx_calloc(1, sizeof *m);
  if (!m || (m->text = rmx_strdup(text)) == NULL) {
    free(m);
    return;
  }
  m->warning = warning;
  *j->last = m;
  j->last = &m->next;
}

static void keep_note(void *context, const char *text) {
  keep_message(context, false, text);
}
static void keep_warning(void *context, const char *text) {
  keep_message(context, true, text);
}

// The scores out of fold of metric m, over the runs by which the fit is judged.
static rmx_status score_metric(rmx_fit *f, size_t m, rmx_err *err) {
  RMX_OWNED double *truth = rmx_calloc(2 * f->N, sizeof(double));
  if (!truth) return rmx_fail_memory(err, 2 * f->N * sizeof(double), "scores");
  double *predicted = truth + f->N;
  size_t n = 0;
  for (size_t i = 0; i < f->N; i++) {
    const size_t k = i * f->M + m;
    if (f->fold[k] < 0 || (f->judged && !f->judged[i])) continue;
    truth[n] = f->truth[k];
    predicted[n++] = f->out_of_fold[k];
  }
  rmx_score(truth, predicted, n, &f->cv[m]);
  return RMX_OK;
}

static rmx_status fit_function(const work *w, size_t m, const rmx_dataset *data,
                               const rmx_listener *listener, rmx_regressor **out, rmx_err *err) {
  rmx__together part;
  if (!rmx__together_part(w->together, data->N, m, &part))
    return rmx_regress_fit(w->options, data, w->seed, listener, out, err);
  if (strcmp(w->options->regressor, rmx__shared_kind.name) == 0)
    return rmx__only_shared(data, &part, out, err);
  return rmx__choose(w->options, data, w->seed, &part, listener, out, err);
}

static rmx_status fit_metric(work *w, size_t m, const rmx_listener *listener, rmx_err *err) {
  rmx_fit *f = w->fit;
  size_t N = f->N, n = 0, missing = N;
  rmx_few lacking = {0};
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  rmx_dataset data;
  double *predicted = rmx_arena_alloc(&arena, N, sizeof(double));
  int *fold = rmx_arena_alloc(&arena, N, sizeof(int));
  size_t *row = rmx_arena_alloc(&arena, N, sizeof(size_t));
  if (!predicted || !fold || !row) {
    status = rmx_fail_memory(err, N * sizeof(double), "a fit");
    goto done;
  }
  for (size_t i = 0; i < N; i++) {
    if (isfinite(f->truth[i * f->M + m]))
      row[n++] = i;
    else {
      rmx_few_add(&lacking, f->run_ids[i]);
      if (missing == N || w->run_of[i] < w->run_of[missing]) missing = i;
    }
  }
  if (n < N) {
    char where[700];
    snprintf(where, sizeof(where),
             "metric \"%.100s\": %zu of %zu run%s %s no value (%s; the first in %s:%d)",
             f->metrics[m], N - n, N, rmx_s(N), rmx_has(N - n), lacking.text,
             w->metrics->path ? w->metrics->path : "table",
             w->metrics->lines ? w->metrics->lines[w->run_of[missing]] : 0);
    if (!w->options->skip_missing && !f->scales) {
      status = rmx_fail(err, RMX_EINPUT,
                        "%s; fill them in, or leave these runs out of its fit with --skip-missing",
                        where);
      goto done;
    }
    rmx_warn(listener, "%s and %s left out of its fit", where, rmx_is(N - n));
  }
  RMX_TRY_GOTO(rmx__fit_dataset(f, m, &arena, &data, err), done);
  RMX_TRY_GOTO(fit_function(w, m, &data, listener, &f->regressors[m], err), done);
  bool one_group = true;
  for (size_t i = 1; i < n; i++) one_group &= data.groups[i] == data.groups[0];
  f->cv[m] = (rmx_scores){.n = 0, .spearman = NAN, .mse = NAN, .mae = NAN, .r2 = NAN};
  if (one_group) {
    rmx_warn(listener, "metric \"%s\": all its runs have one mixture: there is no cross-validation",
             f->metrics[m]);
    goto done;
  }
  RMX_TRY_GOTO(rmx__cross_validate(w->options, &data, f->regressors[m], w->seed, predicted, fold,
                                   listener, err),
               done);
  for (size_t i = 0; i < n; i++) {
    f->out_of_fold[row[i] * f->M + m] = predicted[i];
    f->fold[row[i] * f->M + m] = fold[i];
  }
  status = score_metric(f, m, err);
done:
  rmx_arena_release(&arena);
  return status;
}

static void do_job(void *context, size_t m) {
  work *w = context;
  rmx_listener listener = {
      .context = &w->jobs[m], .progress = report_share, .note = keep_note, .warn = keep_warning};
  w->jobs[m].work = w;
  w->jobs[m].status = fit_metric(w, m, &listener, &w->jobs[m].err);
  report_share(&w->jobs[m], "fit", 1, 1, "", NULL);
}

static bool copy_names(char **to, char *const *from, size_t n) {
  for (size_t i = 0; i < n; i++)
    if ((to[i] = rmx_strdup(from[i])) == NULL) return false;
  return true;
}

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

static bool ends_in(const char *text, const char *end) {
  const size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

// Whether a column of the metrics is the weights of a domain, by its name and in all runs, as where
// '*' chose all columns.
static bool is_weights(const rmx_table *mixtures, const rmx_table *metrics, const size_t *partner,
                       size_t column) {
  for (size_t d = 0; d < mixtures->D; d++) {
    if (!ends_in(metrics->names[column], mixtures->names[d])) continue;
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

// The mixtures of all rows of the table in X (N, D), checked and normalised.
static rmx_status take_mixtures(const rmx_fit *f, const rmx_table *mixtures, double *X,
                                const rmx_listener *listener, rmx_err *err) {
  memcpy(X, mixtures->x, mixtures->N * f->D * sizeof(double));
  RMX_TRY(rmx__scale_phases(f, mixtures, X, err));
  return rmx__check_rows(mixtures, (const char *const *)f->domains, f->D, f->raw,
                         f->options.normalize, X, listener, err);
}

// Fills f with the names, the mixtures and the values of the runs that are in both tables, and
// run_of (f->N) with their rows of the metrics. The runs of a fit are in the order of their names:
// what is drawn for the n-th of them, such as its fold, then does not depend on how the table was
// sorted.
static rmx_status gather(rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                         const size_t *partner, const size_t *column, size_t *run_of,
                         const rmx_listener *listener, rmx_err *err) {
  size_t D = f->D, M = f->M, n = 0;
  RMX_OWNED size_t *row_of = rmx_calloc(mixtures->N, 2 * sizeof *row_of);
  RMX_OWNED double *X = rmx_calloc(mixtures->N, D * sizeof *X);
  f->domains = rmx_calloc(D, sizeof(char *));
  f->metrics = rmx_calloc(M, sizeof(char *));
  f->regressors = rmx_calloc(M, sizeof(rmx_regressor *));
  f->cv = rmx_calloc(M, sizeof(rmx_scores));
  f->mean_mixture = rmx_calloc(D, sizeof(double));
  f->runs = rmx_calloc(f->N, D * sizeof(double));
  f->run_ids = rmx_calloc(f->N, sizeof(char *));
  f->truth = rmx_calloc(f->N, M * sizeof(double));
  f->out_of_fold = rmx_calloc(f->N, M * sizeof(double));
  f->fold = rmx_calloc(f->N, M * sizeof(int));
  f->groups = rmx_calloc(f->N, sizeof(int));
  f->higher_is_better = rmx_calloc(M, sizeof(bool));
  f->direction_from = rmx_calloc(M, sizeof(rmx_direction_from));
  if (!f->domains || !f->metrics || !f->regressors || !f->cv || !f->mean_mixture || !f->runs ||
      !f->run_ids || !f->truth || !f->out_of_fold || !f->fold || !f->groups ||
      !f->higher_is_better || !f->direction_from || !row_of || !X ||
      !copy_names(f->domains, mixtures->names, D))
    return rmx_fail_memory(err, mixtures->N * D * sizeof(double), "a fit");
  for (size_t m = 0; m < M; m++)
    if ((f->metrics[m] = rmx_strdup(metrics->names[column[m]])) == NULL)
      return rmx_fail_memory(err, 64, "a name");
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
  RMX_OWNED_BY(rmx_buf_release) rmx_buf never = {0};
  for (size_t d = 0; d < D; d++) {
    bool seen = false;
    for (size_t i = 0; i < n; i++) {
      f->mean_mixture[d] += f->runs[i * D + d] / (double)n;
      seen |= f->runs[i * D + d] > 0;
    }
    if (!seen) rmx_buf_printf(&never, "%s\"%s\"", never.size ? ", " : "", f->domains[d]);
  }
  if (never.size && !never.failed)
    rmx_warn(listener, "no run used %s: the fit can make no claim about it", never.data);
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

// Takes over what is known about tokens, in the fit's order of domains, and warns where a fit by
// epochs has no runs that repeated their data.
static rmx_status take_exposure(rmx_fit *f, const rmx_exposure *x, const rmx_listener *listener,
                                rmx_err *err) {
  if ((f->tokens = rmx_calloc(f->D, sizeof(double))) == NULL)
    return rmx_fail_memory(err, f->D * sizeof(double), "token counts");
  size_t *index = rmx_calloc(x->D, sizeof *index);
  rmx_status status = index ? rmx_match_names("domain", x->domains, x->D,
                                              (const char *const *)f->domains, f->D, index, err)
                            : rmx_fail_memory(err, x->D * sizeof *index, "token counts");
  rmx_few others = {0};
  for (size_t k = 0; k < x->D && status == RMX_OK; k++) {
    if (index[k] == f->D) {
      rmx_few_add(&others, x->domains[k]);
      continue;
    }
    if (!(x->tokens[k] > 0) || !isfinite(x->tokens[k]))
      status = rmx_fail(err, RMX_EINPUT, "domain \"%s\" has %g tokens: wanted more than 0",
                        x->domains[k], x->tokens[k]);
    f->tokens[index[k]] = x->tokens[k];
  }
  free(index);
  RMX_TRY(status);
  if (others.n)
    rmx_note(listener, "token counts: %zu name%s no domain and %s not used: %s", others.n,
             others.n == 1 ? " matches" : "s match", rmx_is(others.n), others.text);
  for (size_t d = 0; d < f->D; d++)
    if (f->tokens[d] == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "domain \"%s\" has no token count: wanted one for each domain",
                      f->domains[d]);
  f->budget = x->budget;
  f->run_tokens = x->run_tokens;
  if (strcmp(f->options.regressor, rmx__exposure.name) != 0 || !(f->budget > 0)) return RMX_OK;
  double per = f->run_tokens > 0 ? f->run_tokens : f->budget, max_epochs = 0;
  size_t where = 0;
  for (size_t i = 0; i < f->N * f->D; i++) {
    double epochs = f->runs[i] * per / f->tokens[i % f->D];
    if (epochs <= max_epochs) continue;
    max_epochs = epochs;
    where = i % f->D;
  }
  if (max_epochs < 2)
    rmx_warn(
        listener,
        "no run repeated its data (\"%s\" most often, %.2g times), so the effect of repetition "
        "is assumed (R* = 15.39, Muennighoff et al. 2023), not fitted; proxy.repeat: match makes "
        "proxies that repeat it",
        f->domains[where], max_epochs);
  return RMX_OK;
}

// Finds the metrics to fit, column (M), and the rows of both tables that belong together: partner
// (mixtures->N), a row of the metrics or SIZE_MAX. Warns of rows, runs and metrics left out.
static rmx_status match_tables(const rmx_fit_tables_request *r, size_t *partner, size_t *column,
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

// Fits the metrics side by side, and then prints what was kept for each, in their order.
static rmx_status fit_metrics(rmx_fit *f, const rmx_fit_tables_request *r, const size_t *run_of,
                              rmx_err *err) {
  pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
  job *jobs = rmx_calloc(f->M, sizeof *jobs);
  if (!jobs) return rmx_fail_memory(err, f->M * sizeof *jobs, "a fit");
  for (size_t m = 0; m < f->M; m++) jobs[m].last = &jobs[m].first;
  int threads = r->threads ? r->threads : rmx_processors();
  rmx__all_together together;
  work w = {f, r->options, r->metrics, run_of, r->seed, &together, jobs, r->listener, &telling};
  rmx_status status =
      rmx__fit_together(f, r->options, r->seed, threads, r->listener, &together, err);
  if (status == RMX_OK) rmx_parallel(threads, f->M, do_job, &w);
  rmx__all_together_release(&together);
  for (size_t m = 0; m < f->M; m++) {
    for (message *s = jobs[m].first, *next; s; s = next) {
      next = s->next;
      if (status == RMX_OK) (s->warning ? rmx_warn : rmx_note)(r->listener, "%s", s->text);
      free(s->text);
      free(s);
    }
    if (status != RMX_OK || jobs[m].status == RMX_OK) continue;
    *err = jobs[m].err;
    status = jobs[m].status;
  }
  free(jobs);
  return status;
}

rmx_status rmx_fit_tables(const rmx_fit_tables_request *r, rmx_fit **out, rmx_err *err) {
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  size_t N = r->mixtures->N, M = r->n_only ? r->n_only : r->metrics->D;
  size_t *partner = rmx_arena_alloc(&arena, N, sizeof *partner),
         *column = rmx_arena_alloc(&arena, M, sizeof *column);
  size_t *run_of = rmx_arena_alloc(&arena, N, sizeof *run_of);
  rmx_fit *f = rmx_calloc(1, sizeof *f);
  if (!partner || !column || !run_of || !f) {
    status = rmx_fail_memory(err, N * sizeof *partner, "a fit");
    goto done;
  }
  RMX_TRY_GOTO(match_tables(r, partner, column, &M, err), done);
  *f = (rmx_fit){.D = r->mixtures->D, .M = M, .raw = r->raw, .folds = r->options->folds};
  RMX_TRY_GOTO(rmx__options_copy(r->options, &f->options, err), done);
  if ((r->size_column && !(f->size_column = rmx_strdup(r->size_column))) ||
      (r->tokens_column && !(f->tokens_column = rmx_strdup(r->tokens_column)))) {
    status = rmx_fail_memory(err, 64, "the name of a column");
    goto done;
  }
  for (size_t i = 0; i < N; i++) f->N += partner[i] != SIZE_MAX;
  RMX_TRY_GOTO(rmx__take_phases(f, r->mixtures, r->phase_share, r->n_phases, r->listener, err),
               done);
  RMX_TRY_GOTO(gather(f, r->mixtures, r->metrics, partner, column, run_of, r->listener, err), done);
  RMX_TRY_GOTO(rmx__replicate_groups(f->runs, f->N, f->D, f->groups, err), done);
  RMX_TRY_GOTO(rmx__directions(f, r->metrics, column, r->listener, err), done);
  warn_of_few(f, r->listener);
  RMX_TRY_GOTO(check_phases(f, err), done);
  if (r->exposure && f->n_phases == 0)
    RMX_TRY_GOTO(take_exposure(f, r->exposure, r->listener, err), done);
  RMX_TRY_GOTO(fit_metrics(f, r, run_of, err), done);
  rmx__warn_of_fit(f, r->listener);
done:
  rmx_arena_release(&arena);
  if (status != RMX_OK) {
    rmx_fit_free(f);
    return status;
  }
  *out = f;
  return RMX_OK;
}
