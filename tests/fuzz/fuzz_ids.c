// SPDX-License-Identifier: Apache-2.0
// Any bytes given as a token file of another program, with any index, end in text or in an error.
// An input is the kind of file, two bytes with the size of the index, the index, and the file.
#include "corpus/readers/reader.h"
#include "corpus/readers/tokens/ids_tokenizer.h"
#include "corpus/utf8.h"
#include "fuzz.h"

static struct rmx_ids_tokenizer ids = {.path = "", .base = ""};

static void make_tokenizer(void) {
  static const char *const text[] = {"to be or not to be, that is the question"};
  const size_t size[] = {strlen(text[0])};
  rmx_err err;
  pthread_mutex_init(&ids.lock, NULL);
  if (rmx_tokenizer_train(text, size, 1, 300, &ids.tokenizer, &err) != RMX_OK) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct {
    const char *file, *index;
  } kinds[] = {{"a.bin", "a.idx"},
               {"a.bin", "index.json"},
               {"a.mds", "index.json"},
               {"a.npy", "none"},
               {"a.bin", "none"}};
  if (!ids.tokenizer) make_tokenizer();
  if (size < 3) return 0;
  const size_t kind = data[0] % (sizeof kinds / sizeof *kinds), stated = data[1] | data[2] << 8;
  const size_t n = stated < size - 3 ? stated : size - 3;
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), kinds[i].index);
    unlink(path);
  }
  fuzz_file(kinds[kind].index, data + 3, n);
  const char *path = fuzz_file(kinds[kind].file, data + 3 + n, size - 3 - n);
  const rmx__reader_options o = {
      .text_field = "text", .separator = "%", .max_document = 1 << 16, .ids = &ids};
  rmx_err err = {0};
  rmx__reader r;
  if (rmx__reader_open(&r, path, &o, &err) != RMX_OK) return 0;
  bool more = true;
  for (int i = 0; i < 10000 && rmx__reader_next(&r, &more, &err) == RMX_OK && more; i++)
    if (r.text.size == 0 || rmx__utf8_valid_prefix(r.text.data, r.text.size) != r.text.size)
      abort();
  rmx__reader_close(&r);
  return 0;
}
