// SPDX-License-Identifier: Apache-2.0
// thrift.h: Thrift's compact protocol, in which Parquet writes its footer and the headers of pages.
// A reader walks over bytes in memory. Nothing is allocated, and every length is checked.
#ifndef RMX_CORPUS_READERS_PARQUET_THRIFT_H
#define RMX_CORPUS_READERS_PARQUET_THRIFT_H

#include <regmix/base.h>

// After an error `broken` is set, and each call returns 0.
struct rmx__thrift {
  const uint8_t *at, *end;
  bool broken;  // the bytes are not of this protocol
  bool cut;     // or there are too few of them
};

enum {
  RMX__THRIFT_TRUE = 1,
  RMX__THRIFT_FALSE,
  RMX__THRIFT_I8,
  RMX__THRIFT_I16,
  RMX__THRIFT_I32,
  RMX__THRIFT_I64,
  RMX__THRIFT_DOUBLE,
  RMX__THRIFT_BINARY,
  RMX__THRIFT_LIST,
  RMX__THRIFT_SET,
  RMX__THRIFT_MAP,
  RMX__THRIFT_STRUCT,
};
// A field of a struct as one number, for a switch: its id and its type.
#define RMX__FIELD(id, type) ((id)*16 + RMX__THRIFT_##type)

// The next field of a struct, or 0 at its end. *last: the id of the field before; it begins as 0.
int rmx__thrift_field(struct rmx__thrift *t, int *last);
// Skips the value of a field that is not wanted.
void rmx__thrift_skip(struct rmx__thrift *t, int field);

int64_t rmx__thrift_int(struct rmx__thrift *t);
// The bytes are in the input; *size is their number.
const char *rmx__thrift_bytes(struct rmx__thrift *t, size_t *size);
// The number of elements of a list, which is not above the number of bytes that are left.
size_t rmx__thrift_list(struct rmx__thrift *t, int *type);

#endif
