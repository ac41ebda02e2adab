// SPDX-License-Identifier: Apache-2.0
// adamw.c: the update of AdamW (Loshchilov and Hutter 2019), of any part of the flat block.
//
//   g := g / weight_sum, scaled to at most `clip` in norm
//   m := beta1 m + (1 - beta1) g,  v := beta2 v + (1 - beta2) g^2
//   w := w - lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + decay w)
//
// The decay is for matrices (embedding and head among them), not for norms.
#include <math.h>

#include "model.h"

struct rmx__adamw rmx__adamw_constants(const rmx_model *m, const rmx_adamw *o, double lr,
                                       double weight_sum, double norm) {
  const double clip = o->clip > 0 && norm > o->clip ? o->clip / norm : 1;
  return (struct rmx__adamw){
      .beta1 = (float)o->beta1,
      .beta2 = (float)o->beta2,
      .eps = (float)o->eps,
      .lr = (float)lr,
      .g_scale = (float)(clip / weight_sum),
      .m_scale = (float)(1 / (1 - pow(o->beta1, (double)m->step))),
      .v_scale = (float)(1 / (1 - pow(o->beta2, (double)m->step))),
  };
}

void rmx__adamw_of(rmx_model *m, const struct rmx__adamw *constants, double decay, size_t first,
                   size_t n, float *moment1, float *moment2) {
  for (size_t i = 0; i < m->tensors_n; i++) {
    const rmx_tensor *t = &m->tensors[i];
    const size_t from = t->offset > first ? t->offset : first;
    const size_t end = t->offset + t->size < first + n ? t->offset + t->size : first + n;
    if (from >= end) continue;
    struct rmx__adamw own = *constants;
    own.decay = t->ndim > 1 ? (float)decay : 0;
    RMX__TIMED(m, ADAMW,
               rmx__threaded_adamw(&m->threaded, end - from, m->weights + from, m->gradients + from,
                                   moment1 + (from - first), moment2 + (from - first), &own));
  }
}
