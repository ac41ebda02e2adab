// SPDX-License-Identifier: Apache-2.0
// regmix compare --methods: each method trains what it needs to choose the data; then the same
// larger model is trained on each choice, with the same tokens and paired seeds.
// compare/<method>.yaml is the mixture, compare/methods.json the result.
#include <math.h>
#include <regmix/baselines.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

// One method of the list: a baseline of the library, or a mixture with a name.
typedef struct entry {
  const char *name;
  const rmx_baseline *method;  // NULL: a mixture
  rmx_baseline_result result;
  bool failed;  // its search diverged, so there is no large model
  char why[sizeof((rmx_err *)0)->message];
} entry;

struct methods {
  rmx_pipeline *p;
  const rmx_experiment *e;
  comparison k;
  entry *entries;  // (k.n)
  rmx_run *swarm;
  size_t swarm_n;
  double *cap;
  rmx_comparison comparison;
  char *folder;
};

static bool is_mixture(const char *name) {
  return strcmp(name, "optimum") == 0 || strncmp(name, "best_", 5) == 0 || strpbrk(name, ":/.");
}

static rmx_status train_for_method(void *context, const rmx_run *runs, size_t n, const char *what,
                                   rmx_err *err) {
  const struct methods *m = context;
  size_t failed;
  RMX_TRY(rmx__train_runs(m->p, m->k.corpus, runs, n, what, &failed, err));
  return rmx__are_still_ours(runs, n, failed, err);
}

// ---- the budget of each

static rmx_status parse_budget(const char *text, double *out, bool *tokens, rmx_err *err) {
  const size_t n = strlen(text);
  *tokens = n > 6 && strcmp(text + n - 6, "tokens") == 0;
  char *number = rmx_format("%.*s", (int)(*tokens ? n - 6 : n), text);
  rmx_status status =
      number
          ? rmx_parse_real(number, "compare.budget (FLOPs, or tokens such as 20Mtokens)", out, err)
          : rmx_fail_memory(err, 0, "a number");
  free(number);
  if (status == RMX_OK && !(*out > 0))
    status = rmx_fail(err, RMX_EINPUT, "compare.budget: %s is too small; wanted more than 0", text);
  return status;
}

// "1e15" FLOPs, or "20Mtokens" of the proxy; NULL: the cost of the swarm, trained or not.
static rmx_status budget_of(const struct methods *m, double *out, rmx_err *err) {
  const rmx_config *o = &m->p->experiment.config;
  rmx_model_config model;
  RMX_TRY(rmx_training_model(&o->proxy, m->k.corpus->vocab, &model, err));
  const double flop = rmx_model_flop_per_token(&model, (int)o->proxy.context);
  if (!o->compare.budget) {
    double valid = 0;
    for (size_t d = 0; d < m->k.corpus->D; d++)
      valid += (double)rmx_evaluate_tokens(m->k.corpus, d, o->proxy.eval_tokens);
    const double tokens =
        (double)(rmx_training_steps(&o->proxy) * rmx_training_batch(&o->proxy) * o->proxy.context);
    *out = (double)o->sample.runs * flop *
           (tokens + (o->proxy.eval_half ? 2 : 1) * valid / RMX_FORWARD_PASSES);
    return RMX_OK;
  }
  bool tokens;
  RMX_TRY(parse_budget(o->compare.budget, out, &tokens, err));
  if (tokens) *out *= flop;
  return RMX_OK;
}

static rmx_status make_comparison(struct methods *m, const rmx_kernels *kernels, rmx_err *err) {
  const rmx_config *o = &m->p->experiment.config;
  m->cap = rmx_calloc(m->k.corpus->D_train, sizeof *m->cap);
  m->folder = rmx_experiment_path(&m->p->experiment, "compare");
  if (!m->cap || !m->folder) return rmx_fail_memory(err, 0, "a comparison");
  RMX_TRY(rmx_weight_caps(&m->p->experiment, m->k.corpus, m->cap, err));
  m->comparison = (rmx_comparison){
      .folder = m->folder,
      .experiment = m->p->experiment.folder,
      .corpus = m->k.corpus,
      .kernels = kernels,
      .target = m->k.weight,
      .cap = m->cap,
      .proxy = &o->proxy,
      .large = &o->large,
      .swarm = m->swarm,
      .swarm_n = m->swarm_n,
      .sample = &o->sample,
      .regress = &o->regress,
      .optimize = &o->search.how,
      .options = &o->baselines,
      .seed = (uint64_t)o->general.seed,
      .threads = rmx_worker_jobs(&m->p->experiment),
      .train = train_for_method,
      .context = m,
      .listener = &m->p->listener,
  };
  return budget_of(m, &m->comparison.budget, err);
}

// ---- names

// Splits "a,b" at the commas, for one list.
static rmx_status split_names(const rmx_strings *from, rmx_strings *out, rmx_err *err) {
  for (size_t i = 0; i < from->n; i++)
    for (const char *at = from->items[i]; *at;) {
      const size_t n = strcspn(at, ",");
      char *name = rmx_format("%.*s", (int)n, at);
      const bool good = name && (!*name || rmx_strings_add(out, name));
      free(name);
      if (!good) return rmx_fail_memory(err, 0, "names");
      at += n + (at[n] == ',');
    }
  for (size_t i = 0; i < out->n; i++)
    for (size_t j = 0; j < i; j++)
      if (strcmp(out->items[i], out->items[j]) == 0)
        return rmx_fail(err, RMX_EINPUT, "compare.methods: \"%s\" is given twice", out->items[i]);
  if (from->n > 0 && out->n == 0)
    return rmx_fail(err, RMX_EINPUT,
                    "compare.methods: no method is named; give names such as regmix,prior");
  return RMX_OK;
}

static rmx_status find_ways(struct methods *m, const rmx_strings *names, rmx_err *err) {
  for (size_t i = 0; i < names->n; i++) {
    m->entries[i].name = names->items[i];
    if (!is_mixture(names->items[i]))
      RMX_TRY(rmx_baseline_find(names->items[i], &m->entries[i].method, err));
  }
  return RMX_OK;
}

rmx_status rmx_methods_check(rmx_pipeline *p, bool typed, bool budget_typed, rmx_err *err) {
  const rmx_compare_options *o = &p->experiment.config.compare;
  rmx_strings names = {0};
  rmx_status status = split_names(&o->methods, &names, err);
  const rmx_baseline *method;
  for (size_t i = 0; status == RMX_OK && i < names.n; i++)
    if (!is_mixture(names.items[i])) status = rmx_baseline_find(names.items[i], &method, err);
  rmx_strings_release(&names);
  if (status != RMX_OK) return rmx_refused(typed || rmx__was_set(p, "compare.methods"), err);
  double budget;
  bool tokens;
  if (o->budget && parse_budget(o->budget, &budget, &tokens, err) != RMX_OK)
    return rmx_refused(budget_typed || rmx__was_set(p, "compare.budget"), err);
  return RMX_OK;
}

static bool any_needs_swarm(const struct methods *m) {
  for (size_t i = 0; i < m->k.n; i++)
    if (m->entries[i].method && m->entries[i].method->needs_swarm) return true;
  return false;
}

// ---- the search of each

static rmx_status check_all(const struct methods *m, rmx_err *err) {
  for (size_t i = 0; i < m->k.n; i++)
    if (m->entries[i].method && m->entries[i].method->check)
      RMX_TRY(m->entries[i].method->check(&m->comparison, err));
  return RMX_OK;
}

static rmx_status write_mixture(const struct methods *m, const entry *x, const double *w,
                                rmx_err *err) {
  RMX_OWNED char *file = rmx_format("%s.yaml", x->name),
                 *path = file ? rmx_path_in(m->folder, file) : NULL;
  json_auto_t *tree = json_object();
  json_object_set_new(tree, "mixture",
                      rmx_mixture_json(w, m->k.corpus->names, m->k.corpus->D_train));
  json_object_set_new(tree, "made_by", rmx__made_by(&m->p->experiment, m->k.corpus));
  rmx__json_seal(tree);
  RMX_TRY(path ? rmx_mkdirs(m->folder, err) : rmx_fail_memory(err, 0, "a path"));
  return rmx__yaml_write(path, tree,
                         "The mixture that a method of `regmix compare` found: the share of "
                         "the training tokens from each domain.",
                         err);
}

static rmx_status search_one(struct methods *m, size_t i, rmx_err *err) {
  entry *x = &m->entries[i];
  contender *who = &m->k.contenders[i];
  if (!x->method) return rmx__contender_named(&m->k, x->name, who, err);
  snprintf(who->name, sizeof who->name, "%s", x->name);
  rmx_note(&m->p->listener, "compare: method %zu of %zu, %s", i + 1, m->k.n, x->name);
  rmx_part(&m->p->listener, "method", i + 1, m->k.n);
  rmx_status status = x->method->find(&m->comparison, &x->result, err);
  if (status == RMX_ENUMERIC) {  // its row reports that
    x->failed = who->failed = true;
    snprintf(x->why, sizeof x->why, "%s", err->message);
    rmx_warn(&m->p->listener, "%s: %s", x->name, err->message);
    who->mixture = rmx_calloc(m->k.corpus->D_train, sizeof(double));
    if (!who->mixture) return rmx_fail_memory(err, 0, "a mixture");
    memcpy(who->mixture, m->k.corpus->prior, m->k.corpus->D_train * sizeof(double));
    return RMX_OK;
  }
  if (status != RMX_OK) return rmx_fail_in(err, "%s", x->name);
  who->mixture = x->result.mixture;
  who->controller = json_incref(x->result.controller);
  x->result.mixture = NULL;
  if (!x->result.experiment) return RMX_OK;
  if (!(who->experiment = rmx_strdup(x->result.experiment)))
    return rmx_fail_memory(err, 0, "a path");
  return rmx_corpus_open(who->experiment, &who->corpus, err);
}

// ---- the result

// The mixture that a method used if it chooses during training: the mean of the seeds' shares of
// tokens.
static void drawn_mixture(const struct methods *m, size_t i, double *w, double *control_flops) {
  const size_t D = m->k.corpus->D_train, S = m->k.seeds;
  double sum = 0;
  memset(w, 0, D * sizeof *w);
  *control_flops = 0;
  for (size_t s = 0; s < S; s++) {
    json_auto_t *result = NULL;
    rmx_run_look(&m->k.runs[i * S + s], &result);
    for (size_t d = 0; d < D; d++) {
      const double tokens = json_number_value(
          json_object_get(json_object_get(result, "tokens_by_domain"), m->k.corpus->names[d]));
      w[d] += tokens;
      sum += tokens;
    }
    *control_flops += json_number_value(json_object_get(result, "steering_flops")) / (double)S;
  }
  for (size_t d = 0; d < D; d++) w[d] = sum > 0 ? w[d] / sum : m->k.contenders[i].mixture[d];
}

// The track of the mixture: the lines of a training log that contain a mixture.
static json_t *logged_track(const rmx_run *r) {
  RMX_OWNED char *path = rmx_path_in(r->folder, "log.jsonl"), *text = NULL;
  size_t size;
  rmx_err ignored;
  json_t *track = json_array();
  if (path && rmx_read_file(path, &text, &size, &ignored) == RMX_OK) {
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
      json_auto_t *o = json_loads(line, 0, NULL);
      if (json_object_get(o, "mixture"))
        json_array_append_new(track, json_pack("{s:O, s:O}", "tokens", json_object_get(o, "tokens"),
                                               "mixture", json_object_get(o, "mixture")));
    }
  }
  return track;
}

static json_t *converged_json(rmx_converged x) {
  return x == RMX_NO_ROUNDS ? json_null() : json_boolean(x == RMX_CONVERGED);
}

static json_t *method_tree(const struct methods *m, size_t i, double *w) {
  const entry *x = &m->entries[i];
  const comparison *k = &m->k;
  const size_t S = k->seeds;
  double control = 0;
  size_t done = 0;
  memcpy(w, k->contenders[i].mixture, k->corpus->D_train * sizeof *w);
  if (k->contenders[i].controller && !x->failed) drawn_mixture(m, i, w, &control);
  for (size_t s = 0; s < S; s++) done += isfinite(k->target[i * S + s]) && !x->failed;
  json_t *o = json_object();
  json_object_set_new(
      o, "weights",
      x->failed ? json_null() : rmx_mixture_json(w, k->corpus->names, k->corpus->D_train));
  json_object_set_new(o, "target_loss",
                      rmx__mean_and_error(&k->target[i * S], x->failed ? 0 : S, 1, true));
  json_t *by_seed = json_array();
  for (size_t s = 0; s < S; s++) {
    const double loss = x->failed ? NAN : k->target[i * S + s];
    json_array_append_new(by_seed, rmx__json_known(loss));
  }
  json_object_set_new(o, "target_loss_by_seed", by_seed);
  json_object_set_new(o, "search_flops", json_real(x->result.flops + control));
  json_object_set_new(o, "converged", converged_json(x->result.converged));
  json_object_set_new(o, "status",
                      json_string(x->failed   ? "search diverged"
                                  : done == S ? "done"
                                              : "diverged"));
  if (x->failed) json_object_set_new(o, "why", json_string(x->why));
  json_object_set_new(o, "against_first",
                      x->failed ? json_null() : rmx__comparison_against(k, i, 0));
  if (!x->failed) json_object_set_new(o, "loss_nats", rmx__comparison_losses(k, i));
  json_object_set_new(o, "search_wall_s", json_real(x->result.wall_s));
  json_object_set_new(o, "large_flops", rmx__json_known(k->flops[i]));
  if (x->method) json_object_set_new(o, "sees_target", json_boolean(x->method->sees_target));
  json_object_set_new(o, "chooses_while_training",
                      json_boolean(k->contenders[i].controller != NULL));
  json_t *notes = x->result.notes ? json_incref(x->result.notes) : json_object();
  if (k->contenders[i].controller && !x->failed && !json_object_get(notes, "track")) {
    json_auto_t *track = logged_track(&k->runs[i * S]);
    if (json_array_size(track)) json_object_set(notes, "track", track);
  }
  json_object_set_new(o, "notes", notes);
  if (k->contenders[i].same != i)
    json_object_set_new(o, "same_as", json_string(k->contenders[k->contenders[i].same].name));
  return o;
}

static rmx_status write_result(struct methods *m, rmx_err *err) {
  json_auto_t *root = json_object();
  json_t *list = json_object(), *order = json_array();
  json_object_set_new(root, "methods", list);
  json_object_set_new(root, "order", order);
  RMX_OWNED double *w = rmx_calloc(m->k.corpus->D_train, sizeof *w);
  if (!w) return rmx_fail_memory(err, 0, "a mixture");
  for (size_t i = 0; i < m->k.n; i++) {
    json_object_set_new(list, m->k.contenders[i].name, method_tree(m, i, w));
    json_array_append_new(order, json_string(m->k.contenders[i].name));
    if (!m->entries[i].failed && m->entries[i].method)
      RMX_TRY(write_mixture(m, &m->entries[i], w, err));
  }
  json_object_set_new(root, "target", rmx__comparison_target(&m->k));
  json_object_set_new(root, "budget_flops", json_real(m->comparison.budget));
  json_object_set_new(root, "seeds", json_integer((json_int_t)m->k.seeds));
  json_object_set_new(root, "tokens", json_integer(m->p->experiment.config.large.tokens));
  json_object_set_new(root, "made_by", rmx__made_by(&m->p->experiment, m->k.corpus));
  rmx__json_seal(root);
  RMX_OWNED char *path = rmx_path_in(m->folder, "methods.json");
  RMX_TRY(path ? rmx_mkdirs(m->folder, err) : rmx_fail_memory(err, 0, "a path"));
  RMX_TRY(rmx__json_write(path, root, err));
  return rmx__left_tree(m->p, "compare/methods.json", root, err);
}

// ---- in order

static rmx_status train_large(struct methods *m, rmx_err *err) {
  RMX_OWNED rmx_run *runs = NULL;
  size_t n, failed;
  RMX_TRY(rmx__comparison_models(&m->k, &m->p->listener, &runs, &n, err));
  RMX_TRY(rmx__train_runs(m->p, m->k.corpus, runs, n, "compare", &failed, err));
  RMX_TRY(rmx__comparison_read(&m->k, err));
  return rmx__are_still_ours(runs, n, failed, err);
}

// A dry run: the swarm's mixtures and proxies are what finished runs depend on.
static rmx_status report_methods(struct methods *m, rmx_err *err) {
  if (any_needs_swarm(m)) {
    RMX_TRY(rmx__step_sample(m->p, err));
    if (!rmx__is_pending(m->p)) RMX_TRY(rmx__train_proxies(m->p, err));
  }
  rmx__would(m->p, "methods", true, "would train what the methods lack");
  return RMX_OK;
}

static rmx_status compare_methods(struct methods *m, rmx_err *err) {
  const rmx_kernels *kernels;
  RMX_TRY(rmx_kernels_get(m->p->experiment.config.general.isa, &kernels, err));
  const bool swarm = any_needs_swarm(m);
  if (swarm) {
    RMX_TRY(rmx__step_sample(m->p, err));
    RMX_TRY(rmx_proxy_runs(&m->p->experiment, m->k.corpus, &m->swarm, &m->swarm_n, err));
  }
  RMX_TRY(make_comparison(m, kernels, err));
  RMX_TRY(check_all(m, err));
  if (swarm) RMX_TRY(rmx__train_proxies(m->p, err));
  for (size_t i = 0; i < m->k.n; i++) RMX_TRY(search_one(m, i, err));
  rmx_part(&m->p->listener, "method", 0, 0);
  RMX_TRY(rmx__comparison_runs(&m->k, err));
  RMX_TRY(train_large(m, err));
  return write_result(m, err);
}

rmx_status rmx__step_methods(rmx_pipeline *p, rmx_err *err) {
  if (p->experiment.config.compare.methods.n == 0) return RMX_OK;
  struct methods m = {.p = p};
  rmx_strings names = {0};
  RMX_TRY(rmx__comparison_typed_target(p, err));
  rmx_status status = split_names(&p->experiment.config.compare.methods, &names, err);
  if (status == RMX_OK)
    status = rmx__comparison_begin(&m.k, &p->experiment, names.n,
                                   (size_t)p->experiment.config.compare.seeds, true, err);
  for (size_t k = 0; k < m.k.others.n && status == RMX_OK; k++)
    if (m.k.weight[m.k.corpus->D + k] != 0)
      status = rmx_fail(err, RMX_EINPUT,
                        "compare.methods: the methods lower losses of domains, and the target has "
                        "the score \"%s\"; give a domain as the target, or compare without them",
                        m.k.others.items[k]);
  if (status == RMX_OK && !(m.entries = rmx_calloc(names.n, sizeof *m.entries)))
    status = rmx_fail_memory(err, 0, "the methods");
  if (status == RMX_OK) status = find_ways(&m, &names, err);
  if (status == RMX_OK) status = p->would ? report_methods(&m, err) : compare_methods(&m, err);
  for (size_t i = 0; m.entries && i < names.n; i++)
    rmx_baseline_result_release(&m.entries[i].result);
  rmx__comparison_release(&m.k);
  rmx_runs_release(m.swarm, m.swarm_n);
  rmx_strings_release(&names);
  free(m.entries), free(m.cap), free(m.folder);
  return status;
}
