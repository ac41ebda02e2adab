// SPDX-License-Identifier: Apache-2.0
// ids_tokenizer.h: the tokenizer that token files were made with. It is read when the first of them
// is opened.
#ifndef RMX_CORPUS_READERS_TOKENS_IDS_TOKENIZER_H
#define RMX_CORPUS_READERS_TOKENS_IDS_TOKENIZER_H

#include <pthread.h>
#include <regmix/corpus.h>

struct rmx_ids_tokenizer {
  const char *path, *base;  // borrowed; path NULL: no tokenizer is named
  const char *end_of_text;  // borrowed; NULL: a known name
  rmx_specials specials;    // how text is encoded again
  pthread_mutex_t lock;
  rmx_tokenizer *tokenizer;  // NULL: not read yet
};

// What the option "specials" says.
rmx_specials rmx__specials_of(const rmx_corpus_options *o);
// Copies the options, with `ids` set to `t`. Call rmx__ids_tokenizer_end afterwards.
rmx_corpus_options rmx__ids_tokenizer_begin(struct rmx_ids_tokenizer *t,
                                            const rmx_corpus_options *o, const char *base);
void rmx__ids_tokenizer_end(struct rmx_ids_tokenizer *t);
// The tokenizer, for the file `path`. t NULL, or without a tokenizer: RMX_EINPUT.
rmx_status rmx__ids_tokenizer_get(struct rmx_ids_tokenizer *t, const char *path,
                                  const rmx_tokenizer **out, rmx_err *err);

#endif
