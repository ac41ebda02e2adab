// SPDX-License-Identifier: Apache-2.0
// The speed of the PyTorch trainer, which it measures itself.
#ifndef RMX_PIPELINE_PLAN_PYTORCH_H
#define RMX_PIPELINE_PLAN_PYTORCH_H

#include <regmix/pipeline.h>

struct rmx__pytorch_speed {
  struct json_t *answer;   // what it printed (trainers/pytorch/speed.py); NULL: nothing
  int processes, at_once;  // of all runs; of those, how many have a device of their own
  double tokens_per_s;     // of a process with a device of its own: all its runs together
  double valid_tokens_per_s;
  double memory;  // bytes, of a process
};
// Starts train.py for some seconds. A note says what was measured. If nothing was, a warning says
// why, and answer is NULL; that is no error. json_decref(out->answer).
rmx_status rmx__pytorch_speed(const rmx_pipeline *p, const char *what, const rmx_training *t,
                              int vocab, size_t runs, struct rmx__pytorch_speed *out, rmx_err *err);

#endif
