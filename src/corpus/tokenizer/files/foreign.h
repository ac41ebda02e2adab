// SPDX-License-Identifier: Apache-2.0
// foreign.h: tokenizers in other files than tokenizer.json. Each is turned into the tokenizer.json
// that Hugging Face's library reads with the same ids.
#ifndef RMX_CORPUS_TOKENIZER_FILES_FOREIGN_H
#define RMX_CORPUS_TOKENIZER_FILES_FOREIGN_H

#include "corpus/tokenizer/bpe.h"

typedef struct rmx__foreign {
  rmx__token_list list;
  rmx__merge *merges;  // (nmerges) of a BPE
  size_t nmerges;
  double *scores;  // (list.n) of a Unigram
  json_t *frame;   // tokenizer.json, but tokens and merges or scores are not in it
} rmx__foreign;
void rmx__foreign_release(rmx__foreign *f);

// A kind of file. The content of a file decides which it is, never its name.
typedef struct rmx__foreign_type {
  bool (*is)(const char *data, size_t size);
  // `where` is the path: it heads the messages, and a part of its name may choose between
  // vocabularies that look alike.
  rmx_status (*read)(const char *data, size_t size, const char *where, rmx__foreign *out,
                     rmx_err *err);
} rmx__foreign_type;
extern const rmx__foreign_type rmx__tiktoken_type, rmx__spm_file_type, rmx__vocab_txt_type;

// tekken.json is JSON, as tokenizer.json is: its tree is read already.
bool rmx__tekken_is(const json_t *root);
rmx_status rmx__tekken_read(const json_t *root, const char *where, rmx__foreign *out, rmx_err *err);

// vocab.json: a map of tokens to ids and nothing else, whose merges.txt stands beside it. *out is
// the tree of a tokenizer.json: a new reference.
bool rmx__vocab_json_is(const json_t *root);
rmx_status rmx__vocab_json_tree(const json_t *vocab, const char *where, json_t **out, rmx_err *err);
// The path of the merges.txt beside a file. NULL: memory is short.
char *rmx__vocab_json_merges(const char *path);

// Makes the tokenizer. Takes the frame.
rmx_status rmx__foreign_make(rmx__foreign *f, rmx_tokenizer **out, rmx_err *err);

// What the converters share. Adds an entry to "added_tokens" of the frame.
rmx_status rmx__foreign_add(rmx__foreign *f, int64_t id, const char *text, size_t size,
                            bool special, bool normalized, rmx_err *err);
// A special token of a byte-level vocabulary, which becomes a token of the model, too: Hugging
// Face's library takes the ids of added tokens from there, and gives the others ids of its own.
rmx_status rmx__foreign_special(rmx__foreign *f, int64_t id, const char *text, size_t size,
                                rmx_err *err);
// The frame of a byte-level BPE with a pattern (NULL: GPT-2's), which may also have "NFC".
rmx_status rmx__foreign_byte_level(rmx__foreign *f, const char *pattern, bool nfc, rmx_err *err);
// Sets the merges of a list whose ids are its ranks, as tiktoken makes them.
rmx_status rmx__foreign_merge(rmx__foreign *f, rmx_err *err);

#endif
