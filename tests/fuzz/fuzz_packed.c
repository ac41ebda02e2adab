// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a compressed file end in documents or in an error.
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const files[] = {"text.json.gz", "text.txt.zstd", "text.ndjson.xz",
                                      "text.txt.bz2", "text.jsonl.lz4"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    fuzz_read(fuzz_file(files[i], data, size), "%", true);
  return 0;
}
