// SPDX-License-Identifier: Apache-2.0
// arrow.h: wanted columns of an Arrow file or stream, row by row. Only these columns are read.
#ifndef RMX_CORPUS_READERS_ARROW_ARROW_H
#define RMX_CORPUS_READERS_ARROW_ARROW_H

#include "corpus/readers/column_names.h"
#include "corpus/readers/input.h"

typedef struct rmx__arrow rmx__arrow;

// The names of the columns are borrowed.
rmx_status rmx__arrow_open(rmx__input *file, const struct rmx__wanted *w, rmx__arrow **out,
                           rmx_err *err);
// Reads the next row. values (w->n): the text replaces their content. has (w->n): whether there is
// a value; it is false for a null, and for a column that is missing. *cut: a value was longer than
// `most`, and is empty now.
rmx_status rmx__arrow_next(rmx__arrow *a, rmx_buf *const *values, bool *has, bool *cut, bool *more,
                           rmx_err *err);
void rmx__arrow_close(rmx__arrow *a);

#endif
