// SPDX-License-Identifier: Apache-2.0
// token_file.h: a file of token ids.
#ifndef RMX_CORPUS_TOKEN_FILE_H
#define RMX_CORPUS_TOKEN_FILE_H

#include <regmix/corpus.h>

// The first 64 bytes of a token file, little endian; the ids follow.
typedef struct rmx__token_header {
  char magic[8];     // "RMXTOKEN"
  uint32_t version;  // 1
  uint32_t width;    // bytes per id: 2 or 4
  uint64_t tokens;
  uint64_t tokenizer_hash;
  uint64_t hash;  // XXH3 of the ids
  uint8_t zero[24];
} rmx__token_header;
_Static_assert(sizeof(rmx__token_header) == 64, "the header is 64 bytes");

// A token file that is being written. Begin with {0}; end with commit or discard.
typedef struct rmx__token_writer {
  rmx_outfile out;
  int width;
  uint64_t tokens, tokenizer_hash;
  struct rmx__hasher *hasher;  // of the ids
  int error;                   // errno of the first write that failed
} rmx__token_writer;
rmx_status rmx__token_writer_open(rmx__token_writer *w, const char *path, int vocab,
                                  uint64_t tokenizer_hash, rmx_err *err);
// Adds ids (n). Errors are reported at the commit.
void rmx__token_writer_add(rmx__token_writer *w, const uint32_t *ids, size_t n);
// *hash: of the ids.
rmx_status rmx__token_writer_commit(rmx__token_writer *w, uint64_t *hash, rmx_err *err);
void rmx__token_writer_discard(rmx__token_writer *w);

// Checks that (data, size) is a whole token file of this tokenizer, with the right hash, and that
// each id is below `vocab`. Cost: one pass over the ids, at the speed of memory.
rmx_status rmx__token_file_check(const void *data, size_t size, uint64_t tokenizer_hash, int vocab,
                                 const char *path, rmx__token_header *header, rmx_err *err);

#endif
