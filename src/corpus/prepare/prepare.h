// SPDX-License-Identifier: Apache-2.0
// prepare.h: the steps of rmx_corpus_prepare() after the documents are read.
#ifndef RMX_CORPUS_PREPARE_PREPARE_H
#define RMX_CORPUS_PREPARE_PREPARE_H

#include <pthread.h>

#include "base/json.h"
#include "documents.h"

// The text that a tokenizer is trained on (tokenizer_sample.c).
typedef struct rmx__tokenizer_sample {
  char *text;          // all of it
  const char **texts;  // (n) in text
  size_t *sizes, n;
  uint64_t bytes;  // of all
} rmx__tokenizer_sample;
// About `bytes` bytes, the same amount from each of the first n domains of d (n_all). Training
// documents are chosen by hash. A domain that has less leaves its share to the others.
rmx_status rmx__tokenizer_sample_take(const rmx__spool *spool, const rmx__documents *d, size_t n,
                                      size_t n_all, uint64_t bytes, rmx__tokenizer_sample *out,
                                      rmx_err *err);
void rmx__tokenizer_sample_release(rmx__tokenizer_sample *s);

// The content of a token file.
typedef struct rmx__tokenised {
  uint64_t tokens, bytes, documents;
  uint64_t hash;  // of the ids
} rmx__tokenised;

// How documents become tokens: the tokens of each document, then the end of text (tokenise.c).
typedef struct rmx__tokenise {
  const rmx_tokenizer *tokenizer;
  rmx_specials specials;
  const rmx__spool *spool;
  char **paths;  // (n) of the file of each domain
  size_t n;
  int threads;
  void (*done)(void *context, uint64_t bytes);  // reports bytes of text
  void *context;
} rmx__tokenise;
// Writes the training documents of the domains that are wanted (r->n), in one pass over the spool.
// out (r->n).
rmx_status rmx__tokenise_train(const rmx__tokenise *r, const bool *wanted, rmx__tokenised *out,
                               rmx_err *err);
// Writes the documents of one domain whose numbers are the third keys of a list. max_tokens: the
// file ends here, perhaps within a document; 0: no limit.
struct rmx__sorted;
rmx_status rmx__tokenise_listed(const rmx__tokenise *r, size_t domain,
                                const struct rmx__sorted *list, uint64_t max_tokens,
                                rmx__tokenised *out, rmx_err *err);

// Reads the tokenizer of the options, and sets the end of text (early_check.c).
rmx_status rmx__tokenizer_open(const rmx_corpus_options *o, const char *base, rmx_tokenizer **out,
                               rmx_err *err);
// RMX_EINPUT: corpus.end_of_text names another token than a tokenizer that is trained has.
rmx_status rmx__end_of_text_check(const rmx_corpus_options *o, rmx_err *err);
// The hash of a text, on top of h; NULL counts as "" (fingerprint.c).
uint64_t rmx__hash_text(const char *s, uint64_t h);
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

// A corpus that is being prepared.
typedef struct rmx__preparing {
  const rmx_corpus_options *options;
  // the sources: those that are trained on first, then those that are valid_only
  const rmx_domain_source **sources;  // (n_sources)
  size_t n_sources;
  rmx__files *files;  // (n_sources)
  struct rmx__router *router;
  rmx__spool spool;
  // the domains, in the same order
  size_t n, ntrain;
  rmx__documents *documents;      // (n)
  bool *valid_only;               // (n)
  rmx_strings names;              // (n)
  size_t *domain_of;              // (n_sources) SIZE_MAX: its documents are divided
  rmx__tokenised *train, *valid;  // (n)
  size_t *targets, ntargets;      // domains
  const char *folder;
  int threads;
  rmx_tokenizer *tokenizer;
  uint64_t source_hash, tokenizer_fingerprint;
  rmx__previous previous;  // the corpus prepared before
  bool new_tokenizer;
  // (n) hashes of the documents in the training and the validation file
  uint64_t (*texts)[2];
  size_t kept;         // domains whose token files are kept
  json_t *files_seen;  // files.json
  // progress
  const rmx_listener *listener;
  pthread_mutex_t lock;
  const char *step, *detail;
  uint64_t done, total;  // bytes
} rmx__preparing;
void rmx__step_begins(rmx__preparing *p, const char *step, uint64_t total);
void rmx__step_advances(void *p, uint64_t bytes);  // p: an rmx__preparing

// Makes the list of domains when all parts are read (domain_list.c): the names of the sources, and
// the names that divided sources gave, sorted. targets: indices of r->sources. RMX_EINPUT: too many
// names.
rmx_status rmx__domains_list(rmx__preparing *p, const rmx_corpus_request *r, rmx_err *err);
void rmx__domains_release(rmx__preparing *p);
// RMX_EINPUT where a file of these sources (found: n of the request) has another content than when
// p->files_seen was made (fingerprint.c). Cost: files with other times are read.
rmx_status rmx__text_is_unchanged(const rmx_corpus_request *r, const rmx__files *found,
                                  const json_t *seen, rmx_err *err);
// Writes <folder>/corpus/<domain>/{train,valid}.bin (token_files.c).
rmx_status rmx__token_files_write(rmx__preparing *p, rmx_err *err);
// Says what became of the text of a domain (report_domain.c).
void rmx__report_domain(const rmx__documents *d, const rmx__tokenised *train,
                        const rmx__tokenised *valid, bool kept, const rmx_listener *to);
// The documents of the validation split that max_valid_tokens left out; one that was cut counts as
// kept.
uint64_t rmx__beyond_limit(const rmx__documents *d, const rmx__tokenised *valid);

// The documents without a domain and the reasons: a new reference.
json_t *rmx__strays_json(const rmx__preparing *p);
// The same for a source whose documents were divided.
rmx_status rmx__report_divided(const rmx__preparing *p, const rmx__collect *c, size_t source,
                               rmx_err *err);

// Adds a domain to the hash of a corpus: its name and the hashes of its files.
uint64_t rmx__corpus_hash_add(uint64_t h, const char *name, uint64_t train_hash,
                              uint64_t valid_hash);

enum { RMX__CORPUS_VERSION = 1 };
#define RMX__SPOOL ".prepare"  // in the folder of a corpus that is being prepared

#endif
