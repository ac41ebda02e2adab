// SPDX-License-Identifier: Apache-2.0
// lm.h: what the files of a language model that only scores share.
#ifndef RMX_MODEL_LM_LM_H
#define RMX_MODEL_LM_LM_H

#include <regmix/lm.h>

#include "kernels/threaded.h"

// Matrices are (out, in): y = x W^T. q is (H S, C), k and v are (KV S, C) and follow it, so that
// one product gives all three; gate and up (F, C) follow each other too.
struct rmx__lm_layer {
  float *attention_norm;  // (C)
  float *qkv;             // ((H + 2 KV) S, C)
  float *out;             // (C, H S)
  float *ffn_norm;        // (C)
  float *gate_up;         // (2 F, C)
  float *down;            // (C, F)
};

struct rmx_lm {
  rmx_lm_config c;
  struct rmx__threaded threaded;
  struct rmx__lm_layer *layers;    // (L)
  float *embedding, *norm, *head;  // (V, C), (C), (V, C); a tied head is the embedding
  double *frequency;               // (S / 2): radians a position
  size_t numbers;                  // of all weights
  float *block, *scratch;          // the weights; scratch of the threads
};

// Channels that q, k and v have together.
static inline size_t rmx__lm_qkv(const rmx_lm_config *c) {
  return (size_t)((c->heads + 2 * c->kv_heads) * c->head_width);
}

// Allocates the weights of m->c, points to them and makes the table of frequencies.
rmx_status rmx__lm_lay_out(rmx_lm *m, rmx_err *err);
// config.json of Hugging Face's library. RMX_EINPUT: not a Llama, or sizes that cannot be.
rmx_status rmx__lm_read_config(const char *path, rmx_lm_config *out, rmx_err *err);
rmx_status rmx__lm_check_config(const rmx_lm_config *c, const char *path, rmx_err *err);

// The name of a tensor of ours in the files of Hugging Face's library; free() it. NULL: no memory.
char *rmx__hub_name(const char *ours);

#endif
