// SPDX-License-Identifier: Apache-2.0
// The state of one training, from set-up to its result: train.c runs the steps, checkpoint.c writes
// the state and resumes from it, result.c writes result.json; loop.c has what they share.
#ifndef RMX_TRAIN_LOOP_H
#define RMX_TRAIN_LOOP_H

#include "base/json.h"
#include "step.h"

struct rmx__loop {
  const rmx_run *run;
  const rmx_corpus *corpus;
  const rmx_kernels *kernels;
  const rmx_train_hooks *hooks;
  rmx_comm *comm;
  bool first;  // of the ranks: it writes the files
  rmx_model_config config;
  struct rmx__stepper stepper;     // with the model and the stream
  rmx_controller controller;       // all NULL where nothing controls it
  double *final_nats, *half_nats;  // (D)
  double peak_lr;
  int64_t step, steps, half_step, log_every;
  double wall_before;  // seconds of earlier processes
  double started, checkpointed;
  double loss;  // of the step done last
  FILE *log;
  rmx_buf logged;  // all of the log so far
  char fingerprint[17], model_hash[17];
  char *log_path, *checkpoint_path, *old_checkpoint_path, *result_path;
  bool diverged;
};

// Seconds of this training, those of earlier processes included.
double rmx__loop_wall_s(const struct rmx__loop *l);
int64_t rmx__loop_tokens_per_step(const struct rmx__loop *l);
// One of the `evals` on the way: the first step at or past each of as many even parts of the run.
bool rmx__loop_evaluation_due(const struct rmx__loop *l, int64_t step);
// A map from domains to nats (D): a NaN as null; a new reference.
json_t *rmx__loop_nats_json(const struct rmx__loop *l, const double *nats);
// Makes the model, with its initial weights.
rmx_status rmx__loop_new_model(struct rmx__loop *l, rmx_err *err);
void rmx__loop_warn(const struct rmx__loop *l, const char *message);

// Writes the state into the run's folder, or gives it back to `l` if the folder has one of this
// run. All ranks call them together.
rmx_status rmx__checkpoint_save(struct rmx__loop *l, rmx_err *err);
rmx_status rmx__checkpoint_load(struct rmx__loop *l, rmx_err *err);

// Writes result.json, and the model where it is kept, and removes the checkpoint. The first rank
// calls it.
rmx_status rmx__result_write(struct rmx__loop *l, rmx_err *err);

#endif
