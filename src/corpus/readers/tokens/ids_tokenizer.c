// SPDX-License-Identifier: Apache-2.0
// Reads the tokenizer of token files once, for all threads.
#include "ids_tokenizer.h"

#include <stdlib.h>
#include <string.h>

rmx_specials rmx__specials_of(const rmx_corpus_options *o) {
  return o->specials && strcmp(o->specials, "tokens") == 0 ? RMX_SPECIALS_TOKENS
                                                           : RMX_SPECIALS_TEXT;
}

rmx_corpus_options rmx__ids_tokenizer_begin(struct rmx_ids_tokenizer *t,
                                            const rmx_corpus_options *o, const char *base) {
  rmx_corpus_options with = *o;
  *t = (struct rmx_ids_tokenizer){.path = o->tokenizer,
                                  .base = base,
                                  .end_of_text = o->end_of_text,
                                  .specials = rmx__specials_of(o)};
  pthread_mutex_init(&t->lock, NULL);
  with.ids = t;
  return with;
}

void rmx__ids_tokenizer_end(struct rmx_ids_tokenizer *t) {
  if (t->tokenizer) rmx_tokenizer_free(t->tokenizer);
  pthread_mutex_destroy(&t->lock);
}

static rmx_status read_it(struct rmx_ids_tokenizer *t, rmx_err *err) {
  char *path = rmx_path_in(t->base, t->path);
  if (!path) return rmx_fail_memory(err, 0, "a path");
  rmx_tokenizer *read = NULL;
  rmx_status status = rmx_tokenizer_read(path, &read, err);
  free(path);
  if (status == RMX_OK) status = rmx_tokenizer_set_end_of_text(read, t->end_of_text, err);
  if (status == RMX_OK)
    t->tokenizer = read;
  else if (read)
    rmx_tokenizer_free(read);
  return status;
}

rmx_status rmx__ids_tokenizer_get(struct rmx_ids_tokenizer *t, const char *path,
                                  const rmx_tokenizer **out, rmx_err *err) {
  if (!t || !t->path)
    return rmx_fail(err, RMX_EINPUT,
                    "%s: a file of token ids; set corpus.tokenizer to the tokenizer that they were "
                    "made with, or leave the file out",
                    path);
  pthread_mutex_lock(&t->lock);
  rmx_status status = t->tokenizer ? RMX_OK : read_it(t, err);
  *out = t->tokenizer;
  pthread_mutex_unlock(&t->lock);
  return status;
}
