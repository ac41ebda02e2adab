// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a tokenizer.json are refused or make a tokenizer that encodes; the fuzzer is
// best started from a real file.
#include <regmix/corpus.h>
#include <stdlib.h>

#include "corpus/tokenizer/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rmx_err err = {0};
  rmx_tokenizer *t = NULL;
  if (rmx__tokenizer_parse((const char *)data, size, "fuzz", &t, &err) != RMX_OK) return 0;
  rmx_tokens tokens = {0};
  rmx_buf back = {0};
  // A pattern from the file may fail on a text; what was encoded must decode.
  rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, (const char *)data, size < 4096 ? size : 4096, &tokens,
                       &err);
  if (rmx_tokenizer_decode(t, tokens.ids, tokens.n, &back, &err) != RMX_OK) abort();
  rmx_tokens_release(&tokens);
  rmx_buf_release(&back);
  rmx_tokenizer_free(t);
  return 0;
}
