// SPDX-License-Identifier: Apache-2.0
// Any bytes given as config.json and model.safetensors, and any line as an item of a task, end in
// scores or in an error.
#include <regmix/lm.h>

#include "eval/items.h"
#include "fuzz.h"

static void score(void) {
  static const rmx_kernels *k;
  rmx_err err;
  rmx_lm *m;
  if (!k && rmx_kernels_get("ref", &k, &err) != RMX_OK) abort();
  if (rmx_lm_open(fuzz_folder(), k, 1, &m, &err) != RMX_OK) return;
  const rmx_lm_config *c = rmx_lm_config_of(m);
  if (c->layers <= 4 && c->width <= 64 && c->ffn <= 64 && c->vocab <= 320 && c->heads <= 8 &&
      c->head_width <= 64) {
    const int32_t tokens[3] = {0, 1, 2};
    rmx_lm_branch branches[2] = {{.tokens = tokens, .n = 2}, {.tokens = tokens + 1, .n = 1}};
    rmx_lm_item item = {tokens, 2, branches, 2};
    rmx_lm_score(m, &item, 1, NULL, &err);
  }
  rmx_lm_free(m);
}

// A line of a task, config.json, and the rest: the tensors.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *part;
  rmx_err err;
  rmx__eval_item item;
  size_t n = fuzz_part(&data, &size, &part);
  rmx__eval_item_read(&item, (const char *)part, n, "line:1", &err);
  rmx__eval_item_release(&item);
  n = fuzz_part(&data, &size, &part);
  fuzz_file("config.json", part, n);
  fuzz_file("model.safetensors", data, size);
  score();
  return 0;
}
