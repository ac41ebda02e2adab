// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a checkpoint are refused or fill the model.
#include <regmix/model.h>

#include "base/json.h"
#include "fuzz.h"

static void load(const uint8_t *data, size_t size) {
  rmx_err err;
  rmx_model_config c;
  json_t *extra = NULL;
  const char *path = fuzz_file("model.safetensors", data, size);
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

// Puts right what no fuzzer guesses in a file of version 0.1.0: magic, version, the hash at the
// end.
static void mend_old(uint8_t *file, size_t size) {
  memcpy(file, "RMXMODEL\1\0\0\0", 12);
  const uint64_t hash = rmx_hash(file, size - 8, 0);
  memcpy(file + size - 8, &hash, 8);
}

// The hash in the metadata.
static void mend(uint8_t *file, size_t size) {
  static const char before[] = "{\"__metadata__\":{\"xxh3\":\"0000000000000000";
  enum { BEFORE = sizeof before - 1 };
  uint64_t header;
  char digits[17];
  memcpy(&header, file, 8);
  if (header > size - 8 || header < BEFORE) return;
  memcpy(file + 8, before, BEFORE);
  const size_t front = 8 + (size_t)header;
  snprintf(digits, sizeof digits, "%016llx",
           (unsigned long long)rmx_hash(file + front, size - front, rmx_hash(file, front, 0)));
  memcpy(file + 8 + BEFORE - 16, digits, 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  load(data, size);
  if (size < 24) return 0;
  uint8_t *file = malloc(size);
  if (!file) return 0;
  for (int old = 0; old < 2; old++) {
    memcpy(file, data, size);
    (old ? mend_old : mend)(file, size);
    load(file, size);
  }
  free(file);
  return 0;
}
