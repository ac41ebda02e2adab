// SPDX-License-Identifier: Apache-2.0
// Any bytes train a tokenizer, and come back from the tokens of any such tokenizer.
#include <regmix/corpus.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rmx_err err = {0};
  rmx_tokenizer *t = NULL;
  const char *text = (const char *)data;
  size_t half = size / 2;
  if (rmx_tokenizer_train(&text, &half, 1, 257 + (size ? data[0] : 0), &t, &err) != RMX_OK) abort();
  rmx_tokens tokens = {0};
  rmx_buf back = {0};
  if (rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, text, size, &tokens, &err) != RMX_OK) abort();
  if (rmx_tokenizer_decode(t, tokens.ids, tokens.n, &back, &err) != RMX_OK) abort();
  if (back.size != size || (size && memcmp(back.data, text, size) != 0)) abort();
  rmx_tokens_release(&tokens);
  rmx_buf_release(&back);
  rmx_tokenizer_free(t);
  return 0;
}
