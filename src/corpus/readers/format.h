// SPDX-License-Identifier: Apache-2.0
// format.h: the formats, and what they have in common.
#ifndef RMX_CORPUS_READERS_FORMAT_H
#define RMX_CORPUS_READERS_FORMAT_H

#include "reader.h"

extern const rmx__format rmx__format_json, rmx__format_text, rmx__format_parquet;
extern const rmx__format rmx__format_arrow, rmx__format_cells, rmx__format_file, rmx__format_warc;
extern const rmx__format rmx__format_tokens;

// Whether a name ends like that of a web page, whose tags are read as text.
bool rmx__is_markup_name(const char *path);
// Begins to convert a file that is not UTF-8.
rmx_status rmx__choose_charset(rmx__reader *r, rmx_err *err);
// Whether a text has only white space.
bool rmx__is_blank(const char *text, size_t size);
// The number of wanted fields.
static inline size_t rmx__fields(const rmx__reader *r) {
  return r->o.fields ? r->o.fields->n : 0;
}
// The next alternative of a text_field, which commas separate: its first byte and its size. *at is
// moved after it; it begins at the text_field. False: there is no more.
bool rmx__next_alternative(const char **at, const char **name, size_t *size);
// Sets field i of the present document.
void rmx__set_field(rmx__reader *r, size_t i, const char *value, size_t size);
// A line of `bytes` bytes that cannot be used: an error, or with skip_bad one more in *counter.
rmx_status rmx__unusable(rmx__reader *r, uint64_t *counter, uint64_t bytes, const char *what,
                         rmx_err *err);
// The error for a document or a line of more than max_document bytes.
rmx_status rmx__too_long(const rmx__reader *r, const char *what, rmx_err *err);

#endif
