// SPDX-License-Identifier: Apache-2.0
// step.c: one step of AdamW (Loshchilov and Hutter 2019) over the flat block of parameters.
//
//   g := g / weight_sum, scaled to at most `clip` in norm
//   m := beta1 m + (1 - beta1) g,  v := beta2 v + (1 - beta2) g^2
//   w := w - lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + decay w)
//
// The decay is for matrices (embedding and head among them), not for norms.
#include <math.h>
#include <string.h>

#include "model.h"

double rmx_model_step(rmx_model *m, const rmx_adamw *o, double lr, double weight_sum) {
  double norm;
  RMX__TIMED(m, CLIPPING,
             norm = rmx__threaded_squared_norm(&m->threaded, m->size, m->gradients, m->sums));
  norm = sqrt(norm) / weight_sum;
  if (!isfinite(norm)) {
    memset(m->gradients, 0, m->size * sizeof(float));
    return norm;
  }
  m->step++;
  const double clip = o->clip > 0 && norm > o->clip ? o->clip / norm : 1;
  struct rmx__adamw constants = {
      .beta1 = (float)o->beta1,
      .beta2 = (float)o->beta2,
      .eps = (float)o->eps,
      .lr = (float)lr,
      .g_scale = (float)(clip / weight_sum),
      .m_scale = (float)(1 / (1 - pow(o->beta1, (double)m->step))),
      .v_scale = (float)(1 / (1 - pow(o->beta2, (double)m->step))),
  };
  for (size_t i = 0; i < m->tensors_n; i++) {
    const rmx_tensor *t = &m->tensors[i];
    constants.decay = t->ndim > 1 ? (float)o->weight_decay : 0;
    RMX__TIMED(
        m, ADAMW,
        rmx__threaded_adamw(&m->threaded, t->size, m->weights + t->offset, m->gradients + t->offset,
                            m->moment1 + t->offset, m->moment2 + t->offset, &constants));
  }
  return norm;
}
