// SPDX-License-Identifier: Apache-2.0
// The runs of an experiment: one for each row of mixtures.csv with the training of the section
// `proxy`, and those of the further swarms, which train the first of the same mixtures.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "steps.h"

rmx_experiment rmx__swarm_view(const rmx_experiment *e, size_t k) {
  rmx_experiment view = *e;
  if (k) view.config.proxy = e->config.swarms[k - 1].training;
  return view;
}

void rmx_runs_release(rmx_run *runs, size_t n) {
  for (size_t i = 0; runs && i < n; i++) rmx_run_release(&runs[i]);
  free(runs);
}

static rmx_status read_mixtures(const rmx_experiment *e, rmx_table *t, rmx_err *err) {
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

static rmx_status other_phases(const rmx_table *t, size_t table, size_t config, rmx_err *err) {
  if (table == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: each run has one mixture, but sample.phases has %zu shares; `regmix "
                    "sample` draws a mixture for each phase, or remove sample.phases",
                    t->path, config);
  if (config == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the runs have mixtures of %zu phases, but sample.phases is not set; set "
                    "it to the share of the tokens of each phase, or draw the mixtures again with "
                    "`regmix sample`",
                    t->path, table);
  return rmx_fail(err, RMX_EINPUT,
                  "%s: the runs have mixtures of %zu phases, but sample.phases has %zu shares; "
                  "give it a share for each phase, or draw the mixtures again with `regmix sample`",
                  t->path, table, config);
}

// The phases that the columns of a table of mixtures are, with the shares of the config. n = 0: one
// mixture in each row. c and phases are released by the caller.
static rmx_status phases_of_table(const rmx_experiment *e, const rmx_table *t, size_t D,
                                  rmx_phase_columns *c, rmx_phases *phases, rmx_err *err) {
  RMX_OWNED double *share = NULL;
  size_t n = 0;
  if (rmx_phase_columns_find((const char *const *)t->names, t->D, c, err) != RMX_OK)
    return rmx_fail_in(err, "%s", t->path);
  RMX_TRY(rmx_phase_shares(&e->config.sample.phases, "sample.phases", &share, &n, err));
  if (n != c->n) return other_phases(t, c->n, n, err);
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

// swarm: heads the name of the run; NULL: the swarm of the section `proxy`.
static rmx_status run_of_row(const rmx_experiment *e, const char *swarm,
                             const rmx__proxy_corpus *from, const rmx_table *t, size_t row,
                             const struct columns *columns, rmx_run *out, rmx_err *err) {
  const rmx_corpus *corpus = from->corpus;
  size_t D = corpus->D_train;
  if (strpbrk(t->ids[row], "/") || t->ids[row][0] == '.' || !t->ids[row][0])
    return rmx_fail(err, RMX_EINPUT,
                    "%s:%d: \"%s\" cannot be the name of a run (it becomes a folder)", t->path,
                    t->lines[row], t->ids[row]);
  RMX_OWNED double *w = rmx_calloc(D, sizeof *w);
  RMX_OWNED char *name = rmx_format("%s%s%s", swarm ? swarm : "", swarm ? "-" : "", t->ids[row]),
                 *inside = name ? rmx_format("runs/%s", name) : NULL,
                 *folder = inside ? rmx_experiment_path(e, inside) : NULL;
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
  return rmx_run_make(&(rmx_run_request){.name = name,
                                         .folder = folder,
                                         .experiment = from->folder,
                                         .corpus = corpus,
                                         .mixture = w,
                                         .phases = phases,
                                         .training = &e->config.proxy,
                                         .seed = (uint64_t)e->config.general.seed,
                                         .keep_model = rmx__keeps_models(&e->config)},
                      out, err);
}

bool rmx__keeps_models(const rmx_config *c) {
  return c->proxies.keep_models || c->eval.tasks.n > 0;
}

// A run that finished without leaving a model stays as it is, unless all is to be done again or its
// model is to be scored.
static void leave_finished(const rmx_config *c, rmx_run *r) {
  RMX_OWNED char *model = rmx_model_path(r->folder);
  if (!r->keep_model || c->eval.tasks.n || !model || rmx_exists(model)) return;
  r->keep_model = false;
  r->keep_model = rmx_run_look(r, NULL) != RMX_RUN_DONE;
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

// The rows of a table that swarm k trains.
static size_t rows_of(const rmx_experiment *e, size_t k, const rmx_table *t) {
  const int64_t runs = k ? e->config.swarms[k - 1].runs : 0;
  return runs > 0 && (size_t)runs < t->N ? (size_t)runs : t->N;
}

// Adds the runs of swarm k to `runs`, which has room for them.
static rmx_status add_runs(const rmx_experiment *all, size_t k, const rmx_corpus *corpus,
                           const rmx_table *t, rmx_run *runs, size_t *n, rmx_err *err) {
  const rmx_experiment e = rmx__swarm_view(all, k);
  RMX_OWNED_BY(rmx__proxy_corpus_release) rmx__proxy_corpus from = {0};
  RMX_TRY(rmx__proxy_corpus_open(&e, corpus, &from, err));
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns of = {0};
  RMX_OWNED_BY(rmx_phases_release) rmx_phases phases = {0};
  RMX_TRY(phases_of_table(&e, t, corpus->D_train, &of, &phases, err));
  const char *const *names = of.n ? of.domain : (const char *const *)t->names;
  RMX_OWNED size_t *domain = rmx_calloc(t->D, sizeof *domain);
  if (!domain) return rmx_fail_memory(err, t->D * sizeof *domain, "the runs");
  rmx_status status = match_columns(&of, names, t->D, corpus, domain, err);
  for (size_t j = 0; status == RMX_OK && j < t->D; j++)
    if (domain[j] == corpus->D_train)
      status = rmx_unknown_name("domain", names[j], corpus->names, corpus->D_train, err);
  if (status != RMX_OK) return rmx_fail_in(err, "%s", t->path);
  const struct columns columns = {&of, domain, &phases};
  const char *swarm = k ? all->config.swarms[k - 1].name : NULL;
  for (size_t i = 0; i < rows_of(all, k, t); i++, ++*n) {
    RMX_TRY(run_of_row(&e, swarm, &from, t, i, &columns, &runs[*n], err));
    leave_finished(&e.config, &runs[*n]);
  }
  return RMX_OK;
}

// The runs of the swarms from `first` to before `end`.
static rmx_status runs_of(const rmx_experiment *e, size_t first, size_t end,
                          const rmx_corpus *corpus, const rmx_table *t, rmx_run **runs, size_t *n,
                          rmx_err *err) {
  *n = 0;
  if (!(*runs = rmx_calloc((end - first) * t->N, sizeof **runs)))
    return rmx_fail_memory(err, t->N * sizeof **runs, "the runs");
  rmx_status status = RMX_OK;
  for (size_t k = first; k < end && status == RMX_OK; k++)
    status = add_runs(e, k, corpus, t, *runs, n, err);
  if (status == RMX_OK) return RMX_OK;
  rmx_runs_release(*runs, *n);
  *runs = NULL;
  return status;
}

// A table could give one name twice, and so could names of swarms and of rows: "a" and "b-1", "a-b"
// and "1".
static rmx_status check_names(const char *path, const rmx_run *runs, size_t n, bool swarms,
                              rmx_err *err) {
  RMX_OWNED const char **names = rmx_calloc(n, sizeof *names);
  if (!names) return rmx_fail_memory(err, n * sizeof *names, "names");
  for (size_t i = 0; i < n; i++) names[i] = runs[i].name;
  qsort(names, n, sizeof *names, rmx__by_text);
  for (size_t i = 1; i < n; i++)
    if (strcmp(names[i - 1], names[i]) == 0)
      return rmx_fail(err, RMX_EINPUT, "%s: two runs would have the name \"%s\"; give %s", path,
                      names[i], swarms ? "the row or the swarm another name" : "one another name");
  return RMX_OK;
}

rmx_status rmx__runs_of_table(const rmx_experiment *e, const rmx_corpus *corpus, const rmx_table *t,
                              rmx_run **runs, size_t *n, rmx_err *err) {
  const size_t swarms = 1 + e->config.n_swarms;
  RMX_TRY(runs_of(e, 0, swarms, corpus, t, runs, n, err));
  if (check_names(t->path ? t->path : "mixtures", *runs, *n, swarms > 1, err) == RMX_OK)
    return RMX_OK;
  rmx_runs_release(*runs, *n);
  *runs = NULL;
  return err->status;
}

rmx_status rmx__all_runs(const rmx_experiment *e, const rmx_corpus *corpus, rmx_run **runs,
                         size_t *n, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_TRY(read_mixtures(e, &t, err));
  return rmx__runs_of_table(e, corpus, &t, runs, n, err);
}

rmx_status rmx_swarm_runs(const rmx_experiment *e, size_t k, const rmx_corpus *corpus,
                          rmx_run **runs, size_t *n, rmx_err *err) {
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  RMX_TRY(read_mixtures(e, &t, err));
  return runs_of(e, k, k + 1, corpus, &t, runs, n, err);
}

rmx_status rmx_proxy_runs(const rmx_experiment *e, const rmx_corpus *corpus, rmx_run **runs,
                          size_t *n, rmx_err *err) {
  return rmx_swarm_runs(e, 0, corpus, runs, n, err);
}
