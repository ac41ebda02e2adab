// SPDX-License-Identifier: Apache-2.0
// fields.h: which fields of documents look like the name of a domain.
#ifndef RMX_CORPUS_DOMAINS_FIELDS_H
#define RMX_CORPUS_DOMAINS_FIELDS_H

#include "corpus/readers/reader.h"

// The fields with short text in the documents that were looked at.
typedef struct rmx__fields_seen {
  struct rmx__field_seen *items;  // (n)
  size_t n, documents;
} rmx__fields_seen;

// Looks at the fields of the present document of a reader, to a depth of two.
void rmx__fields_look(rmx__fields_seen *f, const rmx__reader *r);
// The same for all columns of the file `path`, read with options o. Columns that cannot be read are
// left out.
void rmx__fields_look_at_columns(rmx__fields_seen *f, const char *path,
                                 const rmx__reader_options *o);
// Appends "meta.source (17 values)" and more, the best first: fields that most documents have, with
// few values that several documents share. Three of them or fewer, joined by commas. False: there
// are none.
bool rmx__fields_suggest(rmx__fields_seen *f, rmx_buf *out);
void rmx__fields_release(rmx__fields_seen *f);

#endif
