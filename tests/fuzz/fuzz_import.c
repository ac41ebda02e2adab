// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a table of each form, mixtures or metrics, end in a table or in an error.
#include <regmix/import.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const files[] = {"table.json", "table.csv", "table.yaml"};
  for (int i = 0; i < 3; i++) {
    const char *path = fuzz_file(files[i], data, size);
    for (int what = 0; what < 4; what++) {
      rmx_err err = {0};
      rmx_table t;
      rmx_import_options o = {.what = what & 1 ? RMX_IMPORT_METRICS : RMX_IMPORT_MIXTURES,
                              .mixed = what > 1};
      if (rmx_import_table(path, &o, NULL, &t, &err) == RMX_OK) {
        if (t.N == 0 || t.D == 0) abort();
        rmx_table_release(&t);
      }
    }
  }
  return 0;
}
