// SPDX-License-Identifier: Apache-2.0
// Any bytes given as run.json and result.json of a run end in a run with a state or in an error.
#include <regmix/swarm.h>

#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *part;
  rmx_err err;
  rmx_run run;
  json_t *result = NULL;
  size_t n = fuzz_part(&data, &size, &part);
  fuzz_file("run.json", part, n);
  n = fuzz_part(&data, &size, &part);
  fuzz_file("result.json", part, n);
  if (rmx_run_read(fuzz_folder(), &run, &err) != RMX_OK) return 0;
  rmx_run_look(&run, &result);
  rmx_buf difference = {0};
  rmx_run_difference(&run, &difference);
  rmx_buf_release(&difference);
  json_decref(result);
  rmx_run_release(&run);
  return 0;
}
