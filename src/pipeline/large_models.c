// SPDX-License-Identifier: Apache-2.0
// A comparison: large models on several mixtures, with the same tokens and paired seeds. `compare`,
// its methods and `pretrain` share this file.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

static const double SAME_WEIGHT = 1e-9;  // by which weights may differ

static bool is_loss_of_domain(const rmx_corpus *corpus, const char *metric) {
  for (size_t d = 0; d < corpus->D; d++) {
    const size_t n = strlen(corpus->names[d]);
    if (strncmp(metric, corpus->names[d], n) == 0 && strcmp(metric + n, "_val_loss") == 0)
      return true;
  }
  return false;
}

// The metrics of the proxies that are not losses of domains.
static rmx_status find_others(const rmx_experiment *e, const rmx_corpus *corpus, rmx_strings *out,
                              rmx_err *err) {
  RMX_OWNED char *path = rmx_experiment_path(e, "metrics.csv");
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  if (!path) return rmx_fail_memory(err, 0, "a path");
  if (!rmx_exists(path)) return RMX_OK;
  RMX_TRY(rmx_csv_read(path, &t, err));
  for (size_t d = 0; d < t.D; d++)
    if (!is_loss_of_domain(corpus, t.names[d]) && !rmx_strings_add(out, t.names[d]))
      return rmx_fail_memory(err, 0, "names of metrics");
  return RMX_OK;
}

// A table without rows: the losses of the domains, then the others, as metrics.csv names them.
static rmx_status name_metrics(const comparison *c, rmx_table *t, rmx_err *err) {
  const rmx_corpus *corpus = c->corpus;
  RMX_TRY(rmx_table_make(t, "run", 0, corpus->D + c->others.n, err));
  for (size_t k = 0; k < t->D; k++) {
    t->names[k] = k < corpus->D ? rmx_format("%s_val_loss", corpus->names[k])
                                : rmx_strdup(c->others.items[k - corpus->D]);
    if (!t->names[k]) return rmx_fail_memory(err, 0, "names of metrics");
  }
  return RMX_OK;
}

// The weight of each metric in the target, negative where higher is better.
static rmx_status target_weights(comparison *c, rmx_err *err) {
  const rmx_experiment *e = c->e;
  RMX_OWNED_BY(rmx_table_release) rmx_table t = {0};
  if (e->config.n_target == 0)
    return rmx_fail(err, RMX_EINPUT, "no target in %s; add one, for example `target: %s`",
                    e->config_path, c->corpus->names[c->corpus->D - 1]);
  RMX_TRY(find_others(e, c->corpus, &c->others, err));
  RMX_TRY(name_metrics(c, &t, err));
  RMX_TRY(rmx__directions_in(e, &t, err));
  free(c->weight);
  c->weight = rmx_calloc(t.D, sizeof *c->weight);
  if (!c->weight) return rmx_fail_memory(err, t.D * sizeof *c->weight, "a target");
  RMX_TRY(rmx__target_weights(&e->config, &e->config.search.problem.metric_group,
                              (const char *const *)t.names, t.D, c->weight, NULL, err));
  for (size_t k = 0; k < t.D; k++)
    if (c->weight[k] != 0 && rmx__ask_direction_of(t.names[k], t.better[k], err) != RMX_OK)
      return rmx_from_file(true, err);
  for (size_t k = 0; k < t.D; k++)
    if (t.better[k] == RMX_BETTER_HIGH) c->weight[k] = -fabs(c->weight[k]);
  return RMX_OK;
}

rmx_status rmx__comparison_begin(comparison *c, const rmx_experiment *e, size_t n, size_t seeds,
                                 bool with_target, rmx_err *err) {
  *c = (comparison){.e = e, .seeds = seeds, .n = n};
  RMX_TRY(rmx_experiment_corpus(e, &c->corpus, err));
  c->weight = rmx_calloc(c->corpus->D, sizeof(double));
  c->contenders = rmx_calloc(n, sizeof *c->contenders);
  if (!c->weight || !c->contenders) return rmx_fail_memory(err, 0, "a comparison");
  return with_target ? target_weights(c, err) : RMX_OK;
}

rmx_status rmx__comparison_typed_target(rmx_pipeline *p, rmx_err *err) {
  comparison c;
  if (!rmx__was_set(p, "target") || !rmx__experiment_has(&p->experiment, "corpus/corpus.json"))
    return RMX_OK;
  const rmx_status status = rmx__comparison_begin(&c, &p->experiment, 1, 1, true, err);
  rmx__comparison_release(&c);
  return status == RMX_OK ? RMX_OK : rmx_refused(true, err);
}

static bool equal(const double *a, const double *b, size_t n) {
  size_t i = 0;
  while (i < n && fabs(a[i] - b[i]) <= SAME_WEIGHT) i++;
  return i == n;
}

// Whether both train the same models. A method that acts during the training, and one with a corpus
// of its own, is like no other.
static bool is_same(const comparison *c, const contender *a, const contender *b) {
  const rmx_phases *p = &a->phases, *q = &b->phases;
  return !a->failed && !b->failed && !a->controller && !b->controller && !a->corpus && !b->corpus &&
         equal(a->mixture, b->mixture, c->corpus->D_train) && p->n == q->n &&
         equal(p->share, q->share, p->n) && equal(p->mixture, q->mixture, p->n * p->D);
}

static void find_same(comparison *c) {
  for (size_t i = 0; i < c->n; i++) {
    size_t k = 0;
    while (k < i && !is_same(c, &c->contenders[i], &c->contenders[k])) k++;
    c->contenders[i].same = k;
  }
}

rmx_status rmx__comparison_models(const comparison *c, const rmx_listener *listener, rmx_run **runs,
                                  size_t *n, rmx_err *err) {
  *n = 0;
  if (!(*runs = rmx_calloc(c->n * c->seeds, sizeof **runs)))
    return rmx_fail_memory(err, 0, "the runs");
  for (size_t i = 0; i < c->n * c->seeds; i++) {
    const contender *who = &c->contenders[i / c->seeds];
    if (who->failed) continue;
    if (who->same == i / c->seeds)
      (*runs)[(*n)++] = c->runs[i];
    else if (i % c->seeds == 0)
      rmx_note(listener, "compare: %s is the same mixture as %s, so it is trained once", who->name,
               c->contenders[who->same].name);
  }
  return RMX_OK;
}

rmx_status rmx__comparison_runs(comparison *c, rmx_err *err) {
  c->runs = rmx_calloc(c->n * c->seeds, sizeof *c->runs);
  if (!c->runs) return rmx_fail_memory(err, 0, "the runs");
  find_same(c);
  for (size_t i = 0; i < c->n; i++)
    for (size_t s = 0; s < c->seeds; s++) {
      const contender *who = &c->contenders[c->contenders[i].same];
      const size_t seed = (size_t)c->e->config.compare.first_seed + s;
      char *name = rmx_format("%s-%zu", who->name, seed),
           *part = rmx_format("large/%s/%zu", who->name, seed);
      char *folder = part ? rmx_experiment_path(c->e, part) : NULL;
      rmx_status status = name && folder ? RMX_OK : rmx_fail_memory(err, 0, "a path");
      // The seeds are paired: run s of every contender has the same initial weights and data order.
      if (status == RMX_OK)
        status = rmx_run_make(
            &(rmx_run_request){.name = name,
                               .folder = folder,
                               .experiment = who->experiment ? who->experiment : c->e->folder,
                               .corpus = who->corpus ? who->corpus : c->corpus,
                               .mixture = who->mixture,
                               .phases = &who->phases,
                               .training = &c->e->config.large,
                               .seed = (uint64_t)c->e->config.general.seed + 999 + seed,
                               .keep_model = true},
            &c->runs[i * c->seeds + s], err);
      if (status == RMX_OK) c->runs[i * c->seeds + s].controller = json_incref(who->controller);
      free(name), free(part), free(folder);
      RMX_TRY(status);
    }
  return RMX_OK;
}

double rmx__other_metric(const json_t *result, const json_t *scores, const char *name) {
  const json_t *own = json_object_get(json_object_get(result, "metrics"), name);
  return json_is_number(own) ? json_number_value(own) : rmx__task_score(scores, name);
}

double rmx__target_of(const comparison *c, const json_t *result, const json_t *scores) {
  const size_t D = c->corpus->D;
  const json_t *nats = json_object_get(result, "loss_nats");
  double sum = 0;
  bool any = false;
  for (size_t k = 0; k < D + c->others.n; k++) {
    if (c->weight[k] == 0) continue;
    const json_t *x = k < D ? json_object_get(nats, c->corpus->names[k]) : NULL;
    const double value = k >= D ? rmx__other_metric(result, scores, c->others.items[k - D])
                         : json_is_number(x) ? json_number_value(x)
                                             : NAN;
    sum += c->weight[k] * value;
    any = true;
  }
  return any ? sum : NAN;
}

// Scores.json of each run, and the scores as numbers.
static rmx_status read_scores(comparison *c, json_t **scores, rmx_err *err) {
  const size_t n = c->n * c->seeds;
  RMX_TRY(rmx__task_metrics(c->e, c->runs, n, &c->scores, scores, err));
  c->score = rmx_calloc(n * c->scores.n, sizeof *c->score);
  if (!c->score) return rmx_fail_memory(err, n * c->scores.n * sizeof *c->score, "scores");
  for (size_t i = 0; i < n * c->scores.n; i++)
    c->score[i] = rmx__task_score(scores[i / c->scores.n], c->scores.items[i % c->scores.n]);
  return RMX_OK;
}

rmx_status rmx__comparison_read(comparison *c, rmx_err *err) {
  size_t D = c->corpus->D;
  c->loss = rmx_calloc(c->n * c->seeds * D, sizeof(double));
  c->target = rmx_calloc(c->n * c->seeds, sizeof(double));
  c->flops = rmx_calloc(c->n, sizeof(double));
  RMX_OWNED json_t **scores = rmx_calloc(c->n * c->seeds, sizeof *scores);
  if (!c->loss || !c->target || !c->flops || !scores) return rmx_fail_memory(err, 0, "the results");
  const rmx_status status = read_scores(c, scores, err);
  for (size_t i = 0; i < c->n * c->seeds; i++) {
    json_auto_t *result = NULL;
    bool done = rmx_run_look(&c->runs[i], &result) == RMX_RUN_DONE;
    for (size_t d = 0; d < D; d++) {
      const json_t *x = json_object_get(json_object_get(result, "loss_nats"), c->corpus->names[d]);
      c->loss[i * D + d] = done && json_is_number(x) ? json_number_value(x) : NAN;
    }
    c->target[i] = done ? rmx__target_of(c, result, scores[i]) : NAN;
    const json_t *flops = json_object_get(result, "flops");  // a trainer may not report them
    c->flops[i / c->seeds] += json_is_number(flops) ? json_number_value(flops) : done ? NAN : 0;
  }
  for (size_t i = 0; i < c->n * c->seeds; i++) json_decref(scores[i]);
  return status;
}

json_t *rmx__mean_and_error(const double *x, size_t n, size_t stride, bool with_n) {
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
  json_object_set_new(o, "mean", rmx__json_known(mean));
  json_object_set_new(o, "se", rmx__json_known(se));
  if (with_n) json_object_set_new(o, "n", json_integer((json_int_t)k));
  return o;
}

json_t *rmx__comparison_losses(const comparison *c, size_t i) {
  const size_t D = c->corpus->D, S = c->seeds;
  json_t *losses = json_object();
  for (size_t d = 0; d < D; d++)
    json_object_set_new(losses, c->corpus->names[d],
                        rmx__mean_and_error(&c->loss[i * S * D + d], S, D, false));
  return losses;
}

json_t *rmx__comparison_scores(const comparison *c, size_t i) {
  const size_t K = c->scores.n, S = c->seeds;
  json_t *scores = json_object();
  for (size_t k = 0; k < K; k++)
    json_object_set_new(scores, c->scores.items[k],
                        rmx__mean_and_error(&c->score[i * S * K + k], S, K, false));
  return scores;
}

json_t *rmx__comparison_against(const comparison *c, size_t i, size_t other) {
  const size_t S = c->seeds;
  double *difference = rmx_calloc(S, sizeof *difference);
  for (size_t s = 0; difference && s < S; s++)
    difference[s] = c->target[i * S + s] - c->target[other * S + s];
  json_t *o = difference ? rmx__mean_and_error(difference, S, 1, true) : NULL;
  free(difference);
  rmx_err no_memory;
  if (!o || i == other) return o;
  const bool same = c->contenders[i].same == c->contenders[other].same;
  if (rmx__verdict_add(o, same ? NULL : c->contenders[other].name, &no_memory) == RMX_OK) return o;
  json_decref(o);
  return NULL;
}

json_t *rmx__comparison_target(const comparison *c) {
  json_t *target = json_object();
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->weight[d] != 0) {
      RMX_OWNED char *name = rmx_format("%s_val_loss", c->corpus->names[d]);
      if (name) json_object_set_new(target, name, json_real(c->weight[d]));
    }
  for (size_t k = 0; k < c->others.n; k++)
    if (c->weight[c->corpus->D + k] != 0)
      json_object_set_new(target, c->others.items[k], json_real(c->weight[c->corpus->D + k]));
  return target;
}

static void release_contender(contender *w) {
  free(w->mixture);
  rmx_phases_release(&w->phases);
  free(w->experiment);
  json_decref(w->controller);
  if (w->corpus) rmx_corpus_free(w->corpus);
}

void rmx__comparison_release(comparison *c) {
  for (size_t i = 0; c->contenders && i < c->n; i++) release_contender(&c->contenders[i]);
  for (size_t i = 0; c->runs && i < c->n * c->seeds; i++) rmx_run_release(&c->runs[i]);
  free(c->contenders), free(c->runs), free(c->loss), free(c->target), free(c->flops),
      free(c->weight), free(c->score);
  rmx_strings_release(&c->others), rmx_strings_release(&c->scores);
  if (c->corpus) rmx_corpus_free(c->corpus);
  *c = (comparison){0};
}