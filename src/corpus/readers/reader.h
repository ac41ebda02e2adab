// SPDX-License-Identifier: Apache-2.0
/* reader.h: the documents of a file. */
#ifndef RMX_CORPUS_READERS_READER_H
#define RMX_CORPUS_READERS_READER_H

#include "input.h"

typedef struct rmx__reader rmx__reader;

/* One format: a row of the table in reader.c, chosen by the file's extension. */
typedef struct rmx__format {
  const char *extension; /* ".jsonl" */
  /* Puts the next document into r->text; *more is false at the end. */
  rmx_status (*next)(rmx__reader *r, bool *more, rmx_err *err);
} rmx__format;

/* How files are read; the texts are the caller's. */
typedef struct rmx__reader_options {
  /* of .jsonl: the string that is the document, by its key, or a path of keys with dots */
  const char *text_field;
  /* of .txt: the line that ends a document; "" a blank line, "none": the file is one */
  const char *separator;
  bool skip_bad;         /* lines that cannot be used are counted, not an error */
  uint64_t max_document; /* bytes of a document, or of a line of JSON, at max; 0: any */
} rmx__reader_options;

struct rmx__reader {
  const rmx__format *format;
  const char *path; /* the caller's */
  rmx__reader_options o;
  rmx__input input;
  rmx_buf text; /* the present document: valid UTF-8 */
  rmx_buf line, scratch;
  size_t line_number;
  bool looked;                 /* at the first bytes */
  bool by_value;               /* JSON that is an array, or objects over several lines */
  bool array_open, array_over; /* the bracket of an array has been read; the one that closes it */
  size_t feeds;                /* line feeds in the present value: counted with the next */
  uint64_t bad_lines;          /* skipped */
  uint64_t no_text;            /* lines whose text is null, or missing: skipped */
  uint64_t invalid_utf8;       /* bytes, and halves of surrogate pairs, replaced by U+FFFD */
  /* Of text: what makes its separator doubtful. */
  uint64_t separators; /* lines that ended a document */
  uint64_t end_tokens; /* lines within documents that are a known end token, as <|endoftext|> */
  /* lines that begin with the separator % and go on: comments of LaTeX, Erlang, Prolog */
  uint64_t comment_lines;
  bool html; /* it begins as a web page */
};

/* Opens a file as documents; the end of its name says how. Documents of white space only are passed
 * over. */
rmx_status rmx__reader_open(rmx__reader *r, const char *path, const rmx__reader_options *o,
                            rmx_err *err);
rmx_status rmx__reader_next(rmx__reader *r, bool *more, rmx_err *err);
void rmx__reader_close(rmx__reader *r);

/* The share of a text's bytes that were no UTF-8; `bytes` of the text as it is now. */
double rmx__share_replaced(uint64_t replaced, uint64_t bytes);
/* With more than the first a file is named; with more than the second it is taken to be in another
 * character set. */
#define RMX__SOME_REPLACED 0.001
#define RMX__MANY_REPLACED 0.1
/* The error for a file with many. */
rmx_status rmx__fail_charset(const char *domain, const char *path, uint64_t replaced,
                             uint64_t bytes, size_t more_files, rmx_err *err);

/* The format of a file by its name, or NULL. */
const rmx__format *rmx__format_of(const char *path);
/* Length of a name without the endings of its format and packing: "a.jsonl.gz" -> 1. */
size_t rmx__stem(const char *path);
/* ".jsonl, .txt", and what they may be packed with, for messages. */
void rmx__formats_known(rmx_buf *out);

#endif
