// SPDX-License-Identifier: Apache-2.0
// footer.h: what the footer of a Parquet file says: its columns, and where their pages are.
#ifndef RMX_CORPUS_READERS_PARQUET_FOOTER_H
#define RMX_CORPUS_READERS_PARQUET_FOOTER_H

#include "corpus/readers/codec.h"
#include "corpus/readers/column_names.h"
#include "corpus/readers/random_access.h"

// Physical types, as in the file.
typedef enum rmx__parquet_type {
  RMX__PARQUET_BOOLEAN,
  RMX__PARQUET_INT32,
  RMX__PARQUET_INT64,
  RMX__PARQUET_INT96,
  RMX__PARQUET_FLOAT,
  RMX__PARQUET_DOUBLE,
  RMX__PARQUET_BYTES,
  RMX__PARQUET_FIXED,
} rmx__parquet_type;

// A wanted column: a leaf of the schema.
typedef struct rmx__parquet_leaf {
  const char *name;  // as wanted; borrowed
  size_t ordinal;    // among all leaves, or RMX__PARQUET_MISSING
  rmx__parquet_type type;
  uint32_t width;            // bytes of a value; 0: they vary
  bool is_unsigned;          // of a whole number
  uint8_t max_def, max_rep;  // greatest levels
} rmx__parquet_leaf;

#define RMX__PARQUET_MISSING SIZE_MAX

// The pages of a column in one row group: bytes at .. end of the file.
typedef struct rmx__parquet_chunk {
  uint64_t at, end;
  uint64_t values;  // with the nulls
  rmx__codec codec;
} rmx__parquet_chunk;

typedef struct rmx__parquet_footer {
  size_t n;                    // wanted columns
  rmx__parquet_leaf *leaves;   // (n)
  size_t groups, capacity;     // row groups
  uint64_t *rows;              // (groups)
  rmx__parquet_chunk *chunks;  // (groups, n)
} rmx__parquet_footer;

// Reads the footer and finds the wanted columns. A name is a path of names joined by dots; the
// levels that Parquet puts into lists are left out of it. The alternatives of the text must hold
// text, the other columns may be numbers. RMX_EINPUT: the file is cut off, broken or encrypted;
// there is no column with text (the message lists them); a type or a compression that is not read.
rmx_status rmx__parquet_footer_read(rmx__parquet_footer *out, rmx__random_access *file,
                                    const struct rmx__wanted *w, rmx_err *err);
void rmx__parquet_footer_release(rmx__parquet_footer *f);

// Of schema.c. The schema is in the footer's bytes `data` (size).
rmx_status rmx__parquet_schema_find(const uint8_t *data, size_t size, const char *path,
                                    const struct rmx__wanted *w, rmx__parquet_leaf *leaves,
                                    size_t *nleaves, rmx_err *err);

#endif
