// SPDX-License-Identifier: Apache-2.0
// arrow.h: wanted columns of an Arrow file or stream, row by row. Only these columns are read.
#ifndef RMX_CORPUS_READERS_ARROW_ARROW_H
#define RMX_CORPUS_READERS_ARROW_ARROW_H

#include "corpus/readers/input.h"

typedef struct rmx__arrow rmx__arrow;

// names (n): the dotted path of the column with the text, then those of further columns. The names
// are borrowed. most: bytes of the longest value.
rmx_status rmx__arrow_open(rmx__input *file, const char *const *names, size_t n, uint64_t most,
                           rmx__arrow **out, rmx_err *err);
// Reads the next row. values (n): the text replaces their content. has (n): whether there is a
// value; it is false for a null. *cut: a value was longer than `most`, and is empty now.
rmx_status rmx__arrow_next(rmx__arrow *a, rmx_buf *const *values, bool *has, bool *cut, bool *more,
                           rmx_err *err);
void rmx__arrow_close(rmx__arrow *a);

#endif
