// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a token file are refused or hold only ids of the vocabulary.
#include <stdlib.h>
#include <string.h>

#include "corpus/token_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const void *file, size_t size, uint64_t tokenizer_hash) {
  rmx_err err = {0};
  rmx__token_header h;
  if (rmx__token_file_check(file, size, tokenizer_hash, 300, "fuzz", &h, &err) != RMX_OK) return;
  for (size_t i = 0; i < h.tokens; i++)
    if (rmx_token_at((const char *)file + sizeof h, (int)h.width, i) >= 300) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check(data, size, 0);
  // The same with what no fuzzer guesses put right: magic, version, hashes.
  rmx__token_header h;
  if (size < sizeof h) return 0;
  uint8_t *file = malloc(size);
  if (!file) return 0;
  memcpy(file, data, size);
  memcpy(&h, data, sizeof h);
  memcpy(h.magic, "RMXTOKEN", 8);
  h.version = 1;
  h.tokenizer_hash = 0;
  h.hash = rmx_hash(file + sizeof h, size - sizeof h, 0);
  memcpy(file, &h, sizeof h);
  check(file, size, 0);
  free(file);
  return 0;
}
