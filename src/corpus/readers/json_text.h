// SPDX-License-Identifier: Apache-2.0
// json_text.h: the text field of a JSON object, found without reading the other fields.
#ifndef RMX_CORPUS_READERS_JSON_TEXT_H
#define RMX_CORPUS_READERS_JSON_TEXT_H

#include <regmix/base.h>

typedef enum rmx__json_found {
  RMX__JSON_TEXT,     // the field is a string: its characters are in the buffer
  RMX__JSON_NULL,     // the field is null
  RMX__JSON_MISSING,  // there is no such field
  RMX__JSON_OTHER,    // the field is neither a string nor null
  RMX__JSON_NO_OBJECT,
  RMX__JSON_BROKEN,
} rmx__json_found;

typedef struct rmx__json_look {
  const char *what;     // if BROKEN: what is wrong
  size_t column;        // and at which byte of the line; the first is 1
  uint64_t surrogates;  // half surrogate pairs in the text, each replaced by U+FFFD
  const char *scalar;   // if OTHER: the number or boolean (scalar_size bytes), or NULL
  size_t scalar_size;
} rmx__json_look;

enum { RMX__JSON_DEPTH = 256 };  // nested objects and arrays

// Finds `field`, a key or a path of keys joined by dots, in the object in `line`. If a key occurs
// twice, the last one counts, as in most libraries. The text replaces the content of `out` (check
// out->failed) and may have bytes that are not UTF-8. Other fields are skipped without decoding, so
// numbers of any size, NaN, control characters and half surrogate pairs are allowed in them. Cost:
// one pass over the line.
rmx__json_found rmx__json_text(const char *line, size_t size, const char *field, rmx_buf *out,
                               rmx__json_look *look);

#endif
