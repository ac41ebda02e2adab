// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a checkpoint are refused or fill the model.
#include <regmix/model.h>

#include "base/json.h"
#include "fuzz.h"

static void load(const uint8_t *data, size_t size) {
  rmx_err err;
  rmx_model_config c;
  json_t *extra = NULL;
  const char *path = fuzz_file("model.bin", data, size);
  if (rmx_model_read_config(path, &c, &err) != RMX_OK || c.layers > 2 || c.width > 16 ||
      c.ffn > 32 || c.vocab > 320 || c.context > 32)
    return;
  const rmx_kernels *kernels;
  rmx_model *m;
  if (rmx_kernels_get("ref", &kernels, &err) != RMX_OK) abort();
  if (rmx_model_new(&c, 1, (int)c.context, true, kernels, 1, &m, &err) != RMX_OK) return;
  if (rmx_model_load(m, path, &extra, &err) == RMX_OK) json_decref(extra);
  rmx_model_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  load(data, size);
  // The same with what no fuzzer guesses put right: magic, version, the hash at the end.
  if (size < 24) return 0;
  uint8_t *file = malloc(size);
  if (!file) return 0;
  memcpy(file, data, size);
  memcpy(file, "RMXMODEL\1\0\0\0", 12);
  const uint64_t hash = rmx_hash(file, size - 8, 0);
  memcpy(file + size - 8, &hash, 8);
  load(file, size);
  free(file);
  return 0;
}
