// SPDX-License-Identifier: Apache-2.0
// How fast a training goes here: whole optimiser steps on random tokens, for about as long as asked.
#include <regmix/train.h>
#include <stdlib.h>

rmx_status rmx_training_speed(const rmx_training *t, int vocab, const rmx_kernels *kernels, double seconds,
                              double *tokens_per_s, rmx_err *err) {
  rmx_model_config config;
  RMX_TRY(rmx_training_model(t, vocab, &config, err));
  int T = (int)t->context, micro = (int)rmx_training_micro_batch(t);
  int64_t passes = (rmx_training_batch(t) + micro - 1) / micro, steps = 0;
  size_t n = (size_t)micro * (size_t)T;
  rmx_batch batch;
  rmx_model *model = NULL;
  RMX_TRY(rmx_batch_make(&batch, micro, T, err));
  float *losses = rmx_calloc(n, sizeof *losses);
  rmx_status status = losses ? rmx_model_new(&config, micro, T, true, kernels, 0, &model, err)
                             : rmx_fail_memory(err, n * sizeof *losses, "a measurement");
  rmx_rng rng = rmx_rng_make(0, 0, RMX_FOR_TEST);
  for (size_t i = 0; status == RMX_OK && i < n; i++) {
    batch.tokens[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)vocab);
    batch.labels[i] = (int32_t)rmx_rng_below(&rng, (uint64_t)vocab);
  }
  // The first step warms caches and pages and is not counted.
  for (double since = 0; status == RMX_OK; steps++) {
    if (steps == 1) since = rmx_now();
    if (steps > 1 && rmx_now() - since >= seconds) {
      *tokens_per_s = (double)((steps - 1) * passes * (int64_t)n) / (rmx_now() - since);
      break;
    }
    for (int64_t pass = 0; pass < passes; pass++)
      rmx_model_backward(model, batch.tokens, batch.labels, NULL, micro, T, losses);
    rmx_model_step(model, &t->adamw, 1e-4, (double)(passes * (int64_t)n));
  }
  rmx_model_free(model);
  rmx_batch_release(&batch);
  free(losses);
  return status;
}
