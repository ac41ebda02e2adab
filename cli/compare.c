// SPDX-License-Identifier: Apache-2.0
// regmix pretrain and regmix compare: the large model on the mixture found, and, with the same tokens
// and seeds, on what it is compared with. A mixture with a name is a contender; each of its seeds is a run.
#include <math.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

typedef struct contender {
  char name[128];
  char detail_key[16], detail[128];  // which domain, which run
  double *mixture;                   // (D_train)
} contender;

struct comparison {
  const rmx_experiment *e;
  rmx_corpus *corpus;
  contender *contenders;  // (n), the optimum first
  size_t n, seeds;
  rmx_run *runs;          // (n, seeds)
  double *loss;           // (n, seeds, D) of the corpus' domains, NaN where diverged
  double *target;         // (n, seeds)
  double *flops;          // (n)
  double *weight;         // (D) of each domain's loss in the target
};

rmx_status read_optimum(const rmx_experiment *e, const rmx_corpus *corpus, double *w, rmx_err *err) {
  char *path = rmx_experiment_path(e, "optimum.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_status status = rmx_exists(path) ? rmx_mixture_read(path, corpus->names, corpus->D_train, w, err)
                                       : rmx_fail(err, RMX_EINPUT, "no %s yet; `regmix optimize` makes it", path);
  free(path);
  return status;
}

// The weight of each domain's loss in the target; a target that is no domain of the corpus cannot be compared here.
static rmx_status loss_weights(const rmx_experiment *e, const rmx_corpus *corpus, double *weight, rmx_err *err) {
  if (e->config.n_target == 0)
    return rmx_fail(err, RMX_EINPUT, "no target in %s; add for example `target: %s`", e->config_path, corpus->names[corpus->D - 1]);
  return target_weights(e->config.target, e->config.n_target, corpus->names, corpus->D, weight, err);
}

static double target_of_losses(const struct comparison *c, const double *nats) {
  double sum = 0;
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->weight[d] != 0) sum += c->weight[d] * nats[d];
  return sum;
}

// ---- who takes part

// The single domain the fit expects most of: all tokens from it alone.
static rmx_status best_single(const struct comparison *c, double *mixture, contender *out, rmx_err *err) {
  rmx_fit *f = NULL;
  char *folder = rmx_experiment_path(c->e, "fit");
  rmx_status status = folder ? rmx_fit_read(folder, &f, err) : rmx_fail_memory(err, 0, "a path");
  free(folder);
  RMX_TRY(status);
  double best = INFINITY, *x = rmx_calloc(2 * f->D + f->M, sizeof *x), *weight = x ? x + f->D : NULL;
  if (!x) status = rmx_fail_memory(err, 0, "a mixture");
  if (status == RMX_OK)
    status = target_weights(c->e->config.target, c->e->config.n_target, (const char *const *)f->metrics, f->M, weight, err);
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
static rmx_status best_run(const struct comparison *c, double *mixture, contender *out, rmx_err *err) {
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
        if (c->weight[d] != 0) sum += c->weight[d] * json_number_value(json_object_get(nats, c->corpus->names[d]));
      if (sum < best) {
        best = sum;
        which = i;
      }
    }
    json_decref(result);
  }
  rmx_status status = isfinite(best) ? RMX_OK : rmx_fail(err, RMX_EINPUT, "no run is done yet; `regmix train` trains them");
  if (status == RMX_OK) {
    memcpy(mixture, runs[which].mixture, c->corpus->D_train * sizeof *mixture);
    snprintf(out->detail_key, sizeof out->detail_key, "run");
    snprintf(out->detail, sizeof out->detail, "%s", runs[which].name);
  }
  release_runs(runs, n);
  return status;
}

static rmx_status mixture_named(const struct comparison *c, const char *name, contender *out, rmx_err *err) {
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
    for (size_t d = 0; d < D; d++) out->mixture[d] = 1.0 / (double)D;
    return RMX_OK;
  }
  if (strncmp(name, "single:", 7) == 0) {
    RMX_TRY(rmx_find_name("domain", name + 7, c->corpus->names, D, &k, err));
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
  rmx_status status = !path ? rmx_fail_memory(err, 0, "a path")
                      : rmx_exists(path)
                          ? rmx_mixture_read(path, c->corpus->names, D, out->mixture, err)
                          : rmx_fail(err, RMX_EINPUT,
                                     "compare.against: \"%s\" is neither prior, uniform, best_single, best_run, single:DOMAIN nor a file", name);
  free(path);
  return status;
}

// ---- training and reading back

static rmx_status make_runs(struct comparison *c, rmx_err *err) {
  c->runs = rmx_calloc(c->n * c->seeds, sizeof *c->runs);
  if (!c->runs) return rmx_fail_memory(err, 0, "the runs");
  for (size_t i = 0; i < c->n; i++)
    for (size_t s = 0; s < c->seeds; s++) {
      char *name = rmx_format("%s-%zu", c->contenders[i].name, s + 1), *part = rmx_format("large/%s/%zu", c->contenders[i].name, s + 1);
      char *folder = part ? rmx_experiment_path(c->e, part) : NULL;
      rmx_status status = name && folder ? RMX_OK : rmx_fail_memory(err, 0, "a path");
      // Seeds of their own, paired over the contenders: the same first weights and orders for all.
      if (status == RMX_OK)
        status = rmx_run_make(&c->runs[i * c->seeds + s], name, folder, c->e->folder, c->corpus, c->contenders[i].mixture,
                              &c->e->config.large, (uint64_t)c->e->config.general.seed + 1000 + s, true, err);
      free(name), free(part), free(folder);
      RMX_TRY(status);
    }
  return RMX_OK;
}

static rmx_status read_results(struct comparison *c, rmx_err *err) {
  size_t D = c->corpus->D;
  c->loss = rmx_calloc(c->n * c->seeds * D, sizeof(double));
  c->target = rmx_calloc(c->n * c->seeds, sizeof(double));
  c->flops = rmx_calloc(c->n, sizeof(double));
  if (!c->loss || !c->target || !c->flops) return rmx_fail_memory(err, 0, "the results");
  for (size_t i = 0; i < c->n * c->seeds; i++) {
    json_t *result = NULL;
    bool done = rmx_run_look(&c->runs[i], &result) == RMX_RUN_DONE;
    for (size_t d = 0; d < D; d++) {
      const json_t *x = json_object_get(json_object_get(result, "loss_nats"), c->corpus->names[d]);
      c->loss[i * D + d] = done && json_is_number(x) ? json_number_value(x) : NAN;
    }
    c->target[i] = target_of_losses(c, &c->loss[i * D]);
    c->flops[i / c->seeds] += json_number_value(json_object_get(result, "flops"));
    json_decref(result);
  }
  return RMX_OK;
}

// Mean and standard error of those of x (n, stride apart) that are numbers.
static json_t *mean_and_error(const double *x, size_t n, size_t stride, bool with_n) {
  double sum = 0, squares = 0;
  size_t k = 0;
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i * stride])) {
      sum += x[i * stride];
      k++;
    }
  double mean = k ? sum / (double)k : NAN;
  for (size_t i = 0; i < n; i++)
    if (isfinite(x[i * stride])) squares += (x[i * stride] - mean) * (x[i * stride] - mean);
  double se = k > 1 ? sqrt(squares / (double)(k - 1) / (double)k) : NAN;
  json_t *o = json_object();
  json_object_set_new(o, "mean", isfinite(mean) ? json_real(mean) : json_null());
  json_object_set_new(o, "se", isfinite(se) ? json_real(se) : json_null());
  if (with_n) json_object_set_new(o, "n", json_integer((json_int_t)k));
  return o;
}

static json_t *row_tree(const struct comparison *c, size_t i) {
  size_t D = c->corpus->D, S = c->seeds;
  const contender *who = &c->contenders[i];
  json_t *row = json_object(), *losses = json_object();
  json_object_set_new(row, "name", json_string(who->name));
  if (*who->detail_key) json_object_set_new(row, who->detail_key, json_string(who->detail));
  json_object_set_new(row, "mixture", rmx_mixture_json(who->mixture, c->corpus->names, c->corpus->D_train));
  json_t *target = mean_and_error(&c->target[i * S], S, 1, true);
  json_object_set(row, "n", json_object_get(target, "n"));
  json_object_del(target, "n");
  json_object_set_new(row, "target_loss", target);
  double *difference = rmx_calloc(S, sizeof *difference);
  for (size_t s = 0; difference && s < S; s++) difference[s] = c->target[i * S + s] - c->target[s];
  if (difference) json_object_set_new(row, "against_optimum", mean_and_error(difference, S, 1, true));
  free(difference);
  for (size_t d = 0; d < D; d++)
    json_object_set_new(losses, c->corpus->names[d], mean_and_error(&c->loss[i * S * D + d], S, D, false));
  json_object_set_new(row, "loss_nats", losses);
  json_object_set_new(row, "flops", json_real(c->flops[i]));
  return row;
}

static json_t *comparison_tree(const struct comparison *c) {
  json_t *root = json_object(), *target = json_object(), *seeds = json_array(), *rows = json_array();
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->weight[d] != 0) {
      char *name = rmx_format("%s_val_loss", c->corpus->names[d]);
      if (name) json_object_set_new(target, name, json_real(c->weight[d]));
      free(name);
    }
  for (size_t s = 0; s < c->seeds; s++) json_array_append_new(seeds, json_integer((json_int_t)s + 1));
  for (size_t i = 0; i < c->n; i++) json_array_append_new(rows, row_tree(c, i));
  json_object_set_new(root, "target", target);
  json_object_set_new(root, "seeds", seeds);
  json_object_set_new(root, "tokens", json_integer(c->e->config.large.tokens));
  json_object_set_new(root, "rows", rows);
  json_object_set_new(root, "made_by", made_by(c->e, c->corpus));
  return root;
}

static void print_number(const json_t *x, int width, int digits) {
  if (json_is_number(x)) printf("%*.*f", width, digits, json_number_value(x));
  else printf("%*s", width, "-");
}

static void print_comparison(const json_t *root) {
  size_t i;
  json_t *row;
  printf("  %-22s %12s %8s   %12s %8s  %s\n", "large model on", "target loss", "se", "minus optimum", "se", "");
  json_array_foreach(json_object_get(root, "rows"), i, row) {
    const json_t *detail = json_object_get(row, "domain") ? json_object_get(row, "domain") : json_object_get(row, "run");
    char name[300];
    snprintf(name, sizeof name, "%s%s%s%s", json_string_value(json_object_get(row, "name")), detail ? " (" : "",
             detail ? json_string_value(detail) : "", detail ? ")" : "");
    const json_t *loss = json_object_get(row, "target_loss"), *against = json_object_get(row, "against_optimum");
    printf("  %-22s ", name);
    print_number(json_object_get(loss, "mean"), 12, 4);
    print_number(json_object_get(loss, "se"), 9, 4);
    if (i > 0) {
      double mean = json_number_value(json_object_get(against, "mean")), se = json_number_value(json_object_get(against, "se"));
      printf("   ");
      print_number(json_object_get(against, "mean"), 13, 4);
      print_number(json_object_get(against, "se"), 9, 4);
      if (se > 0)
        printf("  %s", mean > 3 * se ? "optimum better" : mean < -3 * se ? "optimum worse" : "no clear difference");
    }
    putchar('\n');
  }
  printf("  (nats per token; paired over %zu seeds; clear: more than three standard errors)\n", json_array_size(json_object_get(root, "seeds")));
}

static void release_comparison(struct comparison *c) {
  for (size_t i = 0; c->contenders && i < c->n; i++) free(c->contenders[i].mixture);
  for (size_t i = 0; c->runs && i < c->n * c->seeds; i++) rmx_run_release(&c->runs[i]);
  free(c->contenders), free(c->runs), free(c->loss), free(c->target), free(c->flops), free(c->weight);
  if (c->corpus) rmx_corpus_free(c->corpus);
}

// Opens the corpus and lists the contenders by name.
static rmx_status begin_comparison(struct comparison *c, const rmx_experiment *e, const char *const *names, size_t n, size_t seeds,
                                   bool with_target, rmx_err *err) {
  *c = (struct comparison){.e = e, .seeds = seeds};
  RMX_TRY(open_corpus(e, &c->corpus, err));
  c->weight = rmx_calloc(c->corpus->D, sizeof(double));
  c->contenders = rmx_calloc(n, sizeof *c->contenders);
  if (!c->weight || !c->contenders) return rmx_fail_memory(err, 0, "a comparison");
  if (with_target) RMX_TRY(loss_weights(e, c->corpus, c->weight, err));
  for (size_t i = 0; i < n; i++) {
    c->n++;
    RMX_TRY(mixture_named(c, names[i], &c->contenders[i], err));
    for (size_t j = 0; j < i; j++)
      if (strcmp(c->contenders[i].name, c->contenders[j].name) == 0)
        return rmx_fail(err, RMX_EINPUT, "compare.against: \"%s\" is there twice", c->contenders[i].name);
  }
  return make_runs(c, err);
}

rmx_status step_compare(const cli *c, const rmx_experiment *e, rmx_err *err) {
  const rmx_strings *against = &e->config.compare.against;
  const char **names = rmx_calloc(against->n + 1, sizeof *names);
  if (!names) return rmx_fail_memory(err, 0, "names");
  names[0] = "optimum";
  for (size_t i = 0; i < against->n; i++) names[i + 1] = against->items[i];
  struct comparison k;
  rmx_status status = begin_comparison(&k, e, names, against->n + 1, (size_t)e->config.compare.seeds, true, err);
  if (status == RMX_OK) status = train_runs(c, e, k.corpus, k.runs, k.n * k.seeds, "compare", err);
  if (status == RMX_OK) status = read_results(&k, err);
  if (status == RMX_OK) {
    json_t *tree = comparison_tree(&k);
    char *path = rmx_experiment_path(e, "large/comparison.json");
    status = path ? rmx_json_write(path, tree, err) : rmx_fail_memory(err, 0, "a path");
    free(path);
    json_decref(tree);
  }
  release_comparison(&k);
  free(names);
  return status;
}

rmx_status print_comparison_of(const rmx_experiment *e, bool json, rmx_err *err) {
  char *path = rmx_experiment_path(e, "large/comparison.json");
  json_t *tree = NULL;
  rmx_status status = path ? rmx_json_read(path, &tree, err) : rmx_fail_memory(err, 0, "a path");
  if (status == RMX_OK && json) cli_print_json(json_incref(tree));
  else if (status == RMX_OK) print_comparison(tree);
  json_decref(tree);
  free(path);
  return status;
}

static rmx_status run_compare(cli *c, rmx_err *err) {
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, true, &e, err));
  rmx_status status = step_compare(c, &e, err);
  if (status == RMX_OK) status = print_comparison_of(&e, c->common.json, err);
  rmx_experiment_release(&e);
  return status;
}

const cli_command cli_compare = {
    .name = "compare", .words = "", .run = run_compare,
    .summary = "train the large model on the optimum and on its rivals, same tokens, paired seeds",
    .about = "Trains compare.seeds large models on the optimum and on each mixture of compare.against (prior, uniform, best_single: "
             "the single domain the fit expects most of, best_run: the mixture of the best proxy, single:DOMAIN, or a mixture file), "
             "and prints the target's loss of each with standard errors and the paired difference to the optimum. What is trained "
             "already is not trained again.",
    .examples = "  regmix compare -C exp\n  regmix compare -C exp --set compare.against=prior --set compare.against=mine.yaml --set compare.seeds=5\n",
};

// ---- pretrain: one mixture

struct pretrain_args {
  char *mixture;
  int64_t seeds;
};

static rmx_status run_pretrain(cli *c, rmx_err *err) {
  const struct pretrain_args *args = c->own;
  rmx_experiment e;
  RMX_TRY(open_experiment(c, NULL, true, &e, err));
  const char *name = args->mixture ? args->mixture : "optimum";
  // A file of the user's is named as seen from here, not from the experiment.
  char *absolute = args->mixture && rmx_exists(args->mixture) ? realpath(args->mixture, NULL) : NULL;
  if (absolute) name = absolute;
  struct comparison k;
  rmx_status status = begin_comparison(&k, &e, &name, 1, (size_t)args->seeds, false, err);
  if (status == RMX_OK) status = train_runs(c, &e, k.corpus, k.runs, k.seeds, "pretrain", err);
  if (status == RMX_OK) status = read_results(&k, err);
  for (size_t s = 0; status == RMX_OK && !c->common.json && s < k.seeds; s++) {
    printf("%s\n", k.runs[s].folder);
    for (size_t d = 0; d < k.corpus->D; d++)
      printf("  %-24s %8.4f nats per token\n", k.corpus->names[d], k.loss[s * k.corpus->D + d]);
  }
  if (status == RMX_OK && c->common.json) cli_print_json(row_tree(&k, 0));
  release_comparison(&k);
  free(absolute);
  rmx_experiment_release(&e);
  return status;
}

#define AT(member) offsetof(struct pretrain_args, member)
static const rmx_option pretrain_options[] = {
    {"mixture", RMX_TEXT, AT(mixture), NULL, 0, 0, "NAME|FILE", "prior, uniform, best_single, best_run, single:DOMAIN or a file; default: the optimum"},
    {"seeds", RMX_INT, AT(seeds), "1", 1, 1000, "N", "models to train"},
};
const cli_command cli_pretrain = {
    .name = "pretrain", .words = "", .run = run_pretrain,
    .options = pretrain_options, .n_options = sizeof pretrain_options / sizeof *pretrain_options, .own_size = sizeof(struct pretrain_args),
    .summary = "train the large model on the optimum, or on a mixture of yours",
    .about = "Trains with the settings of section `large`; the model is left in large/<name>/<seed>/model.bin. `compare` uses what is "
             "there already.",
    .examples = "  regmix pretrain -C exp\n  regmix pretrain -C exp --mixture mine.yaml --set large.tokens=20M\n",
};
