// SPDX-License-Identifier: Apache-2.0
// Any bytes given as the file of a fitted function, JSON of each kind or LightGBM's text, end in a
// function that predicts and is written, or in an error.
#include <regmix/regress.h>

#include "fuzz.h"

static void read_one(const char *name, const uint8_t *data, size_t size) {
  rmx_err err;
  rmx_regressor *r;
  const char *path = fuzz_file(name, data, size);
  if (rmx_regressor_read(path, &r, &err) != RMX_OK) return;
  size_t D = rmx_regressor_domains(r);
  double *w = rmx_calloc(D, sizeof(double)), mean;
  if (!w) abort();
  for (size_t d = 0; d < D; d++) w[d] = 1.0 / (double)D;
  rmx_regressor_predict(r, w, 1, &mean, NULL);
  if (rmx_regressor_write(r, path, &err) != RMX_OK) abort();
  free(w);
  rmx_regressor_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  read_one("function.json", data, size);
  read_one("function.txt", data, size);
  return 0;
}
