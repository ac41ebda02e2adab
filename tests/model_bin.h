// SPDX-License-Identifier: Apache-2.0
// Writes models as version 0.1.0 did (src/model/model_bin.c has the format): tests read them.
#ifndef RMX_TESTS_MODEL_BIN_H
#define RMX_TESTS_MODEL_BIN_H

#include "base/json.h"
#include "model/model.h"

static inline void write_model_bin(const rmx_model *m, const char *path, bool state,
                                   json_t *extra) {
  const rmx_model_config *c = &m->c;
  const float *const blocks[] = {m->weights, m->moment1, m->moment2};
  rmx_buf b = {0};
  json_t *tensors = json_array();
  for (size_t i = 0; i < m->tensors_n; i++) {
    json_t *shape = json_array();
    for (int d = 0; d < m->tensors[i].ndim; d++)
      json_array_append_new(shape, json_integer(m->tensors[i].shape[d]));
    json_array_append_new(tensors,
                          json_pack("{s:s, s:o}", "name", m->tensors[i].name, "shape", shape));
  }
  json_t *header = json_pack(
      "{s:{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f}, s:o, s:I, s:b, s:O?}", "config", "layers",
      (json_int_t)c->layers, "heads", (json_int_t)c->heads, "width", (json_int_t)c->width, "ffn",
      (json_int_t)c->ffn, "vocab", (json_int_t)c->vocab, "context", (json_int_t)c->context,
      "rope_base", c->rope_base, "norm_eps", c->norm_eps, "tensors", tensors, "step",
      (json_int_t)m->step, "state", state, "extra", extra);
  char *text = json_dumps(header, JSON_COMPACT | JSON_REAL_PRECISION(17));
  const uint32_t numbers[2] = {1, (uint32_t)((16 + strlen(text) + 63) / 64 * 64 - 16)};
  rmx_buf_puts(&b, "RMXMODEL");
  rmx_buf_add(&b, numbers, sizeof numbers);
  rmx_buf_printf(&b, "%-*s", (int)numbers[1], text);
  uint64_t hash = rmx_hash(b.data, b.size, 0);
  for (size_t i = 0; i < (state ? 3 : 1); i++) {
    rmx_buf_add(&b, blocks[i], m->size * sizeof(float));
    hash = rmx_hash(blocks[i], m->size * sizeof(float), hash);
  }
  rmx_buf_add(&b, &hash, sizeof hash);
  must(rmx_write_file(path, b.data, b.size, err));
  rmx_buf_release(&b);
  free(text), json_decref(header);
}

#endif
