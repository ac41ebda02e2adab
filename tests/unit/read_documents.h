// SPDX-License-Identifier: Apache-2.0
/* read_documents.h: all documents of a file, for the tests of its readers. */
#ifndef RMX_TESTS_UNIT_READ_DOCUMENTS_H
#define RMX_TESTS_UNIT_READ_DOCUMENTS_H

#include "corpus/readers/reader.h"
#include "corpus_folder.h"

struct found {
  rmx_strings documents;
  uint64_t bad_lines, bad_bytes, no_text, empty, invalid_utf8, surrogates;
};

static inline rmx_status read_all(const char *path, const char *field, const char *separator,
                                  bool skip_bad, struct found *out, rmx_err *err) {
  rmx__reader r;
  *out = (struct found){0};
  const rmx__reader_options o = {field, separator, skip_bad, 0, NULL, NULL, NULL, NULL};
  RMX_TRY(rmx__reader_open(&r, path, &o, err));
  rmx_status status = RMX_OK;
  bool more = true;
  while (status == RMX_OK && more) {
    status = rmx__reader_next(&r, &more, err);
    if (more && status == RMX_OK) ck_assert(rmx_strings_add(&out->documents, r.text.data));
  }
  out->bad_lines = r.lost.bad_lines;
  out->no_text = r.lost.no_text;
  out->bad_bytes = r.lost.bad_bytes;
  out->empty = r.lost.empty;
  out->invalid_utf8 = r.lost.invalid_utf8;
  out->surrogates = r.lost.surrogates;
  rmx__reader_close(&r);
  if (status != RMX_OK) rmx_strings_release(&out->documents);
  return status;
}

static inline void check(const char *path, const char *separator, const char *const *documents) {
  struct found f;
  must(read_all(path, "text", separator, false, &f, err));
  size_t n = 0;
  for (; documents[n]; n++) {
    ck_assert_uint_lt(n, f.documents.n);
    ck_assert_str_eq(f.documents.items[n], documents[n]);
  }
  ck_assert_uint_eq(f.documents.n, n);
  rmx_strings_release(&f.documents);
}
#define DOCUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

#endif
