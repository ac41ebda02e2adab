// SPDX-License-Identifier: Apache-2.0
#include "protobuf.h"

#include <math.h>
#include <string.h>

static bool take_varint(rmx__proto *p, uint64_t *value) {
  *value = 0;
  for (unsigned shift = 0; shift < 64 && p->at < p->size; shift += 7) {
    const uint8_t byte = (uint8_t)p->data[p->at++];
    *value |= (uint64_t)(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

static bool take_fixed(rmx__proto *p, size_t bytes, uint64_t *value) {
  if (p->size - p->at < bytes) return false;
  *value = 0;
  for (size_t i = 0; i < bytes; i++) *value |= (uint64_t)(uint8_t)p->data[p->at++] << 8 * i;
  return true;
}

static bool take_bytes(rmx__proto *p, rmx__proto_field *f) {
  uint64_t size;
  if (!take_varint(p, &size) || size > p->size - p->at) return false;
  f->data = p->data + p->at;
  f->size = (size_t)size;
  p->at += f->size;
  return true;
}

bool rmx__proto_next(rmx__proto *p, rmx__proto_field *f) {
  if (p->broken || p->at >= p->size) return false;
  uint64_t key;
  bool good = take_varint(p, &key) && key >> 3 != 0 && key >> 3 <= UINT32_MAX;
  if (good) {
    *f = (rmx__proto_field){.number = (uint32_t)(key >> 3), .kind = (rmx__proto_kind)(key & 7)};
    switch (f->kind) {
      case RMX__PROTO_VARINT:
        good = take_varint(p, &f->value);
        break;
      case RMX__PROTO_64:
        good = take_fixed(p, 8, &f->value);
        break;
      case RMX__PROTO_BYTES:
        good = take_bytes(p, f);
        break;
      case RMX__PROTO_32:
        good = take_fixed(p, 4, &f->value);
        break;
      default:
        good = false;  // groups, which nobody writes any more
    }
  }
  p->broken = !good;
  return good;
}

float rmx__proto_float(const rmx__proto_field *f) {
  float x = NAN;
  const uint32_t bits = (uint32_t)f->value;
  if (f->kind == RMX__PROTO_32) memcpy(&x, &bits, sizeof x);
  return x;
}
