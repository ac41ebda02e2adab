// SPDX-License-Identifier: Apache-2.0
// step.c: one step of AdamW over the flat block of parameters.
#include <math.h>
#include <string.h>

#include "model.h"

double rmx_model_step(rmx_model *m, const rmx_adamw *o, double lr, double weight_sum) {
  double norm;
  if (m->shards) return rmx__shards_step(m, o, lr, weight_sum);
  RMX__TIMED(m, CLIPPING,
             norm = rmx__threaded_squared_norm(&m->threaded, m->size, m->gradients, m->sums));
  norm = sqrt(norm) / weight_sum;
  if (!isfinite(norm)) {
    memset(m->gradients, 0, m->size * sizeof(float));
    return norm;
  }
  m->step++;
  const struct rmx__adamw constants = rmx__adamw_constants(m, o, lr, weight_sum, norm);
  rmx__adamw_of(m, &constants, o->weight_decay, 0, m->size, m->moment1, m->moment2);
  return norm;
}
