// SPDX-License-Identifier: Apache-2.0
// charsmap.h: SentencePiece's compiled rules of normalisation (precompiled_charsmap), as T5, XLM-R
// and ALBERT have them: what to write for a character or a few.
#ifndef RMX_CORPUS_TOKENIZER_CHARSMAP_H
#define RMX_CORPUS_TOKENIZER_CHARSMAP_H

#include <regmix/base.h>

// The file is the size of a double array in bytes (4, little endian), the double array of darts
// (units of 4 bytes), and the normal forms, each with a zero byte after it. The value of a key is
// where its normal form begins.
typedef struct rmx__charsmap {
  uint32_t *units;  // (n)
  size_t n;
  char *forms;  // (size), and a zero byte
  size_t size;
  bool plain[128];         // no key begins with this byte
  const char *ascii[128];  // the form of this character alone, or NULL
} rmx__charsmap;

// Messages begin with `where`. RMX_EINPUT: the parts do not fit together.
rmx_status rmx__charsmap_read(rmx__charsmap *m, const char *data, size_t size, const char *where,
                              rmx_err *err);
void rmx__charsmap_release(rmx__charsmap *m);
// Adds the normal form of a text. This is Hugging Face's "Precompiled": a grapheme of fewer than
// six bytes is replaced by the form of its shortest key, else each character by its own.
void rmx__charsmap_apply(const rmx__charsmap *m, const char *text, size_t size, rmx_buf *out);
// Whether the normal form of a text is the text, as far as its bytes say at once: they are ASCII,
// and no rule is about them.
bool rmx__charsmap_leaves(const rmx__charsmap *m, const char *text, size_t size);

#endif
