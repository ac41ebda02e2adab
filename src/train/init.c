// SPDX-License-Identifier: Apache-2.0
// A training that begins with the weights of a model that is there: where it is, its sizes.
#include <regmix/lm.h>
#include <stdlib.h>

#include "places.h"

rmx_status rmx_training_find_init(rmx_training *t, const char *folder, rmx_err *err) {
  if (!t->init) return RMX_OK;
  RMX_OWNED char *path = rmx_path_in(folder, t->init);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  // A model that is gone is an error when it is needed, and none for what was trained before. The
  // user's own trainer may take what is no model to us: its name counts.
  const uint64_t name = rmx_hash_string(t->init, 0);
  char *real = rmx_realpath(path);
  rmx_err ignored;
  free(t->init);
  t->init = real ? real : rmx_strdup(path);
  if (!t->init) return rmx_fail_memory(err, 0, "a path");
  if (rmx_lm_hash(t->init, &t->init_hash, &ignored) != RMX_OK) t->init_hash = name;
  return RMX_OK;
}

rmx_status rmx__init_config(const rmx_training *t, rmx_model_config *out, rmx_err *err) {
  rmx_model_config c;
  if (rmx_lm_read_config(t->init, &c, err) != RMX_OK) return rmx_fail_in(err, "init");
  const struct {
    const char *name;
    int64_t asked, has;
  } sizes[] = {{"layers", t->layers, c.layers},
               {"heads", t->heads, c.heads},
               {"width", t->width, c.width},
               {"ffn", t->ffn, c.ffn}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    if (sizes[i].asked && sizes[i].asked != sizes[i].has)
      return rmx_fail(err, RMX_EINPUT,
                      "init: %s is %lld, but the model in %s has %lld; leave it out, since a model "
                      "keeps its sizes",
                      sizes[i].name, (long long)sizes[i].asked, t->init, (long long)sizes[i].has);
  if (t->context > c.context)
    return rmx_fail(err, RMX_EINPUT,
                    "init: sequences of %lld tokens are longer than the context of the model in "
                    "%s, which is %lld; lower the context",
                    (long long)t->context, t->init, (long long)c.context);
  *out = c;
  return RMX_OK;
}
