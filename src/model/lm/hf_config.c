// SPDX-License-Identifier: Apache-2.0
// Reads config.json, as Hugging Face's library writes it for a Llama. What would change the
// results of a model and is not computed here is an error.
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "lm.h"

static rmx_status whole(const json_t *o, const char *key, int64_t otherwise, int64_t max,
                        const char *path, int64_t *out, rmx_err *err) {
  const json_t *v = json_object_get(o, key);
  if (!v || json_is_null(v)) {
    if (otherwise < 0) return rmx_fail(err, RMX_EINPUT, "%s: has no \"%s\"", path, key);
    *out = otherwise;
    return RMX_OK;
  }
  *out = json_integer_value(v);
  if (json_is_integer(v) && *out >= 1 && *out <= max) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is %lld, wanted a whole number from 1 to %lld", path,
                  key, (long long)*out, (long long)max);
}

static rmx_status real(const json_t *o, const char *key, double otherwise, const char *path,
                       double *out, rmx_err *err) {
  const json_t *v = json_object_get(o, key);
  *out = !v || json_is_null(v) ? otherwise : json_number_value(v);
  if ((!v || json_is_null(v) || json_is_number(v)) && *out > 0 && isfinite(*out)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is not a positive number", path, key);
}

// A key whose value must be `wanted` where it is given.
static rmx_status must_be_off(const json_t *o, const char *key, const char *path, rmx_err *err) {
  const json_t *v = json_object_get(o, key);
  if (!v || json_is_null(v) || json_is_false(v)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: the model has %s, which is not supported", path, key);
}

static rmx_status check_architecture(const json_t *o, const char *path, rmx_err *err) {
  static const char *const known[] = {"llama", "mistral"};
  const char *type = json_string_value(json_object_get(o, "model_type"));
  const char *activation = json_string_value(json_object_get(o, "hidden_act"));
  bool is_known = false;
  for (size_t i = 0; type && i < sizeof known / sizeof *known; i++)
    is_known |= strcmp(type, known[i]) == 0;
  if (!is_known)
    return rmx_fail(
        err, RMX_EINPUT,
        "%s: model_type is \"%.40s\"; only models of the Llama architecture (\"llama\", "
        "\"mistral\" without a sliding window) can be read",
        path, type ? type : "");
  if (activation && strcmp(activation, "silu") != 0)
    return rmx_fail(err, RMX_EINPUT, "%s: hidden_act is \"%.40s\", only \"silu\" is supported",
                    path, activation);
  RMX_TRY(must_be_off(o, "attention_bias", path, err));
  RMX_TRY(must_be_off(o, "mlp_bias", path, err));
  return RMX_OK;
}

// How positions become angles: rope_scaling, or rope_parameters in newer files.
static rmx_status read_rope(const json_t *o, const char *path, rmx_lm_config *c, rmx_err *err) {
  const json_t *newer = json_object_get(o, "rope_parameters");
  const json_t *scaling = json_is_object(newer) ? newer : json_object_get(o, "rope_scaling");
  const char *type = json_string_value(json_object_get(scaling, "rope_type"));
  if (!type) type = json_string_value(json_object_get(scaling, "type"));
  RMX_TRY(real(o, "rope_theta", 10000, path, &c->rope_base, err));
  if (json_is_object(newer))
    RMX_TRY(real(newer, "rope_theta", c->rope_base, path, &c->rope_base, err));
  c->rope_factor = 1;
  if (!json_is_object(scaling) || !type || strcmp(type, "default") == 0) return RMX_OK;
  const bool llama3 = strcmp(type, "llama3") == 0;
  if (!llama3 && strcmp(type, "linear") != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: rope_scaling is of the type \"%.40s\", only linear and llama3 are "
                    "supported",
                    path, type);
  RMX_TRY(real(scaling, "factor", NAN, path, &c->rope_factor, err));
  if (!llama3) return RMX_OK;
  RMX_TRY(real(scaling, "low_freq_factor", NAN, path, &c->rope_low, err));
  RMX_TRY(real(scaling, "high_freq_factor", NAN, path, &c->rope_high, err));
  RMX_TRY(real(scaling, "original_max_position_embeddings", NAN, path, &c->rope_original, err));
  if (c->rope_high > c->rope_low) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT,
                  "%s: rope_scaling: high_freq_factor is not greater than low_freq_factor", path);
}

rmx_status rmx__lm_check_config(const rmx_lm_config *c, const char *path, rmx_err *err) {
  if (c->heads % c->kv_heads)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %lld attention heads are not a multiple of %lld key and value heads", path,
                    (long long)c->heads, (long long)c->kv_heads);
  if (c->head_width % 2)
    return rmx_fail(err, RMX_EINPUT, "%s: a head has %lld channels, wanted an even number", path,
                    (long long)c->head_width);
  return RMX_OK;
}

static rmx_status read_sizes(const json_t *o, const char *path, rmx_lm_config *c, rmx_err *err) {
  RMX_TRY(whole(o, "num_hidden_layers", -1, 1024, path, &c->layers, err));
  RMX_TRY(whole(o, "hidden_size", -1, 1 << 16, path, &c->width, err));
  RMX_TRY(whole(o, "intermediate_size", -1, 1 << 20, path, &c->ffn, err));
  RMX_TRY(whole(o, "vocab_size", -1, 1 << 24, path, &c->vocab, err));
  RMX_TRY(whole(o, "num_attention_heads", -1, 1024, path, &c->heads, err));
  RMX_TRY(whole(o, "num_key_value_heads", c->heads, 1024, path, &c->kv_heads, err));
  const int64_t usual = c->width / c->heads > 0 ? c->width / c->heads : 1;
  RMX_TRY(whole(o, "head_dim", usual, 1 << 14, path, &c->head_width, err));
  if (!json_object_get(o, "head_dim") && c->width % c->heads)
    return rmx_fail(err, RMX_EINPUT, "%s: hidden_size %lld is not a multiple of %lld heads", path,
                    (long long)c->width, (long long)c->heads);
  RMX_TRY(whole(o, "max_position_embeddings", 2048, 1 << 24, path, &c->context, err));
  RMX_TRY(real(o, "rms_norm_eps", 1e-6, path, &c->norm_eps, err));
  c->tied = json_is_true(json_object_get(o, "tie_word_embeddings"));
  const json_t *window = json_object_get(o, "sliding_window");
  if (json_is_integer(window) && json_integer_value(window) < c->context)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the model has a sliding window of %lld tokens, which is not supported",
                    path, (long long)json_integer_value(window));
  return RMX_OK;
}

rmx_status rmx__lm_read_config(const char *path, rmx_lm_config *out, rmx_err *err) {
  json_t *o;
  *out = (rmx_lm_config){0};
  RMX_TRY(rmx__json_read(path, &o, err));
  rmx_status status = check_architecture(o, path, err);
  if (status == RMX_OK) status = read_sizes(o, path, out, err);
  if (status == RMX_OK) status = read_rope(o, path, out, err);
  if (status == RMX_OK) status = rmx__lm_check_config(out, path, err);
  json_decref(o);
  return status;
}
