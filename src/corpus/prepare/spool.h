// SPDX-License-Identifier: Apache-2.0
// spool.h: the text of a corpus on disk, between reading and writing tokens.
//
// The spool is a folder of parts. A part has the documents of some files, or of a range of one
// file, in two files: <key>.text has the texts one after the other, <key>.index a record for each
// document. The key is a hash of all that the content depends on, so a part that is whole can be
// used again after an interruption.
#ifndef RMX_CORPUS_PREPARE_SPOOL_H
#define RMX_CORPUS_PREPARE_SPOOL_H

#include <regmix/corpus.h>

#include "corpus/readers/reader.h"

// Warnings about the text of a file that can be read.
typedef enum rmx__text_warning {
  RMX__WARN_END_TOKEN,     // lines with an end token such as <|endoftext|> in documents
  RMX__WARN_COMMENTS,      // as many lines begin with % as are separators: comments
  RMX__WARN_NO_SEPARATOR,  // much text without a separator
  RMX__WARN_HTML,          // a web page
  RMX__WARN_GUESSED,       // its character set was guessed
  RMX__WARN_NOT_AS_NAMED,  // it is Unicode, and not the character set that is named
  RMX__WARN_CHARSET,       // some bytes are not UTF-8
  RMX__WARN_NO_DOCUMENT,   // no document
  RMX__TEXT_WARNINGS
} rmx__text_warning;

// What happens to a document. While overlaps are searched for, it has marks as well.
typedef enum rmx__fate {
  RMX__TRAIN,
  RMX__VALID,
  RMX__DUPLICATE,  // another document has the same text
  RMX__OVERLAP,    // it has words of the validation text of a target
  RMX__NEAR,       // it resembles another document
  RMX__FATE = 0x0F,
  RMX__HIT = 0x10,     // it shares words with the part of the targets that is searched for now
  RMX__SHARES = 0x20,  // it shares words with a target
  RMX__COPY = 0x40,    // and not only such words as many documents of its domain have
} rmx__fate;

// A record of an index.
typedef struct rmx__document {
  uint64_t hash;          // of the text
  uint64_t offset, size;  // in <key>.text
  uint64_t name;          // of its domain: a number in the part's table
} rmx__document;

// Facts about the text of one file, from which warnings follow.
typedef struct rmx__file_facts {
  size_t file;  // in the list of the files of its source
  uint64_t bytes, invalid_utf8;
  uint64_t separators, end_tokens, comment_lines;
  uint64_t other_ids;  // documents of a token file that get other ids
  bool text, html, not_as_named;
  bool no_document;  // it was read, and has none
  char guessed[64];  // its character set, if that was guessed
} rmx__file_facts;

typedef struct rmx__part {
  // what it is made of
  size_t source;        // of the corpus request, in the order of the corpus
  bool valid;           // the files are validation files
  size_t from, to;      // files of the list
  uint64_t begin, end;  // bytes of the file from; end 0: whole files
  uint64_t file_bytes;  // for the progress
  uint64_t key;
  bool again;  // it was whole before this process
  // what is in it
  uint64_t documents, bytes;
  uint64_t first;  // the number of its first document in the corpus
  rmx__losses lost;
  uint64_t no_domain;      // documents that belong to no domain
  rmx_strings why;         // the first different reasons why they do not
  rmx_strings names;       // of its domains; none: the domain of its source
  size_t *domains;         // (names.n, at least 1) in the corpus
  uint64_t *counts;        // (names.n, at least 1) documents
  bool *stray;             // (names.n, at least 1) names with too few documents, which are left out
  rmx__file_facts *facts;  // (n_facts) of files with anything remarkable
  size_t n_facts;
} rmx__part;

typedef struct rmx__spool {
  char *folder;
  rmx__part *parts;  // (n) in the order of the corpus
  size_t n;
  uint64_t documents, bytes;
  // (documents) the fates. This is a mapped temporary file, so the system decides how much of it is
  // in memory.
  uint8_t *fates;
} rmx__spool;
rmx_status rmx__spool_init(rmx__spool *s, const char *folder, rmx_err *err);
// Numbers the documents, and sets their fates to TRAIN or VALID. valid_only[d]: all text of domain
// d validates. Call it when all parts are read and have their domains.
rmx_status rmx__spool_begin(rmx__spool *s, const bool *valid_only, rmx_err *err);
// Lets the system take back memory that fates use.
void rmx__spool_cool(const rmx__spool *s);
void rmx__spool_release(rmx__spool *s);

// ---- a part, written

// The text and the index of a part that is being written. Begin with {0}; end with commit or
// discard.
typedef struct rmx__part_writer rmx__part_writer;
rmx_status rmx__part_writer_open(const rmx__spool *s, rmx__part *part, rmx__part_writer **out,
                                 rmx_err *err);
// Counts a document without a domain.
rmx_status rmx__part_add_stray(rmx__part *part, const char *why, rmx_err *err);
// Adds facts about a file.
rmx_status rmx__part_add_facts(rmx__part *part, const rmx__file_facts *facts, rmx_err *err);
// Adds a document of the domain `name`; NULL: that of the source.
rmx_status rmx__part_writer_add(rmx__part_writer *w, const char *text, size_t size,
                                const char *name, rmx_err *err);
rmx_status rmx__part_writer_commit(rmx__part_writer *w, rmx_err *err);
void rmx__part_writer_free(rmx__part_writer *w);
// Fills the part from its files. False: they are not there, or not whole. Cost: reads them.
bool rmx__part_again(const rmx__spool *s, rmx__part *part);
// Forgets what is in the part.
void rmx__part_clear(rmx__part *part);
// Removes all files of the folder that are not of a part with this key.
rmx_status rmx__spool_sweep(const rmx__spool *s, rmx_err *err);

// ---- documents, read

// A document of the corpus, and where its text is.
typedef struct rmx__located {
  uint64_t number;  // in the corpus
  uint64_t hash, offset, size;
  uint32_t part, domain;
  bool stray;  // its domain has too few documents; `domain` has no meaning
} rmx__located;

// Goes through the documents in order. {.spool = s} is at the start. `domains`: only documents of
// domains with domains[d]; NULL: all. End with rmx__cursor_release().
typedef struct rmx__cursor {
  const rmx__spool *spool;
  const bool *domains;
  size_t part;
  uint64_t at;  // documents of the part that were read
  int file;     // the index of the part
  bool opened;
  rmx__document *buffer;  // (n)
  size_t used, n;
  rmx__located document;
} rmx__cursor;
// *out is NULL at the end; else it is valid until the next call.
rmx_status rmx__cursor_next(rmx__cursor *c, const rmx__located **out, rmx_err *err);
void rmx__cursor_release(rmx__cursor *c);
// The document with this number.
rmx_status rmx__spool_locate(const rmx__spool *s, uint64_t number, rmx__located *out, rmx_err *err);

// Some documents and their texts.
typedef struct rmx__batch {
  rmx__located *documents;  // (n)
  size_t n, capacity;
  uint64_t bytes;
  char *text;   // one after the other, after rmx__batch_read()
  size_t room;  // allocated for text
} rmx__batch;
rmx_status rmx__batch_add(rmx__batch *b, const rmx__located *d, rmx_err *err);
// Reads the texts of the documents that were added.
rmx_status rmx__batch_read(rmx__batch *b, const rmx__spool *s, rmx_err *err);
void rmx__batch_clear(rmx__batch *b);
// Makes room for `size` bytes; what was in *data is lost. False: no memory.
bool rmx__make_room(char **data, size_t *room, size_t size);
void rmx__batch_release(rmx__batch *b);

#endif
