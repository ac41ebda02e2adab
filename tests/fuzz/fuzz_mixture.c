// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a mixture file of each kind end in weights that sum to 1 or in an error.
#include <math.h>
#include <regmix/mixture.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const files[] = {"mixture.yaml", "mixture.json", "mixture.csv"};
  static const char *const names[] = {"a", "b", "code"};
  for (int i = 0; i < 3; i++) {
    rmx_err err;
    double w[3];
    if (rmx_mixture_read(fuzz_file(files[i], data, size), names, 3, w, &err) != RMX_OK) continue;
    if (!(fabs(w[0] + w[1] + w[2] - 1) < 1e-6) || w[0] < 0 || w[1] < 0 || w[2] < 0) abort();
  }
  return 0;
}
