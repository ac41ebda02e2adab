// SPDX-License-Identifier: Apache-2.0
// regmix optimize: the mixture at which the fitted functions are best.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct optimize_args {
  char *fit, *prior, *out;
  rmx_strings target, maximize;
  double strength;
  int64_t samples, top;
};

rmx_status target_weights(const rmx_target_term *terms, size_t n, const char *const *metrics, size_t M, double *weight,
                          rmx_err *err) {
  for (size_t i = 0; i < n; i++) {
    size_t m;
    RMX_TRY(rmx_find_name("metric", terms[i].metric, metrics, M, &m, err));
    weight[m] += terms[i].weight;
  }
  return RMX_OK;
}

void print_mixture(const char *const *names, const double *w, const double *prior, size_t D) {
  size_t *order = rmx_calloc(D, sizeof *order), width = 6;
  if (!order) return;
  double most = 1e-12;
  for (size_t d = 0; d < D; d++) {
    order[d] = d;
    if (w[d] > most) most = w[d];
    if (strlen(names[d]) > width) width = strlen(names[d]);
  }
  for (size_t i = 1; i < D; i++)
    for (size_t j = i; j > 0 && w[order[j]] > w[order[j - 1]]; j--) {
      size_t kept = order[j];
      order[j] = order[j - 1];
      order[j - 1] = kept;
    }
  printf("  %-*s  %8s%s\n", (int)width, "domain", "weight", prior ? "     prior" : "");
  for (size_t i = 0; i < D; i++) {
    size_t d = order[i];
    printf("  %-*s  %7.2f%%", (int)width, names[d], 100 * w[d]);
    if (prior) printf("  %7.2f%%", 100 * prior[d]);
    fputs("  ", stdout);
    for (int k = 0; k < (int)(40 * w[d] / most + 0.5); k++) putchar('#');
    putchar('\n');
  }
  free(order);
}

// What the command line names, else the config's target, else the one metric there is.
static rmx_status target_of(const struct optimize_args *args, const rmx_experiment *e, const rmx_fit *f, double *weight, rmx_err *err) {
  if (args->target.n + args->maximize.n > 0) {
    rmx_target target;
    RMX_TRY(rmx_target_parse(f, (const char *const *)args->target.items, args->target.n,
                             (const char *const *)args->maximize.items, args->maximize.n, &target, err));
    memcpy(weight, target.weight, f->M * sizeof *weight);
    rmx_target_release(&target);
    return RMX_OK;
  }
  RMX_TRY(target_weights(e->config.target, e->config.n_target, (const char *const *)f->metrics, f->M, weight, err));
  if (f->M == 1) weight[0] = 1;
  for (size_t m = 0; m < f->M; m++)
    if (weight[m] != 0) return RMX_OK;
  return rmx_fail(err, RMX_EUSAGE, "optimize: nothing to improve; give --target METRIC (and --maximize for scores), of the %zu that were fitted", f->M);
}

// Brings weights by domain of the corpus into the fit's order; the fit may lack or add none.
static rmx_status by_fit_domain(const rmx_fit *f, const rmx_corpus *corpus, const double *from, double *to, rmx_err *err) {
  for (size_t d = 0; d < f->D; d++) {
    size_t k;
    RMX_TRY(rmx_find_name("domain", f->domains[d], corpus->names, corpus->D_train, &k, err));
    to[d] = from[k];
  }
  return RMX_OK;
}

static json_t *optimum_tree(const rmx_optimum *o, const rmx_fit *f, const double *prior, const double *weight,
                            const rmx_optimize_options *options) {
  json_t *root = rmx_optimum_json(o, f), *target = json_object();
  for (size_t m = 0; m < f->M; m++)
    if (weight[m] != 0) json_object_set_new(target, f->metrics[m], json_real(weight[m]));
  json_object_set_new(root, "prior", rmx_mixture_json(prior, (const char *const *)f->domains, f->D));
  json_object_set_new(root, "target", target);
  json_object_set_new(root, "method", json_string("simulate"));
  json_object_set_new(root, "samples", json_integer(options->samples));
  json_object_set_new(root, "top", json_integer(options->top));
  json_object_set_new(root, "strength", json_real(options->strength));
  return root;
}

struct search {
  rmx_fit *fit;
  double *prior, *cap, *weight;
  rmx_optimum optimum;
};

static void release_search(struct search *s) {
  rmx_optimum_release(&s->optimum);
  rmx_fit_free(s->fit);
  free(s->prior);
  free(s->weight);
}

static rmx_status begin_search(struct search *s, const char *folder, rmx_err *err) {
  *s = (struct search){0};
  RMX_TRY(rmx_fit_read(folder, &s->fit, err));
  s->prior = rmx_calloc(2 * s->fit->D, sizeof(double));
  s->weight = rmx_calloc(s->fit->M, sizeof(double));
  if (!s->prior || !s->weight) return rmx_fail_memory(err, 0, "the search");
  s->cap = s->prior + s->fit->D;
  memcpy(s->prior, s->fit->mean_mixture, s->fit->D * sizeof(double));
  for (size_t d = 0; d < s->fit->D; d++) s->cap[d] = 1.0;
  // Raw rows may not quite sum to 1; a prior does.
  return rmx_mixture_normalise(s->prior, s->fit->D, err);
}

static rmx_status run_search(const cli *c, const rmx_experiment *e, struct search *s, const rmx_optimize_options *options, rmx_err *err) {
  rmx_target target = {s->weight};
  return rmx_optimize_simulate(s->fit, &target, s->prior, s->cap, options, (uint64_t)e->config.general.seed, worker_jobs(e),
                               &c->listener, &s->optimum, err);
}

static rmx_status write_optimum(const rmx_experiment *e, const char *path, const struct search *s, const rmx_corpus *corpus,
                                rmx_err *err) {
  json_t *root = optimum_tree(&s->optimum, s->fit, s->prior, s->weight, &e->config.optimize);
  json_object_set_new(root, "made_by", made_by(e, corpus));
  rmx_status status = rmx_yaml_write(path, root, "The mixture found: share of the training tokens from each domain.", err);
  json_decref(root);
  return status;
}

// The search of an experiment: prior and caps of its corpus, target of its config; writes optimum.yaml.
static rmx_status search_experiment(const cli *c, const rmx_experiment *e, struct search *s, rmx_err *err) {
  rmx_corpus *corpus = NULL;
  char *folder = rmx_experiment_path(e, "fit"), *path = rmx_experiment_path(e, "optimum.yaml");
  double *cap = NULL;
  const struct optimize_args none = {0};
  rmx_status status = folder && path ? open_corpus(e, &corpus, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK) status = begin_search(s, folder, err);
  if (status == RMX_OK && !(cap = rmx_calloc(corpus->D_train, sizeof *cap))) status = rmx_fail_memory(err, 0, "caps");
  if (status == RMX_OK) {
    weight_caps(e, corpus, cap);
    status = by_fit_domain(s->fit, corpus, corpus->prior, s->prior, err);
  }
  if (status == RMX_OK) status = by_fit_domain(s->fit, corpus, cap, s->cap, err);
  if (status == RMX_OK) status = target_of(&none, e, s->fit, s->weight, err);
  if (status == RMX_OK) status = run_search(c, e, s, &e->config.optimize, err);
  if (status == RMX_OK) status = write_optimum(e, path, s, corpus, err);
  free(cap);
  free(folder);
  free(path);
  if (corpus) rmx_corpus_free(corpus);
  return status;
}

rmx_status step_optimize(const cli *c, const rmx_experiment *e, rmx_err *err) {
  struct search s = {0};
  rmx_status status = search_experiment(c, e, &s, err);
  if (status == RMX_OK)
    rmx_note(&c->listener, "optimize: predicted target %.4f at the optimum, %.4f at the prior, %.4f at the best run", s.optimum.score,
             s.optimum.score_prior, s.optimum.best_run_score);
  release_search(&s);
  return status;
}

static void print_optimum(const struct search *s) {
  const rmx_optimum *o = &s->optimum;
  print_mixture((const char *const *)s->fit->domains, o->mixture, s->prior, s->fit->D);
  int width = cli_width(s->fit->metrics, s->fit->M, 24);
  printf("\n  %-*s %12s %12s\n", width, "predicted", "optimum", "prior");
  for (size_t m = 0; m < s->fit->M; m++)
    printf("%c %-*s %12.4f %12.4f\n", s->weight[m] != 0 ? '*' : ' ', width, s->fit->metrics[m], o->predicted[m], o->predicted_prior[m]);
  printf("\n* target. Nearest run: %.1f %% of the tokens differ (typical between runs: %.1f %%).\n", 100 * o->distance,
         100 * o->typical_distance);
}

static rmx_status run_optimize(cli *c, rmx_err *err) {
  struct optimize_args *args = c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, false, &e, err));
  rmx_optimize_options *options = &e.config.optimize;
  if (args->samples) options->samples = args->samples;
  if (args->top) options->top = args->top;
  if (args->strength > 0) options->strength = args->strength;
  rmx_status status;
  struct search s = {0};
  char *folder = args->fit ? rmx_strdup(args->fit) : rmx_experiment_path(&e, "fit");
  if (!args->fit && e.config_path && args->target.n + args->maximize.n == 0 && !args->prior) {
    status = search_experiment(c, &e, &s, err);
  } else {
    status = folder ? begin_search(&s, folder, err) : rmx_fail_memory(err, 0, "a path");
    if (status == RMX_OK && args->prior)
      status = rmx_mixture_read(args->prior, (const char *const *)s.fit->domains, s.fit->D, s.prior, err);
    if (status == RMX_OK) status = target_of(args, &e, s.fit, s.weight, err);
    if (status == RMX_OK) status = run_search(c, &e, &s, options, err);
  }
  if (status == RMX_OK && args->out) status = write_optimum(&e, args->out, &s, NULL, err);
  if (status == RMX_OK && c->common.json) cli_print_json(optimum_tree(&s.optimum, s.fit, s.prior, s.weight, options));
  else if (status == RMX_OK) print_optimum(&s);
  free(folder);
  release_search(&s);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct optimize_args, member)
static const rmx_option options_table[] = {
    {"fit", RMX_TEXT, AT(fit), NULL, 0, 0, "DIR", "the fit (default: the experiment's)"},
    {"target", RMX_LIST, AT(target), NULL, 0, 0, "NAME[=WEIGHT]", "metric to be lowered; may be given several times"},
    {"maximize", RMX_LIST, AT(maximize), NULL, 0, 0, "NAME[=WEIGHT]", "metric to be raised (accuracies)"},
    {"prior", RMX_TEXT, AT(prior), NULL, 0, 0, "FILE", "mixture to sample around, YAML or CSV; default: the mean of the runs"},
    {"strength", RMX_REAL, AT(strength), NULL, 1e-6, 1e6, "S", "of the Dirichlet around the prior (default 1)"},
    {"samples", RMX_INT, AT(samples), NULL, 1, 1e10, "N", "mixtures simulated (default 100k)"},
    {"top", RMX_INT, AT(top), NULL, 1, 1e6, "K", "the mean of so many best ones is the optimum (default 128)"},
    {"out", RMX_TEXT, AT(out), NULL, 0, 0, "FILE", "write the optimum there too, as YAML"},
};
const cli_command cli_optimize = {
    .name = "optimize", .words = "", .run = run_optimize,
    .options = options_table, .n_options = sizeof options_table / sizeof *options_table, .own_size = sizeof(struct optimize_args),
    .summary = "search the fitted functions for the best mixture",
    .about = "Simulates many mixtures around the prior, predicts their metrics, and averages the best. Warns when the best lies "
             "outside what the runs covered: there the prediction is a guess.",
    .examples = "  regmix optimize --fit fit --target pile_cc\n"
                "  regmix optimize --fit fit --target pile_cc=0.7 --target github=0.3 --samples 1M --json\n"
                "  regmix optimize --fit fit --maximize hellaswag --prior prior.yaml\n",
};
