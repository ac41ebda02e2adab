// SPDX-License-Identifier: Apache-2.0
// Any bytes given as regmix.yaml end in a config that is written and read again, or in an error.
#include <regmix/experiment.h>

#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rmx_err err;
  rmx_config c;
  if (rmx_config_read(fuzz_file("regmix.yaml", data, size), NULL, 0, &c, &err) != RMX_OK) return 0;
  json_t *tree = rmx_config_json(&c);
  if (!tree) abort();
  json_decref(tree);
  rmx_config_release(&c);
  return 0;
}
