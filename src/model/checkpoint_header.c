// SPDX-License-Identifier: Apache-2.0
// The header of a checkpoint: the config of its model, the step, whether the moments are there.
#include "checkpoint.h"

// Those after "context" and "norm_eps" are not in files of version 0.1.0, and may be 0.
static const struct {
  const char *key;
  size_t offset;
} whole[] =
    {
        {"layers", offsetof(rmx_model_config, layers)},
        {"heads", offsetof(rmx_model_config, heads)},
        {"width", offsetof(rmx_model_config, width)},
        {"ffn", offsetof(rmx_model_config, ffn)},
        {"vocab", offsetof(rmx_model_config, vocab)},
        {"context", offsetof(rmx_model_config, context)},
        {"kv_heads", offsetof(rmx_model_config, kv_heads)},
        {"head_width", offsetof(rmx_model_config, head_width)},
},
  real[] = {
      {"rope_base", offsetof(rmx_model_config, rope_base)},
      {"norm_eps", offsetof(rmx_model_config, norm_eps)},
      {"rope_factor", offsetof(rmx_model_config, rope_factor)},
      {"rope_low", offsetof(rmx_model_config, rope_low)},
      {"rope_high", offsetof(rmx_model_config, rope_high)},
      {"rope_original", offsetof(rmx_model_config, rope_original)},
};
enum {
  WHOLE = sizeof whole / sizeof *whole,
  REAL = sizeof real / sizeof *real,
  FIRST_WHOLE = 6,
  FIRST_REAL = 2
};

static int64_t *whole_at(rmx_model_config *c, size_t i) {
  return (int64_t *)(void *)((char *)c + whole[i].offset);
}
static double *real_at(rmx_model_config *c, size_t i) {
  return (double *)(void *)((char *)c + real[i].offset);
}

json_t *rmx__checkpoint_config(rmx_model_config c) {
  json_t *config = json_object();
  for (size_t i = 0; i < WHOLE; i++)
    json_object_set_new(config, whole[i].key, json_integer(*whole_at(&c, i)));
  for (size_t i = 0; i < REAL; i++)
    json_object_set_new(config, real[i].key, json_real(*real_at(&c, i)));
  json_object_set_new(config, "tied", json_boolean(c.tied));
  return config;
}

static rmx_status read_config(const json_t *object, const char *path, rmx_model_config *out,
                              rmx_err *err) {
  for (size_t i = 0; i < WHOLE; i++) {
    const json_t *v = json_object_get(object, whole[i].key);
    if (!v && i >= FIRST_WHOLE) continue;
    if (!json_is_integer(v))
      return rmx_fail(err, RMX_EINPUT, "%s: config has no whole number \"%s\"", path, whole[i].key);
    *whole_at(out, i) = json_integer_value(v);
  }
  for (size_t i = 0; i < REAL; i++) {
    const json_t *v = json_object_get(object, real[i].key);
    if (!v && i >= FIRST_REAL) continue;
    if (!json_is_number(v))
      return rmx_fail(err, RMX_EINPUT, "%s: config has no number \"%s\"", path, real[i].key);
    *real_at(out, i) = json_number_value(v);
  }
  out->tied = json_is_true(json_object_get(object, "tied"));
  *out = rmx__model_config_full(out);
  if (rmx__model_config_check(out, err) != RMX_OK) return rmx_fail_in(err, "%s", path);
  return RMX_OK;
}

rmx_status rmx__checkpoint_header(struct rmx__checkpoint *c, const char *path, rmx_err *err) {
  RMX_TRY(read_config(json_object_get(c->header, "config"), path, &c->config, err));
  const json_t *step = json_object_get(c->header, "step"),
               *state = json_object_get(c->header, "state");
  if (!json_is_integer(step) || json_integer_value(step) < 0 || !json_is_boolean(state))
    return rmx_fail(err, RMX_EINPUT, "%s: corrupt, the header has no \"step\" or \"state\"", path);
  c->step = json_integer_value(step);
  c->state = json_is_true(state);
  c->size = rmx_model_parameters(&c->config);
  return RMX_OK;
}

rmx_status rmx__checkpoint_is_of(const struct rmx__checkpoint *c, const rmx_model_config *wanted,
                                 const char *path, rmx_err *err) {
  rmx_model_config has = c->config, have = *wanted;
  for (size_t i = 0; i < WHOLE; i++)
    if (*whole_at(&has, i) != *whole_at(&have, i))
      return rmx_fail(err, RMX_EINPUT, "%s: is of a model with %s %lld, wanted %lld", path,
                      whole[i].key, (long long)*whole_at(&has, i), (long long)*whole_at(&have, i));
  for (size_t i = 0; i < REAL; i++)
    if (*real_at(&has, i) != *real_at(&have, i))
      return rmx_fail(err, RMX_EINPUT, "%s: is of a model with %s %g, wanted %g", path, real[i].key,
                      *real_at(&has, i), *real_at(&have, i));
  if (has.tied != have.tied)
    return rmx_fail(err, RMX_EINPUT, "%s: is of a model whose embedding is %s its head", path,
                    has.tied ? "also" : "not");
  return RMX_OK;
}
