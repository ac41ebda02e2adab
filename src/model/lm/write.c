// SPDX-License-Identifier: Apache-2.0
// Writes a model of this program as a Llama of Hugging Face's library, with the small files that
// its loaders expect.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lm.h"

static rmx_status write_json(const char *folder, const char *name, json_t *o, rmx_err *err) {
  RMX_OWNED char *path = rmx_path_in(folder, name);
  const rmx_status status =
      o && path ? rmx__json_write(path, o, err) : rmx_fail_memory(err, 0, name);
  json_decref(o);
  return status;
}

static json_t *scaling_json(const rmx_model_config *c) {
  if (c->rope_original > 0)
    return json_pack("{s:s, s:f, s:f, s:f, s:I}", "rope_type", "llama3", "factor", c->rope_factor,
                     "low_freq_factor", c->rope_low, "high_freq_factor", c->rope_high,
                     "original_max_position_embeddings", (json_int_t)c->rope_original);
  return c->rope_factor != 1
             ? json_pack("{s:s, s:f}", "rope_type", "linear", "factor", c->rope_factor)
             : json_null();
}

static rmx_status write_config(const rmx_model_config *c, uint32_t end_of_text, const char *folder,
                               rmx_err *err) {
  json_t *id = end_of_text == UINT32_MAX ? json_null() : json_integer((json_int_t)end_of_text);
  json_t *o = json_pack(
      "{s:[s], s:s, s:b, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:o, "
      "s:b, s:O, s:o}",
      "architectures", "LlamaForCausalLM", "model_type", "llama", "attention_bias", 0, "mlp_bias",
      0, "hidden_act", "silu", "torch_dtype", "float32", "num_hidden_layers", (json_int_t)c->layers,
      "num_attention_heads", (json_int_t)c->heads, "num_key_value_heads", (json_int_t)c->kv_heads,
      "head_dim", (json_int_t)c->head_width, "hidden_size", (json_int_t)c->width,
      "intermediate_size", (json_int_t)c->ffn, "vocab_size", (json_int_t)c->vocab,
      "max_position_embeddings", (json_int_t)c->context, "rms_norm_eps", c->norm_eps, "rope_theta",
      c->rope_base, "rope_scaling", scaling_json(c), "tie_word_embeddings", (int)c->tied,
      "bos_token_id", id, "eos_token_id", id);
  return write_json(folder, "config.json", o, err);
}

// The text of a token of a tokenizer.json; NULL: it has none of this id.
static const char *token_text(const json_t *tokenizer, json_int_t id) {
  const json_t *vocabulary = json_object_get(json_object_get(tokenizer, "model"), "vocab"), *token;
  const char *text;
  size_t i;
  json_array_foreach(json_object_get(tokenizer, "added_tokens"), i, token) {
    const json_t *own = json_object_get(token, "id");
    if (json_is_integer(own) && json_integer_value(own) == id)
      return json_string_value(json_object_get(token, "content"));
  }
  if (json_is_array(vocabulary))  // Unigram: [[text, score], ...]
    return json_string_value(json_array_get(json_array_get(vocabulary, (size_t)id), 0));
  json_object_foreach((json_t *)(uintptr_t)vocabulary, text, token) {
    if (json_is_integer(token) && json_integer_value(token) == id) return text;
  }
  return NULL;
}

static rmx_status copy(const char *from, const char *folder, rmx_err *err) {
  RMX_OWNED char *to = rmx_path_in(folder, "tokenizer.json");
  RMX_OWNED char *data = NULL;
  size_t size;
  if (!to) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(rmx_read_file(from, &data, &size, err));
  return rmx_write_file(to, data, size, err);
}

// tokenizer.json, and what the loaders of tokenizers read beside it.
static rmx_status write_tokenizer(const rmx_model_config *c, uint32_t end_of_text,
                                  const char *tokenizer, const char *folder, rmx_err *err) {
  json_auto_t *o = NULL;
  RMX_TRY(rmx__json_read(tokenizer, &o, err));
  const char *end = end_of_text == UINT32_MAX ? NULL : token_text(o, (json_int_t)end_of_text);
  RMX_TRY(copy(tokenizer, folder, err));
  RMX_TRY(write_json(
      folder, "tokenizer_config.json",
      json_pack("{s:s, s:s?, s:s?, s:b, s:I}", "tokenizer_class", "PreTrainedTokenizerFast",
                "bos_token", end, "eos_token", end, "clean_up_tokenization_spaces", 0,
                "model_max_length", (json_int_t)c->context),
      err));
  return write_json(
      folder, "special_tokens_map.json",
      end ? json_pack("{s:s, s:s}", "bos_token", end, "eos_token", end) : json_object(), err);
}

static rmx_status write_generation(uint32_t end_of_text, const char *folder, rmx_err *err) {
  json_t *o = json_pack("{s:b}", "_from_model_config", 1);
  if (o && end_of_text != UINT32_MAX) {
    json_object_set_new(o, "bos_token_id", json_integer((json_int_t)end_of_text));
    json_object_set_new(o, "eos_token_id", json_integer((json_int_t)end_of_text));
  }
  return write_json(folder, "generation_config.json", o, err);
}

rmx_status rmx_lm_write(const rmx_model *m, uint32_t end_of_text, const char *tokenizer,
                        const char *folder, rmx_err *err) {
  const rmx_model_config *c = rmx_model_config_of(m);
  RMX_TRY(rmx_mkdirs(folder, err));
  RMX_OWNED char *weights = rmx_path_in(folder, "model.safetensors");
  if (!weights) return rmx_fail_memory(err, 0, "a path");
  if (tokenizer) RMX_TRY(write_tokenizer(c, end_of_text, tokenizer, folder, err));
  RMX_TRY(write_generation(end_of_text, folder, err));
  RMX_TRY(write_config(c, end_of_text, folder, err));
  return rmx_model_save(m, weights, false, NULL, err);
}
