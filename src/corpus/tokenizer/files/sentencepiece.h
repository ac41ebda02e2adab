// SPDX-License-Identifier: Apache-2.0
// sentencepiece.h: reads the files of SentencePiece ("tokenizer.model", "spiece.model").
#ifndef RMX_CORPUS_TOKENIZER_FILES_SENTENCEPIECE_H
#define RMX_CORPUS_TOKENIZER_FILES_SENTENCEPIECE_H

#include "corpus/tokenizer/tokenizer.h"

// The numbers of the file.
typedef enum rmx__piece_type {
  RMX__PIECE_NORMAL = 1,
  RMX__PIECE_UNKNOWN,
  RMX__PIECE_CONTROL,  // never found in a text
  RMX__PIECE_USER,     // a token wherever it stands in a text
  RMX__PIECE_UNUSED,   // never found in a text, but decoded
  RMX__PIECE_BYTE,     // <0x0A>, for characters that are no pieces
} rmx__piece_type;
typedef enum rmx__spm_type {
  RMX__SPM_UNIGRAM = 1,
  RMX__SPM_BPE,
  RMX__SPM_WORD,
  RMX__SPM_CHAR,
} rmx__spm_type;

typedef struct rmx__spm {
  rmx__token_text *pieces;  // (n) bytes of the file
  double *scores;           // (n)
  uint8_t *types;           // (n) rmx__piece_type
  size_t n, unknown;        // unknown: the one piece of that type
  int64_t end_of_text;      // or -1
  rmx__spm_type type;
  bool byte_fallback, suffix;  // suffix: a space belongs to the word before it
  // What is done to a text before it is cut into pieces, in this order.
  rmx__token_text charsmap;  // see charsmap.h; size 0: none
  bool trim;                 // rows of spaces become one; those at both ends go
  bool add_space;            // at the start, or at the end with `suffix`
  bool escape;               // a space becomes "▁"
} rmx__spm;

// Whether a file may be one of SentencePiece: it begins with a piece.
bool rmx__spm_is(const char *data, size_t size);
// Reads a file, which must stay. Messages begin with `where`. RMX_EINPUT: it is cut off or damaged,
// has no piece or no unknown one, two pieces with one text, or a score that is not a number.
rmx_status rmx__spm_read(rmx__spm *m, const char *data, size_t size, const char *where,
                         rmx_err *err);
void rmx__spm_release(rmx__spm *m);

#endif
