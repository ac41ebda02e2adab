// SPDX-License-Identifier: Apache-2.0
// Any bytes given as the files of an experiment end in the data of a page or in an error.
#include <regmix/report.h>

#include "base/json.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const files[] = {
      "optimum.yaml",       "fit/fit.json",          "metrics.csv",
      "mixtures.csv",       "large/comparison.json", "compare/methods.json",
      "runs/1/log.jsonl",   "runs/1/result.json",    "fit/cross-validation.csv",
      "corpus/corpus.json", "resolved.yaml"};
  static const char *const folders[] = {"fit", "large", "compare", "runs", "runs/1", "corpus"};
  static bool made;
  for (size_t i = 0; !made && i < sizeof folders / sizeof *folders; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), folders[i]);
    if (mkdir(path, 0777) != 0) abort();
  }
  made = true;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    const uint8_t *part;
    const size_t n = fuzz_part(&data, &size, &part);
    fuzz_file(files[i], part, n);
  }
  rmx_err err;
  json_t *page = NULL;
  if (rmx_report_collect(&(rmx_report_files){.folder = fuzz_folder()}, &page, &err) == RMX_OK)
    json_decref(page);
  return 0;
}
