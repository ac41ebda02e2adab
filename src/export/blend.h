// SPDX-License-Identifier: Apache-2.0
// What a writer gets: the sources left to write, checked, with their paths and with the weights the trainer
// wants.
#ifndef EXPORT_BLEND_H
#define EXPORT_BLEND_H

#include <regmix/export.h>

typedef struct rmx__source {
  const char *name;
  const char *path;   // NULL: has none; never where the format needs one
  const char *valid;  // path of the validation data; NULL: has none
  double weight;
} rmx__source;

typedef struct rmx__blend {
  size_t n;              // at least 1
  rmx__source *sources;  // (n)
  bool has_valid;        // all sources have validation data
  const char *unit;      // what the weights are shares of, for a comment; one line
} rmx__blend;

// Writers: rmx__export_csv and so on, one for each format.
#define DECLARE_WRITER(id, name, needs, help) void rmx__export_##id(const rmx__blend *b, rmx_buf *out);
RMX_EXPORT_FORMATS(DECLARE_WRITER)
#undef DECLARE_WRITER

#endif
