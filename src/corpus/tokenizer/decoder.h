// SPDX-License-Identifier: Apache-2.0
// decoder.h: from the texts of tokens to text.
#ifndef RMX_CORPUS_TOKENIZER_DECODER_H
#define RMX_CORPUS_TOKENIZER_DECODER_H

#include "base/json.h"
#include "pattern.h"

// The texts of tokens, one after the other. {0} is an empty list.
typedef struct rmx__texts {
  rmx_buf bytes;
  size_t *ends;  // (n) where each ends in bytes
  size_t n, capacity;
} rmx__texts;
// Ends the text that was appended to t->bytes since the last call. Sets bytes.failed.
void rmx__texts_end(rmx__texts *t);
void rmx__texts_release(rmx__texts *t);

typedef struct rmx__undo {
  // Reads the texts of `in` and appends texts to `out`, which is empty. Sets out->bytes.failed.
  rmx_status (*run)(const struct rmx__undo *u, const rmx__texts *in, rmx__texts *out, rmx_err *err);
  rmx__pattern pattern;  // of "Replace" by a regular expression
  char *text, *content;
  size_t start, stop;  // of "Strip": how many characters
  bool flag;           // of "Metaspace": a space was put before the text; of "WordPiece": cleanup
} rmx__undo;

typedef struct rmx__decoder {
  rmx__undo *steps;  // (n)
  size_t n;
} rmx__decoder;
// Reads "decoder" of a tokenizer.json.
rmx_status rmx__decoder_read(const json_t *root, const char *where, rmx__decoder *out,
                             rmx_err *err);
// Its first step is "ByteLevel".
bool rmx__decodes_bytes(const rmx__decoder *d);
void rmx__decoder_release(rmx__decoder *d);
// Appends the text of tokens to `out`. Without steps, a space is put between them. `tokens` is
// changed.
rmx_status rmx__decoder_run(const rmx__decoder *d, rmx__texts *tokens, rmx_buf *out, rmx_err *err);

#endif
