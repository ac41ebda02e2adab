// SPDX-License-Identifier: Apache-2.0
// ranks.h: the merges of a vocabulary that only says which token is made first.
#ifndef RMX_CORPUS_TOKENIZER_FILES_RANKS_H
#define RMX_CORPUS_TOKENIZER_FILES_RANKS_H

#include "corpus/tokenizer/bpe.h"

// tiktoken's and SentencePiece's files have no merges: two neighbours are joined if they are a
// token together, and of several such tokens the one with the lowest rank is made first. Here each
// way to make a token of two tokens becomes a merge, in the order of the ranks. tokens (n): an
// empty one has no part in this. ranks (n): NULL if the rank of a token is its id. longer_first: of
// the ways to make one token, that with the longer first part comes first. merges (nmerges): free()
// them.
rmx_status rmx__ranks_to_merges(const rmx__token_text *tokens, const uint32_t *ranks, size_t n,
                                bool longer_first, rmx__merge **merges, size_t *nmerges,
                                rmx_err *err);

#endif
