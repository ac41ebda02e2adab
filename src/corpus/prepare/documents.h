// SPDX-License-Identifier: Apache-2.0
// documents.h: the domains of a corpus while it is prepared: which of their documents are kept, and
// why the others are not.
#ifndef RMX_CORPUS_PREPARE_DOCUMENTS_H
#define RMX_CORPUS_PREPARE_DOCUMENTS_H

#include "corpus/readers/reader.h"
#include "spool.h"

// Files with a warning.
typedef struct rmx__warned {
  size_t files;
  const char *path;          // of the first; borrowed from the list of files
  uint64_t replaced, bytes;  // of the first
  char guessed[64];          // its character set
} rmx__warned;

// A domain. The numbers of documents and bytes are those after the last step.
typedef struct rmx__documents {
  const char *name;  // borrowed
  bool valid_only;
  bool given_split;  // validation text is in files of its own
  size_t files;
  uint64_t n, bytes;  // of all documents
  uint64_t train, train_bytes, valid;
  rmx__losses lost;
  uint64_t other_ids;  // documents of token files that get other ids than theirs
  uint64_t duplicates, near, overlaps, overlap_bytes;  // near: near duplicates
  // documents that are kept because they share only boilerplate with the targets
  uint64_t boilerplate;
  rmx__warned warnings[RMX__TEXT_WARNINGS];
  rmx__warned foreign;  // files in another character set than UTF-8
} rmx__documents;

// Sources with their globs resolved (find_files.c).
typedef struct rmx__files {
  rmx_strings train, valid;
  uint64_t bytes;  // sizes of all of them
  rmx_few unread;  // files with unknown endings in folders that are searched
} rmx__files;
rmx_status rmx__files_find(const rmx_domain_source *source, const char *base, rmx__files *out,
                           rmx_err *err);
void rmx__files_release(rmx__files *f);
// Warns of the files that are not read.
void rmx__warn_unread(const char *domain, const rmx_few *unread, const rmx_listener *to);
// Warns of values that are named in the config and that no document has. none: "no document".
void rmx__warn_unused(const rmx_strings *unused, const char *none, const rmx_listener *to);

// Reads the documents of all sources into a spool (collect.c). Parts that are in the folder of the
// spool and are still right are not read again.
typedef struct rmx__collect {
  const rmx_corpus_options *options;
  const rmx_domain_source *const *sources;  // (n)
  const rmx__files *files;                  // (n)
  size_t n;
  const struct rmx__router
      *router;  // divides the documents of divided sources; NULL: there are none
  int threads;
  void (*read)(void *context, uint64_t bytes);  // reports bytes read; called by any thread
  void *context;
} rmx__collect;
rmx_status rmx__collect_parts(rmx__spool *s, const rmx__collect *c, rmx_err *err);
// Divides the files into parts (parts.c), in the order of the sources and their files. A part has
// files of about rmx__limits.part_bytes, or a range of one large file. It does not depend on the
// number of threads.
rmx_status rmx__parts_plan(rmx__spool *s, const rmx__collect *c, rmx_err *err);
static inline const rmx_strings *rmx__files_of(const rmx__collect *c, const rmx__part *p) {
  return p->valid ? &c->files[p->source].valid : &c->files[p->source].train;
}
// Sums up the facts about the text of a source's files (text_warnings.c).
rmx_status rmx__text_warnings(const rmx__spool *s, const rmx__collect *c, size_t source,
                              rmx__documents *out, rmx_err *err);

// d (n): the domains. Marks documents whose text occurred before, in any domain (dedup.c).
// Validation files come first, then the domains in their order. So no validation text is trained
// on.
rmx_status rmx__documents_dedup(const rmx__spool *s, rmx__documents *d, size_t n, rmx_err *err);

// The order among documents with the same text: those that validate come before those that train,
// then the domains in their order.
uint64_t rmx__document_rank(const rmx__spool *s, const rmx__located *d);

// Marks documents that resemble an earlier one (near_duplicates.c), and no others: at the
// resemblance that is given, a share of 0.9 of them is found. Documents with fewer than
// RMX__NEAR_WORDS words are not looked at. The order is that of exact duplicates.
enum { RMX__NEAR_WORDS = 5 };
rmx_status rmx__documents_near(const rmx__spool *s, rmx__documents *d, double resemblance,
                               int threads, rmx_err *err);
// Rows and bands of the signatures.
void rmx__near_bands(double resemblance, int *rows, int *bands);

// Counts the documents of each domain that train and validate.
rmx_status rmx__documents_count(const rmx__spool *s, rmx__documents *d, size_t n, rmx_err *err);

// Splits the documents of the domains without validation files (split.c). Documents whose hash is
// below `fraction` of all hashes validate. So the split of a document does not depend on other
// documents. Both splits get at least one document.
rmx_status rmx__documents_split(const rmx__spool *s, rmx__documents *d, size_t n, double fraction,
                                rmx_err *err);

// Marks training documents that have `words` words in a row in common with the validation text of a
// target (overlap.c). Words that more than RMX__FEW_DOCUMENTS documents of the domain have, and
// more than one in RMX__OF_DOCUMENTS, do not count. RMX_EINPUT: a domain would lose all its
// training text, or more than the share `max`; the message has the words that the most documents
// share.
enum { RMX__FEW_DOCUMENTS = 10, RMX__OF_DOCUMENTS = 1000 };
typedef struct rmx__overlap {
  const rmx__spool *spool;
  rmx__documents *domains;  // (n)
  size_t n;
  const size_t *targets;  // (ntargets) indices of domains
  size_t ntargets;
  size_t words;
  double max;
  int threads;
  void (*done)(void *context, uint64_t bytes);  // reports bytes of text
  void *context;
} rmx__overlap;
rmx_status rmx__documents_overlap(const rmx__overlap *o, rmx_err *err);

#endif
