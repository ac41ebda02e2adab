// SPDX-License-Identifier: Apache-2.0
// A training that begins with the weights of a model.
#include <string.h>

#include "lm.h"
#include "model/model.h"

// The sizes that the two must have in common.
static rmx_status check_sizes(const rmx_lm_config *from, const rmx_model_config *to,
                              const char *path, rmx_err *err) {
  const struct {
    const char *name;
    int64_t from, to;
  } sizes[] = {
      {"layers", from->layers, to->layers},
      {"heads", from->heads, to->heads},
      {"width", from->width, to->width},
      {"ffn", from->ffn, to->ffn},
      {"vocab", from->vocab, to->vocab},
      {"kv_heads", from->kv_heads, to->kv_heads},
      {"head_width", from->head_width, to->head_width},
      {"tied", from->tied, to->tied},
  };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].from != sizes[i].to)
      return rmx_fail(err, RMX_EINPUT, "%s: %s is %lld, wanted %lld", path, sizes[i].name,
                      (long long)sizes[i].from, (long long)sizes[i].to);
  return RMX_OK;
}

// The weights of both lie in the same order.
rmx_status rmx_lm_init(rmx_model *m, const char *path, rmx_err *err) {
  rmx_lm *from;
  RMX_TRY(rmx_lm_open(path, m->threaded.k, 1, &from, err));
  const rmx_status status = check_sizes(&from->c, &m->c, path, err);
  if (status == RMX_OK) memcpy(m->weights, from->block, m->size * sizeof *m->weights);
  rmx_lm_free(from);
  return status;
}
