// SPDX-License-Identifier: Apache-2.0
// The names that Hugging Face's library has for the tensors of a Llama.
#include <stdlib.h>
#include <string.h>

#include "lm.h"

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

char *rmx__hub_name(const char *ours) {
  int layer = -1, end = 0;
  if (sscanf(ours, "layers.%d.%n", &layer, &end) == 1) ours += end;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i].ours, ours) == 0)
      return layer < 0 ? rmx_strdup(names[i].theirs)
                       : rmx_format("model.layers.%d.%s", layer, names[i].theirs);
  return NULL;
}
