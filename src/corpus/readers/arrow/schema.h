// SPDX-License-Identifier: Apache-2.0
// schema.h: the columns of an Arrow file, in the order of their buffers.
#ifndef RMX_CORPUS_READERS_ARROW_SCHEMA_H
#define RMX_CORPUS_READERS_ARROW_SCHEMA_H

#include "corpus/readers/column_names.h"
#include "flatbuffers.h"

// Types, as in the file.
typedef enum rmx__arrow_type {
  RMX__ARROW_NULL = 1,
  RMX__ARROW_INT,
  RMX__ARROW_REAL,
  RMX__ARROW_BINARY,
  RMX__ARROW_UTF8,
  RMX__ARROW_BOOL,
  RMX__ARROW_LIST = 12,
  RMX__ARROW_STRUCT,
  RMX__ARROW_UNION,
  RMX__ARROW_FIXED_BINARY,
  RMX__ARROW_FIXED_LIST,
  RMX__ARROW_MAP,
  RMX__ARROW_LARGE_BINARY = 19,
  RMX__ARROW_LARGE_UTF8,
  RMX__ARROW_LARGE_LIST,
  RMX__ARROW_RUNS,
  RMX__ARROW_BINARY_VIEW,
  RMX__ARROW_UTF8_VIEW,
  RMX__ARROW_LIST_VIEW,
  RMX__ARROW_LARGE_LIST_VIEW,
} rmx__arrow_type;

struct rmx__arrow_field {
  int type;
  unsigned bytes;  // of a number; of a fixed list or binary: elements or bytes
  bool is_unsigned;
  bool variadic;         // further buffers, which each batch counts
  unsigned buffers;      // without these
  unsigned children;     // that have buffers in a batch
  int64_t dictionary;    // -1: none
  unsigned index_bytes;  // of a dictionary: bytes of an index, and its sign
  bool index_unsigned;
};

struct rmx__arrow_schema {
  const char *path;
  struct rmx__arrow_field *fields;  // (n) 0 is the file itself
  struct rmx__column_name *names;   // (n)
  size_t n, capacity;
};

// Reads a Schema table. The names lie in f.
rmx_status rmx__arrow_schema_read(struct rmx__arrow_schema *s, struct rmx__flat *f, size_t table,
                                  rmx_err *err);
void rmx__arrow_schema_release(struct rmx__arrow_schema *s);
// Finds a wanted column: *leaf is its field, or 0 if there is none. RMX_EINPUT: it has another
// type.
rmx_status rmx__arrow_schema_find(const struct rmx__arrow_schema *s, const char *name, bool text,
                                  size_t *leaf, rmx_err *err);
bool rmx__arrow_is_list(int type);

#endif
