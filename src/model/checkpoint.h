// SPDX-License-Identifier: Apache-2.0
// checkpoint.h: a model in a file that was opened, in one of the two formats that are read.
#ifndef RMX_MODEL_CHECKPOINT_H
#define RMX_MODEL_CHECKPOINT_H

#include "base/json.h"
#include "lm/safetensors.h"
#include "model.h"

struct rmx__checkpoint {
  rmx_map map;            // of a model.bin
  rmx__safetensors file;  // of any other
  json_t *header, *extra;
  rmx_model_config config;
  bool state;
  int64_t step;
  size_t size;         // P
  const char *floats;  // (P) weights, then in a file with state (P) and (P), the moments
};

// checkpoint_header.c: the config of a model as the header has it; a new reference.
json_t *rmx__checkpoint_config(rmx_model_config c);
// c->header: takes the config, whether there is a state, and the step.
rmx_status rmx__checkpoint_header(struct rmx__checkpoint *c, const char *path, rmx_err *err);
// RMX_EINPUT if it is of a model with another config.
rmx_status rmx__checkpoint_is_of(const struct rmx__checkpoint *c, const rmx_model_config *wanted,
                                 const char *path, rmx_err *err);

// model_bin.c: the format of version 0.1.0.
bool rmx__is_model_bin(const char *path);
rmx_status rmx__model_bin_open(struct rmx__checkpoint *c, const char *path, rmx_err *err);
rmx_status rmx__model_bin_hash(const char *path, uint64_t *hash, rmx_err *err);

#endif
