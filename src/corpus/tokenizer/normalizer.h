// SPDX-License-Identifier: Apache-2.0
// normalizer.h: changes a text before it is cut into words.
#ifndef RMX_CORPUS_TOKENIZER_NORMALIZER_H
#define RMX_CORPUS_TOKENIZER_NORMALIZER_H

#include "base/json.h"
#include "pattern.h"

typedef struct rmx__change {
  // Appends to `out` what valid UTF-8 (size > 0) becomes. *same: it stays as it is, and `out` is
  // not used. The caller checks out->failed.
  rmx_status (*run)(const struct rmx__change *c, const char *text, size_t size, rmx_buf *out,
                    bool *same, rmx_err *err);
  rmx__pattern pattern;  // of "Replace" by a regular expression
  char *text, *content;  // of "Replace": what is replaced, and by what; of "Prepend": content
  size_t text_size, content_size;
  int form;                                 // of Unicode: options of utf8proc
  bool left, right;                         // of "Strip"
  bool clean, chinese, accents, lowercase;  // of "BertNormalizer"
  void *charsmap;                           // of "Precompiled"
} rmx__change;

typedef struct rmx__normalizer {
  rmx__change *changes;  // (n)
  size_t n;
  bool spells;  // the last change spells the bytes in GPT-2's alphabet
} rmx__normalizer;
// Reads "normalizer" of a tokenizer.json.
rmx_status rmx__normalizer_read(const json_t *root, const char *where, rmx__normalizer *out,
                                rmx_err *err);
void rmx__normalizer_release(rmx__normalizer *n);
// Normalises a text. *out is `text` or the data of one of the two buffers.
rmx_status rmx__normalizer_run(const rmx__normalizer *n, const char *text, size_t size,
                               rmx_buf buffers[2], const char **out, size_t *out_size,
                               rmx_err *err);

// The changes (unicode.c): a form of Unicode, small letters, no accents, and BERT's cleaning.
rmx_status rmx__change_form(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                            bool *same, rmx_err *err);
rmx_status rmx__change_lowercase(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                                 bool *same, rmx_err *err);
rmx_status rmx__change_accents(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                               bool *same, rmx_err *err);
rmx_status rmx__change_nmt(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                           bool *same, rmx_err *err);
rmx_status rmx__change_bert(const rmx__change *c, const char *text, size_t size, rmx_buf *out,
                            bool *same, rmx_err *err);

#endif
