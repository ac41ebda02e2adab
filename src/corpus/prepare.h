// SPDX-License-Identifier: Apache-2.0
// prepare.h: the steps of rmx_corpus_prepare() after the documents are read.
#ifndef RMX_CORPUS_PREPARE_H
#define RMX_CORPUS_PREPARE_H

#include "base/json.h"
#include "documents.h"

// The text that a tokenizer is trained on (tokenizer_sample.c): about `bytes` bytes, the same
// amount from each of the domains d (n). Training documents are chosen by hash. A domain that has
// less leaves its share to the others. The texts belong to d; the caller frees the two arrays.
rmx_status rmx__tokenizer_sample(const rmx__documents *d, size_t n, uint64_t bytes,
                                 const char ***texts, size_t **sizes, size_t *ntexts, rmx_err *err);

// The content of a token file.
typedef struct rmx__tokenised {
  uint64_t tokens, bytes, documents;
  uint64_t hash;  // of the ids
} rmx__tokenised;

// Documents to write as tokens.
struct rmx__tokenise {
  const rmx_tokenizer *tokenizer;
  const rmx__documents *documents;
  const size_t *order;  // (n) indices of the documents to write
  size_t n;
  uint64_t max_tokens;  // the file ends here, perhaps within a document; 0: no limit
  int threads;
  void (*done)(void *context, uint64_t bytes);  // reports bytes of text
  void *context;
};
// Writes a token file: the tokens of each document, then the end of text (tokenise.c).
rmx_status rmx__tokenise(const struct rmx__tokenise *r, const char *path, rmx__tokenised *out,
                         rmx_err *err);

// Fingerprint of the wanted tokenizer: the hash of the given file, or of the settings of its
// training (fingerprint.c).
rmx_status rmx__tokenizer_fingerprint(const rmx_corpus_options *o, const char *base,
                                      uint64_t *fingerprint, rmx_err *err);

// The corpus that was prepared before in <folder>, if parts of it can be used again (previous.c).
// folder NULL: there is none.
typedef struct rmx__previous {
  const char *folder;
  json_t *index;  // its corpus.json, or NULL
  uint64_t tokenizer_hash;
} rmx__previous;
void rmx__previous_open(rmx__previous *b, const char *folder);
void rmx__previous_release(rmx__previous *b);
// Its tokenizer, if it has the wanted fingerprint; else NULL.
rmx_tokenizer *rmx__previous_tokenizer(const rmx__previous *b, const rmx_corpus_options *o,
                                       uint64_t fingerprint);
// Gives its token file of a domain's split ("train", "valid") the second name `path`, and fills
// *out. False: the file is not whole, or not of tokenizer t, or not of the documents with hash
// `text`.
bool rmx__previous_take(const rmx__previous *b, const rmx_tokenizer *t, const char *name,
                        const char *split, uint64_t text, const char *path, rmx__tokenised *out);
// A second name for the same file, or a copy if the file system has no links (subset.c).
rmx_status rmx__link_file(const char *from, const char *to, rmx_err *err);

// How the files of a domain are read: its own settings, else those of the corpus (prepare.c).
rmx__reader_options rmx__reader_options_of(const rmx_corpus_options *o, const rmx_domain_source *s);

// Checks the tokenizer, the names of all files and the first documents of some of them, before the
// long work (early_check.c). RMX_EINPUT: what rmx_corpus_prepare() would find much later.
rmx_status rmx__early_check(const rmx_corpus_request *r, rmx_err *err);

// RMX_EINPUT: the name of a domain cannot be the name of a folder, or has control characters.
rmx_status rmx__domain_name_check(const char *name, const char *where, rmx_err *err);
// Adds a domain to the hash of a corpus: its name and the hashes of its files.
uint64_t rmx__corpus_hash_add(uint64_t h, const char *name, uint64_t train_hash,
                              uint64_t valid_hash);

enum { RMX__CORPUS_VERSION = 1 };

#endif
