// SPDX-License-Identifier: Apache-2.0
// json_scan.h: a few values of a JSON object, found without reading the others.
#ifndef RMX_CORPUS_READERS_JSON_SCAN_H
#define RMX_CORPUS_READERS_JSON_SCAN_H

#include <regmix/base.h>

enum {
  RMX__JSON_DEPTH = 256,  // nested objects and arrays
  RMX__JSON_PATHS = 64,   // wanted at once
};

typedef enum rmx__json_kind {
  RMX__JSON_NONE,    // there is no such value
  RMX__JSON_NULL,    //
  RMX__JSON_STRING,  // from .. to is what is between the quotes
  RMX__JSON_SCALAR,  // a number, true, false, or what programs write instead, such as NaN
  RMX__JSON_ARRAY,
  RMX__JSON_OBJECT,
  RMX__JSON_EACH,  // an array on the way of the path: the values are in its elements
} rmx__json_kind;

typedef struct rmx__json_value {
  rmx__json_kind kind;
  const char *from, *to;  // in the line
  const char *rest;       // of EACH: what is left of the path, in each element
} rmx__json_value;

typedef struct rmx__json_look {
  const char *what;     // if the line is broken: what is wrong
  size_t column;        // and at which byte of the line; the first is 1
  bool no_object;       // the line is JSON, but not an object
  bool too_deep;        // it may be JSON, but has more than RMX__JSON_DEPTH brackets in another
  uint64_t surrogates;  // halves of surrogate pairs that were replaced by U+FFFD; added up
  bool not_ascii;       // a decoded string had bytes beyond ASCII as they are; set, never cleared
} rmx__json_look;

// Finds the values of n paths in the object in `line`. A path is a key, or keys joined by dots. If
// a key occurs twice, the last one counts, as in most libraries. Values are found, not decoded, so
// numbers of any size, NaN, control characters and half surrogate pairs are allowed in the rest.
// False: the line is broken, or not an object. Cost: one pass over the line.
bool rmx__json_scan(const char *line, size_t size, const char *const *paths, size_t n,
                    rmx__json_value *values, rmx__json_look *look);

// Calls `each` with all values of an array: its elements, or what EACH finds in them, also in
// arrays within it. False: the same of `each`, which ends the walk.
typedef bool rmx__json_visit(void *context, const rmx__json_value *value);
bool rmx__json_each(const rmx__json_value *array, rmx__json_visit *each, void *context);

// Appends the characters of a string to `out` (check out->failed). They may have bytes that are not
// UTF-8. False: it has an unknown escape, and look->what says so.
bool rmx__json_decode(const char *line, rmx__json_value string, rmx_buf *out, rmx__json_look *look);

// The first quote or backslash in p .. end, or end.
const char *rmx__json_special(const char *p, const char *end);

#endif
