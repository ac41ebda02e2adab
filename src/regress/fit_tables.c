// SPDX-License-Identifier: Apache-2.0
// From two tables, mixtures and what was measured, to one regressor a metric, each cross-validated.
// Metrics are independent, so they are shared out over threads; what each has to say is kept and
// told in the order of the metrics.

#include <math.h>
#include <pthread.h>
#include <regmix/mixture.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "regressor.h"

typedef struct message {
  bool warning;
  char *text;
  struct message *next;
} message;

typedef struct job {  // one metric
  rmx_err err;
  rmx_status status;
  message *first, **last;
  struct work *work;
  double share;  // of its work that is done
} job;

typedef struct work {
  rmx_fit *fit;
  const rmx_regress_options *options;
  const rmx_table *metrics;
  const size_t *run_of;  // (N) row of metrics
  uint64_t seed;
  job *jobs;                     // (M)
  const rmx_listener *listener;  // told of progress, by one thread at a time
  pthread_mutex_t *telling;
} work;

// Metrics are fitted side by side: what is told is how far all of them are together.
static void tell_share(void *context, const char *what, double done, double total, const char *unit,
                       const char *detail) {
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
  message *m = rmx_calloc(1, sizeof(*m));
  if (m == NULL || (m->text = rmx_strdup(text)) == NULL) {
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
      if (missing == N) missing = i;
    }
  }
  if (n < N) {
    char where[700];
    snprintf(where, sizeof(where),
             "metric \"%.100s\": %zu of %zu runs %s no value (%s; the first in %s:%d)",
             f->metrics[m], N - n, N, N - n == 1 ? "has" : "have", lacking.text,
             w->metrics->path ? w->metrics->path : "table",
             w->metrics->lines ? w->metrics->lines[w->run_of[missing]] : 0);
    if (!w->options->skip_missing) {
      status = rmx_fail(err, RMX_EINPUT,
                        "%s; fill them in, or leave these runs out of its fit with --skip-missing",
                        where);
      goto done;
    }
    rmx_warn(listener, "%s and are left out of its fit", where);
  }
  RMX_TRY_GOTO(rmx_fit_dataset(f, m, &arena, &data, err), done);
  RMX_TRY_GOTO(rmx_regress_fit(w->options, &data, w->seed, listener, &f->regressors[m], err), done);
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
  rmx_score(data.y, predicted, n, &f->cv[m]);
  for (size_t i = 0; i < n; i++) {
    f->out_of_fold[row[i] * f->M + m] = predicted[i];
    f->fold[row[i] * f->M + m] = fold[i];
  }
done:
  rmx_arena_release(&arena);
  return status;
}

static void do_job(void *context, size_t m) {
  work *w = context;
  rmx_listener listener = {
      .context = &w->jobs[m], .progress = tell_share, .note = keep_note, .warn = keep_warning};
  w->jobs[m].work = w;
  w->jobs[m].status = fit_metric(w, m, &listener, &w->jobs[m].err);
  tell_share(&w->jobs[m], "fit", 1, 1, "", NULL);
}

static void tell_rows_left_out(const rmx_table *a, const rmx_table *b, const size_t *partner,
                               const rmx_listener *listener) {
  rmx_few alone = {0};
  for (size_t i = 0; i < a->N; i++)
    if (partner[i] == SIZE_MAX) rmx_few_add(&alone, a->ids[i]);
  if (alone.n)
    rmx_warn(listener, "%zu of %zu runs in %s have no row in %s and are left out: %s", alone.n,
             a->N, a->path ? a->path : "the first table", b->path ? b->path : "the second table",
             alone.text);
}

// Lexicographic order of mixtures, for finding equal ones; qsort has no context, so rows carry
// their width.
typedef struct keyed {
  const double *w;
  size_t D, row;
} keyed;

static int by_mixture(const void *a, const void *b) {
  const keyed *x = a, *y = b;
  for (size_t d = 0; d < x->D; d++)
    if (x->w[d] != y->w[d]) return x->w[d] < y->w[d] ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

rmx_status rmx__replicate_groups(const double *X, size_t N, size_t D, int *groups, rmx_err *err) {
  keyed *rows = rmx_calloc(N, sizeof(*rows));
  if (rows == NULL) return rmx_fail_memory(err, N * sizeof(*rows), "replicate groups");
  for (size_t i = 0; i < N; i++) rows[i] = (keyed){X + i * D, D, i};
  qsort(rows, N, sizeof(*rows), by_mixture);
  for (size_t i = 0; i < N; i++) {
    bool again = i > 0 && memcmp(rows[i].w, rows[i - 1].w, D * sizeof(double)) == 0;
    groups[rows[i].row] = again ? groups[rows[i - 1].row] : (int)rows[i].row;
  }
  free(rows);
  return RMX_OK;
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
    // The caller's own words: what is wrong with them is not the tables' fault.
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

// Tables that come from files were held to this before; others are held to it here.
static rmx_status check_size(const rmx_table *mixtures, const rmx_table *metrics,
                             const size_t *partner, const size_t *column, size_t M, rmx_err *err) {
  static const double most = 1e100;  // its square is a number
  for (size_t i = 0; i < mixtures->N; i++)
    for (size_t m = 0; m < M; m++) {
      const double x = value_of(metrics, partner, i, column[m]);
      if (isfinite(x) && fabs(x) > most)
        return rmx_fail(err, RMX_EINPUT,
                        "metric \"%s\" of run \"%s\" is %g, too large to compute with; wanted at "
                        "most 1e100",
                        metrics->names[column[m]], mixtures->ids[i], x);
    }
  return RMX_OK;
}

// Leaves out runs that have no value at all (their partner becomes SIZE_MAX), then metrics with
// fewer than three values where other runs lack it (*M shrinks), and tells both. None left is an
// error.
static rmx_status drop_empty(const rmx_table *mixtures, const rmx_table *metrics, size_t *partner,
                             size_t *column, size_t *M, const rmx_listener *listener,
                             rmx_err *err) {
  enum { LEAST = 3 };
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
    rmx_warn(listener, "%zu of %zu runs %s no value of any metric and %s left out: %s", empty.n,
             empty.n + runs, empty.n == 1 ? "has" : "have", empty.n == 1 ? "is" : "are",
             empty.text);
  for (size_t m = 0; m < *M; m++) {
    size_t values = 0;
    for (size_t i = 0; i < mixtures->N; i++)
      values += isfinite(value_of(metrics, partner, i, column[m]));
    if (values < LEAST && values < runs)
      rmx_few_add(&dropped, metrics->names[column[m]]);
    else
      column[kept++] = column[m];
  }
  if (dropped.n && kept)
    rmx_warn(listener, "%zu of %zu metrics have fewer than %d values and are not fitted: %s",
             dropped.n, *M, LEAST, dropped.text);
  size_t asked = *M;
  *M = kept;
  if (kept && runs) return RMX_OK;
  return rmx_fail(
      err, RMX_EINPUT,
      "%s: none of the %zu metrics (%s) has %d values in runs of %s: there is nothing to fit",
      metrics->path ? metrics->path : "the metrics", asked,
      dropped.n ? dropped.text : metrics->names[column[0]], LEAST,
      mixtures->path ? mixtures->path : "the mixtures");
}

// Fills domains, metrics, runs, run_ids, mean_mixture of f; `row` are the rows of both tables that
// have a partner.
static rmx_status gather(rmx_fit *f, const rmx_table *mixtures, const rmx_table *metrics,
                         const size_t *partner, const size_t *column, size_t *run_of,
                         const rmx_listener *listener, rmx_err *err) {
  size_t D = f->D, M = f->M, n = 0;
  f->domains = rmx_calloc(D, sizeof(char *));
  f->metrics = rmx_calloc(M, sizeof(char *));
  f->regressors = rmx_calloc(M, sizeof(rmx_regressor *));
  f->cv = rmx_calloc(M, sizeof(rmx_scores));
  f->mean_mixture = rmx_calloc(D, sizeof(double));
  f->runs = rmx_calloc(mixtures->N, D * sizeof(double));
  f->run_ids = rmx_calloc(f->N, sizeof(char *));
  f->truth = rmx_calloc(f->N, M * sizeof(double));
  f->out_of_fold = rmx_calloc(f->N, M * sizeof(double));
  f->fold = rmx_calloc(f->N, M * sizeof(int));
  f->groups = rmx_calloc(f->N, sizeof(int));
  f->higher_is_better = rmx_calloc(M, sizeof(bool));
  f->direction_from = rmx_calloc(M, sizeof(rmx_direction_from));
  if (!f->domains || !f->metrics || !f->regressors || !f->cv || !f->mean_mixture || !f->runs ||
      !f->run_ids || !f->truth || !f->out_of_fold || !f->fold || !f->groups ||
      !f->higher_is_better || !f->direction_from || !copy_names(f->domains, mixtures->names, D))
    return rmx_fail_memory(err, mixtures->N * D * sizeof(double), "a fit");
  for (size_t m = 0; m < M; m++)
    if ((f->metrics[m] = rmx_strdup(metrics->names[column[m]])) == NULL)
      return rmx_fail_memory(err, 64, "a name");
  memcpy(f->runs, mixtures->x, mixtures->N * D * sizeof(double));
  RMX_TRY(rmx__check_rows(mixtures, (const char *const *)f->domains, D, f->raw,
                          f->options.normalize, f->runs, listener, err));
  for (size_t i = 0; i < mixtures->N; i++) {
    if (partner[i] == SIZE_MAX) continue;
    memmove(f->runs + n * D, f->runs + i * D, D * sizeof(double));
    if ((f->run_ids[n] = rmx_strdup(mixtures->ids[i])) == NULL)
      return rmx_fail_memory(err, 64, "a name");
    run_of[n++] = partner[i];
  }
  for (size_t k = 0; k < n * M; k++) {
    f->truth[k] = metrics->x[run_of[k / M] * metrics->D + column[k % M]];
    f->out_of_fold[k] = NAN;
    f->fold[k] = -1;
  }
  rmx_buf never = {0};
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
  rmx_buf_release(&never);
  return RMX_OK;
}

// As many mixtures as domains leave directions in which a fit is nothing but what was expected
// beforehand.
static void warn_of_few(const rmx_fit *f, const rmx_listener *listener) {
  size_t mixtures = 0, used = 0;
  for (size_t i = 0; i < f->N; i++) mixtures += f->groups[i] == (int)i;
  for (size_t d = 0; d < f->D; d++) used += f->mean_mixture[d] > 0;
  if (mixtures >= 2 * used) return;
  rmx_warn(listener,
           "%zu different mixture%s of %zu domain%s: too few to tell what each domain does, so %s "
           "of the fit is what was expected "
           "before any run; train %zu or more",
           mixtures, mixtures == 1 ? "" : "s", used, used == 1 ? "" : "s",
           mixtures < used ? "most" : "much", 2 * used);
}

// Tokens of each domain, in the fit's order, and what of repetition there is to see in the runs.
static rmx_status take_exposure(rmx_fit *f, const rmx_exposure *x, const rmx_listener *listener,
                                rmx_err *err) {
  if ((f->tokens = rmx_calloc(f->D, sizeof(double))) == NULL)
    return rmx_fail_memory(err, f->D * sizeof(double), "token counts");
  size_t *index = rmx_calloc(x->D, sizeof(*index));
  rmx_status status = index ? rmx_match_names("domain", x->domains, x->D,
                                              (const char *const *)f->domains, f->D, index, err)
                            : rmx_fail_memory(err, x->D * sizeof(*index), "token counts");
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
    rmx_note(listener, "token counts: %zu name%s no domain's and not used: %s", others.n,
             others.n == 1 ? " is" : "s are", others.text);
  for (size_t d = 0; d < f->D; d++)
    if (f->tokens[d] == 0)
      return rmx_fail(err, RMX_EINPUT,
                      "domain \"%s\" has no token count: wanted one for each domain",
                      f->domains[d]);
  f->budget = x->budget;
  f->run_tokens = x->run_tokens;
  if (strcmp(f->options.regressor, rmx__exposure.name) != 0 || !(f->budget > 0)) return RMX_OK;
  double per = f->run_tokens > 0 ? f->run_tokens : f->budget, most = 0;
  size_t where = 0;
  for (size_t i = 0; i < f->N * f->D; i++) {
    double epochs = f->runs[i] * per / f->tokens[i % f->D];
    if (epochs <= most) continue;
    most = epochs;
    where = i % f->D;
  }
  if (most < 2)
    rmx_warn(
        listener,
        "no run saw any domain more than %.2g times (\"%s\"): what repetition does is not in the "
        "runs; "
        "repeated tokens are taken to lose their worth as the literature has it, and to do no harm",
        most, f->domains[where]);
  return RMX_OK;
}

static rmx_status oof_table(const rmx_fit *f, const rmx_table *mixtures, rmx_table *out,
                            rmx_err *err) {
  RMX_TRY(rmx_table_make(out, mixtures->id_name, f->N, f->M, err));
  if (!copy_names(out->ids, f->run_ids, f->N) || !copy_names(out->names, f->metrics, f->M)) {
    rmx_table_release(out);
    return rmx_fail_memory(err, f->N * 64, "cross-validation");
  }
  memcpy(out->x, f->out_of_fold, f->N * f->M * sizeof(double));
  return RMX_OK;
}

rmx_status rmx_fit_tables(const rmx_regress_options *options, const rmx_table *mixtures,
                          const rmx_table *metrics, const char *const *only, size_t n_only,
                          bool raw, uint64_t seed, int threads, const rmx_listener *listener,
                          rmx_fit **out, rmx_table *cross_validation, rmx_err *err) {
  return rmx_fit_tables_exposed(options, mixtures, metrics, only, n_only, raw, NULL, seed, threads,
                                listener, out, cross_validation, err);
}

rmx_status rmx_fit_tables_exposed(const rmx_regress_options *options, const rmx_table *mixtures,
                                  const rmx_table *metrics, const char *const *only, size_t n_only,
                                  bool raw, const rmx_exposure *exposure, uint64_t seed,
                                  int threads, const rmx_listener *listener, rmx_fit **out,
                                  rmx_table *cross_validation, rmx_err *err) {
  rmx_arena arena = {0};
  rmx_status status = RMX_OK;
  size_t *partner = rmx_arena_alloc(&arena, mixtures->N, sizeof(size_t));
  size_t *back = rmx_arena_alloc(&arena, metrics->N, sizeof(size_t));
  size_t common = 0, M = n_only ? n_only : metrics->D, all = M,
         *column = rmx_arena_alloc(&arena, M, sizeof(size_t));
  size_t *run_of = rmx_arena_alloc(&arena, mixtures->N, sizeof(size_t));
  job *jobs = rmx_arena_alloc(&arena, M, sizeof(job));
  rmx_fit *f = rmx_calloc(1, sizeof(*f));
  if (!partner || !back || !column || !run_of || !jobs || !f) {
    status = rmx_fail_memory(err, mixtures->N * sizeof(size_t), "a fit");
    goto done;
  }
  for (size_t m = 0; m < M; m++) jobs[m].last = &jobs[m].first;
  if (mixtures->D == 0 || metrics->D == 0) {
    const rmx_table *empty = mixtures->D == 0 ? mixtures : metrics;
    status = rmx_fail(err, RMX_EINPUT, "%s: there are no columns beside the names of the runs",
                      empty->path ? empty->path : "table");
    goto done;
  }
  RMX_TRY_GOTO(choose_metrics(metrics, only, n_only, column, err), done);
  RMX_TRY_GOTO(rmx__join(mixtures, metrics, partner, err), done);
  RMX_TRY_GOTO(rmx__join(metrics, mixtures, back, err), done);
  for (size_t i = 0; i < mixtures->N; i++) common += partner[i] != SIZE_MAX;
  if (common) {
    tell_rows_left_out(mixtures, metrics, partner, listener);
    tell_rows_left_out(metrics, mixtures, back, listener);
    RMX_TRY_GOTO(check_size(mixtures, metrics, partner, column, M, err), done);
    RMX_TRY_GOTO(drop_empty(mixtures, metrics, partner, column, &M, listener, err), done);
  }
  *f = (rmx_fit){.D = mixtures->D, .M = M, .raw = raw, .folds = options->folds};
  RMX_TRY_GOTO(rmx__options_copy(options, &f->options, err), done);
  for (size_t i = 0; i < mixtures->N; i++) f->N += partner[i] != SIZE_MAX;
  if (f->N == 0) {
    status =
        rmx_fail(err, RMX_EINPUT,
                 "%s and %s have no run in common: their first columns (\"%s\", \"%s\") must name "
                 "the same runs",
                 mixtures->path ? mixtures->path : "mixtures",
                 metrics->path ? metrics->path : "metrics", mixtures->id_name, metrics->id_name);
    goto done;
  }
  RMX_TRY_GOTO(gather(f, mixtures, metrics, partner, column, run_of, listener, err), done);
  RMX_TRY_GOTO(rmx__replicate_groups(f->runs, f->N, f->D, f->groups, err), done);
  RMX_TRY_GOTO(rmx__directions(f, metrics, column, listener, err), done);
  warn_of_few(f, listener);
  if (exposure) RMX_TRY_GOTO(take_exposure(f, exposure, listener, err), done);
  pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
  work w = {f, options, metrics, run_of, seed, jobs, listener, &telling};
  rmx_parallel(threads, M, do_job, &w);
  for (size_t m = 0; m < M; m++) {
    for (const message *s = jobs[m].first; s; s = s->next)
      if (s->warning)
        rmx_warn(listener, "%s", s->text);
      else
        rmx_note(listener, "%s", s->text);
    if (jobs[m].status == RMX_OK) continue;
    *err = jobs[m].err;
    status = jobs[m].status;
    goto done;
  }
  rmx__warn_of_fit(f, listener);
  if (cross_validation) RMX_TRY_GOTO(oof_table(f, mixtures, cross_validation, err), done);
done:
  for (size_t m = 0; jobs && m < all; m++)
    for (message *s = jobs[m].first, *next; s; s = next) {
      next = s->next;
      free(s->text);
      free(s);
    }
  rmx_arena_release(&arena);
  if (status != RMX_OK) {
    rmx_fit_free(f);
    return status;
  }
  *out = f;
  return RMX_OK;
}

void rmx_fit_free(rmx_fit *f) {
  if (f == NULL) return;
  for (size_t d = 0; f->domains && d < f->D; d++) free(f->domains[d]);
  for (size_t m = 0; f->metrics && m < f->M; m++) free(f->metrics[m]);
  for (size_t m = 0; f->regressors && m < f->M; m++) rmx_regressor_free(f->regressors[m]);
  for (size_t i = 0; f->run_ids && i < f->N; i++) free(f->run_ids[i]);
  free(f->domains);
  free(f->metrics);
  free(f->regressors);
  free(f->cv);
  free(f->mean_mixture);
  free(f->runs);
  free(f->run_ids);
  free(f->truth);
  free(f->out_of_fold);
  free(f->fold);
  free(f->groups);
  free(f->higher_is_better);
  free(f->direction_from);
  json_decref(f->more);
  free(f->tokens);
  rmx_options_release(rmx_regress_option_table, rmx_regress_option_table_n, &f->options);
  free(f);
}
