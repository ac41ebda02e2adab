// SPDX-License-Identifier: Apache-2.0
// model_bin.c: models and checkpoints as version 0.1.0 wrote them. They are only read.
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
#include <string.h>

#include "checkpoint.h"

static const char magic[8] = {'R', 'M', 'X', 'M', 'O', 'D', 'E', 'L'};
enum { VERSION = 1, FRONT = 16, ALIGN = 64, HASH = 8, HEADER_MAX = 64 << 20 };

bool rmx__is_model_bin(const char *path) {
  char start[sizeof magic];
  FILE *file = rmx_fopen(path, "rb");
  const bool is =
      file && fread(start, sizeof start, 1, file) == 1 && memcmp(start, magic, sizeof magic) == 0;
  if (file) fclose(file);
  return is;
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

static rmx_status parse(struct rmx__checkpoint *c, const char *path, rmx_err *err) {
  const char *bytes = c->map.data;
  uint32_t numbers[2];
  if (c->map.size < FRONT + HASH || memcmp(bytes, magic, sizeof magic))
    return rmx_fail(err, RMX_EINPUT, "%s: truncated (%zu bytes)", path, c->map.size);
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
    return rmx_fail(err, RMX_EINPUT, "%s: corrupt, the header is not JSON (%s)", path,
                    rmx__json_why(&json));
  RMX_TRY(rmx__checkpoint_header(c, path, err));
  RMX_TRY(check_tensors(json_object_get(c->header, "tensors"), &c->config, path, err));
  const size_t blocks = c->state ? 3 : 1, wanted = front + blocks * c->size * sizeof(float) + HASH;
  if (c->map.size != wanted)
    return rmx_fail(err, RMX_EINPUT, "%s: truncated or corrupt (%zu bytes, wanted %zu)", path,
                    c->map.size, wanted);
  c->floats = bytes + front;
  uint64_t hash = rmx_hash(bytes, front, 0), written;
  for (size_t i = 0; i < blocks; i++)
    hash = rmx_hash(c->floats + i * c->size * sizeof(float), c->size * sizeof(float), hash);
  memcpy(&written, bytes + wanted - HASH, HASH);
  if (hash != written)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: corrupt (hash %016llx, wanted %016llx); take an older copy", path,
                    (unsigned long long)hash, (unsigned long long)written);
  c->extra = json_incref(json_object_get(c->header, "extra"));
  return RMX_OK;
}

rmx_status rmx__model_bin_open(struct rmx__checkpoint *c, const char *path, rmx_err *err) {
  RMX_TRY(rmx_map_open(&c->map, path, err));
  return parse(c, path, err);
}

rmx_status rmx__model_bin_hash(const char *path, uint64_t *hash, rmx_err *err) {
  FILE *file = rmx_fopen(path, "rb");
  if (!file) return rmx_fail_errno(err, "cannot read %s", path);
  const bool good = fseek(file, -HASH, SEEK_END) == 0 && fread(hash, HASH, 1, file) == 1;
  fclose(file);
  return good ? RMX_OK : rmx_fail(err, RMX_EINPUT, "%s: truncated or corrupt", path);
}
