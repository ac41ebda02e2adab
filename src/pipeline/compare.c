// SPDX-License-Identifier: Apache-2.0
// regmix pretrain and regmix compare: train the large model on the optimum and on other mixtures,
// with the same tokens and seeds. A mixture with a name is a contender; each of its seeds is a run.
#include <math.h>
#include <regmix/baselines.h>
#include <regmix/optimize.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/path.h"
#include "optimize/problem.h"
#include "outdated.h"
#include "regress/fit.h"
#include "steps.h"

// A mixture file, which may have phases, whose mean w (D_train) then is.
static rmx_status mixture_of(const char *path, const rmx_corpus *corpus, double *w,
                             rmx_phases *phases, rmx_err *err) {
  RMX_TRY(rmx__phases_read(path, corpus->names, corpus->D_train, phases, err));
  if (phases->n == 0) return rmx_mixture_read(path, corpus->names, corpus->D_train, w, err);
  rmx_phases_mean(phases, w);
  return RMX_OK;
}

static rmx_status optimum_of(const rmx_experiment *e, const rmx_corpus *corpus, double *w,
                             rmx_phases *phases, rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(e, "optimum.yaml");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx_exists(path)
              ? rmx__optimum_is_whole(path, err)
              : rmx_fail(err, RMX_EINPUT, "no %s yet; `regmix optimize` writes it", path));
  return mixture_of(path, corpus, w, phases, err);
}

rmx_status rmx_optimum_read(const rmx_experiment *e, const rmx_corpus *corpus, double *w,
                            rmx_err *err) {
  RMX_OWNED_BY(rmx_phases_release) rmx_phases phases = {0};
  return optimum_of(e, corpus, w, &phases, err);
}

// ---- the contenders

// The same for a fit with phases: the domain is all of each phase. *d in c->domains.
static rmx_status best_of_phases(const rmx_fit *f, const rmx_target *t, const rmx_phase_columns *c,
                                 size_t *d, rmx_err *err) {
  const size_t n = c->n_domains;
  RMX_OWNED double *X = rmx_calloc(n * f->D, sizeof *X), *y = rmx_calloc(n * f->M, sizeof *y),
                   *score = rmx_calloc(n, sizeof *score);
  if (!X || !y || !score) return rmx_fail_memory(err, n * f->D * sizeof *X, "mixtures");
  for (size_t j = 0; j < f->D; j++) X[c->index[j] * f->D + j] = f->phase_share[c->of[j]];
  rmx__plain_scores(f, t, X, n, y, score);
  *d = 0;
  for (size_t i = 1; i < n; i++)
    if (score[i] < score[*d]) *d = i;
  return RMX_OK;
}

static rmx_status best_domain(const rmx_fit *f, const rmx_target *t, char *name, size_t size,
                              rmx_err *err) {
  RMX_OWNED_BY(rmx_phase_columns_release) rmx_phase_columns c = {0};
  size_t d;
  RMX_TRY(rmx_phase_columns_find((const char *const *)f->domains, f->D, &c, err));
  RMX_TRY(c.n ? best_of_phases(f, t, &c, &d, err) : rmx_target_best_domain(f, t, &d, err));
  snprintf(name, size, "%s", c.n ? c.domains[d] : f->domains[d]);
  return RMX_OK;
}

// The domain with the best predicted target when all tokens come from it.
static rmx_status best_single(const comparison *c, double *mixture, contender *out, rmx_err *err) {
  rmx_fit *f = NULL;
  rmx_target target = {0};
  size_t k;
  char *folder = rmx_experiment_path(c->e, "fit");
  rmx_status status = folder ? rmx_fit_read(folder, &f, err) : rmx_fail_memory(err, 0, "a path");
  free(folder);
  if (status == RMX_OK) status = rmx__fit_for(c->e, f, NULL, c->corpus, err);
  if (status == RMX_OK) status = rmx_target_make(f, &target, err);
  if (status == RMX_OK)
    status = rmx__target_of_config(&c->e->config, &c->e->config.search.problem.metric_group, f,
                                   &target, NULL, err);
  if (status == RMX_OK) status = best_domain(f, &target, out->detail, sizeof out->detail, err);
  if (status == RMX_OK) {
    snprintf(out->detail_key, sizeof out->detail_key, "domain");
    status = rmx_find_name("domain", out->detail, c->corpus->names, c->corpus->D_train, &k, err);
  }
  if (status == RMX_OK) mixture[k] = 1;
  rmx_target_release(&target);
  rmx_fit_free(f);
  return status;
}

// The run of the swarm whose measured target was best.
static rmx_status best_run(const comparison *c, double *mixture, contender *out, rmx_err *err) {
  rmx_run *runs;
  size_t n, which = 0;
  RMX_TRY(rmx_proxy_runs(c->e, c->corpus, &runs, &n, err));
  double best = INFINITY;
  RMX_OWNED_BY(rmx_strings_release) rmx_strings names = {0};
  RMX_OWNED json_t **scores = rmx_calloc(n, sizeof *scores);
  rmx_status status = scores ? rmx__task_metrics(c->e, runs, n, &names, scores, err)
                             : rmx_fail_memory(err, n * sizeof *scores, "scores");
  for (size_t i = 0; i < n && status == RMX_OK; i++) {
    json_auto_t *result = NULL;
    const double target = rmx_run_look(&runs[i], &result) == RMX_RUN_DONE
                              ? rmx__target_of(c, result, scores[i])
                              : NAN;
    if (target < best) {
      best = target;
      which = i;
    }
  }
  for (size_t i = 0; i < n && scores; i++) json_decref(scores[i]);
  if (status == RMX_OK && !isfinite(best))
    status = rmx_fail(err, RMX_EINPUT, "no run has finished yet; `regmix train` trains the runs");
  if (status == RMX_OK) {
    memcpy(mixture, runs[which].mixture, c->corpus->D_train * sizeof *mixture);
    snprintf(out->detail_key, sizeof out->detail_key, "run");
    snprintf(out->detail, sizeof out->detail, "%s", runs[which].name);
    status = rmx_phases_copy(&runs[which].phases, &out->phases, err);
  }
  rmx_runs_release(runs, n);
  return status;
}

// A file's name without folder and ending names the contender, whose models have a folder of that
// name. A file of the user's own may not take that of a mixture of the experiment.
static void name_of_file(const rmx_experiment *e, const char *name, const char *path,
                         contender *out) {
  static const char *const taken[] = {"optimum", "prior", "uniform", "best_single", "best_run"};
  RMX_OWNED char *optimum = rmx_experiment_path(e, "optimum.yaml"),
                 *found = rmx_experiment_path(e, "compare"), *folder = rmx_strdup(path ? path : "");
  struct stat info;
  snprintf(out->name, sizeof out->name, "%s", rmx__file_name(name));
  char *dot = strrchr(out->name, '.');
  if (dot && dot != out->name) *dot = '\0';
  bool is_taken = strncmp(out->name, "single-", 7) == 0;
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
    is_taken = is_taken || strcmp(out->name, taken[i]) == 0;
  char *slash = folder ? strrchr(folder, '/') : NULL;
  if (slash) *slash = '\0';
  if (!is_taken || !path || !optimum || !found || rmx__same_file(path, optimum, &info)) return;
  if (slash && rmx__same_file(folder, found, &info)) return;  // what `compare --methods` found
  const size_t n = strlen(out->name);
  snprintf(out->name + n, sizeof out->name - n, "-file");
}

rmx_status rmx__contender_named(const comparison *c, const char *name, contender *out,
                                rmx_err *err) {
  size_t D = c->corpus->D_train, k;
  snprintf(out->name, sizeof out->name, "%s", name);
  if (!(out->mixture = rmx_calloc(D, sizeof(double)))) return rmx_fail_memory(err, 0, "a mixture");
  if (strcmp(name, "optimum") == 0)
    return optimum_of(c->e, c->corpus, out->mixture, &out->phases, err);
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
      return rmx_refused(true, err);
    out->mixture[k] = 1;
    snprintf(out->name, sizeof out->name, "single-%s", c->corpus->names[k]);
    return RMX_OK;
  }
  RMX_OWNED char *path = rmx_path_in(c->e->folder, name);
  name_of_file(c->e, name, path, out);
  // a file that is missing is no misuse, as in any option
  const bool is_path = strchr(name, '/') || strrchr(name, '.');
  return !path              ? rmx_fail_memory(err, 0, "a path")
         : rmx_exists(path) ? mixture_of(path, c->corpus, out->mixture, &out->phases, err)
                            : rmx_fail(err, is_path ? RMX_EINPUT : RMX_EUSAGE,
                                       "\"%s\" is not a file; wanted prior, uniform, best_single, "
                                       "best_run, single:DOMAIN or a mixture file",
                                       name);
}

// The number of seeds of contender i whose models have losses.
static size_t measured(const comparison *c, size_t i) {
  const size_t D = c->corpus->D;
  size_t n = 0;
  for (size_t s = 0; s < c->seeds; s++) {
    bool any = false;
    for (size_t d = 0; d < D; d++) any |= isfinite(c->loss[(i * c->seeds + s) * D + d]);
    n += any;
  }
  return n;
}

static json_t *row_tree(const comparison *c, size_t i) {
  const size_t S = c->seeds;
  const contender *who = &c->contenders[i];
  json_t *row = json_object();
  json_object_set_new(row, "name", json_string(who->name));
  if (who->same != i)
    json_object_set_new(row, "same_as", json_string(c->contenders[who->same].name));
  if (*who->detail_key) json_object_set_new(row, who->detail_key, json_string(who->detail));
  json_object_set_new(row, "mixture",
                      rmx_mixture_json(who->mixture, c->corpus->names, c->corpus->D_train));
  json_object_set_new(row, "n", json_integer((json_int_t)measured(c, i)));
  json_object_set_new(row, "target_loss", rmx__mean_and_error(&c->target[i * S], S, 1, false));
  json_object_set_new(row, "against_optimum", rmx__comparison_against(c, i, 0));
  json_object_set_new(row, "loss_nats", rmx__comparison_losses(c, i));
  if (c->scores.n) json_object_set_new(row, "scores", rmx__comparison_scores(c, i));
  json_object_set_new(row, "flops", rmx__json_known(c->flops[i]));
  return row;
}

static json_t *comparison_tree(const comparison *c) {
  json_t *root = json_object(), *seeds = json_array(), *rows = json_array();
  for (size_t s = 0; s < c->seeds; s++)
    json_array_append_new(seeds, json_integer(c->e->config.compare.first_seed + (json_int_t)s));
  for (size_t i = 0; i < c->n; i++) json_array_append_new(rows, row_tree(c, i));
  json_object_set_new(root, "target", rmx__comparison_target(c));
  json_object_set_new(root, "seeds", seeds);
  json_object_set_new(root, "tokens", json_integer(c->e->config.large.tokens));
  json_object_set_new(root, "rows", rows);
  json_object_set_new(root, "made_by", rmx__made_by(c->e, c->corpus));
  rmx__json_seal(root);
  return root;
}

// Opens the corpus and lists the contenders by name.
static rmx_status begin_named(comparison *c, const rmx_experiment *e, const char *const *names,
                              size_t n, size_t seeds, bool with_target, rmx_err *err) {
  RMX_TRY(rmx__comparison_begin(c, e, n, seeds, with_target, err));
  for (size_t i = 0; i < n; i++) {
    RMX_TRY(rmx__contender_named(c, names[i], &c->contenders[i], err));
    for (size_t j = 0; j < i; j++)
      if (strcmp(c->contenders[j].name, c->contenders[i].name) == 0)
        return rmx_fail(err, RMX_EUSAGE, "compare.against: \"%s\" is given twice",
                        c->contenders[i].name);
  }
  return rmx__comparison_runs(c, err);
}

// The optimum and what it is compared with.
static rmx_status begin(comparison *c, const rmx_experiment *e, rmx_err *err) {
  const rmx_strings *against = &e->config.compare.against;
  RMX_OWNED const char **names = rmx_calloc(against->n + 1, sizeof *names);
  *c = (comparison){0};
  if (!names) return rmx_fail_memory(err, 0, "names");
  names[0] = "optimum";
  for (size_t i = 0; i < against->n; i++) names[i + 1] = against->items[i];
  return begin_named(c, e, names, against->n + 1, (size_t)e->config.compare.seeds, true, err);
}

void rmx__comparison_outdated(const rmx_experiment *e, rmx_buf *why) {
  RMX_OWNED_BY(rmx__comparison_release) comparison k = {0};
  json_auto_t *had = NULL, *target = NULL;
  rmx_err ignored;
  if (rmx__experiment_read(e, "large/comparison.json", &had, &ignored) != RMX_OK ||
      begin(&k, e, &ignored) != RMX_OK)
    return;
  const size_t left = rmx__count_open(k.runs, k.n * k.seeds);
  target = rmx__comparison_target(&k);
  if (left)
    rmx_buf_printf(why, "%zu of %zu models of the present settings are not trained", left,
                   k.n * k.seeds);
  else if (!json_equal(target, json_object_get(had, "target")))
    rmx_buf_puts(why, "changed: target");
}

// Trains the runs (n) of the comparison, and reads what came of them.
static rmx_status train_and_read(rmx_pipeline *p, comparison *k, const rmx_run *runs, size_t n,
                                 const char *what, rmx_err *err) {
  size_t failed;
  RMX_TRY(rmx__train_runs(p, k->corpus, runs, n, what, &failed, err));
  if (p->would) return RMX_OK;
  RMX_TRY(rmx__score_runs(p, runs, n, what, err));
  RMX_TRY(rmx__comparison_read(k, err));
  return rmx__are_still_ours(runs, n, failed, err);
}

rmx_status rmx__step_compare(rmx_pipeline *p, rmx_err *err) {
  static const char name[] = "large/comparison.json";
  RMX_OWNED_BY(rmx__comparison_release) comparison k = {0};
  RMX_OWNED rmx_run *runs = NULL;
  size_t n;
  RMX_TRY(rmx__comparison_typed_target(p, err));
  if (begin(&k, &p->experiment, err) != RMX_OK)
    return rmx_from_file(!rmx__was_set(p, "compare.against"), err);
  RMX_TRY(rmx_pipeline_unchanged(p, err));  // the optimum that was just read
  RMX_TRY(rmx__comparison_models(&k, &p->listener, &runs, &n, err));
  RMX_TRY(train_and_read(p, &k, runs, n, "compare", err));
  if (p->would) return RMX_OK;
  json_auto_t *tree = comparison_tree(&k);
  RMX_TRY(rmx__experiment_write(&p->experiment, name, json_incref(tree), err));
  return rmx__left_tree(p, name, tree, err);
}

rmx_status rmx_pipeline_init(rmx_pipeline *p, const char *path, rmx_err *err) {
  rmx_training *large = &p->experiment.config.large;
  char *own = rmx_strdup(path);
  if (!own) return rmx_fail_memory(err, 0, "a path");
  free(large->init);
  large->init = own;
  return rmx_training_find_init(large, ".", err);
}

rmx_status rmx_pipeline_pretrain(rmx_pipeline *p, const char *mixture, size_t seeds, json_t **row,
                                 rmx_strings *folders, rmx_err *err) {
  const char *name = mixture ? mixture : "optimum";
  // The path of a user's file is relative to the current folder, not to the experiment.
  RMX_OWNED char *absolute = mixture && rmx_exists(mixture) ? rmx_realpath(mixture) : NULL;
  if (absolute) name = absolute;
  if (absolute) rmx__optimum_warn(mixture, &p->listener);
  RMX_OWNED_BY(rmx__comparison_release) comparison k = {0};
  const bool needs_target = strcmp(name, "best_run") == 0;
  if (needs_target) RMX_TRY(rmx__comparison_typed_target(p, err));
  RMX_TRY(begin_named(&k, &p->experiment, &name, 1, seeds, needs_target, err));
  RMX_TRY(train_and_read(p, &k, k.runs, seeds, "pretrain", err));
  if (!p->would) *row = row_tree(&k, 0);
  for (size_t s = 0; !p->would && s < seeds; s++)
    if (!rmx_strings_add(folders, k.runs[s].folder)) return rmx_fail_memory(err, 0, "a path");
  return RMX_OK;
}
