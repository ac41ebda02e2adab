// SPDX-License-Identifier: Apache-2.0
// A column of a Parquet file, row by row. Each value has two levels. The definition level tells how
// much of its path is there: a value, or a null at some depth. The repetition level is 0 where a
// row begins.
#include "column.h"

#include <stdlib.h>

void rmx__parquet_column_begin(rmx__parquet_column *c, const rmx__parquet_chunk *chunk,
                               size_t group) {
  c->chunk = *chunk;
  c->group = group;
  c->left = 0;
  c->has_dictionary = c->waiting = false;
  c->nentries = 0;
}

// Reads the levels of the next value. *more: false at the end of the row group.
static rmx_status next_levels(rmx__parquet_column *c, bool *more, rmx_err *err) {
  const rmx__parquet_leaf *leaf = c->leaf;
  *more = true;
  if (c->waiting) return RMX_OK;
  if (c->left == 0) RMX_TRY(rmx__parquet_page_next(c, more, err));
  if (!*more) return RMX_OK;
  c->rep = c->def = 0;
  if ((leaf->max_rep && !rmx__runs_next(&c->repetitions, &c->rep)) ||
      (leaf->max_def && !rmx__runs_next(&c->definitions, &c->def)))
    return rmx__parquet_broken(c, "the levels of a page are cut off", err);
  if (c->rep > leaf->max_rep || c->def > leaf->max_def)
    return rmx__parquet_broken(c, "a page has impossible levels", err);
  c->left--;
  c->waiting = true;
  return RMX_OK;
}

rmx_status rmx__parquet_column_next(rmx__parquet_column *c, uint64_t most, rmx_buf *out, bool *has,
                                    bool *cut, rmx_err *err) {
  bool more, first = true;
  *has = *cut = false;
  for (;; first = false) {
    RMX_TRY(next_levels(c, &more, err));
    if (!more && first) return rmx__parquet_broken(c, "it has fewer values than rows", err);
    if (!more || (!first && c->rep == 0)) return RMX_OK;
    if (first && c->rep != 0) return rmx__parquet_broken(c, "a row group begins within a row", err);
    c->waiting = false;
    if (c->def == c->leaf->max_def) {
      if (*has) rmx_buf_puts(out, "\n");
      if (!rmx__parquet_value_next(c, out))
        return rmx__parquet_broken(c, "a value reaches out of its page", err);
      if (out->failed) return rmx_fail_memory(err, out->size, c->file->path);
      *has = true;
      *cut = *cut || out->size > most;
      if (*cut) out->size = 0;
    }
    if (c->leaf->max_rep == 0) return RMX_OK;
  }
}

rmx_status rmx__parquet_column_end(rmx__parquet_column *c, rmx_err *err) {
  if (c->left || c->waiting || c->chunk.values)
    return rmx__parquet_broken(c, "it has more values than rows", err);
  return RMX_OK;
}

void rmx__parquet_column_release(rmx__parquet_column *c) {
  rmx__codec_release(&c->codec);
  rmx__block_release(&c->raw);
  rmx__block_release(&c->page);
  rmx__block_release(&c->dictionary);
  free(c->entries);
  rmx_buf_release(&c->values.before);
}
