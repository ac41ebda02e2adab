// SPDX-License-Identifier: Apache-2.0
// A run as plain data: what one training depends on, its file, and the hash that
// tells whether a result still answers what is asked.
#include <regmix/mixture.h>
#include <regmix/train.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/stamp.h"
#include "places.h"
#include "run_json.h"

rmx_status rmx_run_make(const rmx_run_request *q, rmx_run *out, rmx_err *err) {
  const size_t D = q->corpus->D_train;
  *out = (rmx_run){.name = rmx_strdup(q->name),
                   .folder = rmx_strdup(q->folder),
                   .corpus = rmx_strdup(q->experiment),
                   .D = D,
                   .domains = rmx_calloc(D, sizeof(char *)),
                   .mixture = rmx_calloc(D, sizeof(double)),
                   .seed = q->seed,
                   .keep_model = q->keep_model,
                   .corpus_hash = q->corpus->hash,
                   .vocab = q->corpus->vocab,
                   .training = *q->training};
  bool good = out->name && out->folder && out->corpus && out->domains && out->mixture &&
              rmx_phases_copy(q->phases, &out->phases, err) == RMX_OK;
  if (good && out->phases.n) rmx_phases_mean(&out->phases, out->mixture);
  for (size_t d = 0; good && d < D; d++) {
    if (!out->phases.n) out->mixture[d] = q->mixture[d];
    good = (out->domains[d] = rmx_strdup(q->corpus->names[d])) != NULL;
  }
  if (good) return RMX_OK;
  rmx_run_release(out);
  return rmx_fail_memory(err, D * sizeof(double), "a run");
}

void rmx_run_release(rmx_run *r) {
  for (size_t d = 0; r->domains && d < r->D; d++) free(r->domains[d]);
  free(r->domains);
  free(r->mixture);
  rmx_phases_release(&r->phases);
  free(r->name);
  free(r->folder);
  free(r->corpus);
  json_decref(r->controller);
  if (r->owns_training)
    rmx_options_release(rmx_training_options, rmx_training_options_n, &r->training);
  *r = (rmx_run){0};
}

bool rmx_training_key_counts(const char *key) {
  static const char *const no[] = {"checkpoint_s", "threads", "evals",
                                   "timeout",      "grace",   "may_fail"};
  for (size_t i = 0; i < sizeof no / sizeof *no; i++)
    if (strcmp(key, no[i]) == 0) return false;
  return true;
}

// Of a model that a training begins with, what it is counts and not where it lies. Of the user's
// own trainer only that there is one: the text of the command changes with the machine (a path,
// srun in front), but a result of the one trainer must never pass for a result of the other.
static json_t *answer_part(const rmx_option *option, const rmx_training *t) {
  if (strcmp(option->key, "command") == 0) return t->command ? json_true() : json_null();
  if (strcmp(option->key, "init") == 0) return rmx__hex_json(t->init_hash);
  return rmx__option_json(option, t);
}

// [{"share", "mixture"}]
static json_t *phases_json(const rmx_run *r) {
  json_t *list = json_array();
  for (size_t k = 0; k < r->phases.n; k++)
    json_array_append_new(list, json_pack("{s:f, s:o}", "share", r->phases.share[k], "mixture",
                                          rmx_mixture_json(r->phases.mixture + k * r->D,
                                                           (const char *const *)r->domains, r->D)));
  return list;
}

static json_t *run_json(const rmx_run *r, bool only_answer) {
  json_t *o = json_object();
  char hash[17];
  rmx__hex(r->corpus_hash, hash);
  json_object_set_new(o, "corpus_hash", json_string(hash));
  json_object_set_new(o, "vocab", json_integer(r->vocab));
  json_object_set_new(o, "seed", json_integer((json_int_t)r->seed));
  json_object_set_new(o, "mixture",
                      rmx_mixture_json(r->mixture, (const char *const *)r->domains, r->D));
  if (r->phases.n) json_object_set_new(o, "phases", phases_json(r));
  json_t *training = json_object();
  for (size_t i = 0; i < rmx_training_options_n; i++) {
    const rmx_option *option = &rmx_training_options[i];
    // Runs of regmix itself and of commands are hashed as before there was a choice of trainers.
    if (only_answer && strcmp(option->key, "trainer") == 0 &&
        !rmx_training_is_pytorch(&r->training))
      continue;
    if (only_answer && strcmp(option->key, "init") == 0 && !r->training.init) continue;
    if (!only_answer || rmx_training_key_counts(option->key))
      json_object_set_new(
          training, option->key,
          only_answer ? answer_part(option, &r->training) : rmx__option_json(option, &r->training));
  }
  json_object_set_new(o, "training", training);
  if (r->controller) json_object_set(o, "steering", r->controller);
  if (!only_answer) {
    json_object_set_new(o, "name", json_string(r->name));
    json_object_set_new(o, "corpus", json_string(r->corpus));
    json_object_set_new(o, "keep_model", json_boolean(r->keep_model));
    if (r->training.init) json_object_set_new(o, "init_hash", rmx__hex_json(r->training.init_hash));
  }
  return o;
}

json_t *rmx_run_json(const rmx_run *r) {
  return run_json(r, true);
}

// 17 digits here, whatever files are written with: results of earlier versions carry hashes of
// these very texts.
static void hash_of(const json_t *o, char out[17]) {
  RMX_OWNED char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
  rmx__hex(rmx_hash_string(text ? text : "", 1), out);
}

void rmx_run_fingerprint(const rmx_run *r, char out[17]) {
  json_auto_t *o = run_json(r, true);
  hash_of(o, out);
}

// Version 0.1.0 divided every mixture that it read by its sum, even where that was 1 but for a
// rounding error, and some twice: results of such mixtures answer the run as well.
static bool hashes_to(json_t *o, const char *fingerprint) {
  json_t *mixture = json_object_get(o, "mixture"), *weight;
  bool found = false;
  for (int times = 0; times < 3 && !found; times++) {
    const char *name;
    char hash[17];
    double sum = 0;
    if (times) {
      json_object_foreach(mixture, name, weight) sum += json_real_value(weight);
      json_object_foreach(mixture, name, weight)
        json_real_set(weight, json_real_value(weight) / sum);
    }
    hash_of(o, hash);
    found = strcmp(fingerprint, hash) == 0;
  }
  return found;
}

bool rmx_run_has_fingerprint(const rmx_run *r, const char *fingerprint, const char *command) {
  json_t *o = run_json(r, true);
  bool found = hashes_to(o, fingerprint);
  json_decref(o);
  if (found || !command || !r->training.command) return found;
  o = run_json(r, true);
  json_object_set_new(json_object_get(o, "training"), "command", json_string(command));
  found = hashes_to(o, fingerprint);
  json_decref(o);
  return found;
}

rmx_status rmx_run_write(const rmx_run *r, rmx_err *err) {
  RMX_TRY(rmx_mkdirs(r->folder, err));
  RMX_OWNED char *path = rmx_path_in(r->folder, "run.json"),
                 *mixture_path = rmx_path_in(r->folder, "mixture.yaml");
  json_auto_t *o = run_json(r, false);
  json_t *mixture = json_object_get(o, "mixture");
  if (!path || !mixture_path) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx__run_places(r, o, err));
  json_auto_t *phased = NULL;
  if (r->phases.n)
    phased = json_pack("{s:O, s:O}", "mixture", mixture, "phases", json_object_get(o, "phases"));
  RMX_TRY(rmx__yaml_write(mixture_path, phased ? phased : mixture,
                          "Share of the training tokens from each domain.", err));
  return rmx__json_write(path, o, err);
}

static rmx_status read_training(const json_t *o, rmx_run *out, const char *path, rmx_err *err) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)o, key, value) {
    char number[32];
    const char *text = number;
    if (json_is_string(value))
      text = json_string_value(value);
    else if (json_is_integer(value))
      snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
      rmx_double_text(json_real_value(value), number);
    else if (json_is_boolean(value))
      text = json_is_true(value) ? "true" : "false";
    else if (json_is_null(value))
      continue;
    else
      return rmx_fail(err, RMX_EINPUT, "%s: training.%s is not a number or a string", path, key);
    if (rmx_option_set(rmx_training_options, rmx_training_options_n, &out->training, key, text,
                       err) != RMX_OK)
      return rmx_fail_in(err, "%s", path);
  }
  return RMX_OK;
}

// "phases" of a file, whose domains are those of "mixture" in the same order.
static rmx_status parse_phases(const json_t *list, const char *path, rmx_run *out, rmx_err *err) {
  size_t k;
  json_t *phase;
  if (json_array_size(list) == 0) return RMX_OK;
  RMX_TRY(rmx_phases_make(json_array_size(list), out->D, &out->phases, err));
  json_array_foreach(list, k, phase) {
    const json_t *mixture = json_object_get(phase, "mixture");
    out->phases.share[k] = json_number_value(json_object_get(phase, "share"));
    for (size_t d = 0; d < out->D; d++) {
      const json_t *weight = json_object_get(mixture, out->domains[d]);
      if (!json_is_number(weight))
        return rmx_fail(err, RMX_EINPUT, "%s: phase %zu has no weight of \"%s\"", path, k,
                        out->domains[d]);
      out->phases.mixture[k * out->D + d] = json_number_value(weight);
    }
  }
  return RMX_OK;
}

static rmx_status parse_run(const json_t *o, const char *path, rmx_run *out, rmx_err *err) {
  const char *name, *corpus, *hash;
  double vocab, seed;
  RMX_TRY(rmx__json_string(o, "name", &name, path, err));
  RMX_TRY(rmx__json_string(o, "corpus", &corpus, path, err));
  RMX_TRY(rmx__json_string(o, "corpus_hash", &hash, path, err));
  RMX_TRY(rmx__json_number(o, "vocab", &vocab, path, err));
  RMX_TRY(rmx__json_number(o, "seed", &seed, path, err));
  const json_t *mixture = json_object_get(o, "mixture");
  if (!json_is_object(mixture))
    return rmx_fail(err, RMX_EINPUT, "%s: \"mixture\" is missing", path);
  out->D = json_object_size(mixture);
  out->name = rmx_strdup(name);
  out->corpus = rmx_strdup(corpus);
  out->corpus_hash = strtoull(hash, NULL, 16);
  out->vocab = (int)vocab;
  out->seed = (uint64_t)json_integer_value(json_object_get(o, "seed"));
  out->keep_model = json_is_true(json_object_get(o, "keep_model"));
  out->domains = rmx_calloc(out->D, sizeof(char *));
  out->mixture = rmx_calloc(out->D, sizeof(double));
  if (!out->name || !out->corpus || !out->domains || !out->mixture)
    return rmx_fail_memory(err, 0, path);
  size_t d = 0;
  const char *domain;
  json_t *weight;
  json_object_foreach((json_t *)mixture, domain, weight) {
    if (!json_is_number(weight))
      return rmx_fail(err, RMX_EINPUT, "%s: the weight of \"%s\" is not a number", path, domain);
    out->mixture[d] = json_number_value(weight);
    if (!(out->domains[d++] = rmx_strdup(domain))) return rmx_fail_memory(err, 0, path);
  }
  RMX_TRY(parse_phases(json_object_get(o, "phases"), path, out, err));
  out->controller = json_incref(json_object_get(o, "steering"));
  out->owns_training = true;
  RMX_TRY(rmx_options_init(rmx_training_options, rmx_training_options_n, &out->training, err));
  RMX_TRY(read_training(json_object_get(o, "training"), out, path, err));
  const char *init = json_string_value(json_object_get(o, "init_hash"));
  out->training.init_hash = init ? strtoull(init, NULL, 16) : 0;
  return RMX_OK;
}

json_t *rmx__run_whole_json(const rmx_run *r) {
  return run_json(r, false);
}

rmx_status rmx__run_of_json(const json_t *o, const char *folder, rmx_run *out, rmx_err *err) {
  *out = (rmx_run){0};
  rmx_status status = parse_run(o, folder, out, err);
  if (status == RMX_OK && !(out->folder = rmx_strdup(folder)))
    status = rmx_fail_memory(err, 0, "a path");
  if (status != RMX_OK) rmx_run_release(out);
  return status;
}

rmx_status rmx_run_read(const char *folder, rmx_run *out, rmx_err *err) {
  *out = (rmx_run){0};
  char *path = rmx_path_in(folder, "run.json");
  if (!path) return rmx_fail_memory(err, 0, "a path");
  json_t *o = NULL;
  rmx_status status = rmx__json_read(path, &o, err);
  if (status == RMX_OK) status = parse_run(o, path, out, err);
  if (status == RMX_OK && !(out->folder = rmx_strdup(folder)))
    status = rmx_fail_memory(err, 0, "a path");
  json_decref(o);
  free(path);
  if (status != RMX_OK) rmx_run_release(out);
  return status;
}

// ---- whether a result's losses are those it was written with

static json_t *hash_of_losses(const json_t *result) {
  const uint64_t end = rmx__json_hash(json_object_get(result, "loss_nats")),
                 half = rmx__json_hash(json_object_get(result, "half"));
  const uint64_t both[] = {end, half};
  return rmx__hex_json(rmx_hash(both, sizeof both, 0));
}

void rmx_result_seal(json_t *result) {
  json_object_del(result, "nats_hash");
  json_object_set_new(result, "nats_hash", hash_of_losses(result));
}

bool rmx_result_seal_broken(const json_t *result) {
  const json_t *seal = json_object_get(result, "nats_hash");
  json_auto_t *wanted = seal ? hash_of_losses(result) : NULL;
  return wanted && !json_equal(seal, wanted);
}
