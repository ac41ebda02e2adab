// SPDX-License-Identifier: Apache-2.0
// checkpoint.c: a model in a file.
//
//   8 bytes   "RMXMODEL"
//   4         version, 1
//   4         n, bytes of the header
//   n         header, JSON: config, tensors (name, shape), step, state, extra; then blanks up to
//             a multiple of 64 from the start of the file
//   4 P       weights, P float32 in the order of the tensors
//   8 P       both moments, in a file with state
//   8         XXH3 of everything before
//
// Numbers are little-endian. Everything is checked before it is believed, sizes before the hash, so
// that any bytes at all give an error and never a crash.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "checkpoints are written as they lie in memory");

static const char magic[8] = {'R', 'M', 'X', 'M', 'O', 'D', 'E', 'L'};
enum { VERSION = 1, FRONT = 16, ALIGN = 64, HASH = 8, HEADER_MAX = 64 << 20 };

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
},
  real[] = {
      {"rope_base", offsetof(rmx_model_config, rope_base)},
      {"norm_eps", offsetof(rmx_model_config, norm_eps)},
};
enum { WHOLE = sizeof whole / sizeof *whole, REAL = sizeof real / sizeof *real };

static int64_t *whole_at(rmx_model_config *c, size_t i) {
  return (int64_t *)(void *)((char *)c + whole[i].offset);
}
static double *real_at(rmx_model_config *c, size_t i) {
  return (double *)(void *)((char *)c + real[i].offset);
}

// ---- writing ------------------------------------------------------------

static json_t *header_of(const rmx_model *m, bool state, const json_t *extra) {
  rmx_model_config c = m->c;
  json_t *header = json_object(), *config = json_object(), *tensors = json_array();
  for (size_t i = 0; i < WHOLE; i++)
    json_object_set_new(config, whole[i].key, json_integer(*whole_at(&c, i)));
  for (size_t i = 0; i < REAL; i++)
    json_object_set_new(config, real[i].key, json_real(*real_at(&c, i)));
  for (size_t i = 0; i < m->tensors_n; i++) {
    const rmx_tensor *t = &m->tensors[i];
    json_t *shape = json_array();
    for (int d = 0; d < t->ndim; d++) json_array_append_new(shape, json_integer(t->shape[d]));
    json_array_append_new(tensors, json_pack("{s:s, s:o}", "name", t->name, "shape", shape));
  }
  json_object_set_new(header, "config", config);
  json_object_set_new(header, "tensors", tensors);
  json_object_set_new(header, "step", json_integer(m->step));
  json_object_set_new(header, "state", json_boolean(state));
  if (extra) json_object_set_new(header, "extra", json_deep_copy(extra));
  return header;
}

// Each part's hash is the seed of the next one's, so that the file is never in memory twice.
static void put(FILE *file, const void *data, size_t size, uint64_t *hash) {
  fwrite(data, 1, size, file);
  *hash = rmx_hash(data, size, *hash);
}

rmx_status rmx_model_save(const rmx_model *m, const char *path, bool state, const json_t *extra,
                          rmx_err *err) {
  if (state && !m->training)
    return rmx_fail(err, RMX_EUSAGE, "%s: a model that is not in training has no state to save",
                    path);
  json_t *header = header_of(m, state, extra);
  char *text = header ? json_dumps(header, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(header);
  rmx_buf front = {0};
  if (text) {
    const size_t size = (FRONT + strlen(text) + ALIGN - 1) / ALIGN * ALIGN - FRONT;
    const uint32_t numbers[2] = {VERSION, (uint32_t)size};
    rmx_buf_add(&front, magic, sizeof magic);
    rmx_buf_add(&front, numbers, sizeof numbers);
    rmx_buf_printf(&front, "%-*s", (int)size, text);
  }
  free(text);
  if (front.failed || front.size <= FRONT || front.size > HEADER_MAX) {
    rmx_buf_release(&front);
    return rmx_fail_memory(err, front.size, "the header of a checkpoint");
  }
  rmx_outfile out = {0};
  rmx_status status = rmx_outfile_open(&out, path, err);
  if (status == RMX_OK) {
    uint64_t hash = 0;
    put(out.file, front.data, front.size, &hash);
    put(out.file, m->weights, m->size * sizeof(float), &hash);
    if (state) {
      put(out.file, m->moment1, m->size * sizeof(float), &hash);
      put(out.file, m->moment2, m->size * sizeof(float), &hash);
    }
    fwrite(&hash, sizeof hash, 1, out.file);
    status = rmx_outfile_commit(&out, err);
  }
  rmx_buf_release(&front);
  return status;
}

// ---- reading ------------------------------------------------------------

struct checkpoint {
  rmx_map map;
  json_t *header;
  rmx_model_config config;
  bool state;
  int64_t step;
  size_t size;          // P
  const float *floats;  // weights, then the moments
};

static void release(struct checkpoint *c) {
  json_decref(c->header);
  rmx_map_release(&c->map);
  *c = (struct checkpoint){0};
}

static rmx_status read_config(const json_t *object, const char *path, rmx_model_config *out,
                              rmx_err *err) {
  for (size_t i = 0; i < WHOLE; i++) {
    const json_t *v = json_object_get(object, whole[i].key);
    if (!json_is_integer(v))
      return rmx_fail(err, RMX_EINPUT, "%s: config has no whole number \"%s\"", path, whole[i].key);
    *whole_at(out, i) = json_integer_value(v);
  }
  for (size_t i = 0; i < REAL; i++) {
    const json_t *v = json_object_get(object, real[i].key);
    if (!json_is_number(v))
      return rmx_fail(err, RMX_EINPUT, "%s: config has no number \"%s\"", path, real[i].key);
    *real_at(out, i) = json_number_value(v);
  }
  if (rmx__model_config_check(out, err) != RMX_OK) return rmx_fail_in(err, "%s", path);
  return RMX_OK;
}

// The tensors of the file must be those a model of its config has.
static rmx_status check_tensors(const json_t *list, const rmx_model_config *config,
                                const char *path, rmx_err *err) {
  const size_t n = rmx__tensors_n(config);
  if (json_array_size(list) != n)
    return rmx_fail(err, RMX_EINPUT, "%s: has %zu tensors, a model of its config has %zu", path,
                    json_array_size(list), n);
  RMX_OWNED rmx_tensor *tensors = rmx_calloc(n, sizeof *tensors);
  if (!tensors) return rmx_fail_memory(err, n * sizeof *tensors, "the tensors of a checkpoint");
  rmx__tensors_of(config, tensors);
  for (size_t i = 0; i < n; i++) {
    const json_t *name = json_object_get(json_array_get(list, i), "name");
    const json_t *shape = json_object_get(json_array_get(list, i), "shape");
    bool same = json_is_string(name) && !strcmp(json_string_value(name), tensors[i].name) &&
                json_array_size(shape) == (size_t)tensors[i].ndim;
    for (int d = 0; same && d < tensors[i].ndim; d++)
      same = json_integer_value(json_array_get(shape, (size_t)d)) == tensors[i].shape[d];
    if (!same)
      return rmx_fail(err, RMX_EINPUT,
                      "%s: tensor %zu is \"%.60s\", wanted \"%s\" with the shape of the config",
                      path, i, json_is_string(name) ? json_string_value(name) : "?",
                      tensors[i].name);
  }
  return RMX_OK;
}

static rmx_status parse(struct checkpoint *c, const char *path, rmx_err *err) {
  const char *bytes = c->map.data;
  uint32_t numbers[2];
  if (c->map.size < FRONT + HASH || memcmp(bytes, magic, sizeof magic))
    return rmx_fail(err, RMX_EINPUT, "%s: not a regmix model (it does not begin with RMXMODEL)",
                    path);
  memcpy(numbers, bytes + sizeof magic, sizeof numbers);
  if (numbers[0] != VERSION)
    return rmx_fail(err, RMX_EINPUT, "%s: version %u, this program reads version %d", path,
                    numbers[0], VERSION);
  const size_t front = FRONT + (size_t)numbers[1];
  if (numbers[1] > HEADER_MAX || front % ALIGN || front + HASH > c->map.size)
    return rmx_fail(err, RMX_EINPUT, "%s: truncated or corrupt (%zu bytes, header of %u)", path,
                    c->map.size, numbers[1]);
  json_error_t json;
  c->header = json_loadb(bytes + FRONT, numbers[1], 0, &json);
  if (!c->header)
    return rmx_fail(err, RMX_EINPUT, "%s: corrupt, the header is not JSON (%s)", path, json.text);
  RMX_TRY(read_config(json_object_get(c->header, "config"), path, &c->config, err));
  RMX_TRY(check_tensors(json_object_get(c->header, "tensors"), &c->config, path, err));
  const json_t *step = json_object_get(c->header, "step"),
               *state = json_object_get(c->header, "state");
  if (!json_is_integer(step) || json_integer_value(step) < 0 || !json_is_boolean(state))
    return rmx_fail(err, RMX_EINPUT, "%s: corrupt, the header has no \"step\" or \"state\"", path);
  c->step = json_integer_value(step);
  c->state = json_is_true(state);
  c->size = rmx_model_parameters(&c->config);
  const size_t blocks = c->state ? 3 : 1, wanted = front + blocks * c->size * sizeof(float) + HASH;
  if (c->map.size != wanted)
    return rmx_fail(err, RMX_EINPUT, "%s: truncated or corrupt (%zu bytes, wanted %zu)", path,
                    c->map.size, wanted);
  c->floats = (const float *)(const void *)(bytes + front);
  uint64_t hash = rmx_hash(bytes, front, 0), written;
  for (size_t i = 0; i < blocks; i++)
    hash = rmx_hash(c->floats + i * c->size, c->size * sizeof(float), hash);
  memcpy(&written, bytes + wanted - HASH, HASH);
  if (hash != written)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: corrupt (hash %016llx, wanted %016llx); take an older copy", path,
                    (unsigned long long)hash, (unsigned long long)written);
  return RMX_OK;
}

static rmx_status open_checkpoint(struct checkpoint *c, const char *path, rmx_err *err) {
  RMX_TRY(rmx_map_open(&c->map, path, err));
  rmx_status status = parse(c, path, err);
  if (status != RMX_OK) release(c);
  return status;
}

rmx_status rmx_model_load(rmx_model *m, const char *path, json_t **extra, rmx_err *err) {
  RMX_OWNED_BY(release) struct checkpoint c = {0};
  RMX_TRY(open_checkpoint(&c, path, err));
  rmx_model_config have = m->c;
  for (size_t i = 0; i < WHOLE; i++)
    if (*whole_at(&c.config, i) != *whole_at(&have, i))
      return rmx_fail(err, RMX_EINPUT, "%s: is of a model with %s %lld, wanted %lld", path,
                      whole[i].key, (long long)*whole_at(&c.config, i),
                      (long long)*whole_at(&have, i));
  for (size_t i = 0; i < REAL; i++)
    if (*real_at(&c.config, i) != *real_at(&have, i))
      return rmx_fail(err, RMX_EINPUT, "%s: is of a model with %s %g, wanted %g", path, real[i].key,
                      *real_at(&c.config, i), *real_at(&have, i));
  const size_t bytes = m->size * sizeof(float);
  memcpy(m->weights, c.floats, bytes);
  m->step = c.state ? c.step : 0;
  if (m->training) {
    memset(m->gradients, 0, bytes);
    if (c.state) {
      memcpy(m->moment1, c.floats + m->size, bytes);
      memcpy(m->moment2, c.floats + 2 * m->size, bytes);
    } else {
      memset(m->moment1, 0, bytes);
      memset(m->moment2, 0, bytes);
    }
  }
  if (extra) *extra = json_incref(json_object_get(c.header, "extra"));
  return RMX_OK;
}

rmx_status rmx_model_read_config(const char *path, rmx_model_config *out, rmx_err *err) {
  RMX_OWNED_BY(release) struct checkpoint c = {0};
  RMX_TRY(open_checkpoint(&c, path, err));
  *out = c.config;
  return RMX_OK;
}

rmx_status rmx_model_file_hash(const char *path, uint64_t *hash, rmx_err *err) {
  FILE *file = rmx_fopen(path, "rb");
  if (!file) return rmx_fail_errno(err, "cannot read %s", path);
  const bool good = fseek(file, -HASH, SEEK_END) == 0 && fread(hash, HASH, 1, file) == 1;
  fclose(file);
  return good ? RMX_OK : rmx_fail(err, RMX_EINPUT, "%s: truncated or corrupt", path);
}
