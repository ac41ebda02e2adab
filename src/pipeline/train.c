// SPDX-License-Identifier: Apache-2.0
// regmix train: trains one proxy per mixture in worker processes, then writes metrics.csv.
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <unistd.h>

#include "base/json.h"
#include "steps.h"

json_t *rmx_run_states_json(const rmx_run *runs, size_t n) {
  size_t count[RMX_RUN_STATES] = {0};
  json_t *o = json_object();
  for (size_t i = 0; i < n; i++) count[rmx_run_look(&runs[i], NULL)]++;
  json_object_set_new(o, "runs", json_integer((json_int_t)n));
  for (size_t s = 0; s < RMX_RUN_STATES; s++)
    if (count[s])
      json_object_set_new(o, rmx_run_state_names[s], json_integer((json_int_t)count[s]));
  return o;
}

void rmx_runs_release(rmx_run *runs, size_t n) {
  for (size_t i = 0; runs && i < n; i++) rmx_run_release(&runs[i]);
  free(runs);
}

// The rows of mixtures.csv, with the domains in the order of the corpus.
static rmx_status read_mixtures(const rmx_experiment *e, const rmx_corpus *corpus, rmx_table *t,
                                rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(e, "mixtures.csv");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  return rmx_exists(path) ? rmx_csv_read(path, t, err)
                          : rmx_fail(err, RMX_EINPUT, "no %s yet; `regmix sample` writes it", path);
}

// What the columns of a table of mixtures are.
struct columns {
  const rmx_phase_columns *of;
  const size_t *domain;  // (D) the domain of each
  rmx_phases *phases;    // of a row; n = 0: none
};

// The phases that the columns of a table of mixtures are, with the shares of the config. n = 0: one
// mixture in each row. c and phases are released by the caller.
static rmx_status phases_of_table(const rmx_experiment *e, const rmx_table *t, size_t D,
                                  rmx_phase_columns *c, rmx_phases *phases, rmx_err *err) {
  RMX_OWNED double *share = NULL;
  size_t n = 0;
  if (rmx_phase_columns_find((const char *const *)t->names, t->D, c, err) != RMX_OK)
    return rmx_fail_in(err, "%s", t->path);
  RMX_TRY(rmx_phase_shares(&e->config.sample.phases, "sample.phases", &share, &n, err));
  if (n != c->n)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: its columns are of %zu phase%s, but sample.phases has %zu share%s; set "
                    "sample.phases to the share of the tokens of each phase, or draw the mixtures "
                    "again",
                    t->path, c->n, rmx_s(c->n), n, rmx_s(n));
  if (n == 0) return RMX_OK;
  RMX_TRY(rmx_phases_make(n, D, phases, err));
  memcpy(phases->share, share, n * sizeof *share);
  return RMX_OK;
}

// The mixtures of the phases of a row of weights x (c->D), of which domain[j] is the domain.
static rmx_status fill_phases(const rmx_phase_columns *c, const double *x, const size_t *domain,
                              const rmx_corpus *corpus, const char *where, rmx_phases *phases,
                              rmx_err *err) {
  const size_t D = phases->D;
  memset(phases->mixture, 0, phases->n * D * sizeof *phases->mixture);
  for (size_t j = 0; j < c->D; j++) phases->mixture[c->of[j] * D + domain[j]] = x[j];
  for (size_t k = 0; k < phases->n; k++) {
    RMX_OWNED char *phase = rmx_format("%s: phase %zu", where, k);
    double sum = 0;
    for (size_t d = 0; d < D; d++) sum += phases->mixture[k * D + d];
    if (fabs(sum - phases->share[k]) < 0.005 * phases->share[k])  // shares of all tokens
      for (size_t d = 0; d < D; d++) phases->mixture[k * D + d] /= phases->share[k];
    if (!phase) return rmx_fail_memory(err, 0, "a run");
    RMX_TRY(rmx_mixture_check(phases->mixture + k * D, D, corpus->names, 0.01, phase, err));
  }
  return RMX_OK;
}

static rmx_status run_of_row(const rmx_experiment *e, const rmx__proxy_corpus *from,
                             const rmx_table *t, size_t row, const struct columns *columns,
                             rmx_run *out, rmx_err *err) {
  const rmx_corpus *corpus = from->corpus;
  size_t D = corpus->D_train;
  if (strpbrk(t->ids[row], "/") || t->ids[row][0] == '.' || !t->ids[row][0])
    return rmx_fail(err, RMX_EINPUT,
                    "%s:%d: \"%s\" cannot be the name of a run (it becomes a folder)", t->path,
                    t->lines[row], t->ids[row]);
  RMX_OWNED double *w = rmx_calloc(D, sizeof *w);
  RMX_OWNED char *name = rmx_format("runs/%s", t->ids[row]),
                 *folder = name ? rmx_experiment_path(e, name) : NULL;
  RMX_OWNED char *where = rmx_format("%s:%d", t->path, t->lines[row]);
  if (!w || !folder || !where) return rmx_fail_memory(err, 0, "a run");
  const double *x = t->x + row * t->D;
  rmx_phases *phases = columns->phases->n ? columns->phases : NULL;
  if (phases) {
    RMX_TRY(fill_phases(columns->of, x, columns->domain, corpus, where, phases, err));
  } else {
    for (size_t j = 0; j < t->D; j++) w[columns->domain[j]] = x[j];
    RMX_TRY(rmx_mixture_check(w, D, corpus->names, 0.01, where, err));
  }
  return rmx_run_make(&(rmx_run_request){.name = t->ids[row],
                                         .folder = folder,
                                         .experiment = from->folder,
                                         .corpus = corpus,
                                         .mixture = w,
                                         .phases = phases,
                                         .training = &e->config.proxy,
                                         .seed = (uint64_t)e->config.general.seed},
                      out, err);
}

// The domain of each column (D) of `names`; corpus->D_train where there is none. Of phases each
// domain is looked for once.
static rmx_status match_columns(const rmx_phase_columns *of, const char *const *names, size_t D,
                                const rmx_corpus *corpus, size_t *domain, rmx_err *err) {
  if (!of->n)
    return rmx_match_names("domain", names, D, corpus->names, corpus->D_train, domain, err);
  RMX_OWNED size_t *once = rmx_calloc(of->n_domains, sizeof *once);
  if (!once) return rmx_fail_memory(err, of->n_domains * sizeof *once, "domains");
  RMX_TRY(rmx_match_names("domain", of->domains, of->n_domains, corpus->names, corpus->D_train,
                          once, err));
  for (size_t j = 0; j < D; j++) domain[j] = once[of->index[j]];
  return RMX_OK;
}

rmx_status rmx__runs_of_table(const rmx_experiment *e, const rmx_corpus *corpus, const rmx_table *t,
                              rmx_run **runs, size_t *n, rmx_err *err) {
  *n = 0;
  *runs = NULL;
  RMX_OWNED_BY(rmx__proxy_corpus_release) rmx__proxy_corpus from = {0};
  RMX_TRY(rmx__proxy_corpus_open(e, corpus, &from, err));
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns of = {0};
  RMX_OWNED_BY(rmx_phases_release) rmx_phases phases = {0};
  RMX_TRY(phases_of_table(e, t, corpus->D_train, &of, &phases, err));
  const char *const *names = of.n ? of.domain : (const char *const *)t->names;
  *runs = rmx_calloc(t->N, sizeof **runs);
  size_t *domain = rmx_calloc(t->D, sizeof *domain);
  rmx_status status =
      *runs && domain ? RMX_OK : rmx_fail_memory(err, t->N * sizeof **runs, "the runs");
  if (status == RMX_OK) status = match_columns(&of, names, t->D, corpus, domain, err);
  for (size_t j = 0; status == RMX_OK && j < t->D; j++)
    if (domain[j] == corpus->D_train)
      status = rmx_unknown_name("domain", names[j], corpus->names, corpus->D_train, err);
  if (status != RMX_OK) rmx_fail_in(err, "%s", t->path);
  const struct columns columns = {&of, domain, &phases};
  for (size_t i = 0; status == RMX_OK && i < t->N; i++) {
    status = run_of_row(e, &from, t, i, &columns, &(*runs)[i], err);
    if (status == RMX_OK) ++*n;
  }
  free(domain);
  if (status != RMX_OK) {
    rmx_runs_release(*runs, *n);
    *runs = NULL;
  }
  return status;
}

rmx_status rmx_proxy_runs(const rmx_experiment *e, const rmx_corpus *corpus, rmx_run **runs,
                          size_t *n, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_TRY(read_mixtures(e, corpus, &t, err));
  return rmx__runs_of_table(e, corpus, &t, runs, n, err);
}

// A domain that can't fill one sequence would fail every run that draws from it, so it is reported
// once, before any run.
static rmx_status check_lengths(const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                                const char *what, rmx_err *err) {
  for (size_t i = 0; i < n; i++) {
    for (size_t d = 0; d < runs[i].D; d++)
      if (runs[i].mixture[d] > 0 &&
          (int64_t)corpus->domains[d].train_tokens <= runs[i].training.context)
        return rmx_fail(
            err, RMX_EINPUT,
            "%s: domain \"%s\" has %zu training tokens, fewer than one sequence of %lld tokens and "
            "the next token; give it more text, leave it out, or lower the context",
            what, corpus->names[d], corpus->domains[d].train_tokens,
            (long long)runs[i].training.context);
  }
  return RMX_OK;
}

static rmx_status run_swarm(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                            size_t n, const char *what, size_t *failed, rmx_err *err) {
  RMX_TRY(check_lengths(corpus, runs, n, what, err));
  if (rmx__would_train(p, what, runs, n)) return RMX_OK;
  RMX_TRY(rmx__agree_to_outdate(p, runs, n, strcmp(what, "train") == 0, err));
  rmx_swarm_options options = {.program = p->program,
                               .isa = p->experiment.config.general.isa,
                               .experiment = p->experiment.folder,
                               .jobs = rmx_worker_jobs(&p->experiment),
                               .jobs_given = p->experiment.config.general.jobs > 0,
                               .tries = 2,
                               .what = what};
  rmx_swarm_outcome outcome;
  char time[32], rate[16];
  RMX_TRY(rmx_swarm_train(runs, n, &options, &p->listener, &outcome, err));
  if (outcome.done + outcome.diverged + outcome.failed == 0) {
    if (n == 1)
      rmx_note(&p->listener, "%s: its run is done", what);
    else
      rmx_note(&p->listener, "%s: all %zu runs are done", what, n);
  } else {
    rmx_note(&p->listener, "%s: %zu run%s done in %s (%s tokens/s)%s%s", what, outcome.done,
             rmx_s(outcome.done), rmx_duration(outcome.wall_s, time),
             rmx_count(outcome.tokens / outcome.wall_s, rate),
             outcome.diverged ? ", some diverged" : "", outcome.failed ? ", some failed" : "");
  }
  *failed = outcome.failed;
  return RMX_OK;
}

// Failed runs stop the later steps, unless may_fail allows them.
static rmx_status judge(rmx_pipeline *p, const rmx_run *runs, size_t n, size_t failed,
                        rmx_err *err) {
  if (failed == 0) return RMX_OK;
  const bool own = rmx_training_is_outside(&runs[0].training);
  if ((double)failed > runs[0].training.may_fail * (double)n + 1e-9)
    return rmx_fail(
        err, RMX_EINPUT,
        "%zu of %zu run%s failed (see the reasons above%s); the same command tries them "
        "again. To continue without them, set may_fail in the section of these models "
        "to a share of %.2g or more",
        failed, n, rmx_s(n), own ? ", and log.txt in their folders" : "",
        ceil(100.0 * (double)failed / (double)n) / 100);
  rmx_warn(&p->listener,
           "%zu of %zu run%s failed and %s left out, as may_fail allows; the same command tries "
           "them again",
           failed, n, rmx_s(n), rmx_is(failed));
  return RMX_OK;
}

rmx_status rmx__train_runs(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                           const char *what, rmx_err *err) {
  size_t failed = 0;
  RMX_TRY(run_swarm(p, corpus, runs, n, what, &failed, err));
  return judge(p, runs, n, failed, err);
}

static void tell_empty(rmx_pipeline *p, const rmx_table *t, const rmx_corpus *corpus) {
  rmx_few names = {0};
  size_t empty = 0;
  for (size_t k = corpus->D; k < t->D; k++) {
    size_t none = 0;
    for (size_t i = 0; i < t->N; i++) none += isnan(t->x[i * t->D + k]);
    if (none) rmx_few_add(&names, t->names[k]);
    empty += none;
  }
  if (names.n)
    rmx_warn(&p->listener,
             "metrics.csv: %zu empty cell%s in %zu metric%s that some runs did not measure (%s); "
             "these runs are left out of the fits of these metrics",
             empty, rmx_s(empty), names.n, rmx_s(names.n), names.text);
}

// The directions of the metrics, as the trainer reported them, go into a file next to metrics.csv.
static rmx_status write_directions(const rmx_experiment *e, const rmx_table *t, rmx_err *err) {
  if (!t->better) {
    char *path = rmx_experiment_path(e, "metrics.json");
    if (path) unlink(path);
    free(path);
    return RMX_OK;
  }
  json_t *map = json_object();
  for (size_t k = 0; k < t->D; k++)
    if (t->better[k] != RMX_BETTER_UNSAID)
      json_object_set_new(map, t->names[k], json_boolean(t->better[k] == RMX_BETTER_HIGH));
  return rmx__experiment_write(e, "metrics.json", json_pack("{s:o}", "higher_is_better", map), err);
}

static rmx_status write_metrics(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                                size_t n, bool half, const char *name, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_TRY(rmx_swarm_metrics(runs, n, corpus, half, &t, NULL, err));
  RMX_OWNED char *path = rmx_experiment_path(&p->experiment, name);
  RMX_TRY(!path ? rmx_fail_memory(err, 0, "a path")
          : t.N ? rmx_csv_write(path, &t, err)
                : rmx_fail(err, RMX_ENUMERIC,
                           "none of the %zu runs finished with a loss, so there is nothing to fit",
                           n));
  if (!half) RMX_TRY(write_directions(&p->experiment, &t, err));
  tell_empty(p, &t, corpus);
  return RMX_OK;
}

// Reports how often a domain was repeated.
static rmx_status tell_epochs(rmx_pipeline *p, const rmx_run *runs, size_t n,
                              const rmx_corpus *whole, rmx_err *err) {
  RMX_OWNED_BY(rmx_buf_release) rmx_buf text = {0};
  RMX_OWNED_BY(rmx__proxy_corpus_release) rmx__proxy_corpus from = {0};
  RMX_TRY(rmx__proxy_corpus_open(&p->experiment, whole, &from, err));
  const rmx_corpus *corpus = from.corpus;
  for (size_t d = 0; d < corpus->D_train; d++) {
    double most = 0;
    for (size_t i = 0; i < n; i++) {
      double seen = runs[i].mixture[d] * (double)runs[i].training.tokens /
                    (double)corpus->domains[d].train_tokens;
      if (seen > most) most = seen;
    }
    if (most > 1.0)
      rmx_buf_printf(&text, "%s%s %.1f", text.size ? ", " : "", corpus->names[d], most);
  }
  if (text.size)
    rmx_note(&p->listener,
             "train: most epochs of a domain in one run: %s (each epoch has a new order)",
             text.data);
  return RMX_OK;
}

// Calls `work` with the corpus and the runs of mixtures.csv.
static rmx_status with_runs(rmx_pipeline *p,
                            rmx_status (*work)(rmx_pipeline *p, const rmx_corpus *corpus,
                                               const rmx_run *runs, size_t n, rmx_err *err),
                            rmx_err *err) {
  rmx_corpus *corpus;
  rmx_run *runs = NULL;
  size_t n = 0;
  RMX_TRY(rmx_experiment_corpus(&p->experiment, &corpus, err));
  rmx_status status = p->would ? RMX_OK : rmx__match_corpus(p, corpus, err);
  if (status == RMX_OK) status = rmx_proxy_runs(&p->experiment, corpus, &runs, &n, err);
  if (status == RMX_OK) status = work(p, corpus, runs, n, err);
  if (runs) rmx_runs_release(runs, n);
  rmx_corpus_free(corpus);
  return status;
}

static rmx_status agree(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                        rmx_err *err) {
  (void)corpus;
  RMX_TRY(rmx__agree_to_outdate(p, runs, n, true, err));
  return rmx_experiment_resolve(&p->experiment, err);
}

rmx_status rmx__agree_to_train(rmx_pipeline *p, rmx_err *err) {
  return with_runs(p, agree, err);
}

static rmx_status write_tables(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                               size_t n, rmx_err *err) {
  RMX_TRY(write_metrics(p, corpus, runs, n, false, "metrics.csv", err));
  RMX_TRY(write_metrics(p, corpus, runs, n, true, "metrics-half.csv", err));
  return rmx__write_evaluations(&p->experiment, corpus, runs, n, err);
}

// Of several slices, the one that ends last finds all runs done, and writes the tables.
static rmx_status train_slice(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs,
                              size_t n, rmx_err *err) {
  RMX_OWNED rmx_run *chosen = NULL;
  size_t m, failed = 0, left = 0;
  RMX_TRY(rmx__slice_runs(p, runs, n, &chosen, &m, err));
  if (m == 0)
    rmx_note(&p->listener, "train: part %lld of %lld has no run", (long long)p->slice.i,
             (long long)p->slice.n);
  else
    RMX_TRY(run_swarm(p, corpus, chosen, m, "train", &failed, err));
  if (p->would) return RMX_OK;
  for (size_t k = 0; k < n; k++) left += rmx_run_look(&runs[k], NULL) < RMX_RUN_DIVERGED;
  if (left == 0) RMX_TRY(write_tables(p, corpus, runs, n, err));
  if (left > failed)
    rmx_note(&p->listener,
             "train: %zu of %zu run%s of the experiment %s not done yet; the part that ends last "
             "writes metrics.csv",
             left, n, rmx_s((double)n), rmx_is((double)left));
  return m ? judge(p, chosen, m, failed, err) : RMX_OK;
}

static rmx_status train(rmx_pipeline *p, const rmx_corpus *corpus, const rmx_run *runs, size_t n,
                        rmx_err *err) {
  size_t failed = 0;
  rmx__warn_of_repetition(p, corpus);
  if (p->slice.n || p->slice.runs) return train_slice(p, corpus, runs, n, err);
  RMX_TRY(tell_epochs(p, runs, n, corpus, err));
  rmx_status status = run_swarm(p, corpus, runs, n, "train", &failed, err);
  if (status == RMX_OK && !p->would && failed < n) status = write_tables(p, corpus, runs, n, err);
  return status == RMX_OK ? judge(p, runs, n, failed, err) : status;
}

rmx_status rmx__step_train(rmx_pipeline *p, rmx_err *err) {
  return with_runs(p, train, err);
}
