// SPDX-License-Identifier: Apache-2.0
// Any bytes given as the files of a fit end in a fit that predicts or in an error.
#include <regmix/regress.h>

#include "fuzz.h"
#include "regress/fit.h"

// fit.json, then the file of a metric called "a" under both endings.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *part;
  rmx_err err;
  rmx_fit *f;
  size_t n = fuzz_part(&data, &size, &part);
  fuzz_file("fit.json", part, n);
  n = fuzz_part(&data, &size, &part);
  fuzz_file("a.json", part, n);
  fuzz_file("a.txt", part, n);
  if (rmx_fit_read(fuzz_folder(), &f, &err) != RMX_OK) return 0;
  double *w = rmx_calloc(f->D, sizeof *w), *mean = rmx_calloc(f->M, sizeof *mean);
  if (!w || !mean) abort();
  for (size_t d = 0; d < f->D; d++) w[d] = 1.0 / (double)f->D;
  for (size_t m = 0; m < f->M; m++) rmx_regressor_predict(f->regressors[m], w, 1, &mean[m], NULL);
  free(w);
  free(mean);
  rmx_fit_free(f);
  return 0;
}
