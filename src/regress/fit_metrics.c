// SPDX-License-Identifier: Apache-2.0
// Fits and cross-validates one regressor for each metric. Metrics are independent, so threads share
// them. The messages of each metric are kept, and then passed on in the order of the metrics.

#include "fit_metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fit.h"
#include "folds.h"
#include "options.h"
#include "registry.h"
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

rmx_status rmx__fit_metrics(rmx_fit *f, const rmx_fit_tables_request *r, const size_t *run_of,
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
