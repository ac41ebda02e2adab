// SPDX-License-Identifier: Apache-2.0
// documents.h: the documents of a domain while a corpus is prepared, and what happens to each.
#ifndef RMX_CORPUS_DOCUMENTS_H
#define RMX_CORPUS_DOCUMENTS_H

#include <regmix/corpus.h>

#include "corpus/readers/reader.h"

typedef enum rmx__fate {
  RMX__TRAIN,
  RMX__VALID,
  RMX__DUPLICATE,  // another document has the same text
  RMX__OVERLAP,    // it has words of the validation text of a target
  // it has only such words as many documents of its domain have; used during the search
  RMX__BOILERPLATE,
} rmx__fate;

typedef struct rmx__document {
  uint64_t hash;          // of the text
  uint64_t offset, size;  // of the text
  rmx__fate fate;
} rmx__document;

// Warnings about the text of a file that can be read.
typedef enum rmx__text_warning {
  RMX__WARN_END_TOKEN,     // lines with an end token such as <|endoftext|> in documents
  RMX__WARN_COMMENTS,      // as many lines begin with % as are separators: comments
  RMX__WARN_NO_SEPARATOR,  // much text without a separator
  RMX__WARN_HTML,          // a web page
  RMX__WARN_CHARSET,       // some bytes are not UTF-8
  RMX__TEXT_WARNINGS
} rmx__text_warning;

// The text is in a temporary file without a name, which is mapped. The system decides how much of
// it is in memory.
typedef struct rmx__documents {
  const char *name;  // of the domain; borrowed
  bool valid_only;
  bool given_split;      // validation text is in files of its own
  rmx__document *items;  // (n) in the order of the files
  size_t n, capacity;
  rmx_map text;
  size_t files;
  uint64_t bytes;  // of all documents
  uint64_t bad_lines, no_text, invalid_utf8;
  uint64_t duplicates, overlaps, overlap_bytes;
  // documents that are kept because they share only boilerplate with the targets
  uint64_t boilerplate;
  struct {
    size_t files;
    const char *path;  // of the first; borrowed from the list of files
  } warnings[RMX__TEXT_WARNINGS];
  struct {
    size_t files;
    const char *path;  // of the first
    uint64_t replaced, bytes;
  } foreign;  // files in another character set than UTF-8
} rmx__documents;

static inline const char *rmx__document_text(const rmx__documents *d, const rmx__document *doc) {
  return (const char *)d->text.data + doc->offset;
}

// Sources with their globs resolved (find_files.c).
typedef struct rmx__files {
  rmx_strings train, valid;
  uint64_t bytes;  // sizes of all of them
} rmx__files;
rmx_status rmx__files_find(const rmx_domain_source *source, const char *base, rmx__files *out,
                           rmx_err *err);
void rmx__files_release(rmx__files *f);
// A path as a glob that matches only this path; free() it. NULL: no memory.
char *rmx__as_pattern(const char *path);

// Reads the documents of a domain (collect.c). Text of validation files, and all text of a
// valid-only domain, gets the fate VALID. With max_bytes, the remaining budget is divided evenly
// among the remaining files, so that all files are used. The temporary file is made in `folder`.
typedef struct rmx__collect_options {
  rmx__reader_options reader;
  uint64_t max_bytes;  // 0: all
  const char *folder;
  void (*read)(void *context, uint64_t bytes);  // reports bytes read; called by any thread
  void *context;
} rmx__collect_options;
rmx_status rmx__documents_collect(rmx__documents *d, const rmx__files *files,
                                  const rmx__collect_options *o, rmx_err *err);
void rmx__documents_release(rmx__documents *d);

// Marks documents whose text occurred before, in any domain (dedup.c). Validation files come first,
// then the domains in their order. So no validation text is trained on.
rmx_status rmx__documents_dedup(rmx__documents *d, size_t n, rmx_err *err);

// Splits the documents of a domain without validation files (split.c). Documents whose hash is
// below `fraction` of all hashes validate. So the split of a document does not depend on other
// documents. Both splits get at least one document.
rmx_status rmx__documents_split(rmx__documents *d, double fraction, rmx_err *err);
// Indices of the documents of one fate, in ascending order of their hashes; free() them.
rmx_status rmx__documents_by_hash(const rmx__documents *d, rmx__fate fate, size_t **order,
                                  size_t *n, rmx_err *err);

// Marks training documents that have `words` words in a row in common with the validation text of a
// target (overlap.c). Words that more than RMX__FEW_DOCUMENTS documents of the domain have, and
// more than one in RMX__OF_DOCUMENTS, do not count. targets: indices into d. RMX_EINPUT: a domain
// would lose all its training text, or more than the share `max`; the message has the words that
// the most documents share.
enum { RMX__FEW_DOCUMENTS = 10, RMX__OF_DOCUMENTS = 1000 };
rmx_status rmx__documents_overlap(rmx__documents *d, size_t n, const size_t *targets,
                                  size_t ntargets, size_t words, double max, int threads,
                                  rmx_err *err);

#endif
