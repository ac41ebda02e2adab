// SPDX-License-Identifier: Apache-2.0
// One optimiser step. Its loss is sum(w ce) / sum(w) over all its micro-batches: gradients are
// summed unscaled, and divided once, in the step.
#include "step.h"

#include <stdlib.h>

#include "model/model.h"

rmx_status rmx__stepper_make(struct rmx__stepper *s, rmx_err *err) {
  const size_t T = (size_t)s->training->context;
  s->comm = rmx__comm_of(s->comm);
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

// Draws up to n sequences, no more than fit in a micro-batch, and trains on them if they are this
// rank's. sums: of the weighted losses, of the weights.
static rmx_status take_some(struct rmx__stepper *s, int64_t n, bool ours, double sums[2],
                            rmx_err *err) {
  const double since = s->data_s ? rmx_now() : 0;
  const rmx_stream_type *type = s->stream->type;
  s->batch.B = n < s->micro ? (int)n : s->micro;
  RMX_TRY(type->next(s->stream, &s->batch, err));
  if (s->data_s) *s->data_s += rmx_now() - since;
  if (!ours) return RMX_OK;
  if (n <= s->micro) rmx__shards_last_pass(s->model);
  pass(s);
  if (type->observe) type->observe(s->stream, &s->batch, s->losses);
  const size_t tokens = (size_t)s->batch.B * (size_t)s->batch.T;
  for (size_t i = 0; i < tokens; i++) {
    sums[0] += (double)s->batch.weights[i] * (double)s->losses[i];
    sums[1] += (double)s->batch.weights[i];
  }
  return RMX_OK;
}

// The sequences of a step are shared evenly. Every rank draws all of them, since where the stream
// is depends on those before.
rmx_status rmx__stepper_take(struct rmx__stepper *s, double lr, double *loss, double *norm,
                             rmx_err *err) {
  const int64_t all = rmx_training_batch(s->training), rank = s->comm->rank, ranks = s->comm->size;
  const int64_t from = all * rank / ranks, end = all * (rank + 1) / ranks;
  double sums[2] = {0};
  for (int64_t at = 0; at < all; at += s->batch.B) {
    const bool ours = at >= from && at < end;
    RMX_TRY(take_some(s, (at < from ? from : ours ? end : all) - at, ours, sums, err));
  }
  s->batch.B = s->micro;
  rmx__comm_add(s->comm, sums, 2);
  *loss = sums[0] / sums[1];
  *norm = rmx_model_step(s->model, &s->training->adamw, lr, sums[1]);
  return RMX_OK;
}
