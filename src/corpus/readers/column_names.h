// SPDX-License-Identifier: Apache-2.0
// column_names.h: the names of the columns of a file, which may be nested, and finding one by its
// dotted path.
#ifndef RMX_CORPUS_READERS_COLUMN_NAMES_H
#define RMX_CORPUS_READERS_COLUMN_NAMES_H

#include <regmix/base.h>

enum { RMX__COLUMN_DEPTH = 100 };

// Columns in the order of the file: each one, then those in it. The first one is the file itself.
struct rmx__column_name {
  const char *name;  // (size) borrowed
  size_t size;
  size_t parent, end;  // its parts are the columns up to `end`
  bool part_of_list;   // a level that a list needs and a reader does not see
  uint8_t depth;
};

// The columns that a reader of such a file wants, by their dotted paths. Any of them may be
// missing, but not all texts.
struct rmx__wanted {
  const char *const *names;  // (n) the first `texts` are alternatives of the text
  size_t n, texts;
  const char *text_field;  // all alternatives, for messages
  uint64_t most;           // bytes of the longest value
  rmx_strings *columns;    // gets the paths of the first columns of the file
};

// The column with this path, or 0. The levels of lists are left out of a path; if no column has the
// path then, they are part of it.
size_t rmx__column_find(const struct rmx__column_name *names, size_t n, const char *path);
// RMX_EINPUT: there is no column `path`. The message lists the columns.
rmx_status rmx__column_missing(const struct rmx__column_name *names, size_t n, const char *file,
                               const char *path, rmx_err *err);
// RMX_EINPUT: column i has several parts, of which one must be named. The message lists them.
rmx_status rmx__column_divided(const struct rmx__column_name *names, size_t i, const char *file,
                               const char *path, rmx_err *err);

// After the texts were looked for: RMX_EINPUT if none was found; why: what is wrong with one that
// is there.
rmx_status rmx__texts_found(const struct rmx__wanted *w, size_t found, const rmx_err *why,
                            const struct rmx__column_name *names, size_t n, const char *file,
                            rmx_err *err);

#endif
