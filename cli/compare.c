// SPDX-License-Identifier: Apache-2.0
// regmix pretrain and regmix compare: the large model on the mixture found, and, with the same
// tokens and seeds, on what it is compared with. A mixture with a name is a contender; each of its
// seeds is a run.
#include <math.h>
#include <regmix/baselines.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

rmx_status read_optimum(const rmx_experiment *e, const rmx_corpus *corpus, double *w,
                        rmx_err *err) {
  char *path = rmx_experiment_path(e, "optimum.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_status status =
      rmx_exists(path) ? rmx_mixture_read(path, corpus->names, corpus->D_train, w, err)
                       : rmx_fail(err, RMX_EINPUT, "no %s yet; `regmix optimize` makes it", path);
  free(path);
  return status;
}

// ---- who takes part

// The single domain the fit expects most of: all tokens from it alone.
static rmx_status best_single(const comparison *c, double *mixture, contender *out, rmx_err *err) {
  rmx_fit *f = NULL;
  char *folder = rmx_experiment_path(c->e, "fit");
  rmx_status status = folder ? rmx_fit_read(folder, &f, err) : rmx_fail_memory(err, 0, "a path");
  free(folder);
  RMX_TRY(status);
  double best = INFINITY, *x = rmx_calloc(2 * f->D + f->M, sizeof *x),
         *weight = x ? x + f->D : NULL;
  if (!x) status = rmx_fail_memory(err, 0, "a mixture");
  if (status == RMX_OK)
    status = target_weights(c->e->config.target, c->e->config.n_target,
                            (const char *const *)f->metrics, f->M, weight, err);
  for (size_t d = 0; status == RMX_OK && d < f->D; d++) {
    double score = 0, y;
    memset(x, 0, f->D * sizeof *x);
    x[d] = 1;
    for (size_t m = 0; m < f->M; m++) {
      if (weight[m] == 0) continue;
      rmx_regressor_predict(f->regressors[m], x, 1, &y, NULL);
      score += weight[m] * y;
    }
    if (score >= best) continue;
    best = score;
    snprintf(out->detail, sizeof out->detail, "%s", f->domains[d]);
  }
  free(x);
  rmx_fit_free(f);
  snprintf(out->detail_key, sizeof out->detail_key, "domain");
  size_t k;
  RMX_TRY(status);
  RMX_TRY(rmx_find_name("domain", out->detail, c->corpus->names, c->corpus->D_train, &k, err));
  mixture[k] = 1;
  return RMX_OK;
}

// The run of the swarm whose measured target was best.
static rmx_status best_run(const comparison *c, double *mixture, contender *out, rmx_err *err) {
  rmx_run *runs;
  size_t n, which = 0;
  RMX_TRY(proxy_runs(c->e, c->corpus, &runs, &n, err));
  double best = INFINITY;
  for (size_t i = 0; i < n; i++) {
    json_t *result = NULL;
    if (rmx_run_look(&runs[i], &result) == RMX_RUN_DONE) {
      double sum = 0;
      const json_t *nats = json_object_get(result, "loss_nats");
      for (size_t d = 0; d < c->corpus->D; d++)
        if (c->weight[d] != 0)
          sum += c->weight[d] * json_number_value(json_object_get(nats, c->corpus->names[d]));
      if (sum < best) {
        best = sum;
        which = i;
      }
    }
    json_decref(result);
  }
  rmx_status status =
      isfinite(best) ? RMX_OK
                     : rmx_fail(err, RMX_EINPUT, "no run is done yet; `regmix train` trains them");
  if (status == RMX_OK) {
    memcpy(mixture, runs[which].mixture, c->corpus->D_train * sizeof *mixture);
    snprintf(out->detail_key, sizeof out->detail_key, "run");
    snprintf(out->detail, sizeof out->detail, "%s", runs[which].name);
  }
  release_runs(runs, n);
  return status;
}

rmx_status contender_named(const comparison *c, const char *name, contender *out, rmx_err *err) {
  size_t D = c->corpus->D_train, k;
  snprintf(out->name, sizeof out->name, "%s", name);
  if (!(out->mixture = rmx_calloc(D, sizeof(double)))) return rmx_fail_memory(err, 0, "a mixture");
  if (strcmp(name, "optimum") == 0) return read_optimum(c->e, c->corpus, out->mixture, err);
  if (strcmp(name, "best_single") == 0) return best_single(c, out->mixture, out, err);
  if (strcmp(name, "best_run") == 0) return best_run(c, out->mixture, out, err);
  if (strcmp(name, "prior") == 0) {
    memcpy(out->mixture, c->corpus->prior, D * sizeof(double));
    return RMX_OK;
  }
  if (strcmp(name, "uniform") == 0) {
    rmx_mixture_uniform(out->mixture, D);
    return RMX_OK;
  }
  if (strncmp(name, "single:", 7) == 0) {
    if (rmx_find_name("domain", name + 7, c->corpus->names, D, &k, err) != RMX_OK)
      return cli_refused(true, err);
    out->mixture[k] = 1;
    snprintf(out->name, sizeof out->name, "single-%s", c->corpus->names[k]);
    return RMX_OK;
  }
  // A file: its name without folder and ending names the contender.
  char *path = rmx_path_in(c->e->folder, name);
  const char *slash = strrchr(name, '/');
  snprintf(out->name, sizeof out->name, "%s", slash ? slash + 1 : name);
  char *dot = strrchr(out->name, '.');
  if (dot && dot != out->name) *dot = '\0';
  rmx_status status =
      !path ? rmx_fail_memory(err, 0, "a path")
      : rmx_exists(path)
          ? rmx_mixture_read(path, c->corpus->names, D, out->mixture, err)
          : rmx_fail(
                err, RMX_EUSAGE,
                "\"%s\" is neither prior, uniform, best_single, best_run, single:DOMAIN nor a file",
                name);
  free(path);
  return status;
}

static json_t *row_tree(const comparison *c, size_t i) {
  const size_t S = c->seeds;
  const contender *who = &c->contenders[i];
  json_t *row = json_object();
  json_object_set_new(row, "name", json_string(who->name));
  if (*who->detail_key) json_object_set_new(row, who->detail_key, json_string(who->detail));
  json_object_set_new(row, "mixture",
                      rmx_mixture_json(who->mixture, c->corpus->names, c->corpus->D_train));
  json_t *target = mean_and_error(&c->target[i * S], S, 1, true);
  json_object_set(row, "n", json_object_get(target, "n"));
  json_object_del(target, "n");
  json_object_set_new(row, "target_loss", target);
  json_object_set_new(row, "against_optimum", comparison_against(c, i, 0));
  json_object_set_new(row, "loss_nats", comparison_losses(c, i));
  json_object_set_new(row, "flops", json_real(c->flops[i]));
  return row;
}

static json_t *comparison_tree(const comparison *c) {
  json_t *root = json_object(), *seeds = json_array(), *rows = json_array();
  for (size_t s = 0; s < c->seeds; s++)
    json_array_append_new(seeds, json_integer(c->e->config.compare.first_seed + (json_int_t)s));
  for (size_t i = 0; i < c->n; i++) json_array_append_new(rows, row_tree(c, i));
  json_object_set_new(root, "target", comparison_target(c));
  json_object_set_new(root, "seeds", seeds);
  json_object_set_new(root, "tokens", json_integer(c->e->config.large.tokens));
  json_object_set_new(root, "rows", rows);
  json_object_set_new(root, "made_by", made_by(c->e, c->corpus));
  return root;
}

static void print_comparison(const json_t *root) {
  size_t i;
  json_t *row;
  printf("  %-22s %12s %8s   %13s %8s %8s\n", "large model on", "target loss", "se",
         "minus optimum", "from", "to");
  json_array_foreach(json_object_get(root, "rows"), i, row) {
    const json_t *detail = json_object_get(row, "domain") ? json_object_get(row, "domain")
                                                          : json_object_get(row, "run");
    char name[300];
    snprintf(name, sizeof name, "%s%s%s%s", json_string_value(json_object_get(row, "name")),
             detail ? " (" : "", detail ? json_string_value(detail) : "", detail ? ")" : "");
    const json_t *loss = json_object_get(row, "target_loss"),
                 *against = json_object_get(row, "against_optimum");
    printf("  %-22s ", name);
    print_number(json_object_get(loss, "mean"), 12, 4);
    print_number(json_object_get(loss, "se"), 9, 4);
    if (i > 0) {
      printf("   ");
      print_difference(against);
    }
    putchar('\n');
  }
  const size_t seeds = json_array_size(json_object_get(root, "seeds"));
  printf(
      "  (nats per token; differences paired over %zu seed%s; from, to: their %.0f %% t "
      "interval)\n",
      seeds, seeds == 1 ? "" : "s", 100 * RMX_VERDICT_LEVEL);
}

// Opens the corpus and lists the contenders by name.
static rmx_status begin_named(comparison *c, const rmx_experiment *e, const char *const *names,
                              size_t n, size_t seeds, bool with_target, rmx_err *err) {
  RMX_TRY(comparison_begin(c, e, n, seeds, with_target, err));
  for (size_t i = 0; i < n; i++) {
    RMX_TRY(contender_named(c, names[i], &c->contenders[i], err));
    for (size_t j = 0; j < i; j++)
      if (strcmp(c->contenders[j].name, c->contenders[i].name) == 0)
        return rmx_fail(err, RMX_EUSAGE, "compare.against: \"%s\" is there twice",
                        c->contenders[i].name);
  }
  return comparison_runs(c, err);
}

rmx_status step_compare(const cli *c, const rmx_experiment *e, rmx_err *err) {
  const rmx_strings *against = &e->config.compare.against;
  const char **names = rmx_calloc(against->n + 1, sizeof *names);
  if (!names) return rmx_fail_memory(err, 0, "names");
  names[0] = "optimum";
  for (size_t i = 0; i < against->n; i++) names[i + 1] = against->items[i];
  comparison k;
  rmx_status status =
      begin_named(&k, e, names, against->n + 1, (size_t)e->config.compare.seeds, true, err);
  if (status != RMX_OK) status = cli_from_file(!cli_was_set(c, "compare.against"), err);
  if (status == RMX_OK) status = train_runs(c, e, k.corpus, k.runs, k.n * k.seeds, "compare", err);
  if (status == RMX_OK && !c->dry) status = comparison_read(&k, err);
  if (status == RMX_OK && !c->dry) {
    json_t *tree = comparison_tree(&k);
    char *path = rmx_experiment_path(e, "large/comparison.json");
    status = path ? rmx_json_write(path, tree, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
    json_decref(tree);
  }
  comparison_release(&k);
  free(names);
  return status;
}

rmx_status print_comparison_of(const rmx_experiment *e, bool json, rmx_err *err) {
  char *path = rmx_experiment_path(e, "large/comparison.json");
  json_t *tree = NULL;
  rmx_status status = path ? rmx_json_read(path, &tree, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && json)
    cli_print_json(json_incref(tree));
  else if (status == RMX_OK)
    print_comparison(tree);
  json_decref(tree);
  free(path);
  return status;
}

struct compare_args {
  rmx_strings methods;
  int64_t seeds;
  char *budget;
  bool redo;
};

// What the command line says, over the config.
static rmx_status take_arguments(const struct compare_args *args, rmx_compare_options *o,
                                 rmx_err *err) {
  if (args->seeds > 0) o->seeds = args->seeds;
  if (args->methods.n) rmx_strings_release(&o->methods);
  bool good = true;
  for (size_t i = 0; i < args->methods.n; i++)
    good &= rmx_strings_add(&o->methods, args->methods.items[i]);
  if (args->budget) {
    free(o->budget);
    good &= (o->budget = rmx_strdup(args->budget)) != NULL;
  }
  return good ? RMX_OK : rmx_fail_memory(err, 0, "options");
}

static rmx_status run_compare(cli *c, rmx_err *err) {
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, true, &e, err));
  *c->may_redo = ((const struct compare_args *)c->own)->redo;
  rmx_compare_options *o = &e.config.compare;
  rmx_status status = take_arguments(c->own, o, err);
  if (status == RMX_OK)
    status = check_methods(c, &e, ((const struct compare_args *)c->own)->methods.n > 0,
                           ((const struct compare_args *)c->own)->budget != NULL, err);
  if (status == RMX_OK && o->methods.n) {
    status = step_prepare(c, &e, err);
    if (status == RMX_OK) status = write_resolved(&e, err);
    if (status == RMX_OK) status = step_methods(c, &e, err);
    if (status == RMX_OK) status = print_methods_of(&e, c->common.json, err);
  } else if (status == RMX_OK) {
    status = step_compare(c, &e, err);
    if (status == RMX_OK) status = print_comparison_of(&e, c->common.json, err);
  }
  if (status == RMX_OK) status = step_report(c, &e, err);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct compare_args, member)
static const rmx_option compare_options[] = {
    {"methods", RMX_LIST, AT(methods), NULL, 0, 0, "NAME,NAME,...",
     "methods to choose data, compared with each other instead of the optimum with "
     "compare.against; "
     "also optimum, best_run, single:DOMAIN, a mixture file"},
    {"seeds", RMX_INT, AT(seeds), "0", 0, 1000, "N",
     "large models of each, seeds paired; 0: compare.seeds"},
    {"budget", RMX_TEXT, AT(budget), NULL, 0, 0, "FLOPS|TOKENS",
     "with --methods: what each may spend to find its mixture, 1e15 or 20Mtokens of the proxy; "
     "default: what the proxies take"},
    REDO_OPTION(struct compare_args),
};
#undef AT

static bool method_item(size_t i, cli_item *out) {
  if (i >= rmx_baselines_n) return false;
  const rmx_baseline *b = rmx_baselines[i];
  *out = (cli_item){b->name, b->help, b->suits, b->source};
  return true;
}

const cli_command cli_compare = {
    .name = "compare",
    .words = "",
    .run = run_compare,
    .options = compare_options,
    .n_options = sizeof compare_options / sizeof *compare_options,
    .own_size = sizeof(struct compare_args),
    .items = "Methods",
    .item = method_item,
    .summary = "train the large model on the optimum and on its rivals, same tokens, paired seeds",
    .about =
        "Trains compare.seeds large models on the optimum and on each mixture of compare.against "
        "(prior, uniform, best_single: "
        "the single domain the fit expects most of, best_run: the mixture of the best proxy, "
        "single:DOMAIN, or a mixture file), "
        "and prints the target's loss of each with standard errors, and the paired difference to "
        "the optimum with its 95 % t interval. "
        "A difference is called better or worse where that interval leaves out 0; two seeds are "
        "too few to tell. What is trained "
        "already is not trained again. A model of another mixture (the optimum moved) is another "
        "model: the former is set aside, in "
        "large/<name>/.set-aside/, and used again when its mixture returns. Where other settings "
        "changed, finished models go out of use "
        "only after a person was asked, or with --redo. Then report.html is written anew.\n\n"
        "With --methods, methods to choose data are compared instead: each trains what it needs "
        "with "
        "the same models on the same corpus, "
        "within the same budget where it lets one choose, then the large model is trained on what "
        "each chose, with the same tokens and "
        "paired seeds. All that a method spends to find its mixture is counted: references, "
        "proxies, scoring, validation. Its settings "
        "are keys of the config (`regmix help config`: doremi.eta, ppl.keep, ...), by default "
        "those it was published with. "
        "compare/METHOD.yaml is the mixture found, which `pretrain --mixture` and `export "
        "--mixture` take (`train` takes its weights as a "
        "row of mixtures.csv); "
        "compare/methods.json holds the whole result, and report.html draws it. A method that "
        "diverges is a row that says so.",
    .examples =
        "  regmix compare -C exp --methods regmix,doremi,odm,prior --seeds 3 --budget 1e15\n"
        "  regmix compare -C exp\n  regmix compare -C exp --set compare.against=prior --set "
        "compare.against=mine.yaml --set compare.seeds=5\n",
};

// ---- pretrain: one mixture

struct pretrain_args {
  char *mixture;
  int64_t seeds;
  bool redo;
};

static rmx_status run_pretrain(cli *c, rmx_err *err) {
  const struct pretrain_args *args = c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, true, &e, err));
  *c->may_redo = args->redo;
  const char *name = args->mixture ? args->mixture : "optimum";
  // A file of the user's is named as seen from here, not from the experiment.
  char *absolute = args->mixture && rmx_exists(args->mixture) ? rmx_realpath(args->mixture) : NULL;
  if (absolute) name = absolute;
  comparison k;
  rmx_status status = begin_named(&k, &e, &name, 1, (size_t)args->seeds, false, err);
  if (status == RMX_OK) status = train_runs(c, &e, k.corpus, k.runs, k.seeds, "pretrain", err);
  if (status == RMX_OK) status = comparison_read(&k, err);
  for (size_t s = 0; status == RMX_OK && !c->common.json && s < k.seeds; s++) {
    printf("%s\n", k.runs[s].folder);
    for (size_t d = 0; d < k.corpus->D; d++)
      printf("  %-24s %8.4f nats per token\n", k.corpus->names[d], k.loss[s * k.corpus->D + d]);
  }
  if (status == RMX_OK && c->common.json) cli_print_json(row_tree(&k, 0));
  comparison_release(&k);
  free(absolute);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct pretrain_args, member)
static const rmx_option pretrain_options[] = {
    {"mixture", RMX_TEXT, AT(mixture), NULL, 0, 0, "NAME|FILE",
     "prior, uniform, best_single, best_run, single:DOMAIN or a file; default: the optimum"},
    {"seeds", RMX_INT, AT(seeds), "1", 1, 1000, "N", "models to train"},
    REDO_OPTION(struct pretrain_args),
};
const cli_command cli_pretrain = {
    .name = "pretrain",
    .words = "",
    .run = run_pretrain,
    .options = pretrain_options,
    .n_options = sizeof pretrain_options / sizeof *pretrain_options,
    .own_size = sizeof(struct pretrain_args),
    .summary = "train the large model on the optimum, or on a mixture of yours",
    .about =
        "Trains with the settings of section `large`; the model is left in "
        "large/<name>/<seed>/model.bin. `compare` uses what is "
        "there already.",
    .examples =
        "  regmix pretrain -C exp\n  regmix pretrain -C exp --mixture mine.yaml --set "
        "large.tokens=20M\n",
};
