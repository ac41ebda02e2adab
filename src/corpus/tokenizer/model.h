// SPDX-License-Identifier: Apache-2.0
// model.h: what turns words into ids.
//
// A tokenizer is a chain:
//
//   text -> added tokens -> normalizer -> pre-tokenizer -> model -> ids -> decoder -> text
//
// The added tokens cut the text. Each piece between them is normalised, and cut into words by the
// steps of the pre-tokenizer. The model turns each word into ids; it never sees two words together.
// A model is a row of functions. tokenizer_json.c has the table of all models.
#ifndef RMX_CORPUS_TOKENIZER_MODEL_H
#define RMX_CORPUS_TOKENIZER_MODEL_H

#include <regmix/corpus.h>

#include "base/json.h"
#include "vocabulary.h"

// The tokens of a file, while it is read. All texts are copied into the arena.
typedef struct rmx__token_list {
  const char *where;  // heads the messages
  rmx_arena arena;
  rmx__token_text *tokens;  // (n)
  uint8_t *kinds;           // (n) rmx__token_kind, with RMX__IN_MODEL
  int n, capacity;
  bool byte_level;  // the keys of the vocabulary spell bytes in GPT-2's alphabet
  const struct rmx__model_lists *lists;  // vocabulary and merges, if the tree does not have them
  rmx_buf scratch;
} rmx__token_list;
void rmx__token_list_release(rmx__token_list *l);
// Gives token `id` its text and kind. An id may be given again: the last text and kind stay, as the
// caller has checked. RMX_EINPUT: the id is above RMX__MAX_TOKENS.
rmx_status rmx__token_list_set(rmx__token_list *l, int64_t id, const char *text, size_t size,
                               uint8_t kind, rmx_err *err);
// The same for an entry of a vocabulary. RMX_EINPUT: the id is not a whole number in range, another
// token has it, or the token is empty in a byte-level vocabulary.
rmx_status rmx__token_list_add(rmx__token_list *l, const char *key, const json_t *id, rmx_err *err);
// The same for a key of `size` bytes and a zero byte, and a number, which is -1 if it is none.
rmx_status rmx__token_list_add_key(rmx__token_list *l, const char *key, size_t size, int64_t id,
                                   rmx_err *err);

// The functions of a kind of model. `model` is the memory that `make` returns; it is never changed
// afterwards, and several threads use it at once. Each thread has scratch memory of its own.
typedef struct rmx__model_type {
  const char *name;  // "type" of the model in tokenizer.json

  // Reads the tokens of "model" (json) into the list, with rmx__token_list_add(). The caller adds
  // the added tokens afterwards and makes the vocabulary.
  rmx_status (*tokens)(const json_t *json, rmx__token_list *list, rmx_err *err);
  // Makes the model. t->vocabulary, t->byte_level and the steps before the model are complete. It
  // may remove from `json`, which becomes part of t->frame, whatever `write` puts back.
  rmx_status (*make)(const rmx_tokenizer *t, json_t *json, const char *where, void **model,
                     rmx_err *err);
  void (*free)(void *model);
  // Adds all of the model that decides which ids a word gets, and is not in the vocabulary or in
  // what is left of `json`, to the hash h.
  uint64_t (*hash)(const void *model, uint64_t h);
  // Puts back into `json`, a copy, what `make` removed. False: memory is short.
  bool (*write)(const rmx_tokenizer *t, json_t *json);

  // Whether a word of plain text can become this token.
  bool (*makes)(const rmx_tokenizer *t, uint32_t id);
  // Whether words may have any bytes. NULL: no.
  bool (*any_bytes)(const void *model);

  // Scratch memory of a thread, such as a cache of words. NULL: memory is short.
  void *(*scratch_new)(const rmx_tokenizer *t);
  void (*scratch_free)(void *scratch);
  // Appends the ids of one word to `out`. The word is not empty, and is text after all steps before
  // the model: spaces may be "▁" already. It is valid UTF-8, unless any_bytes() is true; or, with
  // t->byte_level, bytes that were cut out of it. It may be as long as the document. False: memory
  // is short.
  bool (*encode)(const rmx_tokenizer *t, void *scratch, const char *word, size_t size,
                 rmx_tokens *out);
} rmx__model_type;

extern const rmx__model_type rmx__bpe_type;  // bpe.c

// Makes room for `more` ids. False: memory is short.
bool rmx__tokens_reserve(rmx_tokens *out, size_t more);

#endif
