// SPDX-License-Identifier: Apache-2.0
// One optimiser step. Its loss is sum(w ce) / sum(w) over all its micro-batches: gradients are
// summed unscaled, and divided once, in the step.
#include "step.h"

#include <stdlib.h>

rmx_status rmx__stepper_make(struct rmx__stepper *s, rmx_err *err) {
  const size_t T = (size_t)s->training->context;
  s->micro = (int)rmx_training_micro_batch(s->training);
  const size_t n = (size_t)s->micro * T;
  RMX_TRY(rmx_batch_make(&s->batch, s->micro, (int)T, err));
  s->losses = rmx_calloc(n, sizeof *s->losses);
  if (!s->losses) return rmx_fail_memory(err, n * sizeof *s->losses, "a training");
  return RMX_OK;
}

void rmx__stepper_release(struct rmx__stepper *s) {
  rmx_batch_release(&s->batch);
  free(s->losses);
}

static void weigh(void *context, const float *losses, size_t n, float *weights) {
  struct rmx__stepper *s = context;
  (void)n, (void)weights;  // those of the batch
  s->controller->weigh(s->controller->context, &s->batch, losses);
}

static void pass(struct rmx__stepper *s) {
  const rmx_batch *b = &s->batch;
  if (s->controller && s->controller->weigh)
    rmx_model_backward_weighed(s->model, b->tokens, b->labels, &(rmx_weigher){s, weigh}, b->B, b->T,
                               s->losses, b->weights);
  else
    rmx_model_backward(s->model, b->tokens, b->labels, b->weights, b->B, b->T, s->losses);
}

rmx_status rmx__stepper_take(struct rmx__stepper *s, double lr, double *loss, double *norm,
                             rmx_err *err) {
  double loss_sum = 0.0, weight_sum = 0.0;
  const rmx_stream_type *type = s->stream->type;
  for (int64_t left = rmx_training_batch(s->training); left > 0; left -= s->batch.B) {
    const double since = s->data_s ? rmx_now() : 0;
    s->batch.B = left < s->micro ? (int)left : s->micro;
    RMX_TRY(type->next(s->stream, &s->batch, err));
    if (s->data_s) *s->data_s += rmx_now() - since;
    pass(s);
    if (type->observe) type->observe(s->stream, &s->batch, s->losses);
    const size_t n = (size_t)s->batch.B * (size_t)s->batch.T;
    for (size_t i = 0; i < n; i++) {
      loss_sum += (double)s->batch.weights[i] * (double)s->losses[i];
      weight_sum += (double)s->batch.weights[i];
    }
  }
  s->batch.B = s->micro;
  *loss = loss_sum / weight_sum;
  *norm = rmx_model_step(s->model, &s->training->adamw, lr, weight_sum);
  return RMX_OK;
}
