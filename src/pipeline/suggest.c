// SPDX-License-Identifier: Apache-2.0
// Chooses the mixtures to train next: for an experiment, for a fit or, before any run, around a
// prior.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "regress/fit.h"
#include "steps.h"

void rmx_next_release(rmx_next *s) {
  rmx_fit_free(s->fit);
  if (s->corpus) rmx_corpus_free(s->corpus);
  rmx_problem_release(&s->problem);
  rmx_table_release(&s->pending);
  free(s->X);
  rmx_strings_release(&s->warnings);
  rmx_suggestion_release(&s->suggestion);
  rmx_learning_curve_release(&s->curve);
  *s = (rmx_next){0};
}

json_t *rmx_next_json(const rmx_next *s) {
  json_t *root = rmx_suggestion_json(&s->suggestion, rmx_fit_domains(s->fit));
  json_object_set_new(root, "directions", rmx__directions_json(s->fit, &s->problem.target));
  json_object_set_new(root, "learning_curve",
                      s->curve.sentence[0] ? rmx_learning_curve_json(&s->curve) : json_null());
  json_object_set_new(root, "warnings", rmx__strings_json(&s->warnings));
  return root;
}

// A fit without runs over the given domains.
static rmx_status fit_of_nothing(const char *const *names, const double *prior, size_t D,
                                 rmx_fit **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_fit_free_at) rmx_fit *f = rmx_calloc(1, sizeof *f);
  if (!f) return rmx_fail_memory(err, sizeof *f, "a fit");
  f->domains = rmx_calloc(D, sizeof *f->domains);
  f->mean_mixture = rmx_calloc(D, sizeof *f->mean_mixture);
  bool good = f->domains && f->mean_mixture;
  if (good) f->D = D;
  for (size_t d = 0; good && d < D; d++) {
    good = (f->domains[d] = rmx_strdup(names[d])) != NULL;
    f->mean_mixture[d] = prior[d];
  }
  if (!good) return rmx_fail_memory(err, D * sizeof(char *), "a fit");
  *out = f;
  f = NULL;
  return RMX_OK;
}

// The domains come from the file of the prior.
static rmx_status names_of_prior(const char *path, rmx_fit **out, rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_TRY(rmx_mixture_names(path, &names, err));
  const char *const *domains = (const char *const *)names.items;
  RMX_OWNED double *prior = rmx_calloc(names.n, sizeof *prior);
  RMX_TRY(prior ? rmx_mixture_read(path, domains, names.n, prior, err)
                : rmx_fail_memory(err, names.n * sizeof *prior, "the prior"));
  return fit_of_nothing(domains, prior, names.n, out, err);
}

static rmx_status open_fit(rmx_pipeline *p, const rmx_next_request *request, rmx_next *s,
                           rmx_err *err) {
  RMX_OWNED char *folder =
      request->fit ? rmx_strdup(request->fit) : rmx_experiment_path(&p->experiment, "fit");
  RMX_OWNED char *file = folder ? rmx_path_in(folder, "fit.json") : NULL;
  if (!file) return rmx_fail_memory(err, 0, "a path");
  s->measured = request->fit || rmx_exists(file);
  if (s->measured)
    RMX_TRY(rmx_fit_read(folder, &s->fit, err));
  else if (request->problem.prior)
    RMX_TRY(names_of_prior(request->problem.prior, &s->fit, err));
  else if (s->corpus)
    RMX_TRY(fit_of_nothing(s->corpus->names, s->corpus->prior, s->corpus->D_train, &s->fit, err));
  else
    return rmx_fail(err, RMX_EUSAGE,
                    "no fit in %s; give --fit DIR (`regmix fit` makes it) or, before the first "
                    "run, --prior FILE to spread mixtures around it",
                    folder);
  return RMX_OK;
}

// Mixtures that were chosen earlier and have no results in the fit: from --pending, else from the
// experiment's mixtures.csv.
static rmx_status read_pending(rmx_pipeline *p, const rmx_next_request *request, rmx_next *s,
                               rmx_err *err) {
  RMX_OWNED char *path = request->pending ? rmx_strdup(request->pending)
                         : p->experiment.config_path
                             ? rmx_experiment_path(&p->experiment, "mixtures.csv")
                             : NULL;
  if (!path && (request->pending || p->experiment.config_path))
    return rmx_fail_memory(err, 0, "a path");
  if (path && (request->pending || (!request->fit && rmx_exists(path)))) {
    RMX_TRY(rmx_tables_read(&p->listener, path, NULL, NULL, &s->pending, NULL, err));
    RMX_TRY(rmx_fit_mixtures(s->fit, &s->pending, &s->X, err));
  }
  return RMX_OK;
}

static rmx_status ask_question(rmx_pipeline *p, const rmx_next_request *request, rmx_next *s,
                               rmx_err *err) {
  rmx_problem_request q = request->problem;
  // Without runs there are no metrics.
  if (!s->measured) {
    if (q.target.n + q.maximize.n + q.keep.no_worse.n > 0 || q.keep.worst)
      rmx_note(&p->listener,
               "suggest: there are no runs yet, so the target has no effect and the mixtures are "
               "spread out");
    q.target = q.maximize = q.keep.no_worse = (rmx_strings){0};
    q.keep.worst = false;
    q.keep.min_signal = 0;
    q.keep.than = NULL;
  }
  rmx_pipeline plain = *p;
  if (!s->measured) plain.experiment.config.n_target = 0;
  RMX_TRY(rmx_problem_pose(&plain, s->fit, &q, s->corpus, &s->problem, err));
  if (s->corpus && s->measured) rmx__warn_of_tokenizer(p, s->fit);
  if (s->measured && !rmx_has_target(s->fit, &s->problem))
    return rmx_fail(err, RMX_EUSAGE,
                    "nothing to improve: give --target METRIC (and --maximize for scores), of the "
                    "%zu that were fitted",
                    s->fit->M);
  if (!q.prior && !s->corpus && s->measured) {
    // Then it is the mean of the runs, to which rmx_suggest adds the domains that no run used.
    free(s->problem.prior);
    s->problem.prior = NULL;
  }
  return RMX_OK;
}

static void tell(rmx_pipeline *p, const rmx_next *s) {
  const rmx_suggestion *g = &s->suggestion;
  const rmx_listener *to = &p->listener;
  const double sign = rmx_shown_sign(s->fit, &s->problem);
  char best[RMX_NUMBER], first[RMX_NUMBER], sd[RMX_NUMBER];
  rmx_target_number(s->fit, &s->problem, sign * g->predicted[0], first);
  rmx_target_number(s->fit, &s->problem, g->sd[0], sd);
  if (*g->why_not)
    rmx_warn(to,
             "suggest: nothing was learnt about the target: %s; so the %zu mixture%s %s spread "
             "out",
             g->why_not, g->K, rmx_s(g->K), rmx_is((double)g->K));
  else if (g->why[0] == RMX_SUGGEST_SPREADS)
    rmx_note(to, "suggest: %zu mixture%s spread out; %s", g->K, rmx_s(g->K),
             g->runs
                 ? "the runs are too few, or their scores too similar, to predict the best mixture"
                 : "there are no runs yet");
  else if (isfinite(g->best))
    rmx_note(to, "suggest: %zu mixture%s; predicted target: best run %s, first suggestion %s +- %s",
             g->K, rmx_s(g->K), rmx_target_number(s->fit, &s->problem, sign * g->best, best), first,
             sd);
  else
    rmx_note(to,
             "suggest: %zu mixture%s; no run satisfies the constraints; predicted target of the "
             "first suggestion: %s +- %s",
             g->K, rmx_s(g->K), first, sd);
  const rmx_few assumed = rmx_assumed_directions(s->fit, &s->problem);
  if (assumed.n) rmx_warn(to, RMX_ASSUMED_DIRECTIONS, assumed.text);
  if (s->curve.sentence[0]) rmx_note(to, "suggest: %s", s->curve.sentence);
}

static rmx_status suggest(rmx_pipeline *p, const rmx_next_request *request, rmx_next *s,
                          rmx_err *err) {
  const rmx_experiment *e = &p->experiment;
  rmx_err no_corpus;
  if (!request->fit && e->config_path && rmx_experiment_corpus(e, &s->corpus, &no_corpus) != RMX_OK)
    s->corpus = NULL;
  RMX_TRY(open_fit(p, request, s, err));
  RMX_TRY(rmx_keep_input(request->out, request->pending, err));
  RMX_TRY(rmx_keep_input(request->out, request->problem.prior, err));
  RMX_TRY(rmx_keep_runs(request->out, s->fit->run_ids, s->fit->run_ids ? s->fit->N : 0, err));
  RMX_TRY(ask_question(p, request, s, err));
  RMX_TRY(read_pending(p, request, s, err));
  if (!request->fit && e->config.n_swarms)  // whose fit has other names of runs than mixtures.csv
    RMX_TRY(rmx_keep_runs(request->out, s->pending.ids, s->pending.N, err));
  const rmx_optimize_request search = {.fit = s->fit,
                                       .problem = &s->problem,
                                       .seed = (uint64_t)e->config.general.seed,
                                       .threads = rmx_worker_jobs(e),
                                       .listener = &p->listener};
  const rmx_suggest_request ask = {.fit = s->measured ? s->fit : NULL,
                                   .domains = (const char *const *)s->fit->domains,
                                   .problem = &s->problem,
                                   .pending = s->X,
                                   .n_pending = s->pending.N,
                                   .taken = (const char *const *)s->pending.ids,
                                   .n_taken = s->pending.N,
                                   .runs = request->runs,
                                   .grid = e->config.sample.grid,
                                   .seed = search.seed,
                                   .threads = search.threads,
                                   .listener = &p->listener};
  RMX_TRY(rmx_suggest(&ask, &s->suggestion, err));
  // What more runs gain is not known where these taught nothing.
  if (s->measured && !request->no_curve && !*s->suggestion.why_not)
    RMX_TRY(rmx_learning_curve_make(&search, request->more, &s->curve, err));
  tell(p, s);
  return RMX_OK;
}

rmx_status rmx_pipeline_suggest(rmx_pipeline *p, const rmx_next_request *request, rmx_next *s,
                                rmx_err *err) {
  rmx_kept_warnings kept;
  const rmx_listener to = p->listener;
  p->listener = rmx_keep_warnings(&kept, &to);
  const rmx_status status = suggest(p, request, s, err);
  p->listener = to;
  s->warnings = kept.texts;
  return status;
}
