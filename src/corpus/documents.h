// SPDX-License-Identifier: Apache-2.0
/* documents.h: the documents of a domain while a corpus is prepared, and what becomes of each. */
#ifndef RMX_CORPUS_DOCUMENTS_H
#define RMX_CORPUS_DOCUMENTS_H

#include <regmix/corpus.h>

#include "corpus/readers/reader.h"

typedef enum rmx__fate {
  RMX__TRAIN,
  RMX__VALID,
  RMX__DUPLICATE, /* the same text was there before */
  RMX__OVERLAP,   /* it has words of a target's validation text */
  /* it has such that many documents of its domain have: while overlaps are looked for only */
  RMX__BOILERPLATE,
} rmx__fate;

typedef struct rmx__document {
  uint64_t hash;         /* of the text */
  uint64_t offset, size; /* of the text */
  rmx__fate fate;
} rmx__document;

/* What makes a file's text doubtful, though it can be read. */
typedef enum rmx__text_warning {
  RMX__WARN_END_TOKEN,    /* lines of <|endoftext|> or the like within documents */
  RMX__WARN_COMMENTS,     /* the separator % begins as many other lines: comments */
  RMX__WARN_NO_SEPARATOR, /* much text without one */
  RMX__WARN_HTML,         /* a web page */
  RMX__WARN_CHARSET,      /* some of its bytes are no UTF-8 */
  RMX__TEXT_WARNINGS
} rmx__text_warning;

/* The text lies in a temporary file that has no name any more, mapped: the system keeps in memory
 * as much of it as there is room for. */
typedef struct rmx__documents {
  const char *name; /* of the domain, the caller's */
  bool valid_only;
  bool given_split;     /* validation text came in files of its own */
  rmx__document *items; /* (n) in the order of the files */
  size_t n, capacity;
  rmx_map text;
  size_t files;
  uint64_t bytes; /* of all documents */
  uint64_t bad_lines, no_text, invalid_utf8;
  uint64_t duplicates, overlaps, overlap_bytes;
  /* documents kept, since they share nothing but boilerplate with the targets */
  uint64_t boilerplate;
  struct {
    size_t files;
    const char *path; /* the first of them, of the list of files */
  } warnings[RMX__TEXT_WARNINGS];
  struct {
    size_t files;
    const char *path; /* the first of them */
    uint64_t replaced, bytes;
  } foreign; /* files in another character set than UTF-8 */
} rmx__documents;

static inline const char *rmx__document_text(const rmx__documents *d, const rmx__document *doc) {
  return (const char *)d->text.data + doc->offset;
}

/* Sources with their globs resolved (find_files.c). */
typedef struct rmx__files {
  rmx_strings train, valid;
  uint64_t bytes; /* sizes of all of them */
} rmx__files;
rmx_status rmx__files_find(const rmx_domain_source *source, const char *base, rmx__files *out,
                           rmx_err *err);
void rmx__files_release(rmx__files *f);
/* A path as the glob that matches it alone; NULL if memory is short; free() it. */
char *rmx__as_pattern(const char *path);

/* Reads the documents of a domain (collect.c). Explicit validation text gets the fate VALID, as
 * does all text of a valid-only domain. With max_bytes, each file gives at most an even share of
 * what is left for it and the files behind it, so that all files are in. `folder` takes the
 * temporary file. */
typedef struct rmx__collect_options {
  rmx__reader_options reader;
  uint64_t max_bytes; /* 0: all */
  const char *folder;
  void (*read)(void *context, uint64_t bytes); /* told of bytes of files read, from any thread */
  void *context;
} rmx__collect_options;
rmx_status rmx__documents_collect(rmx__documents *d, const rmx__files *files,
                                  const rmx__collect_options *o, rmx_err *err);
void rmx__documents_release(rmx__documents *d);

/* Marks documents whose text was there before, in the same domain or another (dedup.c). Given
 * validation text comes first, then domains in their order: what is validated on is never trained
 * on. */
rmx_status rmx__documents_dedup(rmx__documents *d, size_t n, rmx_err *err);

/* Decides for each kept document of a domain without given validation text whether it is for
 * validation (split.c): where its hash lies below `fraction` of all hashes. So a document's part
 * does not change when others come or go. Both parts get one document at least. */
rmx_status rmx__documents_split(rmx__documents *d, double fraction, rmx_err *err);
/* Indices of the documents of one fate, by ascending hash: free() them. */
rmx_status rmx__documents_by_hash(const rmx__documents *d, rmx__fate fate, size_t **order,
                                  size_t *n, rmx_err *err);

/* Marks training documents that have `words` words in a row in common with a target's validation
 * documents, unless more than RMX__FEW_DOCUMENTS documents of their domain have those words, and
 * more than one in RMX__OF_DOCUMENTS (overlap.c). targets are indices into d. A domain that would
 * lose more than the share `most` of its training text, or all of it, is RMX_EINPUT, with the words
 * most of the documents share. */
enum { RMX__FEW_DOCUMENTS = 10, RMX__OF_DOCUMENTS = 1000 };
rmx_status rmx__documents_overlap(rmx__documents *d, size_t n, const size_t *targets,
                                  size_t ntargets, size_t words, double max, int threads,
                                  rmx_err *err);

#endif
