// SPDX-License-Identifier: Apache-2.0
// token_source.h: the ids in a file of another program.
#ifndef RMX_CORPUS_READERS_TOKENS_TOKEN_SOURCE_H
#define RMX_CORPUS_READERS_TOKENS_TOKEN_SOURCE_H

#include <regmix/base.h>

#include "base/json.h"

typedef struct rmx__token_source rmx__token_source;

enum { RMX__TEXT_COLUMNS = 16 };

// The file is mapped. Its ids are in pieces: documents, samples, or all of it.
struct rmx__token_source {
  const char *path;  // borrowed
  rmx_map file, index;
  unsigned width;  // bytes of an id: 1, 2, 4 or 8
  bool documents;  // a piece is a document; else the ids run on, and the end of text cuts them
  size_t n, next;  // pieces
  size_t text;     // of MDS: the column with the text, from 1; 0: there are ids
  // Finds piece i: its first byte in the file, and its bytes.
  rmx_status (*piece)(const rmx__token_source *s, size_t i, size_t *from, size_t *bytes,
                      rmx_err *err);
  size_t first, bytes;                           // of flat files: all ids
  json_t *json;                                  // of litdata and MDS: index.json
  const json_t *shard;                           // the part about this file
  size_t column;                                 // of MDS: the column with the ids, or the text
  size_t columns[RMX__TEXT_COLUMNS], n_columns;  // of MDS: those that can be the text, in turn
};

// Opens a file by its name and its first bytes. vocab: of the tokenizer, which tells the size of an
// id if the file does not; 0: there is no tokenizer. text_field: the column of MDS that has text.
// RMX_EINPUT: the file is cut off or broken, or disagrees with its index.
rmx_status rmx__token_source_open(rmx__token_source *s, const char *path, int vocab,
                                  const char *text_field, rmx_err *err);
void rmx__token_source_close(rmx__token_source *s);

// One file for each format. *is: it is of this format.
rmx_status rmx__token_flat(rmx__token_source *s, int vocab, rmx_err *err);
rmx_status rmx__token_npy(rmx__token_source *s, bool *is, rmx_err *err);
rmx_status rmx__token_megatron(rmx__token_source *s, bool *is, rmx_err *err);
rmx_status rmx__token_litdata(rmx__token_source *s, bool *is, rmx_err *err);
rmx_status rmx__token_mds(rmx__token_source *s, const char *text_field, rmx_err *err);

// Bytes of a type of NumPy ("uint16", "<u2"), or 0 if it cannot hold ids.
unsigned rmx__token_width_of(const char *type, size_t size);
uint64_t rmx__token_number(const uint8_t *p, unsigned bytes);
rmx_status rmx__token_broken(const rmx__token_source *s, const char *what, rmx_err *err);
// Reads index.json of the file's folder into s->json; NULL if there is none.
rmx_status rmx__token_index(rmx__token_source *s, rmx_err *err);

#endif
