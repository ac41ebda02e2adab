// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a LightGBM text model end in a model that predicts and is written, or in an error.

#include <regmix/regress.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  rmx_err err;
  rmx_regressor *r;
  snprintf(path, sizeof(path), "/tmp/regmix-fuzz-trees-%d", (int)getpid());
  if (rmx_write_file(path, data, size, &err) != RMX_OK) abort();
  if (rmx_regressor_read(path, &r, &err) == RMX_OK) {
    size_t D = rmx_regressor_domains(r);
    double *w = rmx_calloc(D, sizeof(double)), mean;
    if (w == NULL) abort();
    rmx_regressor_predict(r, w, 1, &mean, NULL);
    if (rmx_regressor_write(r, path, &err) != RMX_OK) abort();
    free(w);
    rmx_regressor_free(r);
  }
  unlink(path);
  return 0;
}
