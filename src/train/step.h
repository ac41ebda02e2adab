// SPDX-License-Identifier: Apache-2.0
// step.h: one optimiser step, for the training loop and for the measurement of speed.
#ifndef RMX_TRAIN_STEP_H
#define RMX_TRAIN_STEP_H

#include <regmix/train.h>

#include "comm/comm.h"

struct rmx__stepper {
  const rmx_training *training;
  rmx_model *model;
  rmx_stream *stream;
  rmx_comm *comm;  // the ranks that share the sequences of a step
  const rmx_controller
      *controller;  // NULL, or without weights of tokens: those of the stream are used
  rmx_batch batch;  // one micro-batch
  int micro;        // sequences it has room for
  float *losses;    // (micro, T)
  double *data_s;   // seconds spent on data are added here; NULL: not measured
};

// Makes the batch and the arrays. Call rmx__stepper_release afterwards, also after a
// failure.
rmx_status rmx__stepper_make(struct rmx__stepper *s, rmx_err *err);
void rmx__stepper_release(struct rmx__stepper *s);
// Whole batch, gradients, AdamW. *loss is sum(w ce) / sum(w), *norm the gradient's.
rmx_status rmx__stepper_take(struct rmx__stepper *s, double lr, double *loss, double *norm,
                             rmx_err *err);

// As rmx_evaluate(), with the windows shared among the ranks.
double rmx__evaluate_shared(struct rmx__stepper *s, const rmx_corpus *corpus, size_t d,
                            int64_t max_tokens);

#endif
