// SPDX-License-Identifier: Apache-2.0
// A comparison: large models on several mixtures, with the same tokens and paired seeds. `compare`,
// its methods and `pretrain` share this file.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "steps.h"

// The weight of each domain's loss in the target. Every metric of the target must be a domain of
// the corpus.
static rmx_status loss_weights(const rmx_experiment *e, const rmx_corpus *corpus, double *weight,
                               rmx_err *err) {
  if (e->config.n_target == 0)
    return rmx_fail(err, RMX_EINPUT, "no target in %s; add one, for example `target: %s`",
                    e->config_path, corpus->names[corpus->D - 1]);
  return rmx__target_weights(e->config.target, e->config.n_target, corpus->names, corpus->D, weight,
                             err);
}

rmx_status rmx__comparison_begin(comparison *c, const rmx_experiment *e, size_t n, size_t seeds,
                                 bool with_target, rmx_err *err) {
  *c = (comparison){.e = e, .seeds = seeds, .n = n};
  RMX_TRY(rmx_experiment_corpus(e, &c->corpus, err));
  c->weight = rmx_calloc(c->corpus->D, sizeof(double));
  c->contenders = rmx_calloc(n, sizeof *c->contenders);
  if (!c->weight || !c->contenders) return rmx_fail_memory(err, 0, "a comparison");
  return with_target ? loss_weights(e, c->corpus, c->weight, err) : RMX_OK;
}

rmx_status rmx__comparison_runs(comparison *c, rmx_err *err) {
  c->runs = rmx_calloc(c->n * c->seeds, sizeof *c->runs);
  if (!c->runs) return rmx_fail_memory(err, 0, "the runs");
  for (size_t i = 0; i < c->n; i++)
    for (size_t s = 0; s < c->seeds; s++) {
      const contender *who = &c->contenders[i];
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

static double target_of_losses(const comparison *c, const double *nats) {
  double sum = 0;
  bool any = false;
  for (size_t d = 0; d < c->corpus->D; d++) {
    if (c->weight[d] == 0) continue;
    sum += c->weight[d] * nats[d];
    any = true;
  }
  return any ? sum : NAN;
}

rmx_status rmx__comparison_read(comparison *c, rmx_err *err) {
  size_t D = c->corpus->D;
  c->loss = rmx_calloc(c->n * c->seeds * D, sizeof(double));
  c->target = rmx_calloc(c->n * c->seeds, sizeof(double));
  c->flops = rmx_calloc(c->n, sizeof(double));
  if (!c->loss || !c->target || !c->flops) return rmx_fail_memory(err, 0, "the results");
  for (size_t i = 0; i < c->n * c->seeds; i++) {
    json_auto_t *result = NULL;
    bool done = rmx_run_look(&c->runs[i], &result) == RMX_RUN_DONE;
    for (size_t d = 0; d < D; d++) {
      const json_t *x = json_object_get(json_object_get(result, "loss_nats"), c->corpus->names[d]);
      c->loss[i * D + d] = done && json_is_number(x) ? json_number_value(x) : NAN;
    }
    c->target[i] = target_of_losses(c, &c->loss[i * D]);
    const json_t *flops = json_object_get(result, "flops");  // a trainer may not report them
    c->flops[i / c->seeds] += json_is_number(flops) ? json_number_value(flops) : done ? NAN : 0;
  }
  return RMX_OK;
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

json_t *rmx__comparison_against(const comparison *c, size_t i, size_t other) {
  const size_t S = c->seeds;
  double *difference = rmx_calloc(S, sizeof *difference);
  for (size_t s = 0; difference && s < S; s++)
    difference[s] = c->target[i * S + s] - c->target[other * S + s];
  json_t *o = difference ? rmx__mean_and_error(difference, S, 1, true) : NULL;
  free(difference);
  rmx_err no_memory;
  if (o && i != other && rmx__verdict_add(o, c->contenders[other].name, &no_memory) != RMX_OK) {
    json_decref(o);
    return NULL;
  }
  return o;
}

json_t *rmx__comparison_target(const comparison *c) {
  json_t *target = json_object();
  for (size_t d = 0; d < c->corpus->D; d++)
    if (c->weight[d] != 0) {
      RMX_OWNED char *name = rmx_format("%s_val_loss", c->corpus->names[d]);
      if (name) json_object_set_new(target, name, json_real(c->weight[d]));
    }
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
      free(c->weight);
  if (c->corpus) rmx_corpus_free(c->corpus);
  *c = (comparison){0};
}