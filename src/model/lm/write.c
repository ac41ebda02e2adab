// SPDX-License-Identifier: Apache-2.0
// Writes a model of this program as a Llama of Hugging Face's library.
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lm.h"
#include "safetensors.h"

// Our names and theirs. "layers.<l>." before them becomes "model.layers.<l>.".
static const struct {
  const char *ours, *theirs;
} names[] = {
    {"embedding", "model.embed_tokens.weight"},
    {"attention.norm", "input_layernorm.weight"},
    {"attention.wq", "self_attn.q_proj.weight"},
    {"attention.wk", "self_attn.k_proj.weight"},
    {"attention.wv", "self_attn.v_proj.weight"},
    {"attention.wo", "self_attn.o_proj.weight"},
    {"ffn.norm", "post_attention_layernorm.weight"},
    {"ffn.gate", "mlp.gate_proj.weight"},
    {"ffn.up", "mlp.up_proj.weight"},
    {"ffn.down", "mlp.down_proj.weight"},
    {"norm", "model.norm.weight"},
    {"head", "lm_head.weight"},
};

static char *name_of(const char *ours) {
  int layer = -1, end = 0;
  if (sscanf(ours, "layers.%d.%n", &layer, &end) == 1) ours += end;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i].ours, ours) == 0)
      return layer < 0 ? rmx_strdup(names[i].theirs)
                       : rmx_format("model.layers.%d.%s", layer, names[i].theirs);
  return NULL;
}

static rmx_status write_config(const rmx_model_config *c, uint32_t end_of_text, const char *path,
                               rmx_err *err) {
  json_t *id = end_of_text == UINT32_MAX ? json_null() : json_integer((json_int_t)end_of_text);
  json_t *o = json_pack(
      "{s:[s], s:s, s:b, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:n, "
      "s:b, s:O, s:o}",
      "architectures", "LlamaForCausalLM", "model_type", "llama", "attention_bias", 0, "mlp_bias",
      0, "hidden_act", "silu", "torch_dtype", "float32", "num_hidden_layers", (json_int_t)c->layers,
      "num_attention_heads", (json_int_t)c->heads, "num_key_value_heads", (json_int_t)c->heads,
      "head_dim", (json_int_t)(c->width / c->heads), "hidden_size", (json_int_t)c->width,
      "intermediate_size", (json_int_t)c->ffn, "vocab_size", (json_int_t)c->vocab,
      "max_position_embeddings", (json_int_t)c->context, "rms_norm_eps", c->norm_eps, "rope_theta",
      c->rope_base, "rope_scaling", "tie_word_embeddings", 0, "bos_token_id", id, "eos_token_id",
      id);
  if (!o) return rmx_fail_memory(err, 0, "the config of a model");
  const rmx_status status = rmx__json_write(path, o, err);
  json_decref(o);
  return status;
}

static rmx_status write_tensors(const rmx_model *m, const char *path, rmx_err *err) {
  const rmx_tensor *from;
  const size_t n = rmx_model_tensors(m, &from);
  const float *weights = rmx_model_weights((rmx_model *)(uintptr_t)m);
  RMX_OWNED_BY(rmx_strings_release) rmx_strings theirs = {0};
  RMX_OWNED rmx__safetensor *tensors = rmx_calloc(n, sizeof *tensors);
  if (!tensors) return rmx_fail_memory(err, n * sizeof *tensors, "a list of tensors");
  for (size_t i = 0; i < n; i++) {
    RMX_OWNED char *name = name_of(from[i].name);
    if (!name || !rmx_strings_add(&theirs, name))
      return rmx_fail_memory(err, 0, "the name of a tensor");
    tensors[i].ndim = (size_t)from[i].ndim;
    for (int d = 0; d < from[i].ndim; d++) tensors[i].shape[d] = (size_t)from[i].shape[d];
    tensors[i].data = weights + from[i].offset;
  }
  for (size_t i = 0; i < n; i++) tensors[i].name = theirs.items[i];
  json_t *metadata = json_pack("{s:s, s:s}", "format", "pt", "made_by", "regmix");
  const rmx_status status = rmx__safetensors_write(path, tensors, n, metadata, err);
  json_decref(metadata);
  return status;
}

rmx_status rmx_lm_write(const rmx_model *m, uint32_t end_of_text, const char *folder,
                        rmx_err *err) {
  RMX_TRY(rmx_mkdirs(folder, err));
  RMX_OWNED char *config = rmx_path_in(folder, "config.json");
  RMX_OWNED char *weights = rmx_path_in(folder, "model.safetensors");
  if (!config || !weights) return rmx_fail_memory(err, 0, "a path");
  RMX_TRY(write_tensors(m, weights, err));
  return write_config(rmx_model_config_of(m), end_of_text, config, err);
}
