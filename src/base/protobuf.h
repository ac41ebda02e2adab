// SPDX-License-Identifier: Apache-2.0
// protobuf.h: the fields of one message in protobuf's wire format, which may be broken.
#ifndef RMX_BASE_PROTOBUF_H
#define RMX_BASE_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum rmx__proto_kind {
  RMX__PROTO_VARINT,
  RMX__PROTO_64,
  RMX__PROTO_BYTES,
  RMX__PROTO_32 = 5
} rmx__proto_kind;

typedef struct rmx__proto_field {
  uint32_t number;
  rmx__proto_kind kind;
  uint64_t value;    // of the kinds with a number: its bits
  const char *data;  // of RMX__PROTO_BYTES: size bytes of the message
  size_t size;
} rmx__proto_field;

typedef struct rmx__proto {
  const char *data;
  size_t size, at;
  bool broken;  // a field does not end inside the message, or is of an unknown kind
} rmx__proto;

// Reads the next field. False at the end, or at a broken field.
bool rmx__proto_next(rmx__proto *p, rmx__proto_field *f);
// The value of a field as a float; NaN if it is not one.
float rmx__proto_float(const rmx__proto_field *f);

#endif
