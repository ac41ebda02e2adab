// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a Parquet file end in rows of valid UTF-8 or in an error.
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_read_rows(fuzz_file("rows.parquet", data, size));
  return 0;
}
