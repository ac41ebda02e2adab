// SPDX-License-Identifier: Apache-2.0
// regmix suggest: the mixtures to train next.
#include <math.h>
#include <regmix/suggest.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct suggest_args {
  char *fit, *out, *pending;
  int64_t runs, more;
  bool no_curve;
  question_args question;
};

struct session {
  // what is known; without runs a fit of nothing, which holds the domains' names
  rmx_fit *fit;
  bool measured;       // has runs
  rmx_corpus *corpus;  // of the experiment, or NULL
  rmx_question question;
  rmx_table pending;
  double *X;  // (pending.N, D)
  rmx_suggestion suggestion;
  rmx_learning_curve curve;
};

static void release(struct session *s) {
  rmx_fit_free(s->fit);
  if (s->corpus) rmx_corpus_free(s->corpus);
  rmx_question_release(&s->question);
  rmx_table_release(&s->pending);
  free(s->X);
  rmx_suggestion_release(&s->suggestion);
  rmx_learning_curve_release(&s->curve);
}

// A fit of no runs over the domains named.
static rmx_status fit_of_nothing(const char *const *names, const double *prior, size_t D,
                                 rmx_fit **out, rmx_err *err) {
  rmx_fit *f = rmx_calloc(1, sizeof *f);
  if (!f) return rmx_fail_memory(err, sizeof *f, "a fit");
  f->domains = rmx_calloc(D, sizeof *f->domains);
  f->mean_mixture = rmx_calloc(D, sizeof *f->mean_mixture);
  bool good = f->domains && f->mean_mixture;
  if (good) f->D = D;
  for (size_t d = 0; good && d < D; d++) {
    good = (f->domains[d] = rmx_strdup(names[d])) != NULL;
    f->mean_mixture[d] = prior[d];
  }
  if (good) {
    *out = f;
    return RMX_OK;
  }
  rmx_fit_free(f);
  return rmx_fail_memory(err, D * sizeof(char *), "a fit");
}

// The domains are those of the prior's file: its keys (YAML), else its columns (CSV with one row).
static rmx_status names_of_prior(const char *path, rmx_fit **out, rmx_err *err) {
  size_t n = strlen(path);
  if (n > 4 && strcmp(path + n - 4, ".csv") == 0) {
    rmx_table t;
    RMX_TRY(rmx_csv_read(path, &t, err));
    rmx_status status =
        t.N == 1
            ? fit_of_nothing((const char *const *)t.names, t.x, t.D, out, err)
            : rmx_fail(err, RMX_EINPUT,
                       "%s: wanted one row, a mixture, to name the domains; got %zu", path, t.N);
    rmx_table_release(&t);
    return status;
  }
  rmx_yaml yaml;
  RMX_TRY(rmx_yaml_read(path, &yaml, err));
  const json_t *map = yaml.root;
  if (json_is_object(json_object_get(map, "train"))) map = json_object_get(map, "train");
  if (json_is_object(json_object_get(map, "mixture"))) map = json_object_get(map, "mixture");
  size_t D = json_object_size(map), d = 0;
  const char **names = rmx_calloc(D, sizeof *names), *name;
  double *prior = rmx_calloc(D, sizeof *prior);
  rmx_status status =
      names && prior ? RMX_OK : rmx_fail_memory(err, D * sizeof *names, "the prior");
  if (status == RMX_OK && D == 0)
    status = rmx_fail(err, RMX_EINPUT, "%s: no map `domain: weight` in it", path);
  json_t *value;
  json_object_foreach((json_t *)map, name, value) {
    if (status != RMX_OK) break;
    prior[d] = json_number_value(value);
    names[d++] = name;
  }
  if (status == RMX_OK) status = fit_of_nothing(names, prior, D, out, err);
  free(names);
  free(prior);
  rmx_yaml_release(&yaml);
  return status;
}

static rmx_status open_fit(const cli *c, const rmx_experiment *e, const struct suggest_args *args,
                           struct session *s, rmx_err *err) {
  char *folder = args->fit ? rmx_strdup(args->fit) : rmx_experiment_path(e, "fit");
  char *file = folder ? rmx_path_in(folder, "fit.json") : NULL;
  if (!file) {
    free(folder);
    return rmx_fail_memory(err, 0, "a path");
  }
  rmx_status status = RMX_OK;
  s->measured = args->fit || rmx_exists(file);
  if (s->measured)
    status = rmx_fit_read(folder, &s->fit, err);
  else if (args->question.prior)
    status = names_of_prior(args->question.prior, &s->fit, err);
  else if (s->corpus)
    status = fit_of_nothing(s->corpus->names, s->corpus->prior, s->corpus->D_train, &s->fit, err);
  else
    status = rmx_fail(err, RMX_EUSAGE,
                      "no fit in %s: give --fit DIR (`regmix fit` makes it) or, with no runs yet, "
                      "--prior FILE to spread the first ones around",
                      folder);
  free(folder);
  free(file);
  return status;
}

// Mixtures chosen before whose results are not in the fit: of --pending, else of the experiment's
// mixtures.csv.
static rmx_status read_pending(const cli *c, const rmx_experiment *e,
                               const struct suggest_args *args, struct session *s, rmx_err *err) {
  char *path = args->pending    ? rmx_strdup(args->pending)
               : e->config_path ? rmx_experiment_path(e, "mixtures.csv")
                                : NULL;
  if (!path && (args->pending || e->config_path)) return rmx_fail_memory(err, 0, "a path");
  rmx_status status = RMX_OK;
  if (path && (args->pending || (!args->fit && rmx_exists(path)))) {
    status = read_tables(c, path, NULL, NULL, &s->pending, NULL, err);
    if (status == RMX_OK) status = rmx_fit_mixtures(s->fit, &s->pending, &s->X, err);
  }
  free(path);
  return status;
}

static rmx_status ask_question(const cli *c, const rmx_experiment *e,
                               const struct suggest_args *args, struct session *s, rmx_err *err) {
  question_args q = args->question;
  // Without runs there is no metric to name.
  if (!s->measured) {
    if (q.target.n + q.maximize.n + q.keep.no_worse.n > 0 || q.keep.worst)
      rmx_note(&c->listener,
               "suggest: no runs yet: the target says nothing, the mixtures are spread out");
    q.target = q.maximize = q.keep.no_worse = (rmx_strings){0};
    q.keep.worst = false;
    q.keep.than = NULL;
  }
  rmx_experiment plain = *e;
  if (!s->measured) plain.config.n_target = 0;
  RMX_TRY(ask(c, &plain, s->fit, &q, s->corpus, &s->question, err));
  if (s->measured && !has_target(s->fit, &s->question))
    return rmx_fail(err, RMX_EUSAGE,
                    "nothing to improve: give --target METRIC (and --maximize for scores), of the "
                    "%zu that were fitted",
                    s->fit->M);
  if (!q.prior && !s->corpus && s->measured) {
    // Then it is the mean of the runs, which rmx_suggest widens by the domains no run has.
    free(s->question.prior);
    s->question.prior = NULL;
  }
  return RMX_OK;
}

// A score that is raised is minimised with the other sign within; people see the score. Several
// targets are one sum, told as it is.
static double shown_sign(const struct session *s) {
  size_t n = 0;
  bool raised = true;
  for (size_t m = 0; m < s->fit->M; m++)
    if (s->question.target.weight[m] != 0) {
      n++;
      raised = raised && s->question.target.weight[m] == -1;
    }
  return n == 1 && raised && !s->question.target.worst ? -1 : 1;
}

static void tell(const cli *c, const struct session *s) {
  const rmx_suggestion *g = &s->suggestion;
  const rmx_listener *to = &c->listener;
  const double sign = shown_sign(s);
  if (g->why[0] == RMX_SUGGEST_SPREADS)
    rmx_note(
        to, "suggest: %zu mixture%s spread out; %s", g->K, g->K == 1 ? "" : "s",
        g->runs
            ? "the runs are too few, or their scores too much the same, to say where the best is"
            : "there are no runs yet");
  else if (isfinite(g->best))
    rmx_note(
        to,
        "suggest: %zu mixture%s; the best run is put at %.4f, the first of these at %.4f +- %.4f",
        g->K, g->K == 1 ? "" : "s", sign * g->best, sign * g->predicted[0], g->sd[0]);
  else
    rmx_note(to,
             "suggest: %zu mixture%s; no run keeps what is asked; the first of these is put at "
             "%.4f +- %.4f",
             g->K, g->K == 1 ? "" : "s", sign * g->predicted[0], g->sd[0]);
  if (s->curve.sentence[0]) rmx_note(to, "suggest: %s", s->curve.sentence);
}

static rmx_status print(const cli *c, const struct suggest_args *args, const struct session *s,
                        rmx_err *err) {
  const char *const *domains = (const char *const *)s->fit->domains;
  rmx_table table;
  RMX_TRY(rmx_suggestion_table(&s->suggestion, domains, &table, err));
  rmx_status status = args->out ? rmx_csv_write(args->out, &table, err) : RMX_OK;
  if (status == RMX_OK) tell(c, s);
  if (status == RMX_OK && c->common.json) {
    json_t *root = rmx_suggestion_json(&s->suggestion, domains);
    json_object_set_new(root, "learning_curve",
                        s->curve.sentence[0] ? rmx_learning_curve_json(&s->curve) : json_null());
    cli_print_json(root);
  } else if (status == RMX_OK && !args->out) {
    status = rmx_csv_print(stdout, &table, err);
  }
  rmx_table_release(&table);
  return status;
}

static rmx_status work(const cli *c, const rmx_experiment *e, const struct suggest_args *args,
                       struct session *s, rmx_err *err) {
  rmx_err no_corpus;
  if (!args->fit && e->config_path && open_corpus(e, &s->corpus, &no_corpus) != RMX_OK)
    s->corpus = NULL;
  RMX_TRY(open_fit(c, e, args, s, err));
  RMX_TRY(cli_keep_input(args->out, args->pending, err));
  RMX_TRY(cli_keep_input(args->out, args->question.prior, err));
  RMX_TRY(cli_keep_runs(args->out, s->fit->run_ids, s->fit->run_ids ? s->fit->N : 0, err));
  RMX_TRY(ask_question(c, e, args, s, err));
  RMX_TRY(read_pending(c, e, args, s, err));
  uint64_t seed = (uint64_t)e->config.general.seed;
  rmx_suggest_options options = rmx_suggest_usual;
  options.runs = args->runs;
  options.grid = e->config.sample.grid;
  if (options.candidates < 4 * options.runs) options.candidates = 4 * options.runs;
  RMX_TRY(rmx_suggest(s->measured ? s->fit : NULL, (const char *const *)s->fit->domains,
                      &s->question, s->X, s->pending.N, (const char *const *)s->pending.ids,
                      s->pending.N, &options, seed, worker_jobs(e), &c->listener, &s->suggestion,
                      err));
  if (s->measured && !args->no_curve)
    RMX_TRY(rmx_learning_curve_make(s->fit, &s->question.target, args->more, seed, worker_jobs(e),
                                    &c->listener, &s->curve, err));
  return print(c, args, s, err);
}

static rmx_status run_suggest(cli *c, rmx_err *err) {
  const struct suggest_args *args = c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, false, &e, err));
  struct session s = {0};
  rmx_status status = work(c, &e, args, &s, err);
  release(&s);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct suggest_args, member)
static const rmx_option options_table[] = {
    {"runs", RMX_INT, AT(runs), "8", 1, 10000, "K", "mixtures wanted (also -n)"},
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR",
     "the fit of the runs there are (default: the experiment's)"},
    {"pending", RMX_TEXT, AT(pending), NULL, 0, 0, "FILE",
     "mixtures chosen before that have no results yet: allowed for, not suggested again (default: "
     "the experiment's mixtures.csv)"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "the CSV to write; default: stdout"},
    {"more", RMX_INT, AT(more), "0", 0, 1e6, "M",
     "would so many more runs be worth their while? (0: as many again)"},
    {"no-curve", RMX_BOOL, AT(no_curve), "false", 0, 0, NULL,
     "do not ask that, which takes a few seconds"},
    QUESTION_OPTIONS(struct suggest_args),
};
const cli_command cli_suggest = {
    .name = "suggest",
    .words = "",
    .run = run_suggest,
    .options = options_table,
    .n_options = sizeof options_table / sizeof *options_table,
    .own_size = sizeof(struct suggest_args),
    .summary = "the next mixtures to train, as CSV, and whether more are worth it",
    .about =
        "Chooses the next runs from what the runs so far say, in place of drawing them at random: "
        "fewer runs then reach the best "
        "mixture. Mixtures are drawn around the prior, the best runs and the predicted optimum; of "
        "them a Gaussian process takes "
        "those that promise most improvement on the best run, each counted as done before the next "
        "is chosen, so that a batch does "
        "not try one thing many times. Train them, add the rows to mixtures.csv and their results "
        "to metrics.csv, `regmix fit` "
        "again, and ask again.\n\n"
        "After a domain was added or split (`regmix domains`) no two runs differ in it: such "
        "directions are covered first, and how "
        "many runs that takes at least is said. That is the cheapest set to run; the old runs stay "
        "useful.\n\n"
        "With fewer than 5 runs, or none (give --prior), the mixtures are spread out to learn the "
        "most. Names go on after those "
        "there are. What to improve and what to keep to is asked as in `regmix optimize`. It also "
        "says, from the runs alone, what "
        "more of them would be expected to gain.",
    .examples =
        "  regmix suggest -n 8 --fit fit --target pile_cc > next.csv\n"
        "    the next 8 mixtures for one metric\n"
        "  regmix suggest -n 4 --fit fit --target pile_cc --cap github=0.2 --pending running.csv "
        "--out next.csv\n"
        "    while others are being trained\n"
        "  regmix suggest -n 16 --prior prior.yaml --out first.csv\n"
        "    the first 16, before any run\n",
};
