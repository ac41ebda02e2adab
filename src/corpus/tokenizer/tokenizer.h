// SPDX-License-Identifier: Apache-2.0
// tokenizer.h: a tokenizer, which is a chain. model.h describes it.
#ifndef RMX_CORPUS_TOKENIZER_TOKENIZER_H
#define RMX_CORPUS_TOKENIZER_TOKENIZER_H

#include <pthread.h>
#include <regmix/corpus.h>

#include "added_tokens.h"
#include "base/json.h"
#include "decoder.h"
#include "model.h"
#include "normalizer.h"
#include "pre_tokenizer.h"
#include "vocabulary.h"

struct rmx__encoder;

struct rmx_tokenizer {
  rmx__vocabulary vocabulary;
  rmx__added_tokens added;
  rmx__normalizer normalizer;
  rmx__pre_tokenizer pre_tokenizer;
  const rmx__model_type *type;
  void *model;  // of this type
  rmx__decoder decoder;
  bool byte_level;                       // the vocabulary and the words are bytes
  bool any_bytes;                        // text that is not UTF-8 needs no repair
  bool decodes_bytes;                    // decoding puts the bytes of tokens one after the other
  uint32_t end_of_text;                  // or RMX__NO_TOKEN
  uint8_t end_kind;                      // the kind that it had before it became special
  json_t *frame;                         // tokenizer.json without what the model holds itself
  const struct rmx__model_lists *lists;  // while it is made: what the frame does not have, or NULL
  uint64_t hash;
  pthread_mutex_t lock;       // of idle
  struct rmx__encoder *idle;  // scratch memory and caches; a call borrows one
};

// Makes a tokenizer of the tree of a tokenizer.json, whose reference it takes, even on failure.
// Files of other kinds are made into such a tree first. Messages begin with `where`.
rmx_status rmx__tokenizer_of_tree(json_t *root, const struct rmx__model_lists *lists,
                                  const char *where, rmx_tokenizer **out, rmx_err *err);
// Makes a tokenizer from the text of a tokenizer.json (tokenizer_json.c).
rmx_status rmx__tokenizer_parse(const char *text, size_t size, const char *where,
                                rmx_tokenizer **out, rmx_err *err);
// The file that holds the tokenizer: the path itself, or a file in a folder. Free it.
rmx_status rmx__tokenizer_find(const char *path, char **file, rmx_err *err);
// The tree of a tokenizer that is trained here: a new reference.
json_t *rmx__tokenizer_frame(void);

// The steps of making one (tokenizer_json.c, tokenizer.c). begin() reads all parts before the
// model, and takes the reference of the tree. finish() follows when the model is made.
rmx_status rmx__tokenizer_begin(json_t *root, const char *where, rmx_tokenizer **out, rmx_err *err);
rmx_status rmx__tokenizer_finish(rmx_tokenizer *t, const char *where, rmx_err *err);

// Reads "added_tokens" of t->frame, when the list has the tokens of the model (read_added.c).
rmx_status rmx__added_tokens_read(rmx_tokenizer *t, const json_t *model, rmx__token_list *l,
                                  rmx_err *err);
// What is known about tokens that end a text (end_of_text.c): sets t->end_of_text if it can.
void rmx__end_of_text_guess(rmx_tokenizer *t);
// The token with this id ends a text.
void rmx__end_of_text_set(rmx_tokenizer *t, uint32_t id);
// Computes t->hash (fingerprint.c).
void rmx__tokenizer_hash_all(rmx_tokenizer *t);

// Scratch memory of one encoding (encode.c).
struct rmx__encoder *rmx__encoder_new(const rmx_tokenizer *t);
void rmx__encoder_free(struct rmx__encoder *e);
struct rmx__encoder **rmx__encoder_next(
    struct rmx__encoder *e);  // link of the list of idle encoders
rmx_status rmx__encoder_run(struct rmx__encoder *e, rmx_specials specials, const char *text,
                            size_t size, rmx_tokens *out, rmx_err *err);

#endif
