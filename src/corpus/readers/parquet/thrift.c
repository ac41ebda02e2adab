// SPDX-License-Identifier: Apache-2.0
// Reads Thrift's compact protocol.
// Format: apache/thrift, doc/specs/thrift-compact-protocol.md.
#include "thrift.h"

enum { DEPTH = 32 };  // structs and lists within each other

static uint64_t stop(struct rmx__thrift *t, bool cut) {
  t->broken = true;
  t->cut = t->cut || cut;
  t->at = t->end;
  return 0;
}

static uint8_t byte(struct rmx__thrift *t) {
  return t->at < t->end ? *t->at++ : (uint8_t)stop(t, !t->broken);
}

static uint64_t varint(struct rmx__thrift *t) {
  uint64_t x = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t b = byte(t);
    x |= (uint64_t)(b & 127) << shift;
    if (!(b & 128)) return t->broken ? 0 : x;
  }
  return stop(t, false);
}

int64_t rmx__thrift_int(struct rmx__thrift *t) {
  const uint64_t x = varint(t);
  return (int64_t)(x >> 1) ^ -(int64_t)(x & 1);  // zigzag
}

const char *rmx__thrift_bytes(struct rmx__thrift *t, size_t *size) {
  const uint64_t n = varint(t);
  *size = 0;
  if (t->broken || n > (uint64_t)(t->end - t->at)) {
    stop(t, !t->broken);
    return "";
  }
  const char *bytes = (const char *)t->at;
  t->at += n;
  *size = (size_t)n;
  return bytes;
}

size_t rmx__thrift_list(struct rmx__thrift *t, int *type) {
  const uint8_t head = byte(t);
  uint64_t n = head >> 4;
  if (n == 15) n = varint(t);
  *type = head & 15;
  if (n > (uint64_t)(t->end - t->at)) return (size_t)stop(t, !t->broken);
  return t->broken ? 0 : (size_t)n;
}

int rmx__thrift_field(struct rmx__thrift *t, int *last) {
  const uint8_t head = byte(t);
  if (t->broken || head == 0) return 0;
  int64_t id = head >> 4 ? *last + (head >> 4) : rmx__thrift_int(t);
  if (t->broken || id < 0 || id > INT16_MAX) return (int)stop(t, false);
  *last = (int)id;
  return (int)id * 16 + (head & 15);
}

static void skip(struct rmx__thrift *t, int type, bool element, int depth);

static void skip_elements(struct rmx__thrift *t, size_t n, int type, int depth) {
  for (size_t i = 0; i < n && !t->broken; i++) skip(t, type, true, depth);
}

static void skip_map(struct rmx__thrift *t, int depth) {
  const uint64_t n = varint(t);
  if (n == 0) return;
  const uint8_t types = byte(t);
  if (n > (uint64_t)(t->end - t->at)) stop(t, !t->broken);
  for (uint64_t i = 0; i < n && !t->broken; i++) {
    skip(t, types >> 4, true, depth);
    skip(t, types & 15, true, depth);
  }
}

static void skip_struct(struct rmx__thrift *t, int depth) {
  int field, last = 0;
  while ((field = rmx__thrift_field(t, &last))) skip(t, field & 15, false, depth);
}

static void skip(struct rmx__thrift *t, int type, bool element, int depth) {
  size_t n;
  if (depth > DEPTH) {
    stop(t, false);
    return;
  }
  switch (type) {
    case RMX__THRIFT_TRUE:
    case RMX__THRIFT_FALSE:  // a field has its value in its type
      if (element) byte(t);
      break;
    case RMX__THRIFT_I8:
      byte(t);
      break;
    case RMX__THRIFT_I16:
    case RMX__THRIFT_I32:
    case RMX__THRIFT_I64:
      varint(t);
      break;
    case RMX__THRIFT_DOUBLE:
      if (t->end - t->at < 8)
        stop(t, !t->broken);
      else
        t->at += 8;
      break;
    case RMX__THRIFT_BINARY:
      rmx__thrift_bytes(t, &n);
      break;
    case RMX__THRIFT_LIST:
    case RMX__THRIFT_SET:
      n = rmx__thrift_list(t, &type);
      skip_elements(t, n, type, depth + 1);
      break;
    case RMX__THRIFT_MAP:
      skip_map(t, depth + 1);
      break;
    case RMX__THRIFT_STRUCT:
      skip_struct(t, depth + 1);
      break;
    default:
      stop(t, false);
  }
}

void rmx__thrift_skip(struct rmx__thrift *t, int field) {
  skip(t, field & 15, false, 0);
}
