// SPDX-License-Identifier: Apache-2.0
// column.h: the values of one column of a Parquet file, row by row.
#ifndef RMX_CORPUS_READERS_PARQUET_COLUMN_H
#define RMX_CORPUS_READERS_PARQUET_COLUMN_H

#include "footer.h"
#include "packed.h"

enum { RMX__PAGE_MOST = 1 << 30 };  // bytes of the largest page that is read

// The values of a page, or of a dictionary, in one of Parquet's encodings (values.c).
struct rmx__parquet_values {
  int encoding;
  const uint8_t *at, *end;
  uint64_t bit;                 // of PLAIN true or false
  struct rmx__runs runs;        // indices of the dictionary; RLE true or false
  struct rmx__deltas deltas;    // numbers, or lengths of strings
  struct rmx__deltas prefixes;  // bytes in common with the string before
  rmx_buf before;               // the string before
  uint64_t n, index;            // of BYTE_STREAM_SPLIT: values, and the next of them
};

typedef struct rmx__parquet_span {
  uint32_t at, size;
} rmx__parquet_span;

// One column. Only one page and one dictionary are in memory.
typedef struct rmx__parquet_column {
  const rmx__parquet_leaf *leaf;  // borrowed
  rmx__random_access *file;
  size_t group;              // for messages: the row group, from 1
  rmx__parquet_chunk chunk;  // the part that is not loaded yet
  rmx__codec_state codec;
  rmx__block raw;  // bytes of the file from raw_at
  uint64_t raw_at;
  rmx__block page, dictionary;  // decompressed
  rmx__parquet_span *entries;   // (nentries) of the dictionary
  size_t nentries, entries_room;
  bool has_dictionary;
  uint64_t left;  // values of the present page, with the nulls
  struct rmx__runs repetitions, definitions;
  struct rmx__parquet_values values;
  bool waiting;  // the levels of the next value are read
  uint32_t rep, def;
} rmx__parquet_column;

void rmx__parquet_column_begin(rmx__parquet_column *c, const rmx__parquet_chunk *chunk,
                               size_t group);
// Appends the value of the next row to `out`; the parts of a list are joined by line feeds. *has:
// there is a value. It stops with *cut after more than `most` bytes, and the rest of the row is
// skipped.
rmx_status rmx__parquet_column_next(rmx__parquet_column *c, uint64_t most, rmx_buf *out, bool *has,
                                    bool *cut, rmx_err *err);
// RMX_EINPUT: the row group has more values than rows.
rmx_status rmx__parquet_column_end(rmx__parquet_column *c, rmx_err *err);
void rmx__parquet_column_release(rmx__parquet_column *c);

// Of page.c: loads pages until there is one with values. *more: false at the end of the chunk.
rmx_status rmx__parquet_page_next(rmx__parquet_column *c, bool *more, rmx_err *err);
rmx_status rmx__parquet_broken(const rmx__parquet_column *c, const char *what, rmx_err *err);

// Of values.c.
// Begins the values in data (size). False: the encoding is not one of this type.
bool rmx__parquet_values_begin(rmx__parquet_column *c, int encoding, const uint8_t *data,
                               size_t size);
// Appends the next value as text. False: the page is broken.
bool rmx__parquet_value_next(rmx__parquet_column *c, rmx_buf *out);
// Makes the table of the dictionary's n values. False: it is broken.
rmx_status rmx__parquet_dictionary(rmx__parquet_column *c, uint64_t n, rmx_err *err);

#endif
