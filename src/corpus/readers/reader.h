// SPDX-License-Identifier: Apache-2.0
// reader.h: reads the documents of a file.
#ifndef RMX_CORPUS_READERS_READER_H
#define RMX_CORPUS_READERS_READER_H

#include "input.h"

typedef struct rmx__reader rmx__reader;

enum {
  RMX__FORMAT_TEXT = 1,     // text that separator lines divide
  RMX__FORMAT_COLUMNS = 2,  // a document has further fields
  RMX__FORMAT_FILE = 8,     // text; a file is a document
  RMX__FORMAT_GUESS = 16,   // its character set may be guessed
  RMX__FORMAT_RANDOM = 4,   // it must be read out of order: `open` finds r->input.file, no stream
};

// One format, in a file of its own, and a row of the table in reader.c.
typedef struct rmx__format {
  const char *const *endings;  // of names, in lower case, without a compression: ".jsonl", NULL
  unsigned flags;
  // Prepares to read; r->state is the format's. The first block of the file is in r->input. NULL:
  // nothing to do. `close` follows even if it fails.
  rmx_status (*open)(rmx__reader *r, rmx_err *err);
  // Reads the next document into r->text, which is empty, and its fields; *more is false at the
  // end. A document that is skipped leaves r->text empty. It sets r->document.
  rmx_status (*next)(rmx__reader *r, bool *more, rmx_err *err);
  // The columns of an open file, up to 64 and more; they are borrowed. NULL: it has none.
  const rmx_strings *(*columns)(const rmx__reader *r);
  void (*close)(rmx__reader *r);  // releases r->state, which may be NULL; NULL: nothing to do
} rmx__format;

// How files are read. The strings are borrowed.
typedef struct rmx__reader_options {
  // of formats with fields: the name of the text, or a path of names joined by dots; or several,
  // with commas between them: the first that has text counts
  const char *text_field;
  // of .txt: the line that ends a document; "": a blank line; "none": a file is a document
  const char *separator;
  bool skip_bad;          // lines that cannot be used are counted and are not an error
  uint64_t max_document;  // bytes of the longest document or line of JSON; 0: no limit
  // Further fields that are wanted of each document, in the form of text_field; NULL: none.
  const rmx_strings *fields;
  // The separator of other files of text, such as .md and source code; NULL: "none".
  const char *file_separator;
  struct rmx_ids_tokenizer *ids;  // of token files; NULL: they cannot be read
  const char *encoding;  // the character set of the text; NULL: UTF-8, or what can be recognised
} rmx__reader_options;

// What was left out or replaced while text was read. All members are numbers of 64 bits.
typedef struct rmx__losses {
  uint64_t bad_lines, bad_bytes;  // lines that were skipped, and their bytes
  uint64_t no_text;               // lines that were skipped: their text is null or missing
  uint64_t empty;                 // documents that were skipped: "" or only white space
  uint64_t invalid_utf8;          // bytes replaced by U+FFFD
  uint64_t surrogates;            // halves of surrogate pairs (\ud800 in JSON) replaced by U+FFFD
} rmx__losses;
enum { RMX__LOSSES = sizeof(rmx__losses) / sizeof(uint64_t) };
void rmx__losses_add(rmx__losses *to, const rmx__losses *from);

struct rmx__reader {
  const rmx__format *format;
  const char *path;  // borrowed
  rmx__reader_options o;
  rmx__input input;  // of a RANDOM format: `file` alone, and `compressed` counts what is read
  bool begun;        // the first bytes were looked at, and the format is open
  void *state;       // of the format
  rmx_buf text;      // the present document: valid UTF-8
  bool valid;        // `next` knows that the text is valid UTF-8; else it is checked
  bool document;     // `next` found a document; one without text is counted in lost.empty
  // (o.fields->n) the document's further fields: valid UTF-8, numbers and booleans as they are
  // written. A field that is missing, null, or not a single value has has[i] = false.
  rmx_buf *values;
  bool *has;
  const char *raw;  // (raw_size) the object of the present document, if it is JSON; else NULL
  size_t raw_size;
  rmx_buf line, scratch;
  size_t line_number;
  rmx__losses lost;
  uint64_t other_ids;  // documents of token files that get other ids than theirs
  // Of text: do these suggest another separator?
  uint64_t separators;  // lines that ended a document
  uint64_t end_tokens;  // lines in documents that are a known end token such as <|endoftext|>
  // longer lines that begin with the separator %: comments of LaTeX, Erlang, Prolog
  uint64_t comment_lines;
  // The character set of the file, if it was guessed; "": it was not.
  char guessed[64];
  bool not_as_named;  // it is Unicode, though corpus.encoding names another set
  bool html;          // it begins like a web page
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
// The error for such a file. named: corpus.encoding, or NULL.
rmx_status rmx__fail_charset(const char *domain, const char *path, const char *named,
                             uint64_t replaced, uint64_t bytes, size_t more_files, rmx_err *err);
// Guesses the character set of a file from the text around the bytes that are not UTF-8.
bool rmx__charset_guess_file(const char *path, char name[64]);
// Whether a file that begins like this is read as UTF-8, whatever follows. named: as above.
bool rmx__charset_is_sure(const char *named, const char *first, size_t n);

// The format of a file by its name, or NULL.
const rmx__format *rmx__format_of(const char *path);
// Length of a name without the endings of format and compression: "a.jsonl.gz" -> 1.
size_t rmx__stem(const char *path);
// The endings of all formats and compressions, for messages.
void rmx__formats_known(rmx_buf *out);

#endif
