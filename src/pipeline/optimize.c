// SPDX-License-Identifier: Apache-2.0
// regmix optimize: the mixture at which the fitted functions are best.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "optimize/search.h"
#include "outdated.h"
#include "regress/fit.h"
#include "steps.h"

// Of a score: a smaller part of it is rounding, not a difference between mixtures.
static const double SAME_SCORE = 1e-9;

void rmx_answer_release(rmx_answer *s) {
  rmx_uncertainty_release(&s->uncertainty);
  rmx_attribution_release(&s->attribution);
  rmx_learning_curve_release(&s->curve);
  rmx_front_release(&s->front);
  rmx_reuse_release(&s->reuse);
  rmx_drift_release(&s->drift);
  rmx_lifted_caps_release(&s->lifted);
  free(s->phase_share);
  rmx_strings_release(&s->warnings.texts);
  rmx_optimum_free(s->optimum);
  rmx_problem_release(&s->problem);
  rmx_fit_free(s->fit);
}

// "A,B" of --pareto, or with "=" nothing: the two metrics.
static rmx_status two_metrics(const rmx_fit *f, const char *text, size_t *a, size_t *b,
                              rmx_err *err) {
  const char *comma = strchr(text, ',');
  if (!comma) return rmx_fail(err, RMX_EUSAGE, "--pareto %s: wanted two metrics, as A,B", text);
  char *first = rmx_format("%.*s", (int)(comma - text), text);
  if (!first) return rmx_fail_memory(err, 0, "a name");
  rmx_status status = rmx_find_name("metric", first, (const char *const *)f->metrics, f->M, a, err);
  if (status == RMX_OK)
    status = rmx_find_name("metric", comma + 1, (const char *const *)f->metrics, f->M, b, err);
  free(first);
  if (status == RMX_OK && *a == *b)
    status = rmx_fail(err, RMX_EUSAGE, "--pareto %s: both are \"%s\"; wanted two different metrics",
                      text, f->metrics[*a]);
  return status == RMX_OK ? status : rmx_refused(true, err);
}

// A search of the config's options, with the answer's fit and problem.
static rmx_optimize_request search_of(rmx_pipeline *p, rmx_answer *s) {
  const rmx_config *c = &p->experiment.config;
  s->options = &c->search.how;
  return (rmx_optimize_request){.fit = s->fit,
                                .problem = &s->problem,
                                .options = s->options,
                                .seed = (uint64_t)c->general.seed,
                                .threads = rmx_worker_jobs(&p->experiment),
                                .listener = &p->listener};
}

static rmx_status search(rmx_pipeline *p, const rmx_answer_request *request, rmx_answer *s,
                         rmx_err *err) {
  const rmx_optimize_request search = search_of(p, s);
  size_t a = 0, b = 0;
  if (request->pareto) {
    RMX_TRY(two_metrics(s->fit, request->pareto, &a, &b, err));
    RMX_TRY(rmx_pareto(&search, a, b, (size_t)request->points, &s->front, err));
    if (!rmx_has_target(s->fit,
                        &s->problem)) {  // then both count equally, each in units of its range
      const double *low = s->front.predicted, *high = low + (s->front.n - 1) * s->fit->M;
      double range_a = low[a] - high[a], range_b = high[b] - low[b];
      s->problem.target.weight[a] = s->front.n > 1 ? 0.5 / range_a : s->problem.target.sign[a];
      s->problem.target.weight[b] = s->front.n > 1 ? 0.5 / range_b : s->problem.target.sign[b];
    }
  }
  if (!rmx_has_target(s->fit, &s->problem))
    return rmx_fail(err, RMX_EUSAGE,
                    "nothing to improve: give --target METRIC (and --maximize for scores), of the "
                    "%zu that were fitted",
                    s->fit->M);
  const rmx_status status = rmx_optimize(&search, &s->optimum, err);
  return status == RMX_OK ? status : rmx__refused_setting(p, err);
}

// The name of a mixture file without its folder and extension.
static char *name_of(const char *path) {
  const char *name = strrchr(path, '/'), *dot;
  name = name ? name + 1 : path;
  dot = strrchr(name, '.');
  return rmx_format("%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name);
}

// Answers have a place for each name: one that is taken, or is that of the prior, gets a number.
static rmx_status tell_apart(rmx_rival *rivals, size_t k, char **name, rmx_err *err) {
  RMX_OWNED char *stem = rmx_strdup(rivals[k].name);
  if (!stem) return rmx_fail_memory(err, 64, "a name");
  for (int copy = 2;; copy++) {
    bool taken = strcmp(rivals[k].name, "prior") == 0;
    for (size_t i = 0; i < k; i++) taken |= strcmp(rivals[i].name, rivals[k].name) == 0;
    if (!taken) return RMX_OK;
    free(*name);
    rivals[k].name = *name = rmx_format("%s-%d", stem, copy);
    if (!*name) return rmx_fail_memory(err, 64, "a name");
  }
}

// What the answer is compared with: the mixtures of files, the optima of measured sizes, and last
// `stay`, where there is one. w (n, D) holds the mixtures.
static rmx_status list_rivals(const rmx_strings *files, const rmx_optimum *stay,
                              const rmx_answer *s, double *w, char **names, rmx_rival *rivals,
                              rmx_err *err) {
  const size_t D = s->fit->D, found = files->n + s->drift.n;
  for (size_t k = 0; k < found + (stay != NULL); k++) {
    const bool file = k < files->n;
    rivals[k] = (rmx_rival){.name = "", .mixture = w + k * D, .found = !file && k < found};
    if (file && !(names[k] = name_of(files->items[k]))) return rmx_fail_memory(err, 64, "a name");
    if (file)
      RMX_TRY(rmx_mixture_read(files->items[k], (const char *const *)s->fit->domains, D, w + k * D,
                               err));
    else
      memcpy(w + k * D, k < found ? s->drift.mixtures + (k - files->n) * D : stay->mixture,
             D * sizeof *w);
    if (k < found) rivals[k].name = file ? names[k] : s->drift.steps[k - files->n].name;
    if (k < found) RMX_TRY(tell_apart(rivals, k, &names[k], err));
  }
  return RMX_OK;
}

// stay: the mixture that the answer is compared with last; NULL: none.
static rmx_status intervals(const rmx_optimize_request *how, const rmx_strings *against,
                            const rmx_optimum *stay, rmx_answer *s, rmx_err *err) {
  const size_t n = against->n + s->drift.n + (stay != NULL), D = s->fit->D;
  char **names = rmx_calloc(n + 1, sizeof *names);
  RMX_OWNED rmx_rival *rivals = rmx_calloc(n + 1, sizeof *rivals);
  RMX_OWNED double *w = rmx_calloc((n + 1) * D, sizeof *w);
  rmx_status status = names && rivals && w ? list_rivals(against, stay, s, w, names, rivals, err)
                                           : rmx_fail_memory(err, n * D * sizeof *w, "mixtures");
  if (status == RMX_OK)
    status = rmx_uncertainty_make(how, s->optimum, rivals, n, &s->uncertainty, err);
  for (size_t k = 0; names && k < n; k++) free(names[k]);
  free(names);
  return status;
}

// The gain that the intervals give over the mixture that they were compared with last, which they
// then forget.
static rmx_versus take_last(rmx_uncertainty *u) {
  rmx_versus *last = &u->versus[--u->n_versus], v = *last;
  free(v.name);
  free(v.mixture);
  *last = (rmx_versus){0};
  return v;
}

// What the divergence of `stay` costs more than that of the optimum.
static double penalty_saved(const rmx_constraints *c, const rmx_answer *s,
                            const rmx_optimum *stay) {
  if (!(c->kl_penalty > 0)) return 0;
  return c->kl_penalty *
         (rmx__kl_above(c, stay->mixture, 1e-300) - rmx__kl_above(c, s->optimum->mixture, 1e-300));
}

// Whether the prior keeps the constraints, so that it can be kept itself.
static bool prior_is_allowed(const rmx_problem *q) {
  return q->prior && rmx_constraints_excess(&q->constraints, q->prior) <= 1e-6;
}

// Takes the warnings of where the optimum lies off the list, since it is not the answer.
static void forget_place(rmx_answer *s) {
  rmx_kept_warnings place;
  const rmx_listener quiet = rmx_keep_warnings(&place, NULL);
  rmx__warn_of_place(s->optimum, s->fit, &s->problem.target, &quiet);
  rmx_strings *list = &s->warnings.texts;
  for (size_t i = list->n; i-- > 0;) {
    if (!rmx_strings_have(&place.texts, list->items[i])) continue;
    free(list->items[i]);
    memmove(list->items + i, list->items + i + 1, (--list->n - i) * sizeof *list->items);
  }
  rmx_strings_release(&place.texts);
}

// What is expected to be worse than *stay, or predicted to be, is not the answer: *stay, the
// nearest mixture to the prior that keeps the constraints, is. It takes that then. A prior that
// does not keep them is no safe choice, so *stay must then be as near to the runs.
static bool stay_if_better(const rmx_listener *to, rmx_answer *s, rmx_optimum **stay) {
  if (!*stay) return false;
  const rmx_constraints *c = &s->problem.constraints;
  const bool measured = s->uncertainty.n_versus > 0;
  const rmx_versus v = measured ? take_last(&s->uncertainty) : (rmx_versus){0};
  const double predicted = (*stay)->score - s->optimum->score + penalty_saved(c, s, *stay),
               gain = measured ? v.estimate + penalty_saved(c, s, *stay) : predicted;
  if (v.same || !(fmin(gain, predicted) < -SAME_SCORE * fabs(s->optimum->score))) return false;
  const bool allowed = prior_is_allowed(&s->problem);
  if (!allowed && (*stay)->distance > s->optimum->distance + 1e-9) return false;
  char interval[128] = "", low[RMX_NUMBER], high[RMX_NUMBER], shown[RMX_NUMBER];
  if (measured && gain < 0)
    snprintf(interval, sizeof interval, ", %.0f %% interval %s to %s", 100 * s->uncertainty.level,
             rmx_target_number(s->fit, &s->problem, v.low, low),
             rmx_target_number(s->fit, &s->problem, v.high, high));
  snprintf((*stay)->why_not, sizeof(*stay)->why_not,
           "the best mixture that was found is %s to be worse than the prior%s (a gain of %s%s)",
           gain < 0 ? "expected" : "predicted", allowed ? "" : ", under the constraints",
           rmx_target_number(s->fit, &s->problem, gain < 0 ? gain : predicted, shown), interval);
  rmx_warn(to, "%s; so the prior, under the constraints, is the answer", (*stay)->why_not);
  forget_place(s);
  rmx__warn_of_place(*stay, s->fit, &s->problem.target, to);
  (*stay)->unguarded_score = s->optimum->unguarded_score;
  rmx_uncertainty_release(&s->uncertainty);
  rmx_lifted_caps_release(&s->lifted);
  rmx_attribution_release(&s->attribution);
  rmx_optimum_free(s->optimum);
  s->optimum = *stay;
  *stay = NULL;
  return true;
}

// Computes the intervals, the learning curve and the attribution. An old fit or few runs may not
// allow that; then it warns, and the optimum has none.
static rmx_status weigh(rmx_pipeline *p, const rmx_strings *against, rmx_optimum **stay,
                        rmx_answer *s, rmx_err *err) {
  const rmx_optimize_request how = search_of(p, s);
  rmx_status status = rmx__drift_find(&how, s, err);
  RMX_OWNED char *unknown = rmx_fit_no_intervals(s->fit);
  if (unknown && against->n)
    return rmx_fail(err, RMX_EUSAGE, "--against needs intervals, but %s", unknown);
  if (unknown)
    return status == RMX_OK ? rmx_attribution_make(&how, s->optimum, &s->attribution, err) : status;
  if (status == RMX_OK) status = intervals(&how, against, *stay, s, err);
  if (status == RMX_OK && stay_if_better(&p->listener, s, stay)) return RMX_OK;
  if (status == RMX_OK && s->fit->truth) status = rmx_learning_curve_make(&how, 0, &s->curve, err);
  if (status == RMX_EINPUT && against->n == 0) {
    rmx_note(&p->listener, "%s", err->message);
    status = RMX_OK;
  }
  if (status == RMX_OK) status = rmx_attribution_make(&how, s->optimum, &s->attribution, err);
  return status;
}

// Of a fit with phases: their shares, and a note of the mixture of each.
static rmx_status take_phases(rmx_pipeline *p, const rmx_answer_request *request, rmx_answer *s,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx__phased_release) rmx__phased ph = {0};
  RMX_TRY(rmx__search_phases(s->fit, &request->problem.phases, &ph, err));
  if (ph.columns.n == 0) return RMX_OK;
  s->phase_share = ph.share;
  ph.share = NULL;
  json_auto_t *list = rmx__phases_json(s->fit, rmx_optimum_mixture(s->optimum), s->phase_share);
  rmx__tell_phases(&p->listener, list);
  return RMX_OK;
}

// Reads the fit and asks it. corpus may be NULL.
static rmx_status ask_fit(rmx_pipeline *p, const char *folder, const rmx_answer_request *request,
                          const rmx_corpus *corpus, rmx_answer *s, rmx_err *err) {
  RMX_TRY(rmx_fit_read(folder, &s->fit, err));
  RMX_TRY(rmx__drift_begin(s->fit, &s->drift, err));
  RMX_TRY(rmx_problem_pose(p, s->fit, &request->problem, corpus, &s->problem, err));
  if (request->problem.prior) RMX_TRY(rmx_reuse_read(request->problem.prior, &s->reuse, err));
  RMX_TRY(search(p, request, s, err));
  const rmx_optimize_request how = search_of(p, s);
  const bool learnt = strcmp(rmx_optimum_method(s->optimum), "prior") != 0;
  RMX_OWNED_BY(rmx_optimum_free_at) rmx_optimum *stay = NULL;
  if (learnt && rmx_optimum_learnt(s->optimum))
    RMX_TRY(rmx__optimum_at_prior(&how, s->optimum, &stay, err));
  if (learnt && !request->quick) RMX_TRY(rmx__lift_caps(&how, s, err));
  // A prior that stays because nothing was learnt has no gain to be sure of.
  bool wanted = p->experiment.config.search.how.replicates > 0 && !request->quick && learnt;
  if (wanted && weigh(p, &request->against, &stay, s, err) != RMX_OK)
    return rmx__reuse_explain(request->problem.prior, err);
  if (s->uncertainty.n_versus == 0) stay_if_better(&p->listener, s, &stay);
  rmx__tell_guard(s->optimum, &p->listener);
  const bool stays = strcmp(rmx_optimum_method(s->optimum), "prior") == 0;
  s->unmeasured = stays && p->experiment.config.search.how.replicates > 0 && !request->quick;
  if (stays) rmx_drift_release(&s->drift);
  return take_phases(p, request, s, err);
}

// Asks the fit, and lists the warnings in the answer. of_runs: the fit is of the experiment's runs.
static rmx_status answer_from(rmx_pipeline *p, const char *folder, bool of_runs,
                              const rmx_answer_request *request, const rmx_corpus *corpus,
                              rmx_answer *s, rmx_err *err) {
  const rmx_listener to = p->listener;
  p->listener = rmx_keep_warnings(&s->warnings, &to);
  const rmx_status status = ask_fit(p, folder, request, corpus, s, err);
  if (status == RMX_OK && of_runs) rmx__warn_of_tokenizer(p, s->fit);
  p->listener = to;
  s->warnings.to = NULL;
  return status;
}

// A training without what no result depends on. Such keys get their initial values, and not none:
// so does the question of an older optimum.yaml.
static void leave_out_waits(json_t *training, const json_t *initial) {
  for (size_t i = 0; i < rmx_training_options_n; i++) {
    const char *key = rmx_training_options[i].key;
    json_t *value = json_object_get(initial, key);
    if (!rmx_training_key_counts(key) && json_object_get(training, key))
      json_object_set(training, key, value);
  }
  if (json_is_string(json_object_get(training, "command")))
    json_object_set_new(training, "command", json_true());
}

static json_t *question_of(const rmx_config *c) {
  static const char *const elsewhere[] = {"jobs", "isa", "eval", "compare", "doremi",
                                          "odm",  "ppl", "rho",  "law",     "aioli"};
  json_t *settings = rmx_config_json(c), *swarm;
  const char *name;
  rmx_config initial;
  rmx_err ignored;  // there is no memory, which the next call says too
  for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
    json_object_del(settings, elsewhere[i]);
  if (rmx_config_read(NULL, NULL, 0, &initial, &ignored) != RMX_OK) return settings;
  json_auto_t *first = rmx_config_json(&initial);
  json_object_set(settings, "climb", json_object_get(first, "climb"));
  leave_out_waits(json_object_get(settings, "proxy"), json_object_get(first, "proxy"));
  leave_out_waits(json_object_get(settings, "large"), json_object_get(first, "large"));
  json_object_foreach(json_object_get(settings, "swarms"), name, swarm)
    leave_out_waits(swarm, json_object_get(first, "proxy"));
  rmx_config_release(&initial);
  return settings;
}

// What the optimum of an experiment is made from: all settings but those that only steps after the
// search, or none, depend on. Release it.
static struct rmx__stamp stamp_of(const rmx_experiment *e, const rmx_corpus *corpus,
                                  const char *fit) {
  struct rmx__stamp s = {.fingerprint = corpus->hash};
  json_auto_t *config = question_of(&e->config);
  RMX_OWNED char *path = rmx_path_in(fit, "fit.json");
  rmx__stamp_note(&s, "corpus", corpus->hash);
  rmx__stamp_add_json(&s, "settings", config, JSON_COMPACT);
  rmx__stamp_add_file(&s, "fit", path);
  return s;
}

static bool is_current(const char *path, const struct rmx__stamp *stamp) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  rmx_err ignored;
  if (!rmx_exists(path) || rmx__yaml_read(path, &yaml, &ignored) != RMX_OK) return false;
  return rmx__stamp_same(stamp, json_object_get(yaml.root, "made_by"), "question", NULL);
}

void rmx__optimum_outdated(const rmx_experiment *e, const rmx_corpus *corpus, rmx_buf *why) {
  RMX_OWNED_BY(rmx__yaml_release) rmx__yaml yaml = {0};
  RMX_OWNED char *path = rmx_experiment_path(e, "optimum.yaml"),
                 *fit = rmx_experiment_path(e, "fit");
  rmx_err ignored;
  if (!path || !fit) return;
  const rmx_status status = rmx__yaml_read(path, &yaml, &ignored);
  if (status == RMX_EINPUT || (status == RMX_OK && !json_is_object(yaml.root)))
    rmx_buf_puts(why, "damaged, since it is not a map; `regmix run` makes it again");
  if (status != RMX_OK || !json_is_object(yaml.root)) return;  // what cannot be read may be whole
  RMX_OWNED_BY(rmx__stamp_release) struct rmx__stamp stamp = stamp_of(e, corpus, fit);
  // the user's own keeps no fingerprint
  rmx__stamp_tell(&stamp, json_object_get(yaml.root, "made_by"), "question", why);
}

// Whether options changed the problem, or how its answer is found.
static bool is_asked(const rmx_answer_request *r) {
  return rmx_problem_given(&r->problem) || r->pareto || r->search.n || r->no_guard || r->quick;
}

// The search of an experiment, with the prior and caps of its corpus. It writes optimum.yaml unless
// options asked for something else.
static rmx_status search_experiment(rmx_pipeline *p, const rmx_answer_request *request,
                                    rmx_answer *s, rmx_err *err) {
  rmx_corpus *corpus = NULL;
  const bool asked = is_asked(request);
  if (asked && !request->out && !request->print_only)
    rmx_note(&p->listener,
             "optimize: optimum.yaml is not changed, since it contains the answer to regmix.yaml; "
             "--out FILE writes this answer");
  char *folder = rmx_experiment_path(&p->experiment, "fit"),
       *path = rmx_experiment_path(&p->experiment, "optimum.yaml");
  rmx_status status = folder && path ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && !asked) status = rmx__optimum_is_whole(path, err);
  // it will do without
  if (status == RMX_OK &&
      (status = rmx_experiment_corpus(&p->experiment, &corpus, err)) != RMX_OK && asked)
    status = RMX_OK;
  if (status == RMX_OK) status = answer_from(p, folder, true, request, corpus, s, err);
  if (status == RMX_OK && !asked) {
    RMX_OWNED_BY(rmx__stamp_release) struct rmx__stamp stamp = {0};
    const size_t fold = s->fold;
    if (corpus) stamp = stamp_of(&p->experiment, corpus, folder);
    s->fold = 0;  // it is only asked on the command line
    status =
        rmx__optimum_write(&p->experiment, path, s, folder, corpus, corpus ? &stamp : NULL, err);
    s->fold = fold;
  }
  free(folder);
  free(path);
  if (corpus) rmx_corpus_free(corpus);
  return status;
}

static void tell_optimum(rmx_pipeline *p, const rmx_answer *s) {
  const rmx_uncertainty *u = &s->uncertainty;
  const double sign = rmx_shown_sign(s->fit, &s->problem);
  const rmx_fit *f = s->fit;
  const rmx_problem *q = &s->problem;
  char gain[192] = "", text[3][RMX_NUMBER];
  if (u->n_versus)
    snprintf(gain, sizeof gain, "gains %s on the prior, %.0f %% interval %s to %s%s; ",
             rmx_target_number(f, q, u->versus[0].estimate, text[0]), 100 * u->level,
             rmx_target_number(f, q, u->versus[0].low, text[1]),
             rmx_target_number(f, q, u->versus[0].high, text[2]),
             u->versus[0].low > 0 ? "" : ", not clearly better");
  rmx_note(&p->listener,
           "optimize: %sthe fit predicts %s %s at the optimum, %s at the prior, %s at the best run",
           gain, sign < 0 ? "a score of" : "target",
           rmx_target_number(f, q, sign * rmx_optimum_score(s->optimum), text[0]),
           rmx_target_number(f, q, sign * rmx_optimum_score_prior(s->optimum), text[1]),
           rmx_target_number(f, q, sign * rmx_optimum_best_run_score(s->optimum), text[2]));
  const rmx_few assumed = rmx_assumed_directions(s->fit, &s->problem);
  if (assumed.n) rmx_warn(&p->listener, RMX_ASSUMED_DIRECTIONS, assumed.text);
}

rmx_status rmx__step_optimize(rmx_pipeline *p, rmx_err *err) {
  static const rmx_answer_request nothing = {0};
  rmx_answer s = {0};
  rmx_corpus *corpus = NULL;
  char *folder = rmx_experiment_path(&p->experiment, "fit"),
       *path = rmx_experiment_path(&p->experiment, "optimum.yaml");
  bool done = false;
  rmx_status status = folder && path ? rmx_experiment_corpus(&p->experiment, &corpus, err)
                                     : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = rmx__optimum_is_whole(path, err);
  if (status == RMX_OK) {
    RMX_OWNED_BY(rmx__stamp_release)
    struct rmx__stamp stamp = stamp_of(&p->experiment, corpus, folder);
    done = is_current(path, &stamp);
  }
  if (corpus) rmx_corpus_free(corpus);
  free(folder);
  free(path);
  if (done) {
    rmx__would(p, "optimize", false, "up to date");
    return RMX_OK;
  }
  if (status == RMX_OK && rmx__would(p, "optimize", true, "would search for the best mixture"))
    return RMX_OK;
  if (status == RMX_OK) status = search_experiment(p, &nothing, &s, err);
  if (status == RMX_OK) tell_optimum(p, &s);
  rmx_answer_release(&s);
  return status;
}

// Warns of options that have no effect. method: one was typed; simulates, starts: options of a
// simulation and of a search were.
static rmx_status check_method(rmx_pipeline *p, const rmx_answer_request *r, bool method,
                               bool simulates, bool starts, rmx_err *err) {
  enum { POINTS = 11 };  // the default
  const rmx_optimize_options *o = &p->experiment.config.search.how;
  const bool simulate = (simulates && !method) || (o->method && strcmp(o->method, "simulate") == 0);
  if (simulates && o->top > o->samples)
    return rmx_fail(err, RMX_EUSAGE, "--top %lld of --samples %lld: wanted 1 to the samples",
                    (long long)o->top, (long long)o->samples);
  if (simulates && !simulate)
    rmx_warn(&p->listener, "--samples, --top and --strength have no effect with --method %s",
             o->method ? o->method : "auto");
  if (starts && simulate)
    rmx_warn(&p->listener, "--starts has no effect with --method simulate%s",
             method ? "" : ", which --samples, --top and --strength select");
  if (r->points > 0 && r->points != POINTS && !r->pareto)
    rmx_warn(&p->listener, "--points has no effect without --pareto METRIC,METRIC");
  return RMX_OK;
}

// The options of the request replace those of the config.
static rmx_status take_options(rmx_pipeline *p, const rmx_answer_request *r, rmx_err *err) {
  rmx_search_options *o = &p->experiment.config.search;
  bool method = false, simulates = false, starts = false, replicates = false;
  for (size_t i = 0; i < r->search.n; i++) {
    const char *text = r->search.items[i], *equals = strchr(text, '=');
    const size_t n = equals ? (size_t)(equals - text) : 0;
    char key[32];
    snprintf(key, sizeof key, "%.*s", (int)n, text);
    method |= strcmp(key, "method") == 0 && strcmp(text + n + 1, "auto") != 0;
    replicates |= strcmp(key, "replicates") == 0;
    starts |= strcmp(key, "starts") == 0;
    simulates |=
        strcmp(key, "samples") == 0 || strcmp(key, "top") == 0 || strcmp(key, "strength") == 0;
    RMX_TRY(rmx_option_set(rmx_search_option_table, rmx_search_option_table_n, o, key, text + n + 1,
                           err));
  }
  if (r->no_guard) o->how.guard = false;
  if (rmx__check_replicates(&o->how, err) != RMX_OK)
    return rmx_refused(replicates || rmx__was_set(p, "optimize.replicates"), err);
  if (r->against.n && (r->quick || o->how.replicates == 0))
    return rmx_fail(err, RMX_EUSAGE,
                    "--against needs intervals, but --quick and --replicates 0 switch them off");
  RMX_TRY(check_method(p, r, method, simulates, starts, err));
  // Options of a simulation select it.
  if (method || !simulates) return RMX_OK;
  return rmx_option_set(rmx_search_option_table, rmx_search_option_table_n, o, "method", "simulate",
                        err);
}

rmx_status rmx_pipeline_optimize(rmx_pipeline *p, const rmx_answer_request *request, rmx_answer *s,
                                 rmx_err *err) {
  RMX_TRY(take_options(p, request, err));
  s->fold = (size_t)request->fold;
  if (!request->fit && p->experiment.config_path) return search_experiment(p, request, s, err);
  RMX_OWNED char *folder =
      request->fit ? rmx_strdup(request->fit) : rmx_experiment_path(&p->experiment, "fit");
  return folder ? answer_from(p, folder, false, request, NULL, s, err)
                : rmx_fail_memory(err, 0, "a path");
}
