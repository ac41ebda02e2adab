// SPDX-License-Identifier: Apache-2.0
// The optimisation problem: target, limits and constraints. They come from the config; the command
// line overrides it.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimize/problem.h"
#include "regress/fit.h"
#include "regress/scales.h"
#include "steps.h"

rmx_status rmx__target_weights(const rmx_config *c, const rmx_strings *groups,
                               const char *const *metrics, size_t M, double *weight, int *group,
                               rmx_err *err) {
  RMX_OWNED size_t *members = rmx_calloc(M, sizeof *members);
  if (!members) return rmx_fail_memory(err, M * sizeof *members, "a target");
  for (size_t i = 0; i < c->n_target; i++) {
    const rmx_target_term *term = &c->target[i];
    size_t n;
    RMX_TRY(rmx__find_group(metrics, M, groups, term->metric, members, &n, err));
    const bool is_group = n > 0;
    if (!is_group) RMX_TRY(rmx_find_name("metric", term->metric, metrics, M, &members[n++], err));
    for (size_t k = 0; k < n; k++) {
      if (weight[members[k]] != 0)
        return rmx_fail(err, RMX_EINPUT, "target: metric \"%s\" is given twice, once as \"%s\"",
                        metrics[members[k]], term->metric);
      weight[members[k]] = term->weight / (double)n;
      if (group) group[members[k]] = is_group ? (int)i + 1 : 0;
    }
  }
  return RMX_OK;
}

rmx_status rmx__target_of_config(const rmx_config *c, const rmx_strings *groups, const rmx_fit *f,
                                 rmx_target *t, const rmx_listener *listener, rmx_err *err) {
  RMX_TRY(rmx__target_weights(c, groups, (const char *const *)f->metrics, f->M, t->weight, t->group,
                              err));
  if (f->M == 1 && t->weight[0] == 0) t->weight[0] = t->sign[0];
  for (size_t m = 0; m < f->M; m++) {
    if (t->weight[m] > 0 && t->sign[m] < 0) {
      t->weight[m] = -t->weight[m];
      if (listener)
        rmx_note(listener, "\"%s\" is a score (higher is better), so it is maximised",
                 f->metrics[m]);
    }
    if (t->weight[m] < 0) t->sign[m] = -1;
  }
  return RMX_OK;
}

static bool add_all(rmx_strings *to, const rmx_strings *from) {
  for (size_t i = 0; i < from->n; i++)
    if (!rmx_strings_add(to, from->items[i])) return false;
  return true;
}

bool rmx_problem_given(const rmx_problem_request *a) {
  const rmx_problem_options *o = &a->keep;
  return a->prior || a->tokens || o->scale || a->budget > 0 || a->max_epochs.n || a->phases.n ||
         a->given.n || a->target.n || a->maximize.n || o->weigh || o->min_signal > 0 ||
         o->floor.n || o->cap.n || o->fix.n || o->share.n || o->ordered.n || o->metric_group.n ||
         o->no_worse.n || o->than || o->reference || o->worst || o->drop_below > 0 ||
         o->max_kl > 0 || o->kl_penalty > 0;
}

// The file given on the command line, else in the config, whose files are in the experiment's
// folder; NULL: neither.
static bool take_path(const rmx_experiment *e, const char *config, const char *line, char **out) {
  *out = line ? rmx_strdup(line) : config ? rmx_experiment_path(e, config) : NULL;
  return *out || (!line && !config);
}

// Whether the list has a metric group, NAME=METRIC,..., with the name of this one.
static bool has_group(const rmx_strings *list, const char *text) {
  const size_t n = strcspn(text, "=");
  for (size_t i = 0; i < list->n; i++)
    if (strcspn(list->items[i], "=") == n && strncmp(list->items[i], text, n) == 0) return true;
  return false;
}

// Those of the command line, and those of the config that have other names.
static bool join_groups(const rmx_strings *config, const rmx_strings *line, rmx_strings *to) {
  for (size_t i = 0; i < config->n; i++)
    if (!has_group(line, config->items[i]) && !rmx_strings_add(to, config->items[i])) return false;
  return add_all(to, line);
}

// The options of the config, overridden by the command line; lists are concatenated.
static rmx_status join(const rmx_experiment *e, const rmx_problem_options *line,
                       rmx_problem_options *out, rmx_err *err) {
  const rmx_problem_options *config = &e->config.search.problem;
  *out = (rmx_problem_options){
      .worst = line->worst || config->worst,
      .drop_below = line->drop_below > 0 ? line->drop_below : config->drop_below,
      .max_kl = line->max_kl > 0 ? line->max_kl : config->max_kl,
      .kl_penalty = line->kl_penalty > 0 ? line->kl_penalty : config->kl_penalty,
      .min_signal = line->min_signal > 0 ? line->min_signal : config->min_signal,
  };
  const rmx_problem_options *both[] = {config, line};
  bool good = take_path(e, config->than, line->than, &out->than) &&
              take_path(e, config->reference, line->reference, &out->reference) &&
              join_groups(&config->metric_group, &line->metric_group, &out->metric_group);
  for (size_t i = 0; i < 2 && good; i++)
    good = add_all(&out->floor, &both[i]->floor) && add_all(&out->cap, &both[i]->cap) &&
           add_all(&out->fix, &both[i]->fix) && add_all(&out->share, &both[i]->share) &&
           add_all(&out->ordered, &both[i]->ordered) && add_all(&out->no_worse, &both[i]->no_worse);
  return good ? RMX_OK : rmx_fail_memory(err, 0, "the problem");
}

static void release_joined(rmx_problem_options *o) {
  free(o->than);
  free(o->reference);
  rmx_strings_release(&o->floor);
  rmx_strings_release(&o->cap);
  rmx_strings_release(&o->fix);
  rmx_strings_release(&o->share);
  rmx_strings_release(&o->ordered);
  rmx_strings_release(&o->metric_group);
  rmx_strings_release(&o->no_worse);
}

// The target of the command line, else of the config, else the only metric.
static rmx_status target_of(rmx_pipeline *p, const rmx_fit *f, const rmx_problem_request *a,
                            const rmx_strings *groups, rmx_target *t, rmx_err *err) {
  if (a->target.n + a->maximize.n > 0) {
    rmx_target parsed;
    if (rmx_target_parse(f, &a->target, &a->maximize, groups, &p->listener, &parsed, err) != RMX_OK)
      return rmx_refused(true, err);
    rmx_target_release(t);
    *t = parsed;
    return RMX_OK;
  }
  if (rmx__target_of_config(&p->experiment.config, groups, f, t, &p->listener, err) != RMX_OK)
    return rmx_refused(rmx__was_set(p, "target"), err);
  return RMX_OK;
}

// The mixture of a file, whose names are domains, or the columns of the fit.
static rmx_status read_phased(const char *path, const rmx_fit *f, const rmx__phased *ph, double *w,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED double *one = rmx_calloc(ph->columns.n_domains, sizeof *one);
  long number;
  if (!one) return rmx_fail_memory(err, ph->columns.n_domains * sizeof *one, "a mixture");
  RMX_TRY(rmx_mixture_names(path, &names, err));
  if (rmx_phase_of(names.items[0], &number))
    return rmx_mixture_read(path, (const char *const *)f->domains, f->D, w, err);
  RMX_TRY(rmx_mixture_read(path, ph->columns.domains, ph->columns.n_domains, one, err));
  rmx__phased_mixture(f, ph, one, w);
  return RMX_OK;
}

static rmx_status read_mixture(const char *path, const rmx_fit *f, const rmx__phased *ph,
                               const double *prior, double **out, rmx_err *err) {
  if (!(*out = rmx_calloc(f->D, sizeof **out)))
    return rmx_fail_memory(err, f->D * sizeof **out, "a mixture");
  if (path && ph->columns.n) return read_phased(path, f, ph, *out, err);
  if (path) return rmx_mixture_read(path, (const char *const *)f->domains, f->D, *out, err);
  memcpy(*out, prior, f->D * sizeof **out);
  return RMX_OK;
}

// The domains of a fit: of one with phases, each once.
static const char *const *domains_of(const rmx_fit *f, const rmx__phased *ph, size_t *D) {
  *D = ph->columns.n ? ph->columns.n_domains : f->D;
  return ph->columns.n ? ph->columns.domains : (const char *const *)f->domains;
}

// k (D): the index in the corpus of each domain of the fit. The corpus may have more domains.
static rmx_status domains_in(const char *const *names, size_t D, const rmx_corpus *corpus,
                             size_t *k, rmx_err *err) {
  RMX_TRY(rmx_match_names("domain", names, D, corpus->names, corpus->D_train, k, err));
  for (size_t d = 0; d < D; d++)
    if (k[d] == corpus->D_train)
      return rmx_unknown_name("domain", names[d], corpus->names, corpus->D_train, err);
  return RMX_OK;
}

// Brings weights by domain of the corpus into the order of the fit. Both must have the same
// domains.
static rmx_status by_fit_domain(const char *const *names, size_t D, const rmx_corpus *corpus,
                                const double *from, double *to, rmx_err *err) {
  RMX_OWNED size_t *k = rmx_calloc(D, sizeof *k);
  RMX_TRY(k ? domains_in(names, D, corpus, k, err)
            : rmx_fail_memory(err, D * sizeof *k, "domains"));
  for (size_t d = 0; d < D; d++) to[d] = from[k[d]];
  return RMX_OK;
}

static rmx_status tokens_in_corpus(const char *const *names, size_t D, const rmx_corpus *corpus,
                                   double *tokens, rmx_err *err) {
  RMX_OWNED size_t *k = rmx_calloc(D, sizeof *k);
  RMX_TRY(k ? domains_in(names, D, corpus, k, err)
            : rmx_fail_memory(err, D * sizeof *k, "domains"));
  for (size_t d = 0; d < D; d++) tokens[d] = (double)corpus->domains[k[d]].train_tokens;
  return RMX_OK;
}

// The caps of the request over those of the config, or over 4 epochs. tokens (D) of each domain.
static rmx_status caps_by_epochs(rmx_pipeline *p, const rmx_fit *f, const rmx__phased *ph,
                                 const rmx_problem_request *a, const rmx_corpus *corpus,
                                 const double *tokens, double budget, rmx_constraints *k,
                                 rmx_err *err) {
  size_t D;
  const char *const *names = domains_of(f, ph, &D);
  const rmx_sample_options *o = &p->experiment.config.sample;
  RMX_OWNED double *most = rmx_calloc(f->D, sizeof *most);
  if (!most) return rmx_fail_memory(err, f->D * sizeof *most, "caps");
  for (size_t d = 0; d < D; d++) most[d] = corpus && o->max_epochs > 0 ? o->max_epochs : 4;
  if (corpus)
    RMX_TRY(rmx__take_epochs(&o->domain_epochs, "sample.domain_epochs", names, D, most, err));
  if (rmx__take_epochs(&a->max_epochs, "--max-epochs", names, D, most, err) != RMX_OK)
    return rmx_refused(true, err);
  for (size_t d = 0; ph->columns.n && d < D; d++) most[d] *= tokens[d] / budget;
  if (ph->columns.n) return rmx__phase_caps(f, ph, most, "the cap by epochs", true, k, err);
  for (size_t d = 0; d < D; d++)
    RMX_TRY(rmx_constraints_domain_epochs(k, d, tokens[d], budget, most[d], names, err));
  return RMX_OK;
}

// The caps of the config, cap (D). Those of sample.domain_epochs are by epochs in any case.
static rmx_status caps_of_config(const rmx_pipeline *p, const rmx_fit *f, const rmx__phased *ph,
                                 const rmx_corpus *corpus, const double *cap, rmx_constraints *k,
                                 rmx_err *err) {
  size_t D;
  const char *const *names = domains_of(f, ph, &D);
  const rmx_sample_options *o = &p->experiment.config.sample;
  RMX_OWNED double *epochs = rmx_calloc(corpus->D_train, sizeof *epochs),
                   *own = rmx_calloc(D, sizeof *own), *others = rmx_calloc(D, sizeof *others);
  if (!epochs || !own || !others) return rmx_fail_memory(err, D * sizeof *own, "caps");
  RMX_TRY(rmx__take_epochs(&o->domain_epochs, "sample.domain_epochs", corpus->names,
                           corpus->D_train, epochs, err));
  RMX_TRY(by_fit_domain(names, D, corpus, epochs, own, err));
  for (size_t d = 0; d < D; d++) {
    others[d] = own[d] > 0 ? 1 : cap[d];
    own[d] = own[d] > 0 ? cap[d] : 1;
  }
  const bool by_epochs = o->max_epochs > 0;
  if (ph->columns.n) {
    RMX_TRY(rmx__phase_caps(f, ph, own, "sample.domain_epochs", true, k, err));
    return rmx__phase_caps(f, ph, others, by_epochs ? "sample.max_epochs" : "sample.cap_ratio",
                           by_epochs, k, err);
  }
  RMX_TRY(rmx_constraints_epoch_caps(k, own, "sample.domain_epochs of %s", names, err));
  return by_epochs ? rmx_constraints_epoch_caps(k, others, "sample.max_epochs of %s", names, err)
                   : rmx_constraints_caps(k, others, "sample.cap_ratio of %s", names, err);
}

// The tokens of the large run: as typed, else those that the answer is for, else those of the
// experiment. 0: not known. The answer is for one number of tokens, so --budget can be no other.
static rmx_status budget_of(const rmx_pipeline *p, const rmx_fit *f, const rmx_problem_request *a,
                            const rmx_corpus *corpus, double *budget, rmx_err *err) {
  const double large = corpus ? (double)p->experiment.config.large.tokens : 0, of = f->at.tokens;
  *budget = a->budget > 0 ? a->budget : of > 0 ? of : large;
  if (!(a->budget > 0) || !(of > 0) || fabs(a->budget - of) <= 1e-6 * of) return RMX_OK;
  RMX_OWNED char *at = rmx_scale_text(f->at), *asked = rmx_scale_text((rmx_scale){0, a->budget}),
                 *want = rmx_scale_text((rmx_scale){f->at.size, a->budget});
  return rmx_fail(
      err, RMX_EUSAGE,
      "--budget %s, but %s %s: both are the tokens of the large run. Leave out --budget, "
      "or give --for %s",
      asked ? asked : "", a->keep.scale ? "--for" : "the answer is for", at ? at : "",
      want ? want : "");
}

// Keeps what caps by epochs follow from, for those who read the answer.
static rmx_status keep_counts(const char *const *names, size_t D, const double *tokens,
                              double budget, rmx_problem *q, rmx_err *err) {
  q->budget = budget;
  if (!(q->tokens = rmx_calloc(D, sizeof *q->tokens)))
    return rmx_fail_memory(err, D * sizeof *q->tokens, "caps");
  memcpy(q->tokens, tokens, D * sizeof *q->tokens);
  for (size_t d = 0; d < D; d++)
    if (!rmx_strings_add(&q->counted, names[d])) return rmx_fail_memory(err, 0, "a name");
  return RMX_OK;
}

static rmx_status caps_of(rmx_pipeline *p, rmx_fit *f, const rmx__phased *ph,
                          const rmx_problem_request *a, const rmx_corpus *corpus, rmx_problem *q,
                          rmx_err *err) {
  rmx_constraints *k = &q->constraints;
  size_t D;
  const char *const *names = domains_of(f, ph, &D);
  bool by_epochs = a->tokens || a->max_epochs.n || (corpus && a->budget > 0);
  double epochs, budget;
  for (size_t i = 0; i < a->max_epochs.n; i++)
    if (rmx__epochs_of(a->max_epochs.items[i], "--max-epochs", &epochs, err) != RMX_OK)
      return rmx_refused(true, err);
  if (by_epochs && !a->tokens && !corpus)
    return rmx_fail(err, RMX_EUSAGE,
                    "a cap by epochs needs to know the tokens of each domain; give --tokens FILE");
  RMX_TRY(budget_of(p, f, a, corpus, &budget, err));
  if (by_epochs && !(budget > 0))
    return rmx_fail(err, RMX_EUSAGE,
                    "a cap by epochs needs the tokens of the large run; give --budget TOKENS");
  size_t most = f->D + (corpus ? corpus->D_train : 0);
  double *x = rmx_calloc(most, sizeof *x);
  if (!x) return rmx_fail_memory(err, most * sizeof *x, "caps");
  rmx_status status = RMX_OK;
  if (by_epochs) {
    status = a->tokens ? rmx__reuse_tokens(&p->listener, a->prior, a->tokens, names, D, x, err)
                       : tokens_in_corpus(names, D, corpus, x, err);
    if (status == RMX_OK) status = keep_counts(names, D, x, budget, q, err);
    if (status == RMX_OK) status = caps_by_epochs(p, f, ph, a, corpus, x, budget, k, err);
  } else if (corpus) {
    status = rmx__weight_caps(&p->experiment, corpus, budget, x + f->D, err);
    if (status != RMX_OK) status = rmx__refused_setting(p, err);
    if (status == RMX_OK) status = by_fit_domain(names, D, corpus, x + f->D, x, err);
    if (status == RMX_OK) status = caps_of_config(p, f, ph, corpus, x, k, err);
  }
  free(x);
  const bool asked = budget > 0 && (a->budget > 0 || corpus);
  if (status == RMX_OK && asked && !rmx_fit_set_budget(f, budget) && !by_epochs && !corpus)
    rmx_warn(&p->listener,
             "--budget changes nothing here: caps by epochs need the tokens of each domain; give "
             "--tokens FILE");
  return status;
}

// Whether item i of a list, joined from the config and the command line, was typed.
static bool was_typed(rmx_pipeline *p, const char *key, const rmx_strings *config, size_t i) {
  return i >= config->n || rmx__was_set(p, key);
}

// What the user typed of weights, over domains with these names.
static rmx_status typed_of(rmx_pipeline *p, const rmx_problem_options *o, const rmx_fit *f,
                           const rmx__phased *ph, const char *const *names, rmx_constraints *k,
                           rmx_err *err) {
  static const char *const keys[] = {"optimize.floor", "optimize.cap", "optimize.fix"};
  const rmx_problem_options *config = &p->experiment.config.search.problem;
  const rmx_strings *of_config[] = {&config->floor, &config->cap, &config->fix};
  const rmx_strings *bounds[] = {&o->floor, &o->cap, &o->fix};
  rmx__phased_names n;
  rmx__phased_names_make(names, &ph->columns, f->phase_share, &n);
  for (int kind = RMX_FLOOR; kind <= RMX_FIX; kind++)
    for (size_t i = 0; i < bounds[kind]->n; i++) {
      if (rmx__bound(k, (rmx_bound)kind, bounds[kind]->items[i], &n.names, err) != RMX_OK)
        return rmx_refused(was_typed(p, keys[kind], of_config[kind], i), err);
    }
  for (size_t i = 0; i < o->share.n; i++)
    if (rmx__share(k, o->share.items[i], &n.names, err) != RMX_OK)
      return rmx_refused(was_typed(p, "optimize.share", &config->share, i), err);
  for (size_t i = 0; i < o->ordered.n; i++)
    if (rmx__order(k, o->ordered.items[i], &n.names, err) != RMX_OK)
      return rmx_refused(was_typed(p, "optimize.ordered", &config->ordered, i), err);
  return RMX_OK;
}

// The same where a domain of the fit may stand for others (`regmix domains --reuse`), which can be
// named too.
static rmx_status weights_of(rmx_pipeline *p, const char *prior, const rmx_problem_options *o,
                             const rmx_fit *f, const rmx__phased *ph, rmx_constraints *k,
                             rmx_err *err) {
  const char *const *names = (const char *const *)f->domains;
  RMX_OWNED_BY(rmx_reuse_release) rmx_reuse r = {0};
  RMX_OWNED_BY(rmx__members_release) rmx__members m = {0};
  if (prior && ph->columns.n == 0) RMX_TRY(rmx_reuse_read(prior, &r, err));
  if (r.name) RMX_TRY(rmx__members_make(&r, names, f->D, &m, err));
  if (m.all.D == 0) return typed_of(p, o, f, ph, names, k, err);
  RMX_TRY(typed_of(p, o, f, ph, m.names, &m.all, err));
  m.all.drop_below = o->drop_below;
  return rmx__members_fold(&m, k, err);
}

// A weight is dropped if it is small within its phase.
static rmx_status drop_in_phases(const rmx_fit *f, const rmx__phased *ph, rmx_constraints *k,
                                 rmx_err *err) {
  if (!(k->least = rmx_calloc(f->D, sizeof *k->least)))
    return rmx_fail_memory(err, f->D * sizeof *k->least, "constraints");
  for (size_t d = 0; d < f->D; d++) k->least[d] = k->drop_below * f->phase_share[ph->columns.of[d]];
  return RMX_OK;
}

// prior: its file as typed, or NULL.
static rmx_status constraints_of(rmx_pipeline *p, const char *prior, const rmx_problem_options *o,
                                 const rmx_fit *f, const rmx__phased *ph, rmx_problem *q,
                                 rmx_err *err) {
  rmx_constraints *k = &q->constraints;
  RMX_TRY(weights_of(p, prior, o, f, ph, k, err));
  k->drop_below = o->drop_below;
  if (ph->columns.n && k->drop_below > 0) RMX_TRY(drop_in_phases(f, ph, k, err));
  if (o->reference && !(o->max_kl > 0) && !(o->kl_penalty > 0))
    return rmx_fail(err, RMX_EUSAGE, "--reference needs --max-kl NATS or --kl-penalty X");
  if (!(o->max_kl > 0) && !(o->kl_penalty > 0)) return RMX_OK;
  k->max_kl = o->max_kl > 0 ? o->max_kl : INFINITY;
  k->kl_penalty = o->kl_penalty;
  return read_mixture(o->reference, f, ph, q->prior, &k->reference, err);
}

// A group that was typed is checked although nothing may name it.
static rmx_status check_groups(rmx_pipeline *p, const rmx_strings *line,
                               const rmx_problem_options *o, const rmx_fit *f, rmx_err *err) {
  RMX_OWNED size_t *members = rmx_calloc(f->M, sizeof *members);
  if (!members) return rmx_fail_memory(err, f->M * sizeof *members, "a metric group");
  for (size_t i = 0; i < o->metric_group.n; i++) {
    const char *text = o->metric_group.items[i], *equals = strchr(text, '=');
    size_t n;
    if (!has_group(line, text) && !rmx__was_set(p, "optimize.metric_group")) continue;
    RMX_OWNED char *name = rmx_format("%.*s", equals ? (int)(equals - text) : 0, text);
    if (!name) return rmx_fail_memory(err, 0, "a name");
    if (rmx__find_group((const char *const *)f->metrics, f->M, &o->metric_group, name, members, &n,
                        err) != RMX_OK)
      return rmx_refused(true, err);
  }
  return RMX_OK;
}

static rmx_status limits_of(rmx_pipeline *p, const rmx_problem_options *config,
                            const rmx_problem_options *o, const rmx_fit *f, const rmx__phased *ph,
                            rmx_problem *q, rmx_err *err) {
  if (!o->worst && o->no_worse.n == 0) {
    if (!o->than) return RMX_OK;
    return rmx_fail(err, RMX_EUSAGE, "--than %s needs --no-worse METRIC or --worst", o->than);
  }
  rmx_status status = read_mixture(o->than, f, ph, q->prior, &q->than, err);
  for (size_t i = 0; i < o->no_worse.n && status == RMX_OK; i++)
    if ((status = rmx_target_no_worse(f, o->no_worse.items[i], &o->metric_group, q->than,
                                      &q->target, err)) != RMX_OK)
      status = rmx_refused(was_typed(p, "optimize.no_worse", &config->no_worse, i), err);
  if (status == RMX_OK && o->worst) rmx_target_worst(f, q->than, &q->target);
  return status;
}

// The prior of the corpus, w (f->D): the same in each phase.
static rmx_status prior_of_corpus(const rmx_fit *f, const rmx__phased *ph, const rmx_corpus *corpus,
                                  double *w, rmx_err *err) {
  size_t D;
  const char *const *names = domains_of(f, ph, &D);
  if (!ph->columns.n) return by_fit_domain(names, D, corpus, corpus->prior, w, err);
  RMX_OWNED double *one = rmx_calloc(D, sizeof *one);
  if (!one) return rmx_fail_memory(err, D * sizeof *one, "the prior");
  RMX_TRY(by_fit_domain(names, D, corpus, corpus->prior, one, err));
  RMX_TRY(rmx_mixture_normalise(one, D, err));
  rmx__phased_mixture(f, ph, one, w);
  return RMX_OK;
}

// The prior of the later phases, after those that are given.
static void note_given(rmx_problem *q) {
  const size_t n = strlen(q->prior_text);
  snprintf(q->prior_text + n, sizeof q->prior_text - n, ", after what --given gives");
}

static rmx_status fill(rmx_pipeline *p, rmx_fit *f, const rmx_problem_request *a,
                       const rmx_problem_options *o, const rmx_corpus *corpus, rmx_problem *q,
                       rmx_err *err) {
  RMX_OWNED_BY(rmx__phased_release) rmx__phased phased = {0};
  const rmx__phased *ph = &phased;
  RMX_TRY(rmx__search_phases(f, &a->phases, &phased, err));
  RMX_TRY(rmx__hold_phases((const char *const *)f->domains, &ph->columns, f->phase_share,
                           &q->constraints, err));
  RMX_TRY(read_mixture(a->prior, f, ph, f->mean_mixture, &q->prior, err));
  if (a->prior) rmx_problem_set_origin(q, f, RMX_PRIOR_FILE, a->prior);
  if (corpus && !a->prior) {
    RMX_TRY(prior_of_corpus(f, ph, corpus, q->prior, err));
    rmx_problem_set_origin(q, f, RMX_PRIOR_CORPUS, NULL);
  }
  RMX_TRY(rmx__prior_given(f, ph, &a->given, q->prior, err));
  if (a->given.n) note_given(q);
  // raw rows may not sum to exactly 1, but a prior does
  RMX_TRY(rmx_mixture_normalise(q->prior, f->D, err));
  RMX_TRY(check_groups(p, &a->keep.metric_group, o, f, err));
  RMX_TRY(target_of(p, f, a, &o->metric_group, &q->target, err));
  const char *weigh = a->keep.weigh ? a->keep.weigh : p->experiment.config.search.problem.weigh;
  RMX_TRY(rmx_target_weigh(f, weigh && strcmp(weigh, "signal") == 0, o->min_signal, &p->listener,
                           &q->target, err));
  RMX_TRY(caps_of(p, f, ph, a, corpus, q, err));
  RMX_TRY(constraints_of(p, a->prior, o, f, ph, q, err));
  RMX_TRY(rmx__give_phases(f, ph, &a->given, &q->constraints, err));
  RMX_TRY(limits_of(p, &p->experiment.config.search.problem, o, f, ph, q, err));
  if (rmx__ask_directions(f, &q->target, err) == RMX_OK) return RMX_OK;
  const bool typed = rmx_problem_given(a) || rmx__was_set(p, "target");
  return rmx_from_file(!typed && p->experiment.config_path, err);
}

void rmx__warn_of_tokenizer(rmx_pipeline *p, const rmx_fit *f) {
  json_auto_t *corpus = NULL;
  rmx_err ignored;
  if (rmx__experiment_read(&p->experiment, "corpus/corpus.json", &corpus, &ignored) != RMX_OK)
    return;
  const char *now = json_string_value(json_object_get(corpus, "tokenizer_hash"));
  if (now && f->tokenizer && strtoull(now, NULL, 16) != f->tokenizer)
    rmx_warn(
        &p->listener,
        "the runs of the fit were trained with another tokenizer than the present corpus has, so "
        "shares of tokens and losses do not compare. Run `regmix train` and `regmix fit` again");
}

// The fit of an experiment with several swarms has names like larger-0001@300000. At one scale it
// has one run for each mixture, which gets the mixture's name.
static void name_runs(const rmx_config *c, rmx_fit *f) {
  for (size_t i = 0; i < f->N; i++) {
    char *id = f->run_ids[i], *at = strrchr(id, '@');
    if (!at) continue;
    *at = 0;
    for (size_t k = 0; k < c->n_swarms; k++) {
      const size_t n = strlen(c->swarms[k].name);
      if (strncmp(id, c->swarms[k].name, n) != 0 || id[n] != '-') continue;
      memmove(id, id + n + 1, strlen(id + n + 1) + 1);
      break;
    }
  }
}

rmx_status rmx__fit_for(const rmx_experiment *e, rmx_fit *f, const char *typed,
                        const rmx_corpus *corpus, rmx_err *err) {
  const char *text = typed ? typed : e->config.search.problem.scale;
  RMX_OWNED char *large = NULL;
  if (!text && f->scales && corpus && e->config.n_swarms) {
    rmx_model_config m;
    RMX_TRY(rmx_training_model(&e->config.large, corpus->vocab, &m, err));
    text = large = rmx_format("%lld,%lld", (long long)rmx_model_parameters_body(&m),
                              (long long)e->config.large.tokens);
    if (!text) return rmx_fail_memory(err, 64, "a scale");
  }
  if (rmx_fit_for_text(f, text, err) != RMX_OK) return rmx_from_file(text && !typed, err);
  if (text && corpus && e->config.n_swarms) name_runs(&e->config, f);
  return RMX_OK;
}

rmx_status rmx_problem_pose(rmx_pipeline *p, rmx_fit *f, const rmx_problem_request *a,
                            const rmx_corpus *corpus, rmx_problem *q, rmx_err *err) {
  rmx_problem_options o;
  if (rmx__fit_for(&p->experiment, f, a->keep.scale, corpus, err) != RMX_OK)
    return rmx_refused(rmx__was_set(p, "optimize.for"), err);
  rmx__warn_of_scale(f, &p->listener);
  RMX_TRY(rmx_problem_make(f, q, err));
  rmx_status status = join(&p->experiment, &a->keep, &o, err);
  if (status == RMX_OK) status = fill(p, f, a, &o, corpus, q, err);
  release_joined(&o);
  if (status == RMX_OK) return RMX_OK;
  rmx_problem_release(q);
  return rmx__reuse_explain(a->prior, err);
}

bool rmx_has_target(const rmx_fit *f, const rmx_problem *q) {
  for (size_t m = 0; m < f->M; m++)
    if (q->target.weight[m] != 0) return true;
  return false;
}

double rmx_shown_sign(const rmx_fit *f, const rmx_problem *q) {
  size_t n = 0;
  bool raised = true;
  for (size_t m = 0; m < f->M; m++)
    if (q->target.weight[m] != 0) {
      n++;
      raised = raised && q->target.weight[m] == -1;
    }
  return n == 1 && raised && !q->target.worst ? -1 : 1;
}

rmx_few rmx_assumed_directions(const rmx_fit *f, const rmx_problem *q) {
  rmx_few names = {0};
  for (size_t m = 0; m < f->M; m++)
    if (q->target.weight[m] > 0 && f->direction_from &&
        f->direction_from[m] == RMX_DIRECTION_ASSUMED)
      rmx_few_add(&names, f->metrics[m]);
  return names;
}
