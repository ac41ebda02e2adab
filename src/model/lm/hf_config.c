// SPDX-License-Identifier: Apache-2.0
// Reads config.json, as Hugging Face's library writes it for a Llama. What would change the
// results of a model and is not computed here is an error.
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "lm.h"

// The value as it is in the file, not longer than fits into a message.
static const char *shown(const json_t *v, char out[48]) {
  RMX_OWNED char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
  snprintf(out, 48, "%s", text ? text : "?");
  return out;
}

static rmx_status whole(const json_t *o, const char *key, int64_t otherwise, int64_t max,
                        const char *path, int64_t *out, rmx_err *err) {
  const json_t *v = json_object_get(o, key);
  if (!v || json_is_null(v)) {
    if (otherwise < 0) return rmx_fail(err, RMX_EINPUT, "%s: has no \"%s\"", path, key);
    *out = otherwise;
    return RMX_OK;
  }
  char text[48];
  *out = json_integer_value(v);
  if (json_is_integer(v) && *out >= 1 && *out <= max) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is %s, wanted a whole number from 1 to %lld", path,
                  key, shown(v, text), (long long)max);
}

static rmx_status real(const json_t *o, const char *key, double otherwise, const char *path,
                       double *out, rmx_err *err) {
  const json_t *v = json_object_get(o, key);
  *out = !v || json_is_null(v) ? otherwise : json_number_value(v);
  if ((!v || json_is_null(v) || json_is_number(v)) && *out > 0 && isfinite(*out)) return RMX_OK;
  if (!v) return rmx_fail(err, RMX_EINPUT, "%s: has no \"%s\"", path, key);
  char text[48];
  return rmx_fail(err, RMX_EINPUT, "%s: \"%s\" is %s, wanted a positive number", path, key,
                  shown(v, text));
}

// A key whose value must be `wanted` where it is given.
static rmx_status must_be_off(const json_t *o, const char *key, const char *path, rmx_err *err) {
  const json_t *v = json_object_get(o, key);
  if (!v || json_is_null(v) || json_is_false(v)) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: the model has %s, which is not supported", path, key);
}

static rmx_status check_architecture(const json_t *o, const char *path, rmx_err *err) {
  static const char *const known[] = {"llama", "mistral"};
  const json_t *given = json_object_get(o, "model_type");
  const char *type = json_string_value(given);
  const json_t *activation = json_object_get(o, "hidden_act"),
               *tied = json_object_get(o, "tie_word_embeddings");
  char text[48];
  bool is_known = false;
  for (size_t i = 0; type && i < sizeof known / sizeof *known; i++)
    is_known |= strcmp(type, known[i]) == 0;
  if (!is_known)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: %s%s; only models of the Llama architecture (\"llama\", "
                    "\"mistral\" without a sliding window) can be read",
                    path, given ? "model_type is " : "has no \"model_type\"",
                    given ? shown(given, text) : "");
  if (activation && !json_is_null(activation) &&
      (!json_is_string(activation) || strcmp(json_string_value(activation), "silu") != 0))
    return rmx_fail(err, RMX_EINPUT, "%s: hidden_act is %s, only \"silu\" is supported", path,
                    shown(activation, text));
  if (tied && !json_is_boolean(tied) && !json_is_null(tied))
    return rmx_fail(err, RMX_EINPUT, "%s: \"tie_word_embeddings\" is %s, wanted true or false",
                    path, shown(tied, text));
  RMX_TRY(must_be_off(o, "attention_bias", path, err));
  RMX_TRY(must_be_off(o, "mlp_bias", path, err));
  RMX_TRY(must_be_off(o, "quantization_config", path, err));
  return RMX_OK;
}

// A part of the channels that is turned, 1 where it is not given.
static rmx_status check_part(const json_t *o, const char *path, rmx_err *err) {
  const json_t *part = json_object_get(o, "partial_rotary_factor");
  char text[48];
  if (!part || json_is_null(part) || json_number_value(part) == 1) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: partial_rotary_factor is %s, only 1 is supported", path,
                  shown(part, text));
}

// The type of a scaling; NULL: the positions are as they are.
static rmx_status scaling_type(const json_t *o, const char *name, const char *path,
                               const char **type, rmx_err *err) {
  const json_t *scaling = json_object_get(o, name);
  const json_t *given = json_object_get(scaling, "rope_type");
  const char *key;
  json_t *value;
  char text[48];
  *type = NULL;
  if (!scaling || json_is_null(scaling)) return RMX_OK;
  if (!json_is_object(scaling))
    return rmx_fail(err, RMX_EINPUT, "%s: %s is %s, wanted {\"rope_type\": \"...\", ...}", path,
                    name, shown(scaling, text));
  RMX_TRY(check_part(scaling, path, err));
  if (!given) given = json_object_get(scaling, "type");
  if (given && !json_is_string(given))
    return rmx_fail(err, RMX_EINPUT, "%s: the type of %s is %s, wanted a text", path, name,
                    shown(given, text));
  *type = json_string_value(given);
  json_object_foreach((json_t *)(uintptr_t)scaling, key, value)
    if (!*type && strcmp(key, "rope_theta") != 0 && strcmp(key, "partial_rotary_factor") != 0)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: %s has \"%.40s\" but no \"rope_type\"; wanted \"linear\" or \"llama3\"",
                      path, name, key);
  return RMX_OK;
}

// How positions become angles: rope_scaling, or rope_parameters in newer files.
static rmx_status read_rope(const json_t *o, const char *path, rmx_lm_config *c, rmx_err *err) {
  const json_t *newer = json_object_get(o, "rope_parameters");
  const json_t *scaling = json_is_object(newer) ? newer : json_object_get(o, "rope_scaling");
  const char *type, *older;
  RMX_TRY(check_part(o, path, err));
  RMX_TRY(scaling_type(o, "rope_scaling", path, &older, err));
  RMX_TRY(scaling_type(o, "rope_parameters", path, &type, err));
  if (!json_is_object(newer)) type = older;
  if (older && type && strcmp(older, type) != 0)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: rope_scaling is of the type \"%.40s\" and rope_parameters of \"%.40s\"",
                    path, older, type);
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
  char text[48];
  if (window && !json_is_null(window) && !json_is_false(window) &&
      !(json_number_value(window) >= (double)c->context))
    return rmx_fail(err, RMX_EINPUT,
                    "%s: the model has a sliding window of %s tokens, which is not supported", path,
                    shown(window, text));
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
