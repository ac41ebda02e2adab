// SPDX-License-Identifier: Apache-2.0
// The result of a training: result.json, and the model where it is kept.
#include <math.h>
#include <regmix/lm.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/stamp.h"
#include "corpus/tokenizer/of_corpus.h"
#include "loop.h"

// Each validation, at the end and on the way, is a forward pass: a third of training.
static double valid_flops(const struct rmx__loop *l) {
  double tokens = 0;
  for (size_t d = 0; d < l->corpus->D; d++)
    tokens += (double)rmx_evaluate_tokens(l->corpus, d, l->run->training.eval_tokens);
  int64_t times = !l->diverged;
  for (int64_t s = 1; s < l->steps && s <= l->step; s++)
    times += s == l->half_step || rmx__loop_evaluation_due(l, s);
  return (double)times * tokens *
         rmx_model_flop_per_token(&l->config, (int)l->run->training.context) / RMX_FORWARD_PASSES;
}

static json_t *model_json(const rmx_model_config *c) {
  json_t *o = json_object();
  json_object_set_new(o, "layers", json_integer(c->layers));
  json_object_set_new(o, "heads", json_integer(c->heads));
  json_object_set_new(o, "width", json_integer(c->width));
  json_object_set_new(o, "ffn", json_integer(c->ffn));
  json_object_set_new(o, "vocab", json_integer(c->vocab));
  json_object_set_new(o, "context", json_integer(c->context));
  if (c->kv_heads && c->kv_heads != c->heads)
    json_object_set_new(o, "kv_heads", json_integer(c->kv_heads));
  if (c->head_width && c->head_width * c->heads != c->width)
    json_object_set_new(o, "head_width", json_integer(c->head_width));
  if (c->tied) json_object_set_new(o, "tied", json_true());
  return o;
}

static json_t *bits_json(const struct rmx__loop *l) {
  json_t *o = json_object();
  for (size_t d = 0; d < l->corpus->D; d++) {
    const rmx_domain *domain = &l->corpus->domains[d];
    double tokens_per_byte =
        (double)domain->valid_tokens / (double)(domain->valid_bytes ? domain->valid_bytes : 1);
    double bpb = l->final_nats[d] * tokens_per_byte / 0.69314718055994530942;
    json_object_set_new(o, domain->name, rmx__json_known(bpb));
  }
  return o;
}

static json_t *half_json(const struct rmx__loop *l) {
  json_t *o = json_object();
  json_object_set_new(o, "steps", json_integer(l->half_step));
  json_object_set_new(o, "tokens", json_integer(l->half_step * rmx__loop_tokens_per_step(l)));
  json_object_set_new(o, "loss_nats", rmx__loop_nats_json(l, l->half_nats));
  return o;
}

static json_t *made_by_json(const struct rmx__loop *l) {
  json_t *o = json_object();
  char hash[17];
  rmx__hex(l->run->corpus_hash, hash);
  json_object_set_new(o, "version", json_string(rmx_version()));
  json_object_set_new(o, "isa", json_string(rmx_kernels_name(l->kernels)));
  json_object_set_new(o, "corpus", json_string(hash));
  if (l->comm->size > 1) json_object_set_new(o, "ranks", json_integer(l->comm->size));
  return o;
}

// What each domain gave: how often it was gone through, and how many tokens.
static void add_drawn(json_t *o, const struct rmx__loop *l) {
  json_t *epochs = json_object(), *drawn = json_object();
  const rmx_corpus *c = l->corpus;
  for (size_t d = 0; d < c->D_train; d++) {
    json_object_set_new(epochs, c->names[d], json_real(l->stepper.stream->epochs[d]));
    json_object_set_new(
        drawn, c->names[d],
        json_integer((json_int_t)l->stepper.stream->sequences[d] * l->run->training.context));
  }
  json_object_set_new(o, "epochs", epochs);
  json_object_set_new(o, "tokens_by_domain", drawn);
}

static json_t *result_json(const struct rmx__loop *l) {
  const rmx_run *r = l->run;
  double tokens = (double)(l->step * rmx__loop_tokens_per_step(l)), wall = rmx__loop_wall_s(l);
  json_t *o = json_object();
  json_object_set_new(o, "run", json_string(r->name));
  json_object_set_new(o, "status", json_string(l->diverged ? "diverged" : "done"));
  json_object_set_new(o, "seed", json_integer((json_int_t)r->seed));
  json_object_set_new(o, "mixture",
                      rmx_mixture_json(r->mixture, (const char *const *)r->domains, r->D));
  if (r->phases.n) {
    json_auto_t *asked = rmx_run_json(r);
    json_object_set(o, "phases", json_object_get(asked, "phases"));
  }
  json_object_set_new(o, "model", model_json(&l->config));
  if (r->training.init) json_object_set_new(o, "init", rmx__hex_json(r->training.init_hash));
  json_object_set_new(o, "parameters", json_integer((json_int_t)rmx_model_parameters(&l->config)));
  json_object_set_new(o, "lr", json_real(l->peak_lr));
  json_object_set_new(o, "steps", json_integer(l->step));
  json_object_set_new(o, "tokens", json_real(tokens));
  json_object_set_new(
      o, "flops",
      json_real(tokens * rmx_model_flop_per_token(&l->config, (int)r->training.context)));
  json_object_set_new(o, "valid_flops", json_real(valid_flops(l)));
  if (l->controller.flops)
    json_object_set_new(o, "steering_flops", json_real(l->controller.flops(l->controller.context)));
  json_object_set_new(o, "wall_s", json_real(wall));
  json_object_set_new(o, "tokens_per_s", json_real(tokens / wall));
  json_object_set_new(o, "loss_nats",
                      l->diverged ? json_null() : rmx__loop_nats_json(l, l->final_nats));
  json_object_set_new(o, "bits_per_byte", l->diverged ? json_null() : bits_json(l));
  if (l->half_step > 0) json_object_set_new(o, "half", half_json(l));
  add_drawn(o, l);
  if (l->controller.report)
    json_object_set_new(o, "steering", l->controller.report(l->controller.context));
  json_object_set_new(o, "fingerprint", json_string(l->fingerprint));
  if (*l->model_hash) json_object_set_new(o, "model_hash", json_string(l->model_hash));
  json_object_set_new(o, "made_by", made_by_json(l));
  uint64_t log_hash;
  rmx_err ignored;  // without a hash the log is taken as it is
  if (!l->logged.failed && rmx_log_hash(l->logged.data ? l->logged.data : "", l->logged.size,
                                        &log_hash, &ignored) == RMX_OK)
    json_object_set_new(o, "log_hash", rmx__hex_json(log_hash));
  rmx_result_seal(o);
  return o;
}

// A model of version 0.1.0 that was there before is not this run's.
static rmx_status write_model(struct rmx__loop *l, rmx_err *err) {
  const char *folder = l->run->folder;
  RMX_OWNED char *tokenizer = NULL;
  RMX_TRY(rmx__corpus_tokenizer(l->run->corpus, &tokenizer, err));
  RMX_TRY(rmx_lm_write(l->stepper.model, l->corpus->end_of_text, tokenizer, folder, err));
  RMX_OWNED char *old = rmx_path_in(folder, "model.bin"), *path = rmx_model_path(folder);
  if (!old || !path) return rmx_fail_memory(err, 0, "a path");
  uint64_t hash;
  unlink(old);
  RMX_TRY(rmx_model_file_hash(path, &hash, err));
  rmx__hex(hash, l->model_hash);
  return RMX_OK;
}

rmx_status rmx__result_write(struct rmx__loop *l, rmx_err *err) {
  bool bad = ferror(l->log) || fflush(l->log) != 0;
  if (bad) return rmx_fail_errno(err, "cannot write %s", l->log_path);
  if (l->run->keep_model && !l->diverged) RMX_TRY(write_model(l, err));
  json_t *result = result_json(l);
  rmx_status status = rmx__json_write(l->result_path, result, err);
  json_decref(result);
  if (status == RMX_OK) unlink(l->checkpoint_path), unlink(l->old_checkpoint_path);
  return status;
}
