// SPDX-License-Identifier: Apache-2.0
// Reads safetensors files.
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

enum { FRONT = 8, HEADER_MAX = 100 << 20 };

static const struct {
  const char *type;
  size_t bytes;
} types[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8},  {"I64", 8},     {"I32", 4},
             {"I16", 2}, {"I8", 1},  {"U8", 1},   {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};

static size_t bytes_of(const char *type) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i].type, type) == 0) return types[i].bytes;
  return 0;
}

static rmx_status wrong(const char *path, const char *name, const char *what, rmx_err *err) {
  return rmx_fail(err, RMX_EINPUT, "%s: the header says of tensor \"%.80s\" %s", path, name, what);
}

// The product of a shape; false if it does not fit.
static bool read_shape(const json_t *list, rmx__safetensor *t) {
  t->ndim = json_array_size(list);
  t->numbers = 1;
  if (!json_is_array(list) || t->ndim > RMX__TENSOR_DIMENSIONS) return false;
  for (size_t i = 0; i < t->ndim; i++) {
    const json_int_t size = json_integer_value(json_array_get(list, i));
    if (!json_is_integer(json_array_get(list, i)) || size < 0) return false;
    if (__builtin_mul_overflow(t->numbers, (size_t)size, &t->numbers)) return false;
    t->shape[i] = (size_t)size;
  }
  return true;
}

static rmx_status read_tensor(const rmx__safetensors *s, const char *path, const char *name,
                              const json_t *entry, rmx__safetensor *t, rmx_err *err) {
  const char *type = json_string_value(json_object_get(entry, "dtype"));
  const json_t *offsets = json_object_get(entry, "data_offsets");
  const json_t *from = json_array_get(offsets, 0), *to = json_array_get(offsets, 1);
  const size_t room = s->map.size - s->front;
  size_t bytes;
  t->name = name;
  if (!type || strlen(type) >= sizeof t->type || !bytes_of(type))
    return wrong(path, name, "a type of numbers that is not known", err);
  snprintf(t->type, sizeof t->type, "%s", type);
  if (!read_shape(json_object_get(entry, "shape"), t))
    return wrong(path, name, "a shape that is not possible", err);
  if (!json_is_integer(from) || !json_is_integer(to) || json_integer_value(from) < 0 ||
      json_integer_value(to) < json_integer_value(from) || (size_t)json_integer_value(to) > room)
    return wrong(path, name, "an offset outside the file; the file may be cut off", err);
  if (__builtin_mul_overflow(t->numbers, bytes_of(type), &bytes) ||
      bytes != (size_t)(json_integer_value(to) - json_integer_value(from)))
    return wrong(path, name, "another number of bytes than its shape has", err);
  t->data = (const char *)s->map.data + s->front + json_integer_value(from);
  return RMX_OK;
}

// ---- the bytes, each of one tensor ----------------------------------------------

static const char *end_of(const rmx__safetensor *t) {
  return (const char *)t->data + t->numbers * bytes_of(t->type);
}

static int by_place(const void *a, const void *b) {
  const rmx__safetensor *x = *(rmx__safetensor *const *)a, *y = *(rmx__safetensor *const *)b;
  if (x->data != y->data) return x->data < y->data ? -1 : 1;
  return (end_of(x) > end_of(y)) - (end_of(x) < end_of(y));
}

// The tensors follow each other from the first byte to the last, as the format wants it.
static rmx_status check_places(const rmx__safetensors *s, const char *path, rmx_err *err) {
  const char *at = (const char *)s->map.data + s->front,
             *end = (const char *)s->map.data + s->map.size;
  RMX_OWNED rmx__safetensor **in = rmx_calloc(s->n + 1, sizeof *in);
  if (!in) return rmx_fail_memory(err, s->n * sizeof *in, "the list of tensors");
  for (size_t i = 0; i < s->n; i++) in[i] = &s->tensors[i];
  qsort(in, s->n, sizeof *in, by_place);
  for (size_t i = 0; i < s->n; at = end_of(in[i]), i++) {
    const char *from = in[i]->data;
    if (from < at)
      return rmx_fail(err, RMX_EINPUT, "%s: tensors \"%.80s\" and \"%.80s\" have the same bytes",
                      path, in[i - 1]->name, in[i]->name);
    if (from > at)
      return rmx_fail(err, RMX_EINPUT, "%s: the %zu bytes before tensor \"%.80s\" are of no tensor",
                      path, (size_t)(from - at), in[i]->name);
  }
  if (at == end) return RMX_OK;
  return rmx_fail(err, RMX_EINPUT, "%s: the last %zu bytes are of no tensor", path,
                  (size_t)(end - at));
}

static rmx_status parse(rmx__safetensors *s, const char *path, rmx_err *err) {
  uint64_t size;
  if (s->map.size < FRONT)
    return rmx_fail(err, RMX_EINPUT, "%s: not a safetensors file (%zu bytes)", path, s->map.size);
  memcpy(&size, s->map.data, sizeof size);
  if (size > HEADER_MAX || size > s->map.size - FRONT)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: not a safetensors file, or cut off (a header of %llu bytes in %zu)", path,
                    (unsigned long long)size, s->map.size);
  json_error_t json;
  s->header =
      json_loadb((const char *)s->map.data + FRONT, (size_t)size, JSON_REJECT_DUPLICATES, &json);
  if (!s->header)
    return rmx_fail(err, RMX_EINPUT, "%s: the header of this safetensors file is not JSON: %s",
                    path, rmx__json_why(&json));
  if (!json_is_object(s->header))
    return rmx_fail(err, RMX_EINPUT, "%s: the header of this safetensors file is not a JSON object",
                    path);
  const char *name;
  json_t *entry;
  s->front = FRONT + (size_t)size;
  s->metadata = json_incref(json_object_get(s->header, "__metadata__"));
  json_object_del(s->header, "__metadata__");
  s->tensors = rmx_calloc(json_object_size(s->header) + 1, sizeof *s->tensors);
  if (!s->tensors) return rmx_fail_memory(err, json_object_size(s->header), "the list of tensors");
  json_object_foreach(s->header, name, entry) {
    RMX_TRY(read_tensor(s, path, name, entry, &s->tensors[s->n], err));
    s->n++;
  }
  return check_places(s, path, err);
}

rmx_status rmx__safetensors_open(rmx__safetensors *s, const char *path, rmx_err *err) {
  *s = (rmx__safetensors){0};
  RMX_TRY(rmx_map_open(&s->map, path, err));
  const rmx_status status = parse(s, path, err);
  if (status != RMX_OK) rmx__safetensors_release(s);
  return status;
}

void rmx__safetensors_release(rmx__safetensors *s) {
  json_decref(s->header);
  json_decref(s->metadata);
  free(s->tensors);
  rmx_map_release(&s->map);
  *s = (rmx__safetensors){0};
}

const rmx__safetensor *rmx__safetensors_find(const rmx__safetensors *s, const char *name) {
  for (size_t i = 0; i < s->n; i++)
    if (strcmp(s->tensors[i].name, name) == 0) return &s->tensors[i];
  return NULL;
}

const char *rmx__safetensors_text(const rmx__safetensors *s, const char *key) {
  return json_string_value(json_object_get(s->metadata, key));
}

bool rmx__safetensor_readable(const rmx__safetensor *t) {
  return strcmp(t->type, "F32") == 0 || strcmp(t->type, "F16") == 0 || strcmp(t->type, "BF16") == 0;
}

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction.
static float of_half(uint16_t h) {
  const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
  if (exponent == 31) return from_bits(sign | 0x7f800000 | fraction << 13);
  if (exponent) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  const float x = (float)fraction * 0x1p-24f;  // subnormal
  return sign ? -x : x;
}

void rmx__safetensor_floats(const rmx__safetensor *t, float *out) {
  const char *from = t->data;
  if (t->type[0] == 'F' && t->type[1] == '3') {
    memcpy(out, from, t->numbers * sizeof(float));
    return;
  }
  const bool brain = t->type[0] == 'B';
  for (size_t i = 0; i < t->numbers; i++) {
    uint16_t x;
    memcpy(&x, from + 2 * i, sizeof x);
    out[i] = brain ? from_bits((uint32_t)x << 16) : of_half(x);
  }
}
