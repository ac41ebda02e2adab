// SPDX-License-Identifier: Apache-2.0
/* json_text.h: the text field of a JSON object, found without reading the other fields. */
#ifndef RMX_CORPUS_READERS_JSON_TEXT_H
#define RMX_CORPUS_READERS_JSON_TEXT_H

#include <regmix/base.h>

typedef enum rmx__json_found {
  RMX__JSON_TEXT,    /* the field is a string: its characters are in the buffer */
  RMX__JSON_NULL,    /* the field is null */
  RMX__JSON_MISSING, /* there is no such field */
  RMX__JSON_OTHER,   /* the field is neither a string nor null */
  RMX__JSON_NO_OBJECT,
  RMX__JSON_BROKEN,
} rmx__json_found;

typedef struct rmx__json_look {
  const char *what;    /* BROKEN: what is wrong, */
  size_t column;       /* and in which byte of the line, from 1 on */
  uint64_t surrogates; /* halves of a surrogate pair in the text, each replaced by U+FFFD */
} rmx__json_look;

enum { RMX__JSON_DEPTH = 256 }; /* objects and arrays in one another */

/* Finds `field` in the object that is `line`: a key of it, or a path of keys joined by dots. Of a
 * key that is there twice the last counts, as in most libraries. The text replaces what is in `out`
 * (check out->failed); it may hold bytes that are no UTF-8. Other fields are only stepped over, so
 * numbers of any size, NaN, control characters and lone surrogates in them do no harm. Cost: one
 * pass over the line. */
rmx__json_found rmx__json_text(const char *line, size_t size, const char *field, rmx_buf *out,
                               rmx__json_look *look);

#endif
