// SPDX-License-Identifier: Apache-2.0
// checkpoint.c: a model in a safetensors file, with the names that Hugging Face's library has for
// the tensors of a Llama. A checkpoint of a training has the moments of AdamW beside the weights,
// as "moment1.<name>" and "moment2.<name>". Metadata:
//
//   xxh3        the hash of the file (lm/safetensors.h)
//   format      "pt", which Hugging Face's library wants
//   regmix      JSON: config, step, state (whether the moments are there)
//   extra       JSON: what the trainer keeps inside; texts of it have entries of their own:
//   extra.<key>
//
// The tensors are in the order of the model, without gaps. Everything is checked before it is
// believed, sizes before the hash, so that any bytes at all give an error and never a crash.
#include "checkpoint.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lm/lm.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "checkpoints are written as they lie in memory");

// ---- the tensors of a file ------------------------------------------------------

struct listed {
  rmx_strings names;
  rmx__safetensor *tensors;  // (n): name and shape
  size_t n;
};

static void release_listed(struct listed *l) {
  rmx_strings_release(&l->names);
  free(l->tensors);
}

// Of a model of this config: its weights and, with `state`, both moments. data: where the weights
// and the moments start; NULL: it is not set.
static rmx_status list(const rmx_model_config *c, bool state, const float *const data[3],
                       struct listed *out, rmx_err *err) {
  static const char *const prefixes[] = {"", "moment1.", "moment2."};
  const size_t each = rmx__tensors_n(c), n = each * (state ? 3 : 1);
  RMX_OWNED rmx_tensor *from = rmx_calloc(each, sizeof *from);
  out->tensors = rmx_calloc(n, sizeof *out->tensors);
  if (!from || !out->tensors) return rmx_fail_memory(err, n * sizeof *from, "a list of tensors");
  rmx__tensors_of(c, from);
  for (; out->n < n; out->n++) {
    const rmx_tensor *of = &from[out->n % each];
    rmx__safetensor *t = &out->tensors[out->n];
    RMX_OWNED char *theirs = rmx__hub_name(of->name);
    RMX_OWNED char *name = theirs ? rmx_format("%s%s", prefixes[out->n / each], theirs) : NULL;
    if (!name || !rmx_strings_add(&out->names, name))
      return rmx_fail_memory(err, 0, "the name of a tensor");
    t->ndim = (size_t)of->ndim;
    for (size_t d = 0; d < t->ndim; d++) t->shape[d] = (size_t)of->shape[d];
    if (data) t->data = data[out->n / each] + of->offset;
  }
  for (size_t i = 0; i < n; i++) out->tensors[i].name = out->names.items[i];
  return RMX_OK;
}

// ---- writing ------------------------------------------------------------

static json_t *json_text(json_t *tree) {
  RMX_OWNED char *text = tree ? json_dumps(tree, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(tree);
  return text ? json_string(text) : NULL;
}

// Texts go in as they are: a log is long, and would be escaped twice.
static bool add_extra(json_t *metadata, const json_t *extra) {
  json_t *rest = json_object(), *value;
  const char *key;
  bool good = true;
  json_object_foreach((json_t *)(uintptr_t)extra, key, value) {
    RMX_OWNED char *own = json_is_string(value) ? rmx_format("extra.%s", key) : NULL;
    good = good && (own || !json_is_string(value)) &&
           json_object_set(own ? metadata : rest, own ? own : key, value) == 0;
  }
  return json_object_set_new(metadata, "extra", json_text(rest)) == 0 && good;
}

rmx_status rmx_model_save(const rmx_model *m, const char *path, bool state, const json_t *extra,
                          rmx_err *err) {
  const float *const data[] = {m->weights, m->moment1, m->moment2};
  RMX_OWNED_BY(release_listed) struct listed l = {0};
  if (state && !m->training)
    return rmx_fail(err, RMX_EUSAGE, "%s: a model that is not in training has no state to save",
                    path);
  RMX_TRY(list(&m->c, state, data, &l, err));
  json_auto_t *metadata = json_pack("{s:s}", "format", "pt");
  json_t *own = json_pack("{s:o, s:I, s:b}", "config", rmx__checkpoint_config(m->c), "step",
                          (json_int_t)m->step, "state", state);
  if (json_object_set_new(metadata, "regmix", json_text(own)) != 0 ||
      (extra && !add_extra(metadata, extra)))
    return rmx_fail_memory(err, 0, "the header of a checkpoint");
  return rmx__safetensors_write(path, l.tensors, l.n, metadata, err);
}

// ---- reading ------------------------------------------------------------

static void release(struct rmx__checkpoint *c) {
  json_decref(c->header);
  json_decref(c->extra);
  rmx__safetensors_release(&c->file);
  rmx_map_release(&c->map);
  *c = (struct rmx__checkpoint){0};
}

// What is wrong with tensor `got`, whose data must start at `at`; NULL: nothing.
static const char *differs(const rmx__safetensor *got, const rmx__safetensor *wanted,
                           const char *at) {
  if (strcmp(got->name, wanted->name) != 0) return "is another one";
  if (strcmp(got->type, "F32") != 0) return "is not of the type F32";
  bool same = got->ndim == wanted->ndim;
  for (size_t d = 0; same && d < got->ndim; d++) same = got->shape[d] == wanted->shape[d];
  if (!same) return "has another shape";
  return got->data == at ? NULL : "is at another place";
}

static rmx_status check_tensors(const struct rmx__checkpoint *c, const char *path, rmx_err *err) {
  RMX_OWNED_BY(release_listed) struct listed l = {0};
  const char *at = c->floats;
  // Before memory is asked for by a config.
  if (c->size * sizeof(float) * (c->state ? 3 : 1) != c->file.map.size - c->file.front)
    return rmx_fail(err, RMX_EINPUT, "%s: truncated or corrupt (%zu bytes)", path,
                    c->file.map.size);
  if (c->file.n != rmx__tensors_n(&c->config) * (c->state ? 3 : 1))
    return rmx_fail(err, RMX_EINPUT, "%s: has %zu tensors, a model of its config has %zu", path,
                    c->file.n, rmx__tensors_n(&c->config));
  RMX_TRY(list(&c->config, c->state, NULL, &l, err));
  for (size_t i = 0; i < l.n; i++) {
    const char *wrong = differs(&c->file.tensors[i], &l.tensors[i], at);
    if (wrong)
      return rmx_fail(err, RMX_EINPUT, "%s: tensor %zu, \"%.60s\", %s; wanted \"%s\" of the config",
                      path, i, c->file.tensors[i].name, wrong, l.tensors[i].name);
    at += c->file.tensors[i].numbers * sizeof(float);
  }
  return RMX_OK;
}

// The trainer's JSON, put together again; NULL: there is none.
static json_t *read_extra(const json_t *metadata) {
  const char *text = json_string_value(json_object_get(metadata, "extra")), *key;
  json_t *extra = text ? json_loads(text, 0, NULL) : NULL, *value;
  json_object_foreach((json_t *)(uintptr_t)metadata, key, value) {
    if (extra && strncmp(key, "extra.", 6) == 0) json_object_set(extra, key + 6, value);
  }
  return extra;
}

static rmx_status open_safetensors(struct rmx__checkpoint *c, const char *path, rmx_err *err) {
  RMX_TRY(rmx__safetensors_open(&c->file, path, err));
  const char *own = rmx__safetensors_text(&c->file, "regmix");
  c->header = own ? json_loads(own, 0, NULL) : NULL;
  if (!c->header)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: another program wrote it, so its config.json must be beside it; it has no "
                    "\"regmix\" in its metadata",
                    path);
  c->floats = (const char *)c->file.map.data + c->file.front;
  RMX_TRY(rmx__checkpoint_header(c, path, err));
  RMX_TRY(check_tensors(c, path, err));
  RMX_TRY(rmx__safetensors_check(&c->file, path, err));
  c->extra = read_extra(c->file.metadata);
  return RMX_OK;
}

static rmx_status open_checkpoint(struct rmx__checkpoint *c, const char *path, rmx_err *err) {
  return rmx__is_model_bin(path) ? rmx__model_bin_open(c, path, err)
                                 : open_safetensors(c, path, err);
}

rmx_status rmx_model_load(rmx_model *m, const char *path, json_t **extra, rmx_err *err) {
  RMX_OWNED_BY(release) struct rmx__checkpoint c = {0};
  RMX_TRY(open_checkpoint(&c, path, err));
  RMX_TRY(rmx__checkpoint_is_of(&c, &m->c, path, err));
  const size_t bytes = m->size * sizeof(float);
  memcpy(m->weights, c.floats, bytes);
  m->step = c.state ? c.step : 0;
  if (m->training) {
    memset(m->gradients, 0, bytes);
    rmx__shards_take(m, c.state ? c.floats + bytes : NULL, m->moment1);
    rmx__shards_take(m, c.state ? c.floats + 2 * bytes : NULL, m->moment2);
  }
  if (extra) *extra = json_incref(c.extra);
  return RMX_OK;
}

rmx_status rmx_model_read_config(const char *path, rmx_model_config *out, rmx_err *err) {
  RMX_OWNED_BY(release) struct rmx__checkpoint c = {0};
  RMX_TRY(open_checkpoint(&c, path, err));
  *out = c.config;
  return RMX_OK;
}

char *rmx_model_path(const char *folder) {
  char *path = rmx_path_in(folder, "model.safetensors"), *old = rmx_path_in(folder, "model.bin");
  if (path && old && !rmx_exists(path) && rmx_exists(old)) {
    free(path);
    return old;
  }
  free(old);
  return path;
}

rmx_status rmx_model_file_hash(const char *path, uint64_t *hash, rmx_err *err) {
  return rmx__is_model_bin(path) ? rmx__model_bin_hash(path, hash, err)
                                 : rmx__safetensors_hash(path, hash, err);
}
