// SPDX-License-Identifier: Apache-2.0
// What the steps, the checkpoints and the result of a training share.
#include "loop.h"

#include <math.h>
#include <regmix/lm.h>

#include "base/json.h"
#include "model/model.h"

double rmx__loop_wall_s(const struct rmx__loop *l) {
  return l->wall_before + rmx_now() - l->started;
}

int64_t rmx__loop_tokens_per_step(const struct rmx__loop *l) {
  return rmx_training_batch(&l->run->training) * l->run->training.context;
}

bool rmx__loop_evaluation_due(const struct rmx__loop *l, int64_t step) {
  const int64_t evals = l->run->training.evals;
  return step * evals / l->steps > (step - 1) * evals / l->steps;
}

json_t *rmx__loop_nats_json(const struct rmx__loop *l, const double *nats) {
  json_t *o = json_object();
  for (size_t d = 0; d < l->corpus->D; d++)
    json_object_set_new(o, l->corpus->names[d], rmx__json_known(nats[d]));
  return o;
}

rmx_status rmx__loop_new_model(struct rmx__loop *l, rmx_err *err) {
  const rmx_run *r = l->run;
  RMX_TRY(rmx__model_new_shared(&l->config, l->stepper.micro, (int)r->training.context, l->kernels,
                                r->seed, l->comm, &l->stepper.model, err));
  if (r->training.init) {
    const rmx_status status = rmx_lm_init(l->stepper.model, r->training.init, err);
    RMX_TRY(rmx__comm_agree(l->comm, status, err));
  }
  int threads = rmx_training_threads(&r->training, 1);
  if (l->comm->size > 1 && threads > rmx_processors()) threads = rmx_processors();
  return rmx_model_threads(l->stepper.model, threads, err);
}

void rmx__loop_warn(const struct rmx__loop *l, const char *message) {
  if (l->first && l->hooks && l->hooks->warn) l->hooks->warn(l->hooks->context, message);
}
