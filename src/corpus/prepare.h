// SPDX-License-Identifier: Apache-2.0
/* prepare.h: the steps of rmx_corpus_prepare that come after the documents are known. */
#ifndef RMX_CORPUS_PREPARE_H
#define RMX_CORPUS_PREPARE_H

#include "base/json.h"
#include "documents.h"

/* The text that a tokenizer is trained on (tokenizer_sample.c): about `bytes` bytes, the same
 * amount from each of the domains d (n). Training documents are chosen by hash. A domain that has
 * less leaves its share to the others. The texts belong to d; the caller frees the two arrays. */
rmx_status rmx__tokenizer_sample(const rmx__documents *d, size_t n, uint64_t bytes,
                                 const char ***texts, size_t **sizes, size_t *ntexts, rmx_err *err);

/* What went into a token file. */
typedef struct rmx__tokenised {
  uint64_t tokens, bytes, documents;
  uint64_t hash; /* of the ids */
} rmx__tokenised;

/* Writes the tokens of documents order[0 .. n-1] of d, each with the end of text behind it
 * (tokenise.c). With max_tokens it stops there, if need be within a document. `done` is told of
 * text bytes. */
rmx_status rmx__tokenise(const rmx_tokenizer *t, const rmx__documents *d, const size_t *order,
                         size_t n, uint64_t max_tokens, const char *path, int threads,
                         void (*done)(void *context, uint64_t bytes), void *context,
                         rmx__tokenised *out, rmx_err *err);

/* What the tokenizer is asked to be: a hash of the file that is given, or of how one is trained
 * (fingerprint.c). */
rmx_status rmx__tokenizer_fingerprint(const rmx_corpus_options *o, const char *base,
                                      uint64_t *asked, rmx_err *err);

/* The corpus that was prepared before in <folder>, as far as it can be used again (previous.c);
 * folder NULL: none. */
typedef struct rmx__previous {
  const char *folder;
  json_t *index; /* its corpus.json, or NULL */
  uint64_t tokenizer_hash;
} rmx__previous;
void rmx__previous_open(rmx__previous *b, const char *folder);
void rmx__previous_release(rmx__previous *b);
/* Its tokenizer, where that is what is asked for; else NULL. */
rmx_tokenizer *rmx__previous_tokenizer(const rmx__previous *b, const rmx_corpus_options *o,
                                       uint64_t asked);
/* Puts its token file of a domain's `split` ("train", "valid") at `path`, where it holds just those
 * documents (`text`: their hash) as tokens of t and is whole; fills *out. False: it does not. */
bool rmx__previous_take(const rmx__previous *b, const rmx_tokenizer *t, const char *name,
                        const char *split, uint64_t text, const char *path, rmx__tokenised *out);
/* A second name for the same file, or a copy where there can be none (subset.c). */
rmx_status rmx__link_file(const char *from, const char *to, rmx_err *err);

/* How the files of a domain are read: its own settings over the corpus' (prepare.c). */
rmx__reader_options rmx__reader_options_of(const rmx_corpus_options *o, const rmx_domain_source *s);

/* A name serves as a folder; and "domain "x": ..." is to be readable. */
rmx_status rmx__domain_name_check(const char *name, const char *where, rmx_err *err);
/* The hash of a corpus, from its domains' names and its files' hashes, one after the other. */
uint64_t rmx__corpus_hash_add(uint64_t h, const char *name, uint64_t train_hash,
                              uint64_t valid_hash);

enum { RMX__CORPUS_VERSION = 1 };

#endif
