// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a classifier end in an error or in a label of every text.
#include "corpus/domains/fasttext.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const texts[] = {"", "a lemma\nand a proof", "b </s> b __label__b \xc3\xa4x"};
  rmx_err err = {0};
  rmx__fasttext *m;
  if (rmx__fasttext_open(fuzz_file("model.bin", data, size), &m, &err) != RMX_OK) return 0;
  rmx_buf scratch = {0};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    size_t label;
    double probability;
    if (rmx__fasttext_predict(m, texts[i], strlen(texts[i]), &scratch, &label, &probability,
                              &err) == RMX_OK &&
        (label >= rmx__fasttext_labels(m) || strlen(rmx__fasttext_label(m, label)) > size))
      abort();
  }
  rmx_buf_release(&scratch);
  rmx__fasttext_free(m);
  return 0;
}
