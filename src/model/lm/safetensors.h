// SPDX-License-Identifier: Apache-2.0
// safetensors.h: files of named arrays (the format of Hugging Face's safetensors).
//
//   8 bytes   n, little-endian
//   n         JSON: {name: {"dtype", "shape", "data_offsets": [from, to]}, "__metadata__": {...}}
//   the rest  the arrays; offsets count from its start
//
// A file is mapped. Everything in the header is checked before it is believed.
//
// A file that this program wrote has a hash of itself, the first value of its metadata: the XXH3 of
// the arrays, whose seed is that of all before them with zeros for the digits.
#ifndef RMX_MODEL_LM_SAFETENSORS_H
#define RMX_MODEL_LM_SAFETENSORS_H

#include <regmix/base.h>

enum { RMX__TENSOR_DIMENSIONS = 8 };
typedef struct rmx__safetensor {
  const char *name;  // of the header
  char type[8];      // "F32"
  size_t ndim, shape[RMX__TENSOR_DIMENSIONS];
  size_t numbers;    // the product of the shape
  const void *data;  // may not be aligned
  bool taken;        // by who reads the file
} rmx__safetensor;

typedef struct rmx__safetensors {
  rmx_map map;
  struct json_t *header, *metadata;  // metadata: NULL if there is none
  size_t front;                      // bytes before the arrays
  rmx__safetensor *tensors;          // (n)
  size_t n;
} rmx__safetensors;

rmx_status rmx__safetensors_open(rmx__safetensors *s, const char *path, rmx_err *err);
void rmx__safetensors_release(rmx__safetensors *s);
// NULL: there is no such tensor.
const rmx__safetensor *rmx__safetensors_find(const rmx__safetensors *s, const char *name);
// Whether rmx__safetensor_floats() reads the type: F32, F16 or BF16.
bool rmx__safetensor_readable(const rmx__safetensor *t);
void rmx__safetensor_floats(const rmx__safetensor *t, float *out);

// A text of the metadata; NULL: there is none.
const char *rmx__safetensors_text(const rmx__safetensors *s, const char *key);
// RMX_EINPUT: the file has no hash of itself, or its bytes are not those that were written.
rmx_status rmx__safetensors_check(const rmx__safetensors *s, const char *path, rmx_err *err);
// The hash that a file has of itself; only the start of the file is read.
rmx_status rmx__safetensors_hash(const char *path, uint64_t *hash, rmx_err *err);

// Writes float32 arrays, in their order. Of a tensor name, ndim, shape and data are used.
// `metadata` (may be NULL) is an object of strings.
rmx_status rmx__safetensors_write(const char *path, const rmx__safetensor *tensors, size_t n,
                                  const struct json_t *metadata, rmx_err *err);

#endif
