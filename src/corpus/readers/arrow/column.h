// SPDX-License-Identifier: Apache-2.0
// column.h: a wanted column of an Arrow file: the chain of nested columns down to its values.
#ifndef RMX_CORPUS_READERS_ARROW_COLUMN_H
#define RMX_CORPUS_READERS_ARROW_COLUMN_H

#include "buffer.h"
#include "schema.h"

// One level of the chain in the present batch.
struct rmx__arrow_level {
  size_t field;     // of the schema
  uint64_t length;  // values in the batch
  bool nulls;       // some are null, and `validity` says which
  rmx__arrow_buffer validity;
  rmx__arrow_buffer first;   // offsets, views, or values of one size
  rmx__arrow_buffer second;  // texts; sizes of a list view; the present further buffer of a view
  // of a view: its further buffers in the batch are this one and the next ones
  size_t further, nfurther, loaded;  // loaded: the one in `second`, from 1
};

// The values of a dictionary, as text.
struct rmx__arrow_dictionary {
  int64_t id;
  size_t field;    // that gives the type of the values
  rmx_buf text;    // of all values
  uint64_t *ends;  // (n) in `text`
  bool *has;       // (n)
  size_t n, capacity;
};

struct rmx__arrow_column {
  bool list;                        // it has several values in a row
  struct rmx__arrow_level *levels;  // (n) from the outermost
  size_t n;
  const struct rmx__arrow_dictionary *dictionary;  // NULL: none
};

// A batch: the places of its buffers, and the numbers of its values.
struct rmx__arrow_batch {
  struct rmx__flat *flat;
  size_t table;   // RecordBatch
  uint64_t body;  // of the file
  uint64_t size;  // of the body
  uint64_t rows;
};
// Reads the batch's compression, and its rows.
rmx_status rmx__arrow_batch_begin(struct rmx__arrow_batch *b, struct rmx__arrow_source *s,
                                  rmx_err *err);

rmx_status rmx__arrow_column_make(struct rmx__arrow_column *c, const struct rmx__arrow_schema *s,
                                  size_t leaf, rmx_err *err);
// Finds the buffers of the column in a batch that has the fields from `first` on (those of the
// schema, or the one of a dictionary).
rmx_status rmx__arrow_column_begin(struct rmx__arrow_column *c, const struct rmx__arrow_schema *s,
                                   struct rmx__arrow_source *source,
                                   const struct rmx__arrow_batch *b, size_t first, rmx_err *err);
// Appends the value of a row to `out`; the parts of a list are joined by line feeds. *has: there is
// a value. *cut: it had more than `most` bytes; `out` is not to be used then.
rmx_status rmx__arrow_column_row(struct rmx__arrow_column *c, const struct rmx__arrow_schema *s,
                                 struct rmx__arrow_source *source,
                                 const struct rmx__arrow_batch *batch, uint64_t row, uint64_t most,
                                 rmx_buf *out, bool *has, bool *cut, rmx_err *err);
// Begins the further buffer `i` of a view's level, as `second`.
rmx_status rmx__arrow_further(struct rmx__arrow_level *l, const struct rmx__arrow_batch *b,
                              struct rmx__arrow_source *s, size_t i, rmx_err *err);
void rmx__arrow_level_release(struct rmx__arrow_level *l);
void rmx__arrow_column_release(struct rmx__arrow_column *c);

#endif
