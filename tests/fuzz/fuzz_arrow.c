// SPDX-License-Identifier: Apache-2.0
// Any bytes given as an Arrow file end in rows of valid UTF-8 or in an error.
#include "corpus/readers/reader.h"
#include "corpus/utf8.h"
#include "fuzz.h"

static void read_all(const char *path, const char *text, const rmx_strings *fields) {
  enum { MOST = 10000 };  // rows; a small file may have many nulls
  rmx_err err = {0};
  rmx__reader r;
  const rmx__reader_options o = {text, "%", true, 1 << 16, fields, NULL, NULL, NULL};
  if (rmx__reader_open(&r, path, &o, &err) != RMX_OK) abort();
  bool more = true;
  for (int i = 0; i < MOST && rmx__reader_next(&r, &more, &err) == RMX_OK && more; i++)
    if (r.text.size == 0 || rmx__utf8_valid_prefix(r.text.data, r.text.size) != r.text.size)
      abort();
  rmx__reader_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *names[] = {"url", "number", "score", "flag", "meta.text"};
  const rmx_strings fields = {names, 5, 5};
  const char *path = fuzz_file("rows.arrow", data, size);
  read_all(path, "text", &fields);
  read_all(path, "parts", NULL);
  return 0;
}
