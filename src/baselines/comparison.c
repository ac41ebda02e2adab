// SPDX-License-Identifier: Apache-2.0
// What the methods share: runs made, trained, counted; models read back.
#include "comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

rmx_status rmx__comparison_flop(const rmx_comparison *c, const rmx_training *t,
                                double *flop_per_token, rmx_err *err) {
  rmx_model_config model;
  RMX_TRY(rmx_training_model(t, c->corpus->vocab, &model, err));
  *flop_per_token = rmx_model_flop_per_token(&model, (int)t->context);
  return RMX_OK;
}

double rmx__comparison_valid_flops(const rmx_comparison *c, const rmx_training *t,
                                   double flop_per_token) {
  double tokens = 0;
  for (size_t d = 0; d < c->corpus->D; d++)
    tokens += (double)rmx_evaluate_tokens(c->corpus, d, t->eval_tokens);
  return tokens * flop_per_token / RMX_FORWARD_PASSES;
}

rmx_status rmx__baseline_result_make(const rmx_comparison *c, rmx_baseline_result *out,
                                     rmx_err *err) {
  const size_t D = c->corpus->D_train;
  out->mixture = rmx_calloc(D, sizeof *out->mixture);
  out->notes = json_object();
  return out->mixture && out->notes ? RMX_OK
                                    : rmx_fail_memory(err, D * sizeof *out->mixture, "a mixture");
}

rmx_status rmx__comparison_run(const rmx_comparison *c, const char *name, const double *mixture,
                               const rmx_training *training, uint64_t seed, bool keep_model,
                               json_t *controller, rmx_run *out, rmx_err *err) {
  char *folder = rmx_path_in(c->folder, name);
  rmx_status status = folder ? rmx_run_make(&(rmx_run_request){.name = name,
                                                               .folder = folder,
                                                               .experiment = c->experiment,
                                                               .corpus = c->corpus,
                                                               .mixture = mixture,
                                                               .training = training,
                                                               .seed = seed,
                                                               .keep_model = keep_model},
                                            out, err)
                             : rmx_fail_memory(err, 0, "a path");
  free(folder);
  if (status == RMX_OK)
    out->controller = controller;
  else
    json_decref(controller);
  return status;
}

double rmx__result_flops(const json_t *result) {
  return json_number_value(json_object_get(result, "flops")) +
         json_number_value(json_object_get(result, "valid_flops")) +
         json_number_value(json_object_get(result, "steering_flops"));
}

double rmx__result_target(const rmx_comparison *c, const json_t *result) {
  const json_t *nats = json_object_get(result, "loss_nats");
  double sum = 0;
  for (size_t d = 0; d < c->corpus->D; d++) {
    if (c->target[d] == 0) continue;
    const json_t *x = json_object_get(nats, c->corpus->names[d]);
    sum += json_is_number(x) ? c->target[d] * json_number_value(x) : NAN;
  }
  return sum;
}

rmx_status rmx__comparison_train(const rmx_comparison *c, const rmx_run *runs, size_t n,
                                 const char *what, json_t **results, rmx_baseline_result *out,
                                 rmx_err *err) {
  for (size_t i = 0; results && i < n; i++) results[i] = NULL;
  RMX_TRY(c->train(c->context, runs, n, what, err));
  rmx_status status = RMX_OK;
  for (size_t i = 0; i < n; i++) {
    json_auto_t *result = NULL;
    const rmx_run_state state = rmx_run_look(&runs[i], &result);
    if (state != RMX_RUN_DONE && status == RMX_OK)
      status = rmx_fail(
          err, RMX_ENUMERIC, "%s: run %s %s", what, runs[i].name,
          state == RMX_RUN_DIVERGED ? "diverged; a lower learning rate may help" : "has no result");
    out->flops += rmx__result_flops(result);
    out->wall_s += json_number_value(json_object_get(result, "wall_s"));
    if (results) results[i] = json_incref(result);
  }
  for (size_t i = 0; status != RMX_OK && results && i < n; i++) {
    json_decref(results[i]);
    results[i] = NULL;
  }
  return status;
}

// The same settings give the same name, for every method.
static char *reference_name(const rmx_comparison *c, const double *mixture, int64_t tokens) {
  return rmx_format(
      "reference-%08llx-%lld",
      (unsigned long long)rmx_hash(mixture, c->corpus->D_train * sizeof *mixture, c->seed) &
          0xffffffff,
      (long long)tokens);
}

rmx_status rmx__comparison_reference(const rmx_comparison *c, const double *mixture, int64_t tokens,
                                     rmx_run *out, rmx_baseline_result *spent, rmx_err *err) {
  rmx_training t = *c->proxy;
  t.tokens = tokens;
  char *name = reference_name(c, mixture, tokens);
  if (!name) return rmx_fail_memory(err, 0, "a name");
  rmx_status status = rmx__comparison_run(c, name, mixture, &t, c->seed, true, NULL, out, err);
  free(name);
  RMX_TRY(status);
  status = rmx__comparison_train(c, out, 1, "the reference", NULL, spent, err);
  if (status != RMX_OK) rmx_run_release(out);
  return status;
}

rmx_training rmx__comparison_proxy(const rmx_comparison *c) {
  rmx_training t = *c->proxy;
  t.eval_half = false;
  return t;
}

int rmx__comparison_threads(const rmx_comparison *c) {
  return c->threads < 1 ? 1 : c->threads > 64 ? 64 : c->threads;
}

rmx_status rmx__model_of_run(const char *folder, int B, int T, const rmx_kernels *k,
                             rmx_model **out, rmx_err *err) {
  char *path = rmx_model_path(folder);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_model_config config;
  *out = NULL;
  rmx_status status = rmx_model_read_config(path, &config, err);
  if (status == RMX_OK) status = rmx_model_new(&config, B, T, false, k, 0, out, err);
  if (status == RMX_OK) status = rmx_model_load(*out, path, NULL, err);
  if (status != RMX_OK) {
    rmx_model_free(*out);
    *out = NULL;
  }
  free(path);
  return status;
}

void rmx__track(json_t *notes, double tokens, const double *mixture, const char *const *names,
                size_t D) {
  json_t *track = json_object_get(notes, "track");
  if (!track) {
    track = json_array();
    json_object_set_new(notes, "track", track);
  }
  json_array_append_new(track, json_pack("{s:f, s:o}", "tokens", tokens, "mixture",
                                         rmx_mixture_json(mixture, names, D)));
}
