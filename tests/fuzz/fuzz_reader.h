// SPDX-License-Identifier: Apache-2.0
// fuzz_reader.h: reads all documents of a file, whatever it holds: they are valid UTF-8 and not
// empty, and so are their fields.
#ifndef RMX_TESTS_FUZZ_READER_H
#define RMX_TESTS_FUZZ_READER_H

#include "corpus/readers/reader.h"
#include "corpus/utf8.h"
#include "fuzz.h"

static inline bool fuzz_is_utf8(const rmx_buf *b) {
  return b->size == 0 || rmx__utf8_valid_prefix(b->data, b->size) == b->size;
}

static inline void fuzz_read(const char *path, const char *separator, bool skip_bad) {
  static char *names[] = {"id", "a.b"};
  static const rmx_strings fields = {names, 2, 2};
  const rmx__reader_options o = {"text, content", separator, skip_bad, 1 << 16,
                                 &fields,         NULL,      NULL,     NULL};
  rmx_err err = {0};
  rmx__reader r;
  if (rmx__reader_open(&r, path, &o, &err) != RMX_OK) return;
  bool more = true;
  while (rmx__reader_next(&r, &more, &err) == RMX_OK && more)
    if (r.text.size == 0 || !fuzz_is_utf8(&r.text) || (r.has[0] && !fuzz_is_utf8(&r.values[0])) ||
        (r.has[1] && !fuzz_is_utf8(&r.values[1])))
      abort();
  rmx__reader_close(&r);
}

// Reads the rows of a table: its texts, whose columns are text and parts.
static inline void fuzz_read_rows(const char *path) {
  enum { MAX_ROWS = 10000 };  // a small file may have many nulls
  static char *names[] = {"url", "number", "score", "flag", "meta.text"};
  static const rmx_strings fields = {names, 5, 5};
  static const char *const texts[] = {"text", "parts"};
  for (int t = 0; t < 2; t++) {
    const rmx__reader_options o = {texts[t], "%",  true, 1 << 16, t == 0 ? &fields : NULL,
                                   NULL,     NULL, NULL};
    rmx_err err = {0};
    rmx__reader r;
    if (rmx__reader_open(&r, path, &o, &err) != RMX_OK) abort();
    bool more = true;
    for (int i = 0; i < MAX_ROWS && rmx__reader_next(&r, &more, &err) == RMX_OK && more; i++)
      if (r.text.size == 0 || !fuzz_is_utf8(&r.text)) abort();
    rmx__reader_close(&r);
  }
}

#endif
