// SPDX-License-Identifier: Apache-2.0
// Any bytes given as JSON or as text end in valid UTF-8 or in an error.
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *path = fuzz_file("text.jsonl", data, size);
  fuzz_read(path, "%", true);
  fuzz_read(path, "%", false);
  path = fuzz_file("text.txt", data, size);
  fuzz_read(path, "%", true);
  fuzz_read(path, "", true);
  return 0;
}
