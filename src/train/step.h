// SPDX-License-Identifier: Apache-2.0
// step.h: one optimiser step, as trainings take it and as their speed is measured.
#ifndef RMX_TRAIN_STEP_H
#define RMX_TRAIN_STEP_H

#include <regmix/train.h>

struct rmx__stepper {
  const rmx_training *training;
  rmx_model *model;
  rmx_stream *stream;
  const rmx_controller *controller;  // its weights of tokens; NULL, or without: those of the stream
  rmx_batch batch;                   // one micro-batch
  int micro;                         // sequences it has room for
  float *losses;                     // (micro, T)
  double *data_s;                    // seconds spent on data are added here; NULL: not measured
};

// Makes the batch and the arrays. What was made is released by rmx__stepper_release, even where
// this fails.
rmx_status rmx__stepper_make(struct rmx__stepper *s, rmx_err *err);
void rmx__stepper_release(struct rmx__stepper *s);
// Whole batch, gradients, AdamW. *loss is sum(w ce) / sum(w), *norm the gradient's.
rmx_status rmx__stepper_take(struct rmx__stepper *s, double lr, double *loss, double *norm,
                             rmx_err *err);

#endif
