// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a tokenizer of any kind are refused, or make a tokenizer that encodes. Written
// as a tokenizer.json and read again it is the same one, with the same ids.
#include <regmix/corpus.h>

#include "corpus/tokenizer/tokenizer.h"
#include "fuzz.h"

static const char sample[] = "ab  abc <s>x\xC3\xA9\n\xE2\x96\x81 12, AB\xFF";

// False: the text cannot be encoded, as a pattern of the file may say.
static bool encode(const rmx_tokenizer *t, const uint8_t *data, size_t size, rmx_tokens *out) {
  rmx_err err = {0};
  return rmx_tokenizer_encode(t, RMX_SPECIALS_TEXT, sample, sizeof sample - 1, out, &err) ==
             RMX_OK &&
         rmx_tokenizer_encode(t, RMX_SPECIALS_TOKENS, (const char *)data, size < 512 ? size : 512,
                              out, &err) == RMX_OK;
}

static void compare(const rmx_tokenizer *a, const rmx_tokenizer *b, const uint8_t *data,
                    size_t size) {
  rmx_tokens x = {0}, y = {0};
  rmx_buf back = {0};
  rmx_err err = {0};
  if (rmx_tokenizer_hash(a) != rmx_tokenizer_hash(b)) abort();
  if (encode(a, data, size, &x) != encode(b, data, size, &y) || x.n != y.n) abort();
  if (x.n && memcmp(x.ids, y.ids, x.n * sizeof *x.ids) != 0) abort();
  if (rmx_tokenizer_decode(a, x.ids, x.n, &back, &err) != RMX_OK) abort();
  rmx_tokens_release(&x);
  rmx_tokens_release(&y);
  rmx_buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  rmx_err err = {0};
  rmx_tokenizer *t = NULL, *again = NULL;
  // the name says which pattern a file of ranks has
  if (rmx__tokenizer_parse((const char *)data, size, "fuzz.gpt2", &t, &err) != RMX_OK) {
    if (!*err.message) abort();
    return 0;
  }
  const char *path = fuzz_file("tokenizer.json", data, 0);
  if (rmx_tokenizer_write(t, path, &err) != RMX_OK) abort();
  if (rmx_tokenizer_read(path, &again, &err) != RMX_OK) abort();
  compare(t, again, data, size);
  rmx_tokenizer_free(t);
  rmx_tokenizer_free(again);
  return 0;
}
