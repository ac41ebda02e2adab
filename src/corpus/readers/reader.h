// SPDX-License-Identifier: Apache-2.0
// reader.h: reads the documents of a file.
#ifndef RMX_CORPUS_READERS_READER_H
#define RMX_CORPUS_READERS_READER_H

#include "input.h"

typedef struct rmx__reader rmx__reader;

// One format: a row of the table in reader.c, chosen by the file's extension.
typedef struct rmx__format {
  const char *extension;  // ".jsonl"
  // Reads the next document into r->text; *more is false at the end.
  rmx_status (*next)(rmx__reader *r, bool *more, rmx_err *err);
} rmx__format;

// How files are read. The strings are borrowed.
typedef struct rmx__reader_options {
  // of .jsonl: the key of the text, or a path of keys joined by dots
  const char *text_field;
  // of .txt: the line that ends a document; "": a blank line; "none": a file is a document
  const char *separator;
  bool skip_bad;          // lines that cannot be used are counted and are not an error
  uint64_t max_document;  // bytes of the longest document or line of JSON; 0: no limit
} rmx__reader_options;

struct rmx__reader {
  const rmx__format *format;
  const char *path;  // borrowed
  rmx__reader_options o;
  rmx__input input;
  rmx_buf text;  // the present document: valid UTF-8
  rmx_buf line, scratch;
  size_t line_number;
  bool looked;                  // the first bytes were checked
  bool by_value;                // JSON is an array, or has objects over several lines
  bool array_open, array_over;  // an array has begun; has ended
  size_t feeds;                 // line feeds in the present value, to be counted
  uint64_t bad_lines;           // skipped
  uint64_t no_text;             // skipped lines whose text is null or missing
  uint64_t invalid_utf8;        // bytes and half surrogate pairs replaced by U+FFFD
  // Of .txt: do these suggest another separator?
  uint64_t separators;  // lines that ended a document
  uint64_t end_tokens;  // lines in documents that are a known end token such as <|endoftext|>
  // longer lines that begin with the separator %: comments of LaTeX, Erlang, Prolog
  uint64_t comment_lines;
  bool html;  // it begins like a web page
};

// Opens a file; the end of its name decides on the format. Documents with only white space are
// skipped.
rmx_status rmx__reader_open(rmx__reader *r, const char *path, const rmx__reader_options *o,
                            rmx_err *err);
rmx_status rmx__reader_next(rmx__reader *r, bool *more, rmx_err *err);
void rmx__reader_close(rmx__reader *r);

// The share of the bytes of a text that were not UTF-8. bytes: of the text after replacement.
double rmx__share_replaced(uint64_t replaced, uint64_t bytes);
// With a larger share than the first, a warning names the file. With a larger share than the
// second, the file is considered to be in another character set.
#define RMX__SOME_REPLACED 0.001
#define RMX__MANY_REPLACED 0.1
// The error for such a file.
rmx_status rmx__fail_charset(const char *domain, const char *path, uint64_t replaced,
                             uint64_t bytes, size_t more_files, rmx_err *err);

// The format of a file by its name, or NULL.
const rmx__format *rmx__format_of(const char *path);
// Length of a name without the endings of format and compression: "a.jsonl.gz" -> 1.
size_t rmx__stem(const char *path);
// The endings of all formats and compressions, for messages.
void rmx__formats_known(rmx_buf *out);

#endif
