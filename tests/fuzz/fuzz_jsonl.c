// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a file of documents, of each kind and packing, end in valid UTF-8 or in an
// error.
#include "corpus/readers/reader.h"
#include "corpus/utf8.h"
#include "fuzz.h"

static void read_all(const char *path, const char *separator) {
  rmx_err err = {0};
  rmx__reader r;
  const rmx__reader_options o = {"text", separator, true, 1 << 16, NULL};
  if (rmx__reader_open(&r, path, &o, &err) != RMX_OK) abort();
  bool more = true;
  while (rmx__reader_next(&r, &more, &err) == RMX_OK && more)
    if (r.text.size == 0 || rmx__utf8_valid_prefix(r.text.data, r.text.size) != r.text.size)
      abort();
  rmx__reader_close(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const files[] = {"text.jsonl", "text.txt", "text.json.gz", "text.ndjson.zstd"};
  for (int i = 0; i < 4; i++) {
    const char *path = fuzz_file(files[i], data, size);
    read_all(path, "%");
    read_all(path, "");
  }
  return 0;
}
