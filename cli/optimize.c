// SPDX-License-Identifier: Apache-2.0
// regmix optimize: the mixture at which the fitted functions are best.
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct optimize_args {
  char *fit, *out, *method, *pareto;
  question_args question;
  rmx_strings against;
  double strength, level;
  int64_t samples, top, starts, points, replicates;
  bool no_guard, quick;
};

rmx_status target_weights(const rmx_target_term *terms, size_t n, const char *const *metrics,
                          size_t M, double *weight, rmx_err *err) {
  for (size_t i = 0; i < n; i++) {
    size_t m;
    RMX_TRY(rmx_find_name("metric", terms[i].metric, metrics, M, &m, err));
    if (weight[m] != 0)
      return rmx_fail(err, RMX_EINPUT, "target: metric \"%s\" is there twice, once as \"%s\"",
                      metrics[m], terms[i].metric);
    weight[m] = terms[i].weight;
  }
  return RMX_OK;
}

static void release_answer(answer *s) {
  rmx_uncertainty_release(&s->uncertainty);
  rmx_attribution_release(&s->attribution);
  rmx_learning_curve_release(&s->curve);
  rmx_front_release(&s->front);
  rmx_optimum_release(&s->optimum);
  rmx_question_release(&s->question);
  rmx_fit_free(s->fit);
}

// "A,B" of --pareto, or with "=" nothing: the two metrics.
static rmx_status two_metrics(const rmx_fit *f, const char *text, size_t *a, size_t *b,
                              rmx_err *err) {
  const char *comma = strchr(text, ',');
  if (!comma) return rmx_fail(err, RMX_EUSAGE, "--pareto %s: wanted two metrics, A,B", text);
  char *first = rmx_format("%.*s", (int)(comma - text), text);
  if (!first) return rmx_fail_memory(err, 0, "a name");
  rmx_status status = rmx_find_name("metric", first, (const char *const *)f->metrics, f->M, a, err);
  if (status == RMX_OK)
    status = rmx_find_name("metric", comma + 1, (const char *const *)f->metrics, f->M, b, err);
  free(first);
  return status == RMX_OK ? status : cli_refused(true, err);
}

static rmx_status search(const cli *c, const rmx_experiment *e, const struct optimize_args *args,
                         answer *s, rmx_err *err) {
  const rmx_optimize_options *o = &e->config.optimize;
  uint64_t seed = (uint64_t)e->config.general.seed;
  int threads = worker_jobs(e);
  size_t a = 0, b = 0;
  s->options = o;
  if (args && args->pareto) {
    RMX_TRY(two_metrics(s->fit, args->pareto, &a, &b, err));
    RMX_TRY(rmx_pareto(s->fit, &s->question, a, b, (size_t)args->points, o, seed, threads,
                       &c->listener, &s->front, err));
    if (!has_target(s->fit, &s->question)) {  // then both, each in units of its range, count alike
      const double *low = s->front.predicted, *high = low + (s->front.n - 1) * s->fit->M;
      double range_a = low[a] - high[a], range_b = high[b] - low[b];
      s->question.target.weight[a] = s->front.n > 1 ? 0.5 / range_a : s->question.target.sign[a];
      s->question.target.weight[b] = s->front.n > 1 ? 0.5 / range_b : s->question.target.sign[b];
    }
  }
  if (!has_target(s->fit, &s->question))
    return rmx_fail(err, RMX_EUSAGE,
                    "nothing to improve: give --target METRIC (and --maximize for scores), of the "
                    "%zu that were fitted",
                    s->fit->M);
  return rmx_optimize(s->fit, &s->question, o, seed, threads, &c->listener, &s->optimum, err);
}

// A mixture's file without its folder and ending.
static char *name_of(const char *path) {
  const char *name = strrchr(path, '/'), *dot;
  name = name ? name + 1 : path;
  dot = strrchr(name, '.');
  return rmx_format("%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name);
}

static rmx_status intervals(const cli *c, const rmx_experiment *e, const rmx_strings *against,
                            answer *s, rmx_err *err) {
  size_t n = against->n, D = s->fit->D;
  char **names = rmx_calloc(n + 1, sizeof *names);
  const double **mixtures = rmx_calloc(n + 1, sizeof *mixtures);
  double *w = rmx_calloc((n + 1) * D, sizeof *w);
  rmx_status status =
      names && mixtures && w ? RMX_OK : rmx_fail_memory(err, n * D * sizeof *w, "mixtures");
  for (size_t k = 0; k < n && status == RMX_OK; k++) {
    mixtures[k] = w + k * D;
    if (!(names[k] = name_of(against->items[k])))
      status = rmx_fail_memory(err, 0, "a name");
    else
      status = rmx_mixture_read(against->items[k], (const char *const *)s->fit->domains, D,
                                w + k * D, err);
  }
  if (status == RMX_OK)
    status = rmx_uncertainty_make(
        s->fit, &s->question, &s->optimum, s->options, (const char *const *)names, mixtures, n,
        (uint64_t)e->config.general.seed, worker_jobs(e), &c->listener, &s->uncertainty, err);
  for (size_t k = 0; names && k < n; k++) free(names[k]);
  free(names);
  free(mixtures);
  free(w);
  return status;
}

// How sure the optimum is, whether there are enough runs, what each domain does. An old fit does
// not hold what that takes, few runs are not enough for it: that is told, and the optimum stands
// without.
static rmx_status weigh(const cli *c, const rmx_experiment *e, const rmx_strings *against,
                        answer *s, rmx_err *err) {
  uint64_t seed = (uint64_t)e->config.general.seed;
  int threads = worker_jobs(e);
  rmx_status status = intervals(c, e, against, s, err);
  if (status == RMX_OK && s->fit->truth)
    status = rmx_learning_curve_make(s->fit, &s->question.target, 0, seed, threads, &c->listener,
                                     &s->curve, err);
  if (status == RMX_EINPUT && against->n == 0) {
    rmx_note(&c->listener, "%s", err->message);
    status = RMX_OK;
  }
  if (status == RMX_OK)
    status = rmx_attribution_make(s->fit, &s->question, &s->optimum, s->options, seed, threads,
                                  &s->attribution, err);
  return status;
}

// Reads the fit and asks it. corpus may be NULL.
static rmx_status answer_from(const cli *c, const rmx_experiment *e, const char *folder,
                              const struct optimize_args *args, const rmx_corpus *corpus, answer *s,
                              rmx_err *err) {
  static const question_args nothing;
  RMX_TRY(rmx_fit_read(folder, &s->fit, err));
  RMX_TRY(ask(c, e, s->fit, args ? &args->question : &nothing, corpus, &s->question, err));
  RMX_TRY(search(c, e, args, s, err));
  static const rmx_strings nobody;
  // A prior that stays because nothing was learnt has no gain to be sure of.
  bool wanted = e->config.optimize.replicates > 0 && !(args && args->quick) &&
                strcmp(s->optimum.method, "prior") != 0;
  return wanted ? weigh(c, e, args ? &args->against : &nobody, s, err) : RMX_OK;
}

// The hash of all an experiment's optimum depends on: config, corpus and fit.
static void question_of(const rmx_experiment *e, const rmx_corpus *corpus, const char *fit,
                        char out[17]) {
  json_t *config = rmx_config_json(&e->config);
  char *text = json_dumps(config, JSON_COMPACT), *path = rmx_path_in(fit, "fit.json"), *made;
  size_t size;
  rmx_err ignored;
  uint64_t hash = rmx_hash_string(text ? text : "", corpus->hash);
  if (path && rmx_read_file(path, &made, &size, &ignored) == RMX_OK) {
    hash = rmx_hash(made, size, hash);
    free(made);
  }
  snprintf(out, 17, "%016llx", (unsigned long long)hash);
  free(text);
  free(path);
  json_decref(config);
}

static bool answered(const char *path, const char *question) {
  rmx_yaml yaml;
  rmx_err ignored;
  if (!rmx_exists(path) || rmx_yaml_read(path, &yaml, &ignored) != RMX_OK) return false;
  const json_t *had = json_object_get(json_object_get(yaml.root, "made_by"), "question");
  bool same = json_is_string(had) && strcmp(json_string_value(had), question) == 0;
  rmx_yaml_release(&yaml);
  return same;
}

// A fit to runs of another tokenizer counts tokens, and so weights and losses, otherwise than the
// corpus does.
static void warn_of_tokenizer(const cli *c, const rmx_experiment *e, const rmx_fit *fit) {
  json_t *manifest = NULL;
  rmx_err ignored;
  char *path = rmx_experiment_path(e, "corpus/corpus.json");
  const bool read = path && rmx_json_read(path, &manifest, &ignored) == RMX_OK;
  const char *now = read ? json_string_value(json_object_get(manifest, "tokenizer_hash")) : NULL;
  if (now && fit->tokenizer && strtoull(now, NULL, 16) != fit->tokenizer)
    rmx_warn(&c->listener,
             "the fit is of runs with another tokenizer than the corpus has now: shares of tokens "
             "and losses do not compare; train and fit again");
  json_decref(manifest);
  free(path);
}

// The search of an experiment: prior and caps of its corpus. Where nothing but the config asks,
// writes optimum.yaml.
static rmx_status search_experiment(const cli *c, const rmx_experiment *e,
                                    const struct optimize_args *args, answer *s, rmx_err *err) {
  rmx_corpus *corpus = NULL;
  bool asked = args && (question_given(&args->question) || args->pareto);
  if (asked && !args->out && !c->common.json)
    rmx_note(&c->listener,
             "optimize: optimum.yaml answers regmix.yaml and stays as it is; --out FILE writes "
             "this answer");
  char *folder = rmx_experiment_path(e, "fit"), *path = rmx_experiment_path(e, "optimum.yaml");
  rmx_status status = folder && path ? RMX_OK : rmx_fail_memory(err, 0, "a path");
  // it will do without
  if (status == RMX_OK && (status = open_corpus(e, &corpus, err)) != RMX_OK && asked)
    status = RMX_OK;
  if (status == RMX_OK) status = answer_from(c, e, folder, args, corpus, s, err);
  if (status == RMX_OK) warn_of_tokenizer(c, e, s->fit);
  if (status == RMX_OK && !asked) {
    char question[17];
    if (corpus) question_of(e, corpus, folder, question);
    status = write_optimum(e, path, s, folder, corpus, corpus ? question : NULL, err);
  }
  free(folder);
  free(path);
  if (corpus) rmx_corpus_free(corpus);
  return status;
}

static void tell_optimum(const cli *c, const answer *s) {
  const rmx_uncertainty *u = &s->uncertainty;
  char gain[128] = "";
  if (u->n_versus)
    snprintf(gain, sizeof gain, "gains %.4f on the prior, %.0f %% interval %.4f to %.4f%s; ",
             u->versus[0].estimate, 100 * u->level, u->versus[0].low, u->versus[0].high,
             u->versus[0].low > 0 ? "" : ", not clearly better");
  rmx_note(&c->listener,
           "optimize: %sthe fit predicts target %.4f at the optimum, %.4f at the prior, %.4f at "
           "the best run",
           gain, s->optimum.score, s->optimum.score_prior, s->optimum.best_run_score);
}

rmx_status step_optimize(const cli *c, const rmx_experiment *e, rmx_err *err) {
  answer s = {0};
  rmx_corpus *corpus = NULL;
  char *folder = rmx_experiment_path(e, "fit"), *path = rmx_experiment_path(e, "optimum.yaml"),
       question[17];
  rmx_status status =
      folder && path ? open_corpus(e, &corpus, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) question_of(e, corpus, folder, question);
  bool done = status == RMX_OK && answered(path, question);
  if (corpus) rmx_corpus_free(corpus);
  free(folder);
  free(path);
  if (done) {
    step_tells(c, "optimize", false, "up to date");
    return RMX_OK;
  }
  if (status == RMX_OK && step_tells(c, "optimize", true, "would search the best mixture"))
    return RMX_OK;
  if (status == RMX_OK) status = search_experiment(c, e, NULL, &s, err);
  if (status == RMX_OK) tell_optimum(c, &s);
  release_answer(&s);
  return status;
}

static rmx_status take_options(const struct optimize_args *args, rmx_optimize_options *o,
                               rmx_err *err) {
  if (args->samples) o->samples = args->samples;
  if (args->top) o->top = args->top;
  if (args->starts) o->starts = args->starts;
  if (args->strength > 0) o->strength = args->strength;
  if (args->no_guard) o->guard = false;
  if (args->level > 0) o->level = args->level;
  if (args->replicates >= 0) o->replicates = args->replicates;
  if (args->against.n && (args->quick || o->replicates == 0))
    return rmx_fail(err, RMX_EUSAGE,
                    "--against asks for intervals, which --quick and --replicates 0 leave out");
  // Who says how to simulate wants to.
  const char *wanted = args->method                                       ? args->method
                       : args->samples || args->top || args->strength > 0 ? "simulate"
                                                                          : NULL;
  if (!wanted) return RMX_OK;
  char *method = rmx_strdup(wanted);
  if (!method) return rmx_fail_memory(err, 0, "a name");
  free(o->method);
  o->method = method;
  return RMX_OK;
}

// The answer stands on the terminal already: a folder that cannot be written to is no reason to
// fail.
static void leave_beside(const cli *c, const rmx_experiment *e, const char *place, const answer *s,
                         const char *fit) {
  rmx_err failed;
  if (write_optimum(e, place, s, fit, NULL, NULL, &failed) == RMX_OK)
    rmx_note(&c->listener,
             "optimize: wrote %s; `regmix report` makes the page, `regmix export` the config of a "
             "trainer",
             place);
  else
    rmx_warn(&c->listener, "optimize: the answer is not kept: %s", failed.message);
}

static rmx_status run_optimize(cli *c, rmx_err *err) {
  struct optimize_args *args = c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, false, &e, err));
  answer s = {0};
  char *folder = args->fit ? rmx_strdup(args->fit) : rmx_experiment_path(&e, "fit"), *place = NULL;
  const bool experiment = !args->fit && e.config_path;
  rmx_status status =
      folder ? take_options(args, &e.config.optimize, err) : rmx_fail_memory(err, 0, "a path");
  // Told before the search, which may take minutes.
  if (status == RMX_OK && !experiment && !args->out && !c->common.json)
    status = optimum_place(c, &e, folder, &place, err);
  if (status == RMX_OK && args->out) status = optimum_may_replace(args->out, err);
  if (status == RMX_OK)
    status = experiment ? search_experiment(c, &e, args, &s, err)
                        : answer_from(c, &e, folder, args, NULL, &s, err);
  if (status == RMX_OK && args->out)
    status = write_optimum(&e, args->out, &s, folder, NULL, NULL, err);
  if (status == RMX_OK && c->common.json)
    cli_print_json(answer_json(&s));
  else if (status == RMX_OK)
    print_answer(&s);
  if (status == RMX_OK && place) leave_beside(c, &e, place, &s, folder);
  free(folder);
  free(place);
  release_answer(&s);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct optimize_args, member)
static const rmx_option options_table[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR", "the fit (default: the experiment's)"},
    QUESTION_OPTIONS(struct optimize_args),
    {"method", RMX_CHOICE, AT(method), NULL, 0, 0, "auto|simulate|search",
     "search: downhill by gradient from many starts; simulate: predict many mixtures drawn around "
     "the prior, average the best; "
     "auto (default): search where the functions have a gradient (trees have none), unless told "
     "how to simulate"},
    {"strength", RMX_REAL, AT(strength), NULL, 1e-6, 1e6, "S",
     "of the Dirichlet around the prior (default 1)"},
    {"samples", RMX_INT, AT(samples), NULL, 1, 1e10, "N", "mixtures simulated (default 100k)"},
    {"top", RMX_INT, AT(top), NULL, 1, 1e6, "K",
     "the mean of so many best ones is the optimum (default 128)"},
    {"starts", RMX_INT, AT(starts), NULL, 1, 1e5, "N", "starts of a search (default 16)"},
    {"no-guard", RMX_BOOL, AT(no_guard), "false", 0, 0, NULL,
     "propose mixtures far from all runs too, and weights they did not cover"},
    {"against", RMX_LIST, AT(against), NULL, 0, 0, "FILE",
     "a mixture to set the optimum against, beside the prior; may be given several times"},
    {"replicates", RMX_INT, AT(replicates), "-1", -1, 1e5, "N",
     "of the bootstrap behind the intervals (default 200); 0: none"},
    {"level", RMX_REAL, AT(level), NULL, 0.5, 0.999, "SHARE",
     "coverage of the intervals (default 0.9)"},
    {"quick", RMX_BOOL, AT(quick), "false", 0, 0, NULL,
     "the mixture alone: no intervals, no learning curve, no attribution"},
    {"pareto", RMX_TEXT, AT(pareto), NULL, 0, 0, "METRIC,METRIC",
     "the front of two metrics: mixtures of which none is better in both"},
    {"points", RMX_INT, AT(points), "11", 2, 1000, "N", "on it"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE",
     "the YAML file to write; default: optimum.yaml beside the fit (--json alone writes none)"},
};
const cli_command cli_optimize = {
    .name = "optimize",
    .words = "",
    .run = run_optimize,
    .options = options_table,
    .n_options = sizeof options_table / sizeof *options_table,
    .own_size = sizeof(struct optimize_args),
    .summary = "search the fitted functions for the best mixture",
    .about =
        "Looks for the mixture with the lowest predicted target among those that keep the "
        "constraints: by gradient, or by simulation. "
        "Then says how sure that is: an interval for each weight and for the gain on the prior "
        "(and on mixtures given with --against), "
        "from functions that the runs leave possible (how often such intervals are right was "
        "measured with six domains; with many more they may be too narrow); whether more runs "
        "would help; what would be lost without each domain.\n\n"
        "Constraints that no mixture can keep together are named. Unless told --no-guard it stays "
        "where the runs are, since far "
        "from them a prediction is a guess, and says what error to expect.\n\n"
        "In an experiment the prior and the caps by epochs are the corpus'; keys under `optimize:` "
        "of regmix.yaml ask the same as "
        "these options. There optimum.yaml answers regmix.yaml: what these options ask beside it "
        "is printed, and written with --out.\n\n"
        "With a fit of other tables the answer is written to optimum.yaml in the folder that the "
        "fit stands in. `regmix report` run "
        "there makes the page.",
    .examples =
        "  regmix optimize --fit fit --target pile_cc\n"
        "  regmix optimize --fit fit --target pile_cc=0.7 --target github=0.3 --samples 1M --json\n"
        "  regmix optimize --fit fit --target pile_cc --method search --cap books=0.1 --share "
        "code=0.1..0.3:github,stackexchange\n"
        "  regmix optimize --fit fit --target pile_cc --no-worse github=0.01 --budget 20G --tokens "
        "tokens.yaml --max-epochs 4\n"
        "  regmix optimize --fit fit --pareto pile_cc,github --method search\n"
        "  regmix optimize --fit fit --maximize hellaswag --prior prior.yaml\n",
};
