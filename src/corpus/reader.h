// SPDX-License-Identifier: Apache-2.0
/* reader.h: the documents of a file. */
#ifndef RMX__READER_H
#define RMX__READER_H

#include "source.h"

typedef struct rmx__reader rmx__reader;

/* One format: a row of the table in reader.c, chosen by the file's extension. */
typedef struct rmx__format {
  const char *extension; /* ".jsonl" */
  /* Puts the next document into r->text; *more is false at the end. */
  rmx_status (*next)(rmx__reader *r, bool *more, rmx_err *err);
} rmx__format;

struct rmx__reader {
  const rmx__format *format;
  const char *path, *text_field, *separator; /* the caller's */
  bool skip_bad;
  rmx__source source;
  rmx_buf text; /* the present document: valid UTF-8 */
  rmx_buf line, scratch;
  size_t line_number;
  uint64_t bad_lines;    /* skipped */
  uint64_t invalid_utf8; /* bytes replaced by U+FFFD */
};

/* Opens a file as documents; the extension says how. `text_field` is the string of each JSON object that is
 * the document. `separator` is the line that ends a document of a text file: "" a blank line, "none": the
 * file is one document. Documents of white space only are passed over. */
rmx_status rmx__reader_open(rmx__reader *r, const char *path, const char *text_field, const char *separator,
                            bool skip_bad, rmx_err *err);
rmx_status rmx__reader_next(rmx__reader *r, bool *more, rmx_err *err);
void rmx__reader_close(rmx__reader *r);

/* The format of a file by its name, or NULL. */
const rmx__format *rmx__format_of(const char *path);
/* ".jsonl, .txt", and what they may be packed with, for messages. */
void rmx__formats_known(rmx_buf *out);

#endif
