// SPDX-License-Identifier: Apache-2.0
// parquet.h: wanted columns of a Parquet file, row by row. Only these columns are read.
#ifndef RMX_CORPUS_READERS_PARQUET_PARQUET_H
#define RMX_CORPUS_READERS_PARQUET_PARQUET_H

#include "corpus/readers/column_names.h"
#include "corpus/readers/input.h"

typedef struct rmx__parquet rmx__parquet;

// The names of the columns are borrowed.
rmx_status rmx__parquet_open(rmx__input *file, const struct rmx__wanted *w, rmx__parquet **out,
                             rmx_err *err);
// Reads the next row. values (w->n): the text replaces their content. has (w->n): whether there is
// a value; it is false for a null, and for a column that is missing. *cut: a value was longer than
// `most`, and is empty now.
rmx_status rmx__parquet_next(rmx__parquet *p, rmx_buf *const *values, bool *has, bool *cut,
                             bool *more, rmx_err *err);
void rmx__parquet_close(rmx__parquet *p);

#endif
