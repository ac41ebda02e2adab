// SPDX-License-Identifier: Apache-2.0
// Any bytes given as CSV, TSV, WARC or source code end in valid UTF-8 or in an error.
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const files[] = {"text.csv", "text.tsv", "text.warc", "text.c"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    const char *path = fuzz_file(files[i], data, size);
    fuzz_read(path, "%", true);
    fuzz_read(path, "%", false);
  }
  return 0;
}
